import numpy as np
import pytest

from tlcore import datasets, features, sources
from tlcore.errors import SpecError

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
    np.testing.assert_array_equal(features.extract(model, images, "pixels"), images.reshape(12, 784))


def test_rows_do_not_depend_on_their_neighbours(model, images):
    whole = features.extract(model, images, "pool_2")
    np.testing.assert_allclose(features.extract(model, images[3:4], "pool_2")[0], whole[3], atol=1e-5)


def test_an_unknown_layer_is_answered_with_the_layers_there_are(model, images):
    with pytest.raises(SpecError, match=r"no layer 'conv_9'.*conv_1.*dense_2"):
        features.extract(model, images, "conv_9")


def test_the_second_call_reads_what_the_first_one_kept(model, images, tmp_path):
    first = features.cached_extract(model, images, "flatten", tmp_path)
    second = features.cached_extract(model, images, "flatten", tmp_path)
    assert not first.from_cache and second.from_cache
    np.testing.assert_array_equal(first.x, second.x)


def test_other_images_other_weights_and_other_layers_are_other_files(model, images, tmp_path):
    changed = sources.load("digits")
    kernel, bias = changed.get_layer("conv_1").get_weights()
    changed.get_layer("conv_1").set_weights([kernel * 2, bias])
    calls = [
        (model, images, "flatten"),
        (model, images[:6], "flatten"),
        (changed, images, "flatten"),
        (model, images, "pool_1"),
    ]
    assert not any(features.cached_extract(*call, tmp_path).from_cache for call in calls)
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("damage", [b"", b"not a matrix", b"\x93NUMPY\x01\x00v\x00"])
def test_a_damaged_file_is_made_again(model, images, tmp_path, damage):
    whole = features.cached_extract(model, images, "dense_1", tmp_path)
    next(tmp_path.iterdir()).write_bytes(damage)
    again = features.cached_extract(model, images, "dense_1", tmp_path)
    assert not again.from_cache
    np.testing.assert_array_equal(again.x, whole.x)
    assert features.cached_extract(model, images, "dense_1", tmp_path).from_cache
