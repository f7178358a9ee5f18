"""Where networks come apart: chains after every layer, others only where nothing runs past the cut."""

import numpy as np
import pytest
from branched_networks import BLOCK_1, STEM, residual

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.features import cuts, freezing
from tlcore.features.freezing import Freezing

pytestmark = pytest.mark.keras


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((6, 28, 28, 1), np.float32)


def test_a_chain_is_cut_after_every_layer():
    layers = sources.describe(sources.network(5, seed=0))
    assert layers == sources.info("random").layers[:-1] + layers[-1:]
    assert [point.layer for point in cuts.cut_points(layers)] == [layer.name for layer in layers]
    assert {layer.block for layer in layers} == {""} and not any(layer.random for layer in layers)


def test_a_network_with_branches_is_cut_between_its_blocks():
    layers = sources.describe(residual())
    assert [layer.name for layer in layers if layer.cut] == [
        *STEM, "block_1_add", "block_2_add", "pool", "dense", "head",
    ]  # fmt: skip
    assert {layer.name for layer in layers if layer.block == "block_1"} == set(BLOCK_1)
    assert {layer.block for layer in layers} == {"", "block_1", "block_2"}
    assert [layer.name for layer in layers if layer.random] == ["block_2_dropout"]
    assert sum(layer.n_weights for layer in layers) == residual().count_params()


def test_both_parts_together_answer_as_the_whole_wherever_it_is_cut(images):
    model = residual()
    whole = model.predict(images, verbose=0)
    for point in cuts.cut_points(sources.describe(model))[:-1]:
        prefix, tail = cuts.split(model, point.layer)
        assert prefix is not None and prefix.output_shape[1:] == point.shape == tail.input_shape[1:]
        np.testing.assert_allclose(tail.predict(prefix.predict(images, verbose=0), verbose=0), whole, atol=1e-6)
    assert cuts.split(model, None) == (None, model)


def test_the_parts_share_their_weights_with_the_whole(images):
    model = residual()
    _, tail = cuts.split(model, "block_1_add")
    before = model.predict(images, verbose=0)
    tail.get_layer("head").bias.assign([9.0, 0.0, 0.0, 0.0, 0.0])
    assert not np.allclose(model.predict(images, verbose=0), before)
    assert {weight.path for weight in tail.weights} < {weight.path for weight in model.weights}


def test_what_prepares_the_images_belongs_to_the_prefix_and_to_a_tail_of_everything(images):
    model = residual(rescaled=True)
    prefix, tail = cuts.split(model, "stem_relu")
    assert [layer.name for layer in prefix.layers[1:]] == ["scale", *STEM]
    assert "scale" not in [layer.name for layer in tail.layers]
    plain = residual()
    np.testing.assert_allclose(
        prefix.predict(255 * images, verbose=0), cuts.split(plain, "stem_relu")[0].predict(images, verbose=0), atol=1e-5
    )


@pytest.mark.parametrize(
    ("cut", "sentence"),
    [
        ("block_1_relu", "'residual' cannot be cut after block_1_relu: .*stem_relu, block_1_add, .* Pick one of them"),
        ("conv_9", "'residual' cannot be cut after conv_9"),
        ("head", "'residual' cannot be cut after head"),
    ],
)
def test_no_cut_goes_through_a_block(cut, sentence):
    with pytest.raises(SpecError, match=sentence):
        cuts.split(residual(), cut)


def test_a_branch_that_joins_by_a_plain_sum_is_seen_too(images):
    import keras
    from keras import layers

    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(2, 3, strides=4, name="conv")(image)
    y = layers.Conv2D(2, 1, name="side")(x)
    z = layers.GlobalAveragePooling2D(name="pool")(x + y)
    model = keras.Model(image, layers.Dense(3, name="out")(z))
    rows = sources.describe(model)
    assert [row.type for row in rows] == ["Conv2D", "Conv2D", "Add", "GlobalAveragePooling2D", "Dense"]
    assert [row.cut for row in rows] == [True, False, True, True, True]
    prefix, tail = cuts.split(model, rows[2].name)
    np.testing.assert_allclose(
        tail.predict(prefix.predict(images, verbose=0), verbose=0), model.predict(images, verbose=0), atol=1e-6
    )


def test_a_network_of_inverted_residual_blocks_is_frozen_cut_and_named_by_block(images):
    import keras

    body = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None, pooling="avg")
    model = keras.Model(body.input, keras.layers.Dense(3, activation="softmax", name="head")(body.output))
    rows = sources.describe(model)
    assert sum(row.n_weights for row in rows) == model.count_params()
    blocks = ["expanded_conv", *(f"block_{n}" for n in range(1, 17))]
    assert list(dict.fromkeys(row.block for row in rows)) == ["", *blocks]
    assert {row.block for row in rows if not row.cut} == set(blocks)
    ends = [row.block for row in rows if row.cut and row.block]  # also of those through which nothing but a chain runs
    assert ends == blocks
    frozen = Freezing(rows, freezing.presets(rows)["all_but_last_block"])
    assert frozen.boundary and frozen.boundary.layer == "block_15_add" and frozen.words == "Conv1 – block_15"
    prefix, tail = cuts.split(model, "block_15_add")
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    np.testing.assert_allclose(
        tail.predict(prefix.predict(x, verbose=0), verbose=0), model.predict(x, verbose=0), atol=1e-6
    )


def test_a_layer_that_is_called_twice_is_no_cut_and_may_stand_on_both_sides_of_one():
    import keras
    from keras import layers

    image, shared = keras.Input((4,)), layers.Dense(4, name="shared")
    model = keras.Model(image, layers.Dense(2, name="out")(shared(layers.Dense(4, name="first")(shared(image)))))
    assert {row.name: row.cut for row in sources.describe(model)} == {"shared": False, "first": True, "out": True}
    prefix, tail = cuts.split(model, "first")
    x = np.random.default_rng(0).random((3, 4), np.float32)
    np.testing.assert_allclose(tail(prefix(x)), model(x), atol=1e-6)


def test_what_is_random_inside_a_model_or_a_cell_is_seen():
    import keras
    from keras import layers

    inner = keras.Sequential([keras.Input((4, 4)), layers.LSTM(3, return_sequences=True), layers.Dropout(0.5)])
    quiet = keras.Sequential([keras.Input((4, 4)), layers.Dense(4, name="d"), layers.BatchNormalization()], name="q")
    stack = [quiet, layers.LSTM(4, return_sequences=True), inner, layers.LSTM(3, dropout=0.1), layers.GaussianNoise(1)]
    model = keras.Sequential([keras.Input((4, 4)), *stack, layers.Dense(2)])
    assert [row.random for row in sources.describe(model)] == [False, False, True, True, True, False]
    assert sources.describe(model)[0].flops == 4 * 4 * 4
