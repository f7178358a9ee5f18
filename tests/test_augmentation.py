"""Light augmentation: other copies of the training images in every epoch, all else as without."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, inputs, jobs, sources, training
from tlcore.commands import local_run
from tlcore.errors import SpecError
from tlcore.features import freezing, prefix
from tlcore.inputs import Images
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, Hooks, InputForm, Phase, from_json, to_json
from tlcore.training import augmentation, finder
from tlcore.training.planning import plans

FROZEN = ("conv_1", "conv_2")
SPEC = FineTuneSpec(data=DataSpec(per_class=4), phases=(Phase(3, FROZEN),), augment=True)


@pytest.fixture(scope="module")
def data():
    return datasets.load(SPEC.data)


def test_copies_are_images_of_the_same_digits_and_follow_from_the_seed(data):
    copies = Images().augment(data.x_train, 3)
    assert (copies.shape, copies.dtype) == (data.x_train.shape, np.uint8)
    assert np.array_equal(copies, Images().augment(data.x_train, 3))
    assert not np.array_equal(copies, Images().augment(data.x_train, 4))
    ink = copies.sum(axis=(1, 2, 3), dtype=float) / data.x_train.sum(axis=(1, 2, 3), dtype=float)
    assert ink.min() > 0.75 and ink.max() < 1.3, "nothing leaves the frame: a tenth of zoom is a fifth of the ink"


def test_no_copy_is_mirrored_or_upside_down():
    corner = np.zeros((200, 28, 28, 1), np.uint8)
    corner[:, 6:10, 6:22] = corner[:, 6:22, 6:10] = 255  # the corner is above on the left
    for copy in Images().augment(corner, 0)[..., 0].astype(float):
        rows, columns = copy.sum(axis=1), copy.sum(axis=0)
        assert rows[:14].sum() > rows[14:].sum() and columns[:14].sum() > columns[14:].sum()


def test_the_channels_of_an_image_move_together():
    grey = np.random.default_rng(0).integers(0, 255, (3, 28, 28, 1), np.uint8)
    copies = Images().augment(np.repeat(grey, 3, axis=3), 1)
    assert np.array_equal(copies, np.repeat(Images().augment(grey, 1), 3, axis=3))


def test_what_comes_in_from_outside_is_what_was_at_the_edge():
    white = np.full((20, 96, 96, 3), 255, np.uint8)
    assert np.array_equal(inputs.modality("photo").augment(white, 0), white)
    assert augmentation.examples("hands", 2, 0).shape == (3, 96, 96, 3)


def test_every_epoch_has_copies_of_its_own_and_a_stop_is_heard_while_they_are_made(data, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(augmentation, "AT_ONCE", 7)
        assert augmentation.images(data, SPEC, 0).shape == data.x_train.shape
        assert augmentation.images(data, SPEC, 0, lambda: True) is None
    first, second = (augmentation.images(data, SPEC, epoch) for epoch in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, augmentation.images(data, SPEC, 0))


def test_a_spec_of_before_opens_without_it_and_a_control_has_what_its_run_has():
    assert from_json('{"kind": "fine_tune", "source": "digits"}') == FineTuneSpec(source="digits", augment=False)
    assert from_json(to_json(SPEC)) == SPEC
    assert SPEC.from_scratch("random").augment


def test_a_kind_of_input_without_it_refuses_it_in_one_sentence():
    class Echoes(inputs.Modality):
        name = "echo"

    form = InputForm("echo", (4,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(inputs.MODALITIES, "echo", Echoes())
        augmentation.check(replace(SPEC, augment=False), form)
        with pytest.raises(SpecError, match="'echo' cannot be augmented.*Turn augmentation off.") as error:
            augmentation.check(SPEC, form)
    assert "\n" not in str(error.value)
    jobs.check(SPEC)


def test_the_command_line_asks_for_it_and_the_articles_recipe_does_not_take_it():
    from tlcore import cli

    def line(*words):
        return local_run.fine_tune_spec(cli.parser().parse_args(["train", *words]))

    assert line("--augment").augment and not line().augment
    with pytest.raises(SpecError, match="fixes what --augment sets"):
        line("--recipe", "article", "--augment")


def test_a_run_like_it_is_one_that_augments_too():
    job = jobs.of(SPEC)
    assert job.work(SPEC) != job.work(replace(SPEC, augment=False))
    comparison = jobs.of(ComparisonSpec())
    assert comparison.work(ComparisonSpec(SPEC)) != comparison.work(ComparisonSpec(replace(SPEC, augment=False)))


def test_the_plan_runs_the_frozen_layers_in_every_epoch(data):
    layers = sources.info(SPEC.source).layers
    (plan,) = plans(layers, SPEC, data, None, True)
    (without,) = plans(layers, replace(SPEC, augment=False), data, None, True)
    assert plan.prefix_work == 0 < without.prefix_work and plan.n_layers == len(layers)
    assert plan.step_work > without.step_work


def test_examples_are_an_image_and_its_copies():
    items = augmentation.examples("mnist_5_9", 4, 0)
    assert items.shape == (5, 28, 28, 1) and len({item.tobytes() for item in items}) == 5
    assert len(augmentation.examples("fashion_mnist", 4, 0)) == 0


# -- with a network


def trained(spec, data, *listener, **options):
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)
    return model, training.fit(model, data, spec, *listener, **options)


@pytest.mark.keras
def test_each_epoch_trains_on_copies_of_its_own_and_the_other_images_stay_untouched(data, monkeypatch):
    given, shown, points = [], [], []
    plain, show = Images.augment, training.Loop.show
    monkeypatch.setattr(Images, "augment", lambda self, items, seed: given.append(items) or plain(self, items, seed))
    monkeypatch.setattr(training.Loop, "show", lambda self, x: shown.append(x.copy()) or show(self, x))
    model, fitted = trained(SPEC, data, Hooks(on_metric=points.append))
    assert len(given) == len(shown) == 3 and all(np.array_equal(items, data.x_train) for items in given)
    assert len({x.tobytes() for x in (*shown, data.x_train)}) == 4
    answers = model.predict(data.x_validation, verbose=0).argmax(axis=1)
    assert points[-1].accuracy == pytest.approx((answers == data.y_validation).mean(), abs=1e-6)
    assert (fitted.cached, fitted.reason) == (False, prefix.CHANGED)
    assert {row.layer for row in fitted.proof if row.frozen} == set(FROZEN) and all(row.ok for row in fitted.proof)


@pytest.mark.keras
def test_a_step_is_taken_on_the_copies_that_were_shown(data):
    """One batch of all images: plain training on the first epoch's copies ends with the same weights."""
    spec = replace(SPEC, phases=(Phase(1, FROZEN),), batch_size=4096)
    model, _ = trained(spec, data)
    copies = replace(data, x_train=augmentation.images(data, spec, 0))
    twin, _ = trained(replace(spec, augment=False), copies, use_cache=False)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.keras
def test_the_same_spec_gives_the_same_weights_and_other_ones_than_without(data):
    hashes = [freezing.hashes(trained(spec, data)[0]) for spec in (SPEC, SPEC, replace(SPEC, augment=False))]
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.keras
def test_a_wide_first_layer_in_halves_is_shown_other_items_too(monkeypatch):
    import keras
    import tensorflow as tf

    monkeypatch.setattr("tlcore.training.loop.WIDE", 1)
    x = np.random.default_rng(0).random((8, 6), np.float32)
    tail = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="softmax", name="out")])
    loop = training.Loop(tail, tf.Variable(x), tf.zeros(8, tf.int64), 4, "sgd", 0.1)
    loop.show(x[::-1])
    assert np.array_equal(loop.forward.x.numpy().reshape(8, 6), x[::-1]) and loop.forward.x.shape == (16, 3)


@pytest.mark.keras
def test_the_range_test_sees_copies_too(data):
    def test_of(spec):
        return finder.find(sources.load(spec.source, n_classes=5, seed=0), data, spec)

    assert test_of(SPEC) == test_of(SPEC) != test_of(replace(SPEC, augment=False))
