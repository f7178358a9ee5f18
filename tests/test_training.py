"""Real networks on a few real digits."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, sources, training
from tlcore.errors import SpecError, TrainingError
from tlcore.features import freezing, prefix
from tlcore.features.freezing import Freezing
from tlcore.recipes import article_recipe, scratch_control
from tlcore.sentences import NOTHING
from tlcore.spec import OPTIMIZERS, DataSpec, FineTuneSpec, Hooks, Phase

pytestmark = pytest.mark.keras

FEW = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),))


@pytest.fixture(scope="module")
def data():
    return datasets.load(FEW.data)


def model_for(spec, data):
    return sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)


def trained(spec, data, *listener, **options):
    model = model_for(spec, data)
    return model, training.fit(model, data, spec, *listener, **options)


def test_frozen_weights_do_not_move_and_the_others_do(data):
    _, fitted = trained(FEW, data)
    assert {row.layer: row.frozen for row in fitted.proof} == {
        "conv_1": True,
        "conv_2": True,
        "dense_1": False,
        "dense_2": False,
    }
    assert all(row.ok for row in fitted.proof)
    assert all((row.before == row.after) == row.frozen for row in fitted.proof)


def test_progress_counts_gradient_steps_and_moves_inside_an_epoch(data):
    told = []
    spec = replace(FEW, batch_size=4)  # 40 images: 10 steps an epoch
    trained(spec, data, Hooks(on_progress=told.append))
    steps = [progress.step for progress in told if progress.n_steps]
    assert {progress.n_steps for progress in told if progress.n_steps} == {20}
    assert steps == sorted(steps) and steps[-1] == 20
    assert set(steps) - {0, 10, 20}, "only whole epochs were told"


def test_the_cached_prefix_trains_the_same_model_as_the_whole_network(data):
    cached, with_cache = trained(FEW, data)
    plain, without = trained(FEW, data, use_cache=False)
    assert with_cache.cached and not without.cached
    np.testing.assert_allclose(
        cached.predict(data.x_test[:64], verbose=0), plain.predict(data.x_test[:64], verbose=0), atol=2e-5
    )


def test_kept_features_train_the_same_weights_as_fresh_ones(data, tmp_path):
    fresh, first = trained(FEW, data, cache=tmp_path)
    kept, second = trained(FEW, data, cache=tmp_path)
    in_memory, third = trained(FEW, data)
    assert freezing.hashes(fresh) == freezing.hashes(kept) == freezing.hashes(in_memory)
    assert [one.cached for one in (first, second, third)] == [True, True, True]
    assert [one.from_cache for one in (first, second, third)] == [False, True, False]
    assert first.reason == third.reason
    assert str(first.reason) == (
        "The frozen layers conv_1 to flatten ran once (less than 1 MB); only the rest was trained."
    )
    assert str(second.reason) == (
        "The outputs of the frozen layers conv_1 to flatten were on disk already (less than 1 MB); "
        "only the rest was trained."
    )


def test_two_phases_with_the_same_boundary_compute_it_once(tmp_path):
    frozen = ("conv_1", "conv_2")
    spec = replace(FEW, phases=(Phase(1, frozen), Phase(1, (*frozen, "dense_1"))))
    _, fitted = trained(spec, datasets.load(spec.data), cache=tmp_path)
    assert fitted.cached and not fitted.from_cache
    # flatten and dense_1, of the training and of the validation images
    assert len(list(tmp_path.iterdir())) == 4


@pytest.mark.parametrize("folder", ["file", "file/cache"])
def test_a_cache_that_cannot_be_written_is_done_without(data, tmp_path, folder):
    (tmp_path / "file").write_text("")
    _, fitted = trained(FEW, data, cache=tmp_path / folder)
    assert fitted.cached and fitted.epochs == 2 and "ran once" in str(fitted.reason)


def test_a_stop_before_the_first_batch_leaves_the_model_as_it_was(data, tmp_path):
    model, fitted = trained(FEW, data, Hooks(should_stop=lambda: True), cache=tmp_path)
    assert fitted.stopped and fitted.epochs == 0 and fitted.proof == ()
    assert str(fitted.reason) == "It was stopped while the frozen layers were computed."
    assert freezing.hashes(model) == freezing.hashes(model_for(FEW, data))


def test_the_trained_model_is_whole_and_survives_saving(data, tmp_path):
    import keras

    model, _ = trained(FEW, data)
    assert model.count_params() == 121_605 and model.input_shape == (None, 28, 28, 1)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.predict(data.x_test[:8], verbose=0), again.predict(data.x_test[:8], verbose=0))


def test_a_batch_in_two_parts_gives_the_gradient_of_the_whole(data, monkeypatch):
    spec = FineTuneSpec(data=FEW.data, phases=(Phase(epochs=2),), batch_size=13)  # 40 images: the last batch has one
    assert len(data.x_train) % spec.batch_size == 1
    weights = []
    for parts in (1, 2):
        monkeypatch.setattr("tlcore.training.loop.n_parts", lambda tail, size, parts=parts: parts)
        model, _ = trained(spec, data)
        weights.append(model.get_weights())
    for whole, halves in zip(*weights, strict=True):
        np.testing.assert_allclose(halves, whole, atol=1e-5)


def test_only_a_long_step_without_a_layer_over_the_whole_batch_goes_in_two_parts():
    import keras

    network = sources.load("digits_0_4", n_classes=5)
    tail = keras.Sequential([keras.Input((1600,)), *network.layers[-2:]])
    normalised = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.BatchNormalization(), *network.layers[1:]])
    assert training.n_parts(network, 64) == 2
    assert training.n_parts(network, 1) == training.n_parts(tail, 64) == training.n_parts(normalised, 64) == 1


def test_the_same_spec_gives_the_same_weights(data):
    assert freezing.hashes(trained(FEW, data)[0]) == freezing.hashes(trained(FEW, data)[0])


def test_another_seed_gives_other_weights(data):
    first, second = trained(FEW, data)[0], trained(replace(FEW, seed=1), data)[0]
    assert freezing.hashes(first)["dense_2"] != freezing.hashes(second)["dense_2"]


def test_every_epoch_gives_a_training_and_a_validation_point(data):
    points = []
    _, fitted = trained(FEW, data, Hooks(on_metric=points.append))
    assert [(point.part, point.x) for point in points] == [
        ("train", 1.0),
        ("validation", 1.0),
        ("train", 2.0),
        ("validation", 2.0),
    ]
    assert all(point.loss > 0 and 0 <= point.accuracy <= 1 for point in points)
    assert fitted.epochs == 2 and fitted.images_per_s > 0


def test_the_validation_point_is_the_models_own_accuracy(data):
    points = []
    model, _ = trained(FEW, data, Hooks(on_metric=points.append))
    answers = model.predict(data.x_validation, verbose=0)
    assert points[-1].accuracy == pytest.approx((answers.argmax(axis=1) == data.y_validation).mean(), abs=1e-6)
    right = answers[np.arange(len(answers)), data.y_validation]
    assert points[-1].loss == pytest.approx(-np.log(right).mean(), rel=1e-3)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_takes_the_steps_that_keras_takes(name):
    """Five whole-set batches here and in Keras' own fit from the same weights."""
    import keras

    spec = FineTuneSpec(
        data=DataSpec(per_class=2), phases=(Phase(epochs=5, learning_rate=0.001),), optimizer=name, batch_size=4096
    )
    data = datasets.load(spec.data)
    ours, _ = trained(spec, data)
    theirs = model_for(spec, data)
    start = [weights.copy() for weights in theirs.get_weights()]
    optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": 0.001}})
    theirs.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    theirs.fit(data.x_train, data.y_train, batch_size=4096, epochs=5, verbose=0)
    # Where a gradient is nearly 0, Adam and RMSprop divide rounding by rounding: a few weights of 121,605 may differ.
    for a, b, c in zip(ours.get_weights(), theirs.get_weights(), start, strict=True):
        assert np.abs(b - c).mean() > 0
        assert np.abs(a - b).mean() < 1e-3 * np.abs(b - c).mean()


