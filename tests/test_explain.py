"""Where a network looks, its nearest training images and its activations, against TensorFlow and by hand."""

from pathlib import Path

import numpy as np
import pytest
from branched_networks import residual

from tlcore import datasets, features, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.inspection import explanation, networks
from tlcore.inspection.nearest import N_NEAREST, nearest
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
    assert networks.grad_cam(activations, gradient).tolist() == [[2.0, 0.0]]


@pytest.mark.keras
def test_with_average_pooling_and_one_dense_layer_the_map_is_the_class_activation_map():
    """Selvaraju et al., section 3.1: Grad-CAM generalises CAM, up to the number of places."""
    import keras

    keras.utils.set_random_seed(1)
    image = keras.Input((28, 28, 1))  # nothing scales its images
    x = keras.layers.Conv2D(5, 3, activation="relu", name="conv")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(3, activation="softmax")(x))
    look = networks.traced(model)
    picture = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    values, gradient = look.run(picture, 1)
    maps, weights = values[0][0], model.layers[-1].get_weights()[0]  # (26, 26, 5), (5, 3)
    cam = np.maximum((maps * weights[:, 1]).sum(axis=-1), 0) / (26 * 26)
    np.testing.assert_allclose(networks.grad_cam(maps, gradient[0]), cam, atol=1e-8)


@pytest.mark.keras
def test_the_gradient_is_that_of_the_score_before_the_softmax(seven):
    """Measured by moving one activation a little, through the rest of the network run on its own."""
    import keras

    model = sources.load("digits")
    look = networks.traced(model)
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
    look = networks.traced(sources.load("digits"))
    assert (look.looks, look.grid) == ("conv_2", ((3.5, 2.0), (3.5, 2.0)))


@pytest.mark.keras
def test_a_network_with_branches_is_looked_at_where_its_last_block_ends():
    look = networks.traced(residual())
    assert look.looks == "block_2_add" and not look.why_not
    assert look.layers == ("stem_conv", "stem_bn", "stem_relu", "block_1_add", "block_2_add", "pool", "dense", "head")
    values, gradient = look.run(np.random.default_rng(0).random((1, 28, 28, 1), np.float32), 1)
    maps, below = values[4][0], residual()
    assert maps.shape == gradient[0].shape == (7, 7, 4) and values[-1].shape == (1, 5)
    # Nothing but a mean, a relu and two products lie behind: the gradient is the same at every place of a channel.
    assert np.ptp(gradient[0], axis=(0, 1)).max() < 1e-6 and np.abs(gradient).max() > 0
    answers = below.predict(np.random.default_rng(0).random((1, 28, 28, 1), np.float32), verbose=0)
    np.testing.assert_allclose(values[-1], answers, atol=1e-6)


def test_photographs_are_looked_at_after_the_activation_of_the_last_convolution():
    card = sources.info("mobilenet_v2")
    places = {layer.name for layer in card.layers if len(layer.output_shape) == 3}
    # Before its normalisation "Nothing in this image counts towards 8" stood under an 8 that was 99 % sure.
    assert networks.looks_at(card.layers, places) == "out_relu"
    assert networks.looks_at(card.layers, places - {"out_relu", "Conv_1_bn"}) == "Conv_1"
    assert networks.looks_at(card.layers, set()) == ""


