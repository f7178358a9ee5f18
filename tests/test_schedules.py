"""How fast which layers learn, and when: schedules of the rate, rates by block, schedules of thawing."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import cli, datasets, sources, training
from tlcore.errors import SpecError
from tlcore.features import freezing
from tlcore.features.blocks import blocks, rate_factors
from tlcore.recipes import scratch_control, thawing
from tlcore.recipes.thawing import Thaw
from tlcore.spec import OPTIMIZERS, SCHEDULES, DataSpec, FineTuneSpec, Hooks, Phase, from_json, to_json
from tlcore.training import schedules

LAYERS = sources.info("digits_0_4").layers
CONVOLUTIONS = ("conv_1", "conv_2")
WHOLE = 4096  # a batch of all images
SPEC = FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(epochs=5, learning_rate=0.001),), batch_size=WHOLE)


@pytest.fixture(scope="module")
def data():
    return datasets.load(SPEC.data)


def model():
    return sources.load("digits_0_4", n_classes=5, seed=0)


def trained(spec, data):
    network = model()
    training.fit(network, data, spec)
    return network


def close(ours, theirs, start, share=1e-3):
    """Where a gradient is nearly 0, Adam divides rounding by rounding: a few weights of many may differ."""
    for a, b, c in zip(ours, theirs, start, strict=True):
        assert np.abs(b - c).mean() > 0
        assert np.abs(a - b).mean() < share * np.abs(b - c).mean()


@pytest.mark.keras
@pytest.mark.parametrize(
    ("name", "n", "shares"),
    [
        ("cosine", 4, [1, 0.853553, 0.5, 0.146447]),
        ("warm_up", 20, [0.1, 0.55, 1, 1, 1]),
        ("warm_up_cosine", 6, [0.1, 1, 0.904508, 0.654508, 0.345492, 0.095492]),
        ("warm_up_cosine", 1, [0.1]),
    ],
)
def test_a_schedule_takes_these_parts_of_the_rate(name, n, shares):
    share = schedules.share(name, n)
    assert [float(share(np.float32(step))) for step in range(len(shares))] == pytest.approx(shares, abs=1e-5)


@pytest.mark.keras
def test_a_constant_rate_costs_no_arithmetic():
    assert schedules.share("constant", 10) is None


@pytest.mark.keras
@pytest.mark.grid(1)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_cosine_takes_the_steps_that_keras_takes(data, optimizer):
    import keras

    spec = replace(SPEC, optimizer=optimizer, phases=(replace(SPEC.phases[0], schedule="cosine"),))
    theirs, start = model(), model().get_weights()
    rate = keras.optimizers.schedules.CosineDecay(0.001, 5)
    theirs.compile(
        optimizer=keras.optimizers.get({"class_name": optimizer, "config": {"learning_rate": 0.001}}),
        loss="sparse_categorical_crossentropy",
    )
    theirs.optimizer.learning_rate = rate
    theirs.fit(data.x_train, data.y_train, batch_size=WHOLE, epochs=5, verbose=0)
    close(trained(spec, data).get_weights(), theirs.get_weights(), start)


@pytest.mark.keras
@pytest.mark.parametrize("frozen", [(), CONVOLUTIONS], ids=["everything trains", "frozen convolutions"])
def test_rates_by_block_take_the_step_of_one_keras_optimizer_per_block(data, frozen):
    import keras
    import tensorflow as tf

    phase = Phase(epochs=1, frozen=frozen, learning_rate=0.01, rate_factor=0.25)
    ours = trained(replace(SPEC, optimizer="sgd", phases=(phase,)), data)
    theirs, start = model(), model().get_weights()
    freezing.Freezing(LAYERS, frozen).apply(theirs)
    with tf.GradientTape() as tape:
        answers = theirs(data.x_train, training=True)
        loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(data.y_train, answers))
    gradients = tape.gradient(loss, theirs.trainable_variables)
    rates = {"conv_1": 0.01 / 64, "conv_2": 0.01 / 16, "dense_1": 0.01 / 4, "dense_2": 0.01}
    for variable, gradient in zip(theirs.trainable_variables, gradients, strict=True):
        layer = variable.path.split("/")[-2]
        keras.optimizers.SGD(rates[layer]).apply([gradient], [variable])
    kept = [weights for layer in theirs.layers if layer.trainable for weights in layer.get_weights()]
    mine = [weights for layer in ours.layers if layer.name not in frozen for weights in layer.get_weights()]
    first = [a for a, layer in zip(start, ("conv_1",) * 2 + ("conv_2",) * 2 + ("dense_1",) * 2 + ("dense_2",) * 2,
                                   strict=True) if layer not in frozen]  # fmt: skip
    close(mine, kept, first)


def test_blocks_are_what_the_card_groups_and_each_factor_counts_from_the_last():
    assert blocks(LAYERS) == (("conv_1",), ("conv_2",), ("dense_1",), ("dense_2",))
    assert rate_factors(LAYERS, 0.5) == {"conv_1": 0.125, "conv_2": 0.25, "dense_1": 0.5, "dense_2": 1.0}


def test_the_control_learns_at_one_rate():
    spec = replace(SPEC, phases=(Phase(schedule="cosine", rate_factor=0.5),))
    assert scratch_control(spec).phases == (Phase(schedule="cosine"),)


def test_a_gradual_schedule_thaws_the_head_first_and_then_a_block_each_so_many_epochs():
    thaws = thawing.gradual(LAYERS, 30, 5)
    assert thaws == (Thaw(0, "dense_1"), Thaw(5, "conv_2"), Thaw(10, "conv_1"), Thaw(15, ""))
    spec = thawing.scheduled(FineTuneSpec(), LAYERS, thaws)
    assert [(phase.epochs, phase.frozen) for phase in spec.phases] == [
        (5, ("conv_1", "conv_2", "dense_1")), (5, CONVOLUTIONS), (5, ("conv_1",)), (15, ()),
    ]  # fmt: skip
    assert thawing.gradual(LAYERS, 6, 5) == thaws[:2]


@pytest.mark.parametrize(
    ("thaws", "sentence"),
    [
        ((), "begins after epoch 0"),
        ((Thaw(1, "conv_1"),), "begins after epoch 0"),
        ((Thaw(0, "conv_1"), Thaw(0, "")), "later than the one before"),
        ((Thaw(0, "conv_1"), Thaw(30, "")), "would never begin: there are 30 epochs"),
        ((Thaw(0, "conv_9"),), "There is no layer 'conv_9'"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(thaws, sentence):
    with pytest.raises(SpecError, match=sentence):
        thawing.scheduled(FineTuneSpec(), LAYERS, thaws)


@pytest.mark.parametrize("text", ["conv_1", "0", "0:", "x:conv_1", "-1:conv_1", "0:conv_1;5:nothing,"])
def test_a_line_that_is_not_a_schedule_is_refused(text):
    with pytest.raises(SpecError):
        thawing.scheduled(FineTuneSpec(), LAYERS, thawing.read(text))


def test_a_spec_without_these_fields_opens_with_what_it_was_trained_with():
    old = '{"kind": "fine_tune", "phases": [{"epochs": 4, "frozen": ["conv_1"], "learning_rate": 0.01}]}'
    assert from_json(old) == FineTuneSpec(phases=(Phase(4, ("conv_1",), 0.01, "constant", 1.0),), patience=0)
    spec = replace(SPEC, patience=3, phases=(Phase(schedule="warm_up", rate_factor=0.5),))
    assert from_json(to_json(spec)) == spec


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"phases": (Phase(schedule="steps"),)}, "There is no schedule 'steps'"),
        ({"phases": (Phase(rate_factor=0.0),)}, "Rate factor must be a number"),
        ({"patience": -1}, "Patience must be a whole number"),
    ],
)
def test_what_no_schedule_can_be_is_refused(change, sentence):
    with pytest.raises(SpecError, match=sentence):
        training.check(replace(SPEC, **change), LAYERS)


def line(*words):
    from tlcore.commands import local_run

    return local_run.fine_tune_spec(cli.parser().parse_args(["train", *words]))


def test_the_command_line_says_all_of_it():
    assert SCHEDULES[2] == "cosine"
    words = "--epochs 20 --thaw 0:conv_2,10:nothing --schedule cosine --rate-factor 0.5 --patience 3"
    spec = line(*words.split())
    assert spec.patience == 3
    assert spec.phases == (Phase(10, CONVOLUTIONS, 0.001, "cosine", 0.5), Phase(10, (), 0.001, "cosine", 0.5))
    assert [phase.epochs for phase in line("--recipe", "gradual", "--thaw-every", "8").phases] == [8, 8, 8, 6]


@pytest.mark.parametrize(
    "words", ["--thaw 0:conv_1 --freeze conv_1", "--thaw 0:conv_1 --recipe two-phase", "--recipe article --patience 2"]
)
def test_what_contradicts_is_refused(words):
    with pytest.raises(SpecError, match="eave"):
        line(*words.split())


@pytest.mark.keras
def test_the_same_spec_with_all_of_it_gives_the_same_weights(data):
    phases = (Phase(1, CONVOLUTIONS, 0.01, "warm_up", 0.5), Phase(2, (), 0.01, "warm_up_cosine", 0.5))
    spec = replace(SPEC, batch_size=4, phases=phases, patience=1)
    assert freezing.hashes(trained(spec, data)) == freezing.hashes(trained(spec, data))
    assert freezing.hashes(trained(spec, data)) != freezing.hashes(trained(replace(spec, seed=1), data))


@pytest.mark.keras
def test_a_schedule_goes_on_from_a_checkpoint_as_if_never_interrupted(data):
    spec = replace(SPEC, batch_size=4, phases=(Phase(4, CONVOLUTIONS, 0.01, "cosine"),))
    saved, again = [], model()
    training.fit(model(), data, spec, Hooks(on_checkpoint=lambda snapshot: saved.append(snapshot())))
    training.fit(again, data, spec, resume=saved[1])
    assert freezing.hashes(again) == freezing.hashes(trained(spec, data))
