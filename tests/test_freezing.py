import pytest

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.features import freezing
from tlcore.spec import LayerInfo

LAYERS = sources.info("random").layers
FORWARD = {"conv_1": 26 * 26 * 9 * 32, "conv_2": 11 * 11 * 9 * 32 * 64, "dense_1": 1600 * 64, "dense_2": 640}


def test_the_articles_preset_freezes_320_of_121930_weights():
    frozen = freezing.presets(LAYERS)["article"]
    cost = freezing.cost(LAYERS, frozen)
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
    assert freezing.cost(LAYERS, ("conv_1", "conv_2")).share == pytest.approx(frozen / full)
    assert freezing.cost(LAYERS, ()).share == 1.0


@pytest.mark.parametrize(
    ("frozen", "count"),
    [
        ((), 0),
        (("conv_1",), 2),
        (("conv_1", "conv_2"), 5),
        (("conv_2",), 0),
        (("conv_1", "conv_2", "dense_1"), 6),
        (("conv_1", "dense_1"), 2),
    ],
)
def test_the_boundary_is_the_longest_frozen_prefix(frozen, count):
    assert freezing.boundary(LAYERS, frozen) == count


def test_dropout_ends_the_prefix_even_when_all_is_frozen():
    layers = [
        LayerInfo(0, "a", "Dense", (4,), 8),
        LayerInfo(1, "drop", "Dropout", (4,), 0),
        LayerInfo(2, "b", "Dense", (2,), 8),
    ]
    assert freezing.boundary(layers, ("a", "b")) == 1


def test_an_unknown_layer_is_named_with_the_layers_there_are():
    with pytest.raises(SpecError, match=r"Cannot freeze conv_9: .*conv_1, pool_1, conv_2"):
        freezing.check_names(LAYERS, ("conv_9",), "digits")


@pytest.mark.keras
def test_freeze_sets_trainable_and_refuses_unknown_names():
    model = sources.network(n_classes=3, seed=0)
    freezing.freeze(model, ("conv_1", "conv_2"))
    assert [layer.name for layer in model.layers if layer.trainable_weights] == ["dense_1", "dense_2"]
    freezing.freeze(model, ())
    assert len(model.trainable_weights) == 8
    with pytest.raises(SpecError, match="conv_9"):
        freezing.freeze(model, ("conv_9",))


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
    rows = {row.layer: row.ok for row in freezing.proof(before, after, frozen=("conv_1", "conv_2"))}
    assert rows == {"conv_1": True, "conv_2": False, "dense_1": False, "dense_2": False}


@pytest.mark.keras
def test_a_frozen_batch_normalization_does_not_move_its_averages():
    import keras
    import numpy as np

    model = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(name="bn"), keras.layers.Dense(1)])
    freezing.freeze(model, ("bn",))
    before = freezing.hashes(model)["bn"]
    model(np.random.default_rng(0).normal(3, 2, (32, 4)).astype("float32"), training=True)
    assert freezing.hashes(model)["bn"] == before