@pytest.mark.keras
def test_a_network_that_cannot_be_looked_at_says_why():
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    flat = layers.Flatten()(image)
    dense = keras.Model(image, layers.Dense(3, activation="softmax")(flat))
    no_softmax = keras.Model(image, layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3)(image))))
    moved = layers.Permute((3, 1, 2))(layers.Reshape((28, 28, 1))(flat))  # its cells do not lie on the image
    placeless = keras.Model(image, layers.Dense(3, activation="softmax")(layers.Flatten()(layers.Conv2D(2, 1)(moved))))
    apart = layers.Softmax()(layers.Dense(3)(layers.Flatten()(layers.Conv2D(2, 3, name="conv")(image))))
    said = {name: networks.traced(model) for name, model in locals().items() if isinstance(model, keras.Model)}
    assert {name: str(look.why_not).partition(": ")[0].partition(";")[0] for name, look in said.items()} == {
        "dense": "A heat map needs a convolution whose places lie on the image",
        "no_softmax": "A heat map needs a network that ends in a softmax",
        "placeless": "A heat map needs a convolution whose places lie on the image",
    }
    picture = np.random.default_rng(0).random((1, 28, 28, 1), np.float32)
    assert all(look.run(picture, 0)[1] is None for look in said.values())
    look = networks.traced(keras.Model(image, apart))
    assert look.looks == "conv" and look.run(picture, 2)[1].shape == (1, 26, 26, 2)


@pytest.mark.keras
@pytest.mark.parametrize("name", ["source:digits", "run"])
def test_a_network_is_explained_whole(lab, seven, name):
    folder, tuned, _ = lab
    name = f"run:{tuned}" if name == "run" else name
    found = explanation.explain(name, seven, folder)
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
        distances, rows = NearestNeighbors(n_neighbors=N_NEAREST).fit(known).kneighbors(mine)
        found = explanation.explain(name, seven, folder).nearest
        np.testing.assert_allclose(found.distances, distances[0], rtol=1e-4)
        assert (found.layer, found.n) == (layer, 50)
        assert found.labels[0] == data.class_names[data.y_train[rows[0][0]]]
        assert found.typical == pytest.approx(np.median(np.linalg.norm(known - mine, axis=1)), rel=1e-4)


@pytest.mark.keras
def test_a_head_has_no_heat_map_and_shows_the_layers_it_stands_on(lab, seven):
    folder, _, compared = lab
    found = explanation.explain(f"head:{compared}/knn-features.skops", seven, folder)
    assert "needs a whole network" in str(found.heat) and [layer for layer, _ in found.activations][-1] == "pool_2"
    assert explanation.explain(f"head:{compared}/knn-pixels.skops", seven, folder).activations == ()


@pytest.mark.keras
def test_a_training_set_that_is_not_there_leaves_the_rest_of_the_answer(seven, monkeypatch, tmp_path):
    def missing(spec):
        raise DataError("{title} is not on this computer.", title="Fashion-MNIST")

    monkeypatch.setattr(datasets, "load", missing)
    found = explanation.explain("source:fashion", seven, str(tmp_path))
    assert str(found.nearest) == "Fashion-MNIST is not on this computer."
    assert isinstance(found.heat, explanation.HeatMap)


@pytest.mark.keras
@pytest.mark.parametrize("name", ["source:vgg", "model", "run:00"])
def test_a_model_that_is_not_there_is_one_sentence(lab, seven, name):
    with pytest.raises(SpecError):
        explanation.explain(name, seven, lab[0])


@pytest.mark.keras
def test_filters_are_the_kernels_of_the_first_convolution_and_the_strongest_of_the_second():
    model = sources.load("digits")
    first = model.get_layer("conv_1").get_weights()[0]  # (3, 3, 1, 32)
    np.testing.assert_array_equal(networks.filters("digits", "conv_1"), np.moveaxis(first[:, :, 0], -1, 0))
    second = model.get_layer("conv_2").get_weights()[0]
    found = networks.filters("digits", "conv_2")
    assert found.shape == (64, 3, 3)
    norms = (second**2).sum(axis=(0, 1))  # (32, 64)
    np.testing.assert_allclose((found**2).sum(axis=(1, 2)), norms.max(axis=0), rtol=1e-6)
    with pytest.raises(SpecError, match="no convolution 'dense_1'"):
        networks.filters("digits", "dense_1")


def test_an_untrained_network_is_not_said_to_have_learned_from_images(tmp_path):
    said = nearest("source:random", np.zeros((1, 28, 28, 1), np.uint8), str(tmp_path))
    assert str(said) == "This network is untrained: it has not learned from any images, so there are none to compare."
