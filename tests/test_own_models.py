"""Models as people save them: taken with the same answers, or refused in one sentence that says what to do."""

import re

import pytest
from hostile.asked import refusal
from hostile.tried import count

from tlcore import sources
from tlcore.errors import DataError
from tlcore.sources.foreign import archive, layers, rebuild, weights
from tlcore.sources.foreign.digits import Known, known_digits

pytestmark = [pytest.mark.keras, pytest.mark.slow]

TAKEN = (
    "in_one_dimension",
    "with_softmax_as_a_layer",
    "with_softmax_as_an_activation_layer_behind_a_dropout",
    "with_augmentation_in_a_model_of_its_own",
    "nested_twice_with_equal_names",
    "functional_in_functional",
    "with_names_that_are_no_plain_words",
    "with_a_fixed_batch",
    "of_any_size",
    "with_784_numbers_in_a_row",
    "with_activations_given_as_functions_and_layers",
    "with_mixed_precision",
    "with_losses_metrics_and_starts_of_ones_own",
    "trained_with_a_lambda_as_its_loss",
)
REFUSED = {
    "with_a_lambda_layer": "Use a layer that says what it does, such as Rescaling, Reshape or Activation",
    "that_reads_line_by_line": "Use Conv2D, pooling and Dense layers",
    "quantised": "Save the model before you call model.quantize, and add that file",
    "with_lora": "Build the same model without enable_lora",
    "with_a_skip_connection": "Leave out skip connections and second inputs or outputs",
    "with_two_outputs": "Leave out skip connections and second inputs or outputs",
    "with_channels_first": "Make the model with channels last",
    "with_an_activation_of_ones_own": "Use one of Keras' own by its name, such as 'relu'",
    "with_a_lambda_as_activation": "Use one of Keras' own by its name, such as 'relu'",
    "with_a_layer_of_ones_own": "Use one of Keras' own layers in its place",
    "of_a_class_of_its_own": "Build the same layers with keras.Sequential, copy the weights with set_weights",
    "that_ends_in_sigmoids": "End it in Dense(10, activation='softmax') and train it again",
    "that_answers_with_one_number": "End it in Dense(2, activation='softmax') or more",
    "that_ends_in_pooling": "End it in Dense(n, activation='softmax'), after a Flatten or GlobalAveragePooling2D layer",
    "that_answers_at_every_place": "Put a Flatten layer before it",
    "never_built": "Begin it with keras.Input((28, 28, 1)), or train it once, before you save it",
    "of_another_shape": "Begin it with keras.Input((28, 28, 1))",
    "too_large": "Use fewer units or filters",
    "that_computes_between_layers": "Use a layer for that, such as Rescaling, Reshape or Activation",
}


def added(content: bytes, folder, known: Known, pixels=None):
    """Take a file as an upload does, in this process; return what is kept and what was seen."""
    import keras

    network = archive.look_at(content)
    archive.unpack_weights(content, folder / archive.WEIGHTS)
    seen = rebuild.rebuild(network, str(folder), known, pixels)
    return keras.models.load_model(folder / rebuild.MODEL, compile=False), seen


@pytest.fixture
def image():
    import numpy as np

    return np.random.default_rng(0).random((3, 28, 28, 1), np.float32)


@pytest.mark.grid(7)
@pytest.mark.parametrize("name", TAKEN)
def test_an_own_model_answers_as_it_did(tmp_path, image, name):
    import keras
    import numpy as np
    import own_models

    keras.utils.set_random_seed(0)
    model = getattr(own_models, name)()
    content = own_models.save(model, tmp_path / "m.keras")
    kept, seen = added(content, tmp_path, known_digits(()))
    given = image.reshape(-1, *(n or 28 for n in model.inputs[0].shape[1:]))
    assert np.allclose(
        kept(image, training=False), model(given, training=False), atol=1e-3
    )  # half precision: three digits
    assert kept.input_shape == (None, 28, 28, 1) and kept.dtype == "float32"
    assert seen["n_digits"] == 0
    kinds = {type(layer).__name__ for layer in kept.layers}
    assert not kinds & {*layers.RANDOM, "Softmax", "Sequential", "Functional"}
    assert sum(row["n_weights"] for row in seen["layers"]) == kept.count_params()
    head = sources.with_new_head(kept, 3, seed=0)
    assert head(image, training=False).shape == (3, 3)