def test_a_stop_ends_training_between_two_batches_and_keeps_the_weights(data):
    asked = []

    def should_stop():
        asked.append(1)
        return len(asked) > 6

    model, fitted = trained(
        replace(FEW, batch_size=4, phases=(Phase(epochs=50),)), data, Hooks(should_stop=should_stop)
    )
    assert fitted.stopped and 0 < fitted.epochs < 50
    assert all(row.ok for row in fitted.proof)
    assert np.isfinite(model.get_weights()[0]).all()


def test_a_loss_that_is_not_a_number_stops_with_the_reason_and_a_smaller_rate():
    spec = replace(scratch_control(FEW), optimizer="sgd", phases=(Phase(epochs=5, learning_rate=10.0),))
    data = datasets.load(spec.data)
    model = model_for(spec, data)
    kernel, bias = model.get_layer("dense_2").get_weights()
    model.get_layer("dense_2").set_weights([kernel, bias + np.inf])  # a step that overflowed: inf - inf in the softmax
    with pytest.raises(TrainingError, match=r"stopped being a number in epoch 1.*try 1 or less"):
        training.fit(model, data, spec)


def test_a_loss_far_above_guessing_stops_with_the_reason():
    spec = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(epochs=30, learning_rate=1.0),), optimizer="adam")
    with pytest.raises(TrainingError, match=r"far above guessing|stopped being a number"):
        trained(spec, datasets.load(spec.data))


def test_two_phases_freeze_what_each_says():
    spec = replace(FEW, phases=(Phase(1, ("conv_1", "conv_2", "dense_1"), 1e-3), Phase(1, ("conv_1",), 1e-4)))
    _, fitted = trained(spec, datasets.load(spec.data))
    frozen = {(row.phase, row.layer) for row in fitted.proof if row.frozen}
    assert frozen == {(1, "conv_1"), (1, "conv_2"), (1, "dense_1"), (2, "conv_1")}
    assert all(row.ok for row in fitted.proof)


