import pytest

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.features import CutPoint, freezing
from tlcore.features.freezing import Freezing
from tlcore.spec import FineTuneSpec, LayerInfo, Phase

LAYERS = sources.info("random").layers
FORWARD = {"conv_1": 26 * 26 * 9 * 32, "conv_2": 11 * 11 * 9 * 32 * 64, "dense_1": 1600 * 64, "dense_2": 640}


def test_the_articles_preset_freezes_320_of_121930_weights():
    frozen = freezing.presets(LAYERS)["article"]
    cost = Freezing(LAYERS, frozen).cost
    assert frozen == ("conv_1",)  # layer 1 is a pooling layer: nothing to freeze
    assert (cost.n_weights, cost.n_weights - cost.n_trainable) == (121_930, 320)


def test_presets_name_what_they_freeze():
    found = freezing.presets(LAYERS)
    assert found["nothing"] == ()
    assert found["convolutions"] == ("conv_1", "conv_2")
    assert found["all_but_head"] == ("conv_1", "conv_2", "dense_1")


def test_compute_counts_forward_weight_gradient_and_passed_gradient():
    full = sum(FORWARD.values()) * 3 - FORWARD["conv_1"]  # nothing passes below the first layer
    frozen = sum(FORWARD.values()) + FORWARD["dense_1"] + 2 * FORWARD["dense_2"]
    assert Freezing(LAYERS, ("conv_1", "conv_2")).cost.share == pytest.approx(frozen / full)
    assert Freezing(LAYERS).cost.share == 1.0


@pytest.mark.parametrize(
    ("frozen", "cut"),
    [
        ((), None),
        (("conv_1",), "pool_1"),
        (("conv_1", "conv_2"), "flatten"),
        (("conv_2",), None),
        (("conv_1", "conv_2", "dense_1"), "dense_1"),
        (("conv_1", "dense_1"), "pool_1"),
    ],
)
def test_the_boundary_is_the_longest_frozen_prefix(frozen, cut):
    boundary = Freezing(LAYERS, frozen).boundary
    assert (boundary and boundary.layer) == cut


def test_one_training_has_one_spelling():
    spellings = [("conv_1", "conv_2"), ("conv_2", "conv_1"), ("conv_1", "pool_1", "conv_2", "pool_2", "flatten")]
    assert {Freezing(LAYERS, names).names for names in spellings} == {("conv_1", "conv_2")}
    specs = [FineTuneSpec(phases=(Phase(frozen=names),)) for names in spellings]
    assert {freezing.canonical(spec, LAYERS) for spec in specs} == {specs[0]}


def test_a_stored_run_is_put_in_words_even_where_its_source_no_longer_has_its_layers():
    assert freezing.words("digits", ("pool_1", "conv_2", "conv_1")) == "conv_1, conv_2"
    assert freezing.words("digits", ("conv_9", "conv_1")) == "conv_9, conv_1"
    assert freezing.words("upload-0123456789ab", ("a", "b")) == "a, b"


def test_dropout_ends_the_prefix_even_when_all_is_frozen():
    layers = [
        LayerInfo(0, "a", "Dense", (4,), 8),
        LayerInfo(1, "drop", "Dropout", (4,), 0),
        LayerInfo(2, "b", "Dense", (2,), 8),
    ]
    assert Freezing(layers, ("a", "b")).boundary == CutPoint("a", 1, (4,))


def test_an_unknown_layer_is_named_with_the_layers_there_are():
    with pytest.raises(SpecError, match=r"Cannot freeze conv_9: digits has the layers conv_1, pool_1, conv_2"):
        Freezing(LAYERS, ("conv_9",), "digits")


@pytest.mark.keras
def test_applied_to_a_model_the_choice_sets_what_trains():
    model = sources.network(n_classes=3, seed=0)
    Freezing(LAYERS, ("conv_1", "conv_2")).apply(model)
    assert [layer.name for layer in model.layers if layer.trainable_weights] == ["dense_1", "dense_2"]
    Freezing(LAYERS).apply(model)
    assert len(model.trainable_weights) == 8


@pytest.mark.keras
def test_one_changed_weight_changes_that_layers_hash_and_no_other():
    model = sources.network(n_classes=3, seed=0)
    before = freezing.hashes(model)
    layer = model.get_layer("conv_2")
    kernel, bias = layer.get_weights()
    bias[0] += 1e-6
    layer.set_weights([kernel, bias])
    after = freezing.hashes(model)
    assert [name for name in before if before[name] != after[name]] == ["conv_2"]
    rows = {row.layer: row.ok for row in Freezing(LAYERS, ("conv_1", "conv_2")).proof(before, after)}
    assert rows == {"conv_1": True, "conv_2": False, "dense_1": False, "dense_2": False}


@pytest.mark.keras
def test_a_frozen_batch_normalization_does_not_move_its_averages():
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(name="bn"), keras.layers.Dense(1)])
    Freezing(sources.describe(model), ("bn",)).apply(model)
    before = freezing.hashes(model)["bn"]
    model(np.random.default_rng(0).normal(3, 2, (32, 4)).astype("float32"), training=True)
    assert freezing.hashes(model)["bn"] == before


def test_a_whole_training_counts_the_frozen_part_once_and_the_rest_in_every_epoch():
    frozen = Freezing(LAYERS, ("conv_1", "conv_2"))
    step, rest = frozen.multiply_adds(), frozen.multiply_adds(without_prefix=True)
    assert frozen.training(10) == (step - rest) + 10 * rest
    assert frozen.training(10, cached=False) == 10 * step
    assert Freezing(LAYERS).training(10) == 10 * Freezing(LAYERS).multiply_adds()