@pytest.mark.grid(9)
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_what_to_do(tmp_path, name):
    import own_models

    content = own_models.save(getattr(own_models, name)(), tmp_path / "m.keras")
    with pytest.raises(DataError) as caught:
        archive.look_at(content)
    assert refusal(caught.value) and REFUSED[name] in str(caught.value)
    assert not any(word in str(caught.value) for word in ("config", "registered", "builtins", "DTypePolicy", "inbound"))
    count("own model")


def test_a_network_that_ends_in_raw_scores_is_given_a_softmax_and_that_is_said(tmp_path, image, monkeypatch):
    import keras
    import numpy as np
    import own_models

    from tlcore.sources import uploads

    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    monkeypatch.setattr(uploads, "_in_a_process", rebuild.rebuild)
    model = own_models.cnn(last=None)
    card = uploads.add(own_models.save(model, tmp_path / "m.keras"), "m.keras", "abcdefghij")
    answers = sources.proper(sources.load(card.name))(image, training=False)
    assert np.allclose(answers, keras.ops.softmax(model(image)), atol=1e-5)
    assert uploads.findings(card)[0].startswith("It ended in raw scores, so a softmax was added")


def test_four_million_weights_come_with_what_adam_keeps_of_them_and_more_is_told_what_to_leave_out(tmp_path):
    import keras
    import own_models

    chain = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(4800)]
    model = keras.Sequential([*chain, keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.optimizer.build(model.trainable_variables)
    content = own_models.save(model, tmp_path / "m.keras")
    assert len(content) > 12 * model.count_params() > 44_000_000
    assert archive.look_at(content).n_weights == model.count_params()
    with pytest.raises(DataError, match="more than 64 MB. Leave out what the optimizer keeps") as caught:
        archive.look_at(content + bytes(archive.MOST_BYTES + 1 - len(content)))
    assert refusal(caught.value)


def test_every_layer_that_may_come_is_tried(tmp_path, image):
    import numpy as np
    import own_models

    known = known_digits(())
    model = own_models.every_layer()
    kept, _ = added(own_models.save(model, tmp_path / "m.keras"), tmp_path, known)
    assert np.allclose(kept(image, training=False), model(image[..., 0], training=False), atol=1e-5)
    other = own_models.in_one_dimension()
    tried = {type(layer).__name__ for layer in (*model.layers, *other.layers)}
    assert tried == set(layers.SETTINGS) - set(layers.RANDOM)


def test_a_random_layer_is_known_by_the_settings_it_is_saved_with_and_does_nothing_when_a_network_answers(image):
    import keras
    import numpy as np

    for name in layers.RANDOM:
        factors = ({}, {"factor": 0.2}, {"height_factor": 0.1, "width_factor": 0.1}, {"factor": 4})
        made = None
        for settings in factors:
            try:
                made = getattr(keras.layers, name)(**settings)
                break
            except (TypeError, ValueError):
                continue
        assert made is not None, name
        unknown = set(made.get_config()) - set(layers.RANDOM_SETTINGS) - set(layers.UNUSED)
        assert not unknown, name
        assert np.array_equal(made(image, training=False), image), name


def test_every_activation_is_one_of_keras():
    import keras

    for name in layers.ACTIVATIONS:
        assert callable(keras.activations.get(name))


# -- what it is given for a pixel ------------------------------------------------------------------------------------


def made_for(black: float, white: float, *front):
    """Return the shipped model of all digits as if it had been trained on other pixel values."""
    import keras

    shipped = sources.proper(sources.load("digits"))
    model = keras.Sequential([keras.Input((28, 28, 1)), *front, *keras.models.clone_model(shipped).layers[1:]])
    kernel, bias = shipped.layers[1].get_weights()
    weights = [kernel / (white - black), bias - kernel.sum(axis=(0, 1, 2)) * black / (white - black)]
    own = [layer for layer in model.layers if layer.weights]
    own[0].set_weights(weights)
    for layer, from_shipped in zip(own[1:], [layer for layer in shipped.layers if layer.weights][1:], strict=True):
        layer.set_weights(from_shipped.get_weights())
    return model


@pytest.mark.grid(3)
@pytest.mark.parametrize(
    ("made", "given"),
    [
        ((0.0, 1.0), (0.0, 1.0)),
        ((0.0, 255.0), (0.0, 255.0)),
        ((-1.0, 1.0), (-1.0, 1.0)),
        ((1.0, 0.0), (1.0, 0.0)),
        ((255.0, 0.0), (255.0, 0.0)),
        ((1.0, -1.0), (1.0, -1.0)),
    ],
)
def test_a_network_is_given_the_pixel_values_with_which_it_reads_digits(tmp_path, made, given):
    import numpy as np
    import own_models

    known = known_digits("0123456789")
    images = known.images[..., None].astype(np.float32) / 255
    kept, seen = added(own_models.save(made_for(*made), tmp_path / "m.keras"), tmp_path, known)
    assert (seen["pixels"], seen["expected"]) == (given, (0.0, 1.0))
    assert seen["n_right"] >= 98 and (seen["n_right_as_expected"] < 93 or made == (0.0, 1.0))
    assert np.allclose(kept(images, training=False), sources.proper(sources.load("digits"))(images), atol=1e-3)


@pytest.mark.grid(3)
@pytest.mark.parametrize(
    ("front", "expected"),
    [
        ("Rescaling(1 / 255)", (0.0, 255.0)),
        ("Rescaling(1 / 127.5, offset=-1)", (0.0, 255.0)),
        ("Rescaling(2, offset=-1)", (0.0, 1.0)),
        ("Normalization(mean=33.3, variance=6162.0)", (0.0, 255.0)),
        ("Normalization(mean=0.13, variance=0.09)", (0.0, 1.0)),
        ("adapted", (0.0, 255.0)),
    ],
)
def test_a_network_that_scales_its_images_itself_is_given_what_its_first_layer_expects(tmp_path, front, expected):
    """Untrained: nothing is learned from its answers, so what the layer says decides."""
    import keras
    import own_models

    if front == "adapted":
        made = keras.layers.Normalization(axis=None)
        made.adapt(known_digits("0123456789").images[..., None])
    else:
        made = eval(f"keras.layers.{front}", {"keras": keras})
    keras.utils.set_random_seed(0)
    model = own_models.cnn(made)
    kept, seen = added(own_models.save(model, tmp_path / "m.keras"), tmp_path, known_digits("0123456789"))
    assert seen["pixels"] == seen["expected"] == expected
    white = kept.get_layer("input_values")(1.0) if expected[1] == 255 else 1.0
    assert float(white) == expected[1]
    assert not [row for row in seen["layers"] if row["type"] in ("Rescaling", "Normalization")]
    assert seen["layers"][0]["index"] == 0 and seen["layers"][0]["type"] == "Conv2D"


def test_values_that_a_person_names_are_not_tried_against_others(tmp_path):
    import own_models

    content = own_models.save(made_for(0.0, 255.0), tmp_path / "m.keras")
    _, seen = added(content, tmp_path, known_digits("0123456789"), pixels=(0.0, 2.0))
    assert seen["pixels"] == seen["expected"] == (0.0, 2.0)


@pytest.mark.grid(3)
@pytest.mark.parametrize("shape", [(32, 32, 1), (32, 32, 3), (28, 28, 3), (14, 14, 1), (1024,), (40, 30)])
def test_an_image_is_brought_to_the_size_and_channels_that_a_network_takes(tmp_path, image, shape):
    import keras
    import own_models

    model = keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    kept, seen = added(own_models.save(model, tmp_path / "m.keras"), tmp_path, known_digits("0123456789"))
    assert kept(image, training=False).shape == (3, 10) and kept.input_shape == (None, 28, 28, 1)
    assert [row["type"] for row in seen["layers"]] == ["Flatten", "Dense"]


def test_a_digit_is_padded_where_a_network_reads_that_better_than_a_scaled_one(tmp_path, image):
    """Its first layer cuts the middle out, as a network does that was trained on padded digits."""
    import keras
    import numpy as np
    import own_models

    shipped = sources.proper(sources.load("digits"))
    padded = keras.Sequential([keras.Input((32, 32, 1)), keras.layers.Cropping2D(2), *made_for(0.0, 1.0).layers])
    kept, seen = added(own_models.save(padded, tmp_path / "m.keras"), tmp_path, known_digits("0123456789"))
    assert np.allclose(kept(image, training=False), shipped(image), atol=1e-4) and seen["n_right"] >= 98


@pytest.mark.filterwarnings("ignore:overflow")
def test_weights_in_half_and_double_precision_are_read(tmp_path, image):
    import keras
    import numpy as np
    import own_models

    for policy in ("float16", "bfloat16", "float64"):
        keras.config.set_dtype_policy(policy)
        try:
            model = own_models.cnn()
            content = own_models.save(model, tmp_path / "m.keras")
        finally:
            keras.config.set_dtype_policy("float32")
        kept, _ = added(content, tmp_path, known_digits(()))
        first = next(layer for layer in kept.layers if layer.weights)
        assert np.array_equal(first.kernel, np.asarray(model.layers[0].kernel).astype(np.float32)), policy


def test_what_an_optimizer_keeps_is_not_read(tmp_path, image):
    import h5py
    import numpy as np
    import own_models

    model = own_models.cnn()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((2, 28, 28, 1)), np.zeros(2), verbose=0)
    content = own_models.save(model, tmp_path / "m.keras")
    network = archive.look_at(content)
    archive.unpack_weights(content, tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file["optimizer/vars/2"][...] = np.nan
    weights.check_weights(tmp_path / "w.h5", network.n_weights)
    read = weights.read_weights(tmp_path / "w.h5", network)
    assert sum(array.size for arrays in read.values() for array in arrays) == model.count_params()


# -- in the rest of the app ------------------------------------------------------------------------------------------


@pytest.fixture
def scaled(tmp_path, monkeypatch):
    """The card of an added model that takes 56 × 56 images with values from 0 to 255."""
    import keras
    import own_models
    from keras import layers as keras_layers

    from tlcore.sources import uploads

    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    monkeypatch.setattr(uploads, "_in_a_process", rebuild.rebuild)
    keras.utils.set_random_seed(1)  # untrained: with other numbers a padded digit might be read better by chance
    model = own_models.cnn(keras_layers.Rescaling(1 / 255), shape=(56, 56, 1), middle=[keras_layers.Dropout(0.1)])
    return uploads.add(own_models.save(model, tmp_path / "m.keras"), "m.keras")


def test_layers_that_prepare_an_image_are_in_the_stored_model_and_have_no_number(scaled):
    from tlcore.features import freezing
    from tlcore.features.freezing import Freezing

    assert [layer.type for layer in scaled.layers] == ["Conv2D", "Dropout", "Flatten", "Dense"]
    assert [layer.index for layer in scaled.layers] == [0, 1, 2, 3]
    model = sources.load(scaled.name)
    # The first makes values from 0 to 1 of the stored pixels. Keras numbers its automatic names through a process.
    front = [re.sub(r"_\d+$", "", name) for name in sources.front(model)[1:]]
    assert front == ["input_size", "input_values", "rescaling"]
    assert freezing.presets(scaled.layers)["convolutions"] == (scaled.layers[0].name,)
    assert Freezing(scaled.layers).cost.n_weights == model.count_params()


def test_the_film_of_a_training_begins_behind_the_layers_that_prepare_an_image(scaled, tmp_path):
    import numpy as np

    from tlcore import datasets
    from tlcore.spec import DataSpec, FineTuneSpec, Phase
    from tlcore.training import film

    model = sources.load(scaled.name, n_classes=5)
    spec = FineTuneSpec(source=scaled.name, data=DataSpec(per_class=2), phases=(Phase(epochs=1),), film=True)
    film.Monitor(model, spec, tuple("56789"), tmp_path).on_epoch(0, None)
    images, _ = datasets.samples("mnist_5_9", film.N_MAP)
    (frame,) = film.frames(tmp_path)
    answers = np.asarray(model(images[: film.N_WATCHED], training=False))
    assert np.allclose([answer.sure for answer in frame.answers], answers.max(axis=1), atol=1e-4)


def test_a_rounded_prefix_keeps_the_scaling_of_the_image_exact(scaled):
    import numpy as np

    from tlcore import features

    model = sources.load(scaled.name)
    prefix = features.submodel(model, scaled.layers[0].name)
    images = known_digits("0123456789").images[..., None]
    rounded = features.in_bfloat16(prefix)
    assert {layer.compute_dtype for layer in rounded.layers if layer.name in sources.front(model)} == {"float32"}
    exact = np.asarray(prefix(images, training=False))
    assert np.allclose(np.asarray(rounded(images, training=False), np.float32), exact, atol=0.01 * exact.max())


def test_where_a_network_looks_is_placed_on_the_image_that_was_drawn(scaled, tmp_path):
    """One convolution without padding, every second pixel of 56: cell i is centred on pixel (2 i + 1) / 2 - 1 / 4."""
    import numpy as np

    from tlcore.inspection import explanation, networks

    look = networks.traced(sources.load(scaled.name))
    assert look.grid and [axis == pytest.approx((0.25, 1.0)) for axis in look.grid] == [True, True]
    assert look.layers == scaled.layer_names
    image = np.zeros((28, 28, 1), np.uint8)
    found = explanation.explain(f"source:{scaled.name}", image, str(tmp_path / "lab"))
    assert [name for name, _ in found.activations] == list(scaled.layer_names)