def test_the_articles_recipe_trains_121930_weights_then_freezes_320():
    spec = article_recipe()
    small = replace(
        spec, data=replace(spec.data, per_class=10), phases=tuple(replace(p, epochs=1) for p in spec.phases)
    )
    model, fitted = trained(small, datasets.load(small.data))
    assert model.count_params() == 121_930
    second = [row for row in fitted.proof if row.phase == 2]
    assert [row.layer for row in second if row.frozen] == ["conv_1"]
    assert sum(int(np.prod(v.shape)) for v in model.non_trainable_variables) == 320


def test_a_cut_whose_features_are_too_large_says_so_and_trains_anyway(data, monkeypatch):
    monkeypatch.setattr(prefix, "MEMORY_BYTES", 1000)
    _, fitted = trained(FEW, data)
    assert not fitted.cached and "would take less than 1 MB, more than there is room for" in str(fitted.reason)


def test_where_the_disk_takes_more_than_memory_the_prefix_is_computed_once(data, tmp_path, monkeypatch):
    monkeypatch.setattr(prefix, "MEMORY_BYTES", 1000)
    _, fitted = trained(FEW, data, cache=tmp_path)
    assert fitted.cached


LAYERS = sources.info("digits_0_4").layers
CONVOLUTIONS = ("conv_1", "conv_2")


@pytest.mark.parametrize(
    ("frozen", "n", "cut", "why"),
    [
        ((), 1000, None, "No leading layers are frozen, so every epoch runs the whole network."),
        (("conv_2",), 1000, None, "No leading layers are frozen, so every epoch runs the whole network."),
        (
            ("conv_1",),
            55_000,
            None,
            "Reading the outputs of conv_1 to pool_1 (1,135 MB) takes about as long as computing them, "
            "so every epoch computes them again.",
        ),
        (CONVOLUTIONS, 55_000, "flatten", ""),
        ((*CONVOLUTIONS, "dense_1"), 55_000, "dense_1", ""),
        (
            CONVOLUTIONS,
            100_000,
            None,
            "The outputs of conv_1 to flatten would take 610 MB, more than there is room for, "
            "so every epoch computes them again.",
        ),
    ],
)
def test_the_prefix_is_computed_once_where_that_pays(frozen, n, cut, why):
    place, reason = prefix.place(Freezing(LAYERS, frozen), n)
    assert (place and place.layer, str(reason)) == (cut, why)


def test_a_disk_takes_what_memory_does_not(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_CACHE_MB", "1300")
    frozen = Freezing(LAYERS, CONVOLUTIONS)
    assert prefix.place(frozen, 100_000, tmp_path) == (frozen.boundary, NOTHING)
    monkeypatch.setenv("TRANSFER_LAB_CACHE_MB", "1200")  # no single matrix may take more than half
    assert prefix.place(frozen, 100_000, tmp_path)[0] is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"phases": (Phase(epochs=0),)}, "Epochs must be a whole number from 1 to 100. Received: 0."),
        ({"phases": (Phase(epochs="ten"),)}, "Epochs must be a whole number"),
        ({"phases": (Phase(learning_rate=-1.0),)}, "Learning rate must be a number"),
        ({"phases": (Phase(frozen=("conv_9",)),)}, "Cannot freeze conv_9"),
        ({"phases": (Phase(frozen=("conv_1", "conv_2", "dense_1", "dense_2")),)}, "nothing would train"),
        ({"phases": ()}, "no phases"),
        ({"optimizer": "adamax2"}, "There is no optimizer 'adamax2'"),
        ({"batch_size": 0}, "Batch size must be"),
        ({"seed": -1}, "Seed must be"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(SpecError, match=sentence.replace("(", r"\(").replace(".", r"\.")):
        training.check(replace(FEW, **change), sources.info("digits_0_4").layers)


@pytest.mark.parametrize(
    ("n", "made_for_it", "rounded"), [(55_000, True, True), (55_000, False, False), (500, True, False)]
)
def test_many_images_are_rounded_where_the_processor_is_made_for_it(monkeypatch, n, made_for_it, rounded):
    monkeypatch.setattr(prefix, "multiplies_bfloat16", lambda: made_for_it)
    assert prefix.rounds(LAYERS[:4], n) is rounded


def test_rounded_or_not_a_training_comes_to_the_same_accuracy(monkeypatch):
    spec = replace(FEW, data=DataSpec(per_class=40), phases=(Phase(6, CONVOLUTIONS),))
    data = datasets.load(spec.data)
    monkeypatch.setattr(prefix, "multiplies_bfloat16", lambda: True)
    accuracy = []
    for many in (prefix.MANY, 1):
        monkeypatch.setattr(prefix, "MANY", many)
        model, fitted = trained(spec, data)
        assert ("bfloat16" in str(fitted.reason)) is fitted.bfloat16 is (many == 1)
        assert all(row.ok for row in fitted.proof)
        answers = model.predict(data.x_test, batch_size=512, verbose=0).argmax(axis=1)
        accuracy.append((answers == data.y_test).mean())
    assert abs(accuracy[0] - accuracy[1]) <= 0.005
