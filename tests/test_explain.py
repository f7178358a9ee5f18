"""Where a network looks, its nearest training images and its activations, against TensorFlow and by hand."""

from pathlib import Path

import numpy as np
import pytest

from tlcore import datasets, features, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.inspection import networks as explain
from tlcore.jobs import execution as worker
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store

FEW = DataSpec(per_class=10, seed=2)
TUNE = FineTuneSpec(data=FEW, phases=(Phase(epochs=1, frozen=("conv_1",)),), seed=2)
HEADS = HeadSpec(layer="pool_2", data=FEW, seeds=(2,), heads=("knn",), inputs=("features", "pixels"), curves=False)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("lab"))
    runs = [store.create(spec) for spec in (TUNE, HEADS)]
    for run in runs:
        worker.execute(run.id, str(store.folder))
    return str(store.folder), *(run.id for run in runs)


@pytest.fixture(scope="module")
def seven():
    data = datasets.load(FEW)
    return data.x_test[np.flatnonzero(data.y_test == 2)[0]]


def test_a_map_checked_by_hand_leaves_out_what_speaks_against_the_class():
    activations = np.array([[[1.0, 0.0], [0.0, 2.0]]])  # (1, 2, 2)
    gradient = np.array([[[4.0, -1.0], [0.0, -3.0]]])  # means 2 and -2
    assert explain.grad_cam(activations, gradient).tolist() == [[2.0, 0.0]]


