"""Networks scale their items themselves: inside the model, once, and without a number of its own."""

import numpy as np
import pytest

from tlcore import datasets, features, sources
from tlcore.datasets.mnist import FORM
from tlcore.errors import SpecError
from tlcore.evidence import sweeps
from tlcore.features import freezing
from tlcore.inputs.images import Images
from tlcore.prediction import what_if
from tlcore.spec import FineTuneSpec, InputForm, SweepSpec

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def items():
    return datasets.samples("mnist", 16, seed=0)[0]


def answers(model, items):
    return features.compiled(model)(items)


@pytest.mark.parametrize("name", ["digits", "random"])
def test_a_network_reads_items_as_stored_and_answers_as_on_scaled_ones(name, items):
    model = sources.load(name)
    assert sources.reads(model, FORM) and model.inputs[0].dtype == "uint8"
    scaled = items / np.float32(255)
    np.testing.assert_allclose(answers(model, items), answers(sources.proper(model), scaled), atol=1e-6)


@pytest.mark.parametrize("name", [card.name for card in sources.catalogue() if card.form == FORM])
def test_what_prepares_the_items_has_no_number_no_row_and_no_place_among_the_presets(name):
    model = sources.load(name)
    assert sources.front(model) == ("rescaling",)
    rows = sources.describe(model)
    assert (rows[0].index, rows[0].name) == (0, "conv_1") and rows == sources.info(name).layers
    assert sum(row.n_weights for row in rows) == model.count_params()
    assert freezing.presets(rows)["article"] == ("conv_1",)


def test_a_model_is_never_scaled_twice(items):
    model = sources.load("digits")
    again = sources.scaled(sources.scaled(model, FORM), FORM)
    np.testing.assert_array_equal(answers(again, items), answers(model, items))
    assert sources.front(again) == ("rescaling",)


def test_one_that_an_older_version_saved_is_scaled_once(items, tmp_path):
    import keras

    old = sources.proper(sources.load("digits"))  # reads floats from 0 to 1
    old.save(tmp_path / "old.keras")
    loaded = keras.models.load_model(tmp_path / "old.keras", compile=False)
    assert not sources.reads(loaded, FORM)
    now = sources.scaled(loaded, FORM)
    np.testing.assert_allclose(answers(now, items), answers(old, items / np.float32(255)), atol=1e-6)


def test_without_scaling_the_network_proper_is_given_the_pixels_themselves(items, tmp_path):
    import keras

    model = sources.load("digits_0_4", n_classes=5, seed=1, scale=False)
    expected = answers(sources.proper(model), items.astype(np.float32))
    np.testing.assert_allclose(answers(model, items), expected, rtol=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(answers(loaded, items), expected, rtol=1e-5)


def test_the_scaling_of_a_network_that_first_puts_its_numbers_elsewhere_is_replaced_where_it_stands(items):
    import keras

    image = keras.Input(FORM.shape, dtype="uint8")
    x = keras.layers.Rescaling(2 / 255, offset=-1.0, name="rescaling")(keras.layers.Reshape((784,), name="row")(image))
    model = keras.Model(image, keras.layers.Dense(2, name="out")(x))
    assert sources.front(model) == ("row", "rescaling")
    bare = sources.scaled(model, FORM, 1.0)
    kernel, bias = model.get_layer("out").get_weights()
    flat = items.reshape(len(items), -1).astype(np.float32)
    np.testing.assert_allclose(answers(bare, items), flat @ kernel + bias, rtol=1e-3, atol=1e-2)
    assert sources.describe(bare) == sources.describe(model) and sources.describe(model)[0].name == "out"


def test_a_layer_with_weights_in_front_belongs_to_the_network_proper():
    import keras

    image = keras.Input(FORM.shape, dtype="uint8")
    adapted = keras.layers.Normalization(name="normal")
    adapted.adapt(np.zeros((2, *FORM.shape)))
    model = keras.Model(image, keras.layers.Flatten()(adapted(image)))
    assert sources.front(model) == () and sources.describe(model)[0].name == "normal"


@pytest.mark.parametrize(
    "refuse",
    [
        lambda: what_if.check(what_if.Move(target="strips")),
        lambda: sweeps.check(SweepSpec(target="strips", per_class=(1,))),
        lambda: sources.check_reads(sources.info(FineTuneSpec().source), "strips"),
    ],
)
def test_a_network_and_data_of_another_form_are_refused_in_one_sentence(refuse, monkeypatch):
    class Strips(datasets.DataSource):
        form = InputForm("image", (8, 6, 2))
        info = datasets.DatasetInfo("strips", "Strips", ("a", "b"), form, (20, 20), 8, True, "")

    monkeypatch.setitem(datasets.SOURCES, "strips", Strips())
    with pytest.raises(SpecError, match=r"Digits 0-4 reads 28 × 28 \(image\), but Strips has 8 × 6 × 2 \(image\)"):
        refuse()


def test_a_drawing_is_read_as_training_images_are():
    item = Images().accept([{"width": 0.08, "points": [[0.3, 0.2], [0.7, 0.2], [0.45, 0.85]]}], FORM)
    assert answers(sources.load("digits"), item[None]).argmax() == 7
