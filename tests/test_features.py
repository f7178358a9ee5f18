import os
import subprocess
import sys

import numpy as np
import pytest

from tlcore import datasets, features, sources
from tlcore.datasets.mnist import FORM
from tlcore.errors import SpecError
from tlcore.features.freezing import Freezing

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def model():
    return sources.load("digits")


@pytest.fixture(scope="module")
def images():
    return datasets.samples("mnist", 12, seed=0)[0]


@pytest.mark.parametrize(
    ("layer", "d"), [("conv_1", 26 * 26 * 32), ("pool_2", 1600), ("flatten", 1600), ("dense_1", 64)]
)
def test_a_row_per_image_and_a_column_per_activation(model, images, layer, d):
    x = features.extract(model, images, layer)
    assert x.shape == (12, d) and x.dtype == np.float32


def test_the_last_layers_features_are_the_models_answers(model, images):
    np.testing.assert_allclose(features.extract(model, images, "dense_2"), model.predict(images, verbose=0), atol=1e-6)


def test_pixels_are_the_images_flattened(model, images):
    np.testing.assert_array_equal(
        features.extract(None, images, "pixels", FORM), images.reshape(12, 784) / np.float32(255)
    )


def test_rows_do_not_depend_on_their_neighbours(model, images):
    whole = features.extract(model, images, "pool_2")
    np.testing.assert_allclose(features.extract(model, images[3:4], "pool_2")[0], whole[3], atol=1e-5)


def test_an_unknown_layer_is_answered_with_the_layers_there_are(model, images):
    with pytest.raises(SpecError, match=r"no layer 'conv_9'.*conv_1.*dense_2"):
        features.extract(model, images, "conv_9")


def test_the_second_call_reads_what_the_first_one_kept(model, images, tmp_path):
    first = features.cached_extract(model, images, "flatten", tmp_path)
    second = features.cached_extract(model, images, "flatten", tmp_path)
    assert (first.from_cache, first.on_disk) == (False, True) and (second.from_cache, second.on_disk) == (True, True)
    np.testing.assert_array_equal(first.x, features.extract(model, images, "flatten"))
    np.testing.assert_array_equal(first.x, second.x)


def test_every_row_is_the_same_to_the_last_bit_wherever_it_stands(model):
    """What one run kept in its order serves another run as if it had computed it."""
    images = datasets.samples("mnist", 700, seed=0)[0]  # more than one batch, the last not full
    order = np.random.default_rng(0).permutation(700)
    prefix = features.submodel(model, "flatten")
    np.testing.assert_array_equal(
        features.activations(prefix, images)[order], features.activations(prefix, images[order])
    )


def test_batches_that_are_computed_at_once_come_in_their_order(model, images, monkeypatch):
    monkeypatch.setattr("tlcore.features.extraction.BATCH", 2)  # three times as many batches as are under way at a time
    prefix = features.submodel(model, "flatten")
    one_by_one = np.concatenate([features.activations(prefix, image[None]) for image in images])
    np.testing.assert_allclose(features.activations(prefix, images), one_by_one, atol=1e-5)


@pytest.mark.parametrize(("given", "used"), [({}, "1 1"), ({"TF_NUM_INTRAOP_THREADS": "7"}, "1 7")])
def test_half_the_cores_work_on_one_operation_unless_somebody_says_otherwise(given, used):
    code = "import os; os.cpu_count = lambda: 3; import tlcore as _; e = os.environ; "
    code += "print(e['TF_ENABLE_ONEDNN_OPTS'], e['TF_NUM_INTRAOP_THREADS'])"
    own = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", code], env=own | given, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == used


def test_the_same_layers_of_another_copy_share_a_file_whatever_stands_behind_them(images, tmp_path):
    """The heads' extraction serves fine-tuning: another head, another name, frozen or not."""
    features.cached_extract(sources.load("digits"), images, "flatten", tmp_path)
    tuned = sources.load("digits", n_classes=5, seed=3)
    Freezing(sources.describe(tuned), ["conv_1"]).apply(tuned)
    prefix = features.submodel(tuned, "flatten")
    assert features.cached_activations(prefix, images, tmp_path).from_cache


def test_other_images_other_weights_and_other_layers_are_other_files(model, images, tmp_path):
    changed = sources.load("digits")
    kernel, bias = changed.get_layer("conv_1").get_weights()
    changed.get_layer("conv_1").set_weights([kernel * 2, bias])
    calls = [
        (model, images, "flatten"),
        (model, images[:6], "flatten"),
        (model, images[::-1], "flatten"),
        (changed, images, "flatten"),
        (model, images, "pool_1"),
    ]
    assert not any(features.cached_extract(*call, tmp_path).from_cache for call in calls)
    assert len(list(tmp_path.iterdir())) == 5