@pytest.mark.keras
def test_with_average_pooling_and_one_dense_layer_the_map_is_the_class_activation_map():
    """Selvaraju et al., section 3.1: Grad-CAM generalises CAM, up to the number of places."""
    import keras

    keras.utils.set_random_seed(1)
    image = keras.Input((28, 28, 1))  # nothing scales its images
    x = keras.layers.Conv2D(5, 3, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax")(x))
    look = explain._network(model)
    picture = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    values, gradient = look.run(picture, 1)
    maps, weights = values[0][0], model.layers[-1].get_weights()[0]  # (26, 26, 5), (5, 3)
    cam = np.maximum((maps * weights[:, 1]).sum(axis=-1), 0) / (26 * 26)
    np.testing.assert_allclose(explain.grad_cam(maps, gradient[0]), cam, atol=1e-8)


@pytest.mark.keras
def test_the_gradient_is_that_of_the_score_before_the_softmax(seven):
    """Measured by moving one activation a little, through the rest of the network run on its own."""
    import keras

    model = sources.load("digits")
    look = explain._network(model)
    values, gradient = look.run(seven[None], 7)
    maps = values[look.layers.index("conv_2")].astype(np.float64)
    names = [layer.name for layer in model.layers]
    rest = [keras.layers.deserialize(keras.layers.serialize(one)) for one in model.layers[names.index("conv_2") + 1 :]]
    rest[-1].activation = keras.activations.linear
    tail = keras.Sequential([keras.Input(maps.shape[1:], dtype="float64"), *rest])
    for ours, theirs in zip(rest, model.layers[names.index("conv_2") + 1 :], strict=True):
        ours.set_weights(theirs.get_weights())
    # Away from zero, where the pooling's maximum has rivals and so no slope of its own.
    strongest = np.argsort(-np.abs(gradient[0] * (maps[0] > 0.1)), axis=None)[:3]
    for place in strongest:
        at = (0, *np.unravel_index(place, gradient[0].shape))
        up, down = maps.copy(), maps.copy()
        up[at] += 0.01
        down[at] -= 0.01
        slope = float(tail(up)[0, 7] - tail(down)[0, 7]) / 0.02
        assert gradient[at] == pytest.approx(slope, rel=0.02)


@pytest.mark.keras
def test_each_cell_lies_at_the_centre_of_the_pixels_it_sees():
    look = explain._network(sources.load("digits"))
    assert (look.convolution, look.geometry) == ("conv_2", (3.5, 2.0))
    cam = np.zeros((11, 11))
    cam[0, 10] = 1.0
    placed = explain.placed_on(cam, 3.5, 2.0, (28, 28))
    assert placed.shape == (28, 28) and placed[3, 24] == 1.0  # rows to 3.5, columns from 23.5
    assert placed[4, 23] == pytest.approx(0.75 * 0.75) and placed[12, 12] == 0.0


@pytest.mark.keras
def test_the_pixels_a_cell_sees_are_where_its_gradient_is():
    import tensorflow as tf

    part = features.submodel(sources.proper(sources.load("digits")), "conv_2")
    image = tf.constant(np.random.default_rng(0).random((1, 28, 28, 1), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(image)
        cell = tf.reduce_sum(tf.abs(part(image)[0, 4, 6]))
    rows, columns = np.nonzero(np.asarray(tape.gradient(cell, image))[0, ..., 0])
    for seen, cell_at in ((rows, 4), (columns, 6)):
        assert abs((seen.min() + seen.max()) / 2 - (3.5 + 2.0 * cell_at)) <= 1


@pytest.mark.keras
@pytest.mark.parametrize("name", ["source:digits", "run"])
def test_a_network_is_explained_whole(lab, seven, name):
    folder, tuned, _ = lab
    name = f"run:{tuned}" if name == "run" else name
    found = explain.explain(name, seven, folder)
    own = prediction.predictor(name, Path(folder)).predict_proba(seven[None])[0]
    np.testing.assert_allclose(found.probabilities, own, atol=1e-6)
    assert [layer for layer, _ in found.activations] == [layer.name for layer in sources.info("digits").layers]
    assert found.activations[0][1].shape == (26, 26, 32) and found.activations[-1][1].shape == own.shape
    np.testing.assert_allclose(found.activations[-1][1], own, atol=1e-3)
    assert found.heat.heat.shape == (28, 28) and found.heat.label == own.argmax()
    assert found.heat.heat.max() <= found.heat.highest * (1 + 1e-6) and found.heat.heat.max() > 0


@pytest.mark.keras
def test_the_nearest_training_images_are_those_of_scikit_learn(lab, seven):
    from sklearn.neighbors import NearestNeighbors

    folder, tuned, compared = lab
    data = datasets.load(FEW)
    names = {
        f"run:{tuned}": ("dense_1", None),
        f"head:{compared}/knn-features.skops": ("pool_2", sources.load("digits_0_4")),
        f"head:{compared}/knn-pixels.skops": ("pixels", sources.load("digits_0_4")),
    }
    for name, (layer, model) in names.items():
        model = model or prediction.load_model(Store(Path(folder)).get(tuned), Path(folder))
        known, mine = (features.extract(model, x, layer, data.form) for x in (data.x_train, seven[None]))
        distances, rows = NearestNeighbors(n_neighbors=explain.N_NEAREST).fit(known).kneighbors(mine)
        found = explain.explain(name, seven, folder).nearest
        np.testing.assert_allclose(found.distances, distances[0], rtol=1e-4)
        assert (found.layer, found.n) == (layer, 50)
        assert found.labels[0] == data.class_names[data.y_train[rows[0][0]]]
        assert found.typical == pytest.approx(np.median(np.linalg.norm(known - mine, axis=1)), rel=1e-4)


@pytest.mark.keras
def test_a_head_has_no_heat_map_and_shows_the_layers_it_stands_on(lab, seven):
    folder, _, compared = lab
    found = explain.explain(f"head:{compared}/knn-features.skops", seven, folder)
    assert found.heat is None and [layer for layer, _ in found.activations][-1] == "pool_2"
    assert explain.explain(f"head:{compared}/knn-pixels.skops", seven, folder).activations == ()


@pytest.mark.keras
def test_a_training_set_that_is_not_there_leaves_the_rest_of_the_answer(seven, monkeypatch, tmp_path):
    def missing(spec):
        raise DataError("{title} is not on this computer.", title="Fashion-MNIST")

    monkeypatch.setattr(datasets, "load", missing)
    found = explain.explain("source:fashion", seven, str(tmp_path))
    assert found.nearest == "Fashion-MNIST is not on this computer." and found.heat is not None


@pytest.mark.keras
@pytest.mark.parametrize("name", ["source:vgg", "model", "run:00"])
def test_a_model_that_is_not_there_is_one_sentence(lab, seven, name):
    with pytest.raises(SpecError):
        explain.explain(name, seven, lab[0])


@pytest.mark.keras
def test_filters_are_the_kernels_of_the_first_convolution_and_the_strongest_of_the_second():
    model = sources.load("digits")
    first = model.get_layer("conv_1").get_weights()[0]  # (3, 3, 1, 32)
    np.testing.assert_array_equal(explain.filters("digits", "conv_1"), np.moveaxis(first[:, :, 0], -1, 0))
    second = model.get_layer("conv_2").get_weights()[0]
    found = explain.filters("digits", "conv_2")
    assert found.shape == (64, 3, 3)
    norms = (second**2).sum(axis=(0, 1))  # (32, 64)
    np.testing.assert_allclose((found**2).sum(axis=(1, 2)), norms.max(axis=0), rtol=1e-6)
    with pytest.raises(SpecError, match="no convolution 'dense_1'"):
        explain.filters("digits", "dense_1")