def test_the_same_weights_in_another_architecture_are_another_file(images, tmp_path):
    """Without its relu a layer has the same weights and shapes, and other answers."""
    import keras

    changed = sources.load("digits")
    changed.get_layer("conv_1").activation = keras.activations.linear
    for model in (sources.load("digits"), changed):
        assert not features.cached_extract(model, images, "pool_1", tmp_path).from_cache


def test_a_damaged_file_is_made_again(model, images, tmp_path):
    whole = features.cached_extract(model, images, "dense_1", tmp_path).x.copy()
    path = next(tmp_path.iterdir())
    content = bytearray(path.read_bytes())
    content[-1000:-900] = bytes(100)
    path.write_bytes(content)
    again = features.cached_extract(model, images, "dense_1", tmp_path)
    assert not again.from_cache
    np.testing.assert_array_equal(again.x, whole)
    assert features.cached_extract(model, images, "dense_1", tmp_path).from_cache


def test_without_room_on_disk_the_features_are_in_memory(model, images, tmp_path):
    (tmp_path / "file").write_text("")
    found = features.cached_extract(model, images, "flatten", tmp_path / "file" / "cache")
    assert not found.on_disk
    np.testing.assert_array_equal(found.x, features.extract(model, images, "flatten"))


def test_without_room_anywhere_it_says_so(model, images):
    prefix = features.submodel(model, "flatten")  # 12 images of 1,600 numbers of 4 bytes
    assert features.cached_activations(prefix, images, None, in_memory=12 * 6400).x.shape == (12, 1600)
    with pytest.raises(features.NoRoom):
        features.cached_activations(prefix, images, None, in_memory=12 * 6400 - 1)


def test_a_stop_leaves_no_half_file(model, tmp_path):
    images = datasets.samples("mnist", 1100, seed=0)[0]
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) == 3

    prefix = features.submodel(model, "pool_2")
    with pytest.raises(features.Interrupted):
        features.cached_activations(prefix, images, tmp_path, should_stop=should_stop)
    assert len(asked) == 3 and list(tmp_path.iterdir()) == []


def test_tensorflow_reads_kept_features_in_place(model, images, tmp_path):
    x = features.cached_extract(model, images, "flatten", tmp_path).x
    shared = features.tensor(x)
    np.testing.assert_array_equal(shared.numpy(), x)
    x[0, 0] = -1.0  # stays in this process's view of the file
    assert float(shared[0, 0]) == -1.0


def test_memory_that_tensorflow_cannot_use_in_place_is_copied():
    buffer = np.zeros(4 * 33, np.uint8)
    x = buffer[4 - buffer.ctypes.data % 4 :][:128].view(np.float32)
    x = x[1:] if x.ctypes.data % 64 == 0 else x
    copied = features.tensor(x)
    x[0] = 5.0
    assert float(copied[0]) == 0.0


def test_a_compiled_model_answers_as_it_was_when_it_was_compiled(images):
    model = sources.load("digits")
    compiled, before = features.compiled(model), model.predict(images, verbose=0)
    np.testing.assert_allclose(compiled(images), before, atol=1e-6)
    model.get_layer("dense_2").bias.assign([9.0, *[0.0] * 9])
    np.testing.assert_allclose(compiled(images), before, atol=1e-6)
    np.testing.assert_allclose(features.compiled(model)(images), model.predict(images, verbose=0), atol=1e-6)


def test_bfloat16_rounds_what_goes_from_layer_to_layer_and_nothing_else(model, images):
    prefix = features.submodel(model, "pool_2")
    rounded = features.in_bfloat16(prefix)
    exact, found = features.activations(prefix, images), features.activations(rounded, images)
    assert found.dtype == np.float32 and not np.array_equal(found, exact)
    np.testing.assert_allclose(found, exact, atol=0.02 * exact.max())
    assert found.view(np.uint32).max() > 0 and not (found.view(np.uint32) & 0xFFFF).any()  # 8 bits of precision
    for before, after in zip(prefix.get_weights(), rounded.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_bfloat16_is_for_layers_it_was_tried_with():
    import keras

    strange = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(name="norm")])
    with pytest.raises(ValueError, match="norm"):
        features.in_bfloat16(strange)
