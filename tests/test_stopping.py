"""How a training ends before its last epoch: by itself, or by a person who may let it go on."""

from dataclasses import replace

import pytest

from tlcore import cli, datasets, jobs, sources, training
from tlcore.errors import SpecError
from tlcore.features import freezing
from tlcore.jobs import execution as worker
from tlcore.jobs.fine_tune import early_words
from tlcore.jobs.reporter import Reporter
from tlcore.spec import DataSpec, FineTuneResult, FineTuneSpec, Hooks, Phase
from tlcore.store import Store, checkpoint

pytestmark = pytest.mark.keras

CONVOLUTIONS = ("conv_1", "conv_2")
# A rate at which four images a class are soon learned by heart: the validation loss falls, then rises.
EARLY = FineTuneSpec(
    data=DataSpec(per_class=4), phases=(Phase(40, (), 0.005),), batch_size=10, optimizer="sgd", patience=2
)


@pytest.fixture(scope="module")
def data():
    return datasets.load(EARLY.data)


def model():
    return sources.load("digits_0_4", n_classes=5, seed=0)


class Losses:
    """Gives these validation losses, whatever the network answers."""

    def __init__(self, losses):
        self.losses = iter(losses)

    def __call__(self, *_):
        return lambda: (next(self.losses), 0.5)


def test_it_ends_after_so_many_epochs_without_a_lower_loss_and_has_the_best_weights(data, monkeypatch):
    monkeypatch.setattr("tlcore.training.phase.scorer", Losses([0.9, 0.5, 0.7, 0.6, 0.4]))
    network, weights = model(), []
    hooks = Hooks(on_epoch=lambda epoch, _accuracy: weights.append(freezing.hashes(network)))
    fitted = training.fit(network, data, replace(EARLY, optimizer="adam"), hooks)
    assert (fitted.epochs, fitted.best_epoch, fitted.waited, fitted.stopped) == (4, 2, 2, False)
    assert freezing.hashes(network) == weights[2] != weights[4]
    assert all(row.ok for row in fitted.proof)
    result = FineTuneResult(epochs=fitted.epochs, n_epochs=40, best_epoch=2, waited=2)
    assert str(early_words(result)) == (
        "Stopped after epoch 4 of 40; epochs without improvement: 2. The weights of epoch 2, with the lowest "
        "validation loss, were kept."
    )


def test_one_that_gets_better_to_the_end_goes_to_the_end(data, monkeypatch):
    monkeypatch.setattr("tlcore.training.phase.scorer", Losses([0.9, 0.8, 0.7]))
    fitted = training.fit(model(), data, replace(EARLY, phases=(Phase(3),)))
    assert (fitted.epochs, fitted.best_epoch, fitted.waited) == (3, 3, 0)


def test_only_the_last_phase_is_watched(data, monkeypatch):
    monkeypatch.setattr("tlcore.training.phase.scorer", Losses([0.1, 0.2, 0.3, 0.9, 0.8, 0.85, 0.9]))
    phases = (Phase(3, (*CONVOLUTIONS, "dense_1")), Phase(10, CONVOLUTIONS))
    fitted = training.fit(model(), data, replace(EARLY, phases=phases))
    assert (fitted.epochs, fitted.best_epoch) == (7, 5)


def test_without_patience_nothing_is_watched(data):
    fitted = training.fit(model(), data, replace(EARLY, patience=0, phases=(Phase(2),)))
    assert (fitted.epochs, fitted.best_epoch, fitted.waited) == (2, 0, 0)
    assert not early_words(FineTuneResult(epochs=2, n_epochs=2))


SPECS = {
    "in an epoch": (replace(EARLY, patience=0, batch_size=4, phases=(Phase(3, CONVOLUTIONS, 0.01),)), 1),
    "with augmented images": (
        replace(
            EARLY,
            patience=0,
            batch_size=4,
            phases=(
                Phase(
                    3,
                ),
            ),
            augment=True,
        ),
        1,
    ),
    "in the second phase": (
        replace(EARLY, optimizer="adam", batch_size=4, phases=(Phase(1, CONVOLUTIONS), Phase(2, (), 1e-3, "cosine"))),
        1,
    ),
    "while early stopping watches": (replace(EARLY, optimizer="rmsprop", batch_size=4, patience=2), 3),
}


@pytest.mark.grid(2)
@pytest.mark.parametrize("name", SPECS)
def test_a_stopped_training_that_goes_on_ends_with_the_weights_of_one_that_was_not(data, tmp_path, name, monkeypatch):
    monkeypatch.setattr("tlcore.training.phase.STRETCH_S", 0)  # it looks at the stop flag after every batch
    spec, after = SPECS[name]
    whole, points, done = model(), [], []
    fitted = training.fit(whole, data, spec, Hooks(on_metric=points.append))

    hooks = Hooks(
        should_stop=lambda: max(done) >= after,
        on_epoch=lambda epoch, _accuracy: done.append(epoch),
        on_stop=lambda snapshot: checkpoint.save(tmp_path, snapshot()),
        on_metric=lambda point: first_points.append(point),
    )
    first_points, later_points = [], []
    stopped = training.fit(model(), data, spec, hooks)
    assert stopped.stopped and after < stopped.epochs < after + 1
    network = model()
    later = training.fit(network, data, spec, Hooks(on_metric=later_points.append), resume=checkpoint.load(tmp_path))
    assert freezing.hashes(network) == freezing.hashes(whole)
    ends = [(point.part, point.x, point.accuracy) for point in points if point.x == int(point.x)]
    curve = [(point.part, point.x, point.accuracy) for point in (*first_points, *later_points)]
    assert [row for row in curve if row[1] == int(row[1])] == ends
    assert (later.proof, later.epochs, later.best_epoch) == (fitted.proof, fitted.epochs, fitted.best_epoch)


def test_one_stopped_before_its_first_batch_goes_on_from_the_start(data, tmp_path):
    spec = replace(EARLY, patience=0, phases=(Phase(1, CONVOLUTIONS),))
    hooks = Hooks(should_stop=lambda: True, on_stop=lambda snapshot: checkpoint.save(tmp_path, snapshot()))
    training.fit(model(), data, spec, hooks)
    network, whole = model(), model()
    training.fit(network, data, spec, resume=checkpoint.load(tmp_path))
    training.fit(whole, data, spec)
    assert freezing.hashes(network) == freezing.hashes(whole)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that a person stopped in its second epoch, in its store."""
    store = Store(tmp_path_factory.mktemp("lab"))
    spec = FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(3, CONVOLUTIONS),), batch_size=2)
    run = store.create(spec, name="mine", owner="me")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tlcore.training.phase.STRETCH_S", 0)
        patch.setattr(Reporter, "should_stop", lambda self: self.n_points > 1)
        worker.execute(run.id, str(store.folder))
    return store, store.get(run.id)


def test_a_run_that_goes_on_has_the_curves_of_both_and_the_result_of_one_never_stopped(stopped):
    store, run = stopped
    assert run.state == "stopped" and 1 < run.result.epochs < 2 and jobs.can_go_on(run, store)
    whole = store.create(run.spec)
    worker.execute(whole.id, str(store.folder))
    further = store.go_on(run, owner="me")
    assert (further.state, further.name, further.owner, further.spec) == ("queued", "mine", "me", run.spec)
    before = store.points(run.id)
    assert store.points(further.id) == before
    worker.execute(further.id, str(store.folder))
    whole, further = store.get(whole.id), store.get(further.id)
    assert (further.state, further.result.resumed_after, further.result.epochs) == ("done", (1,), 3)
    assert further.result.test == whole.result.test and further.result.proof == whole.result.proof
    assert store.points(further.id)[: len(before)] == before
    curve = [(point.part, point.x) for _n, point in store.points(further.id) if point.x == int(point.x)]
    assert curve == [(part, x) for x in (1.0, 2.0, 3.0) for part in ("train", "validation")]
    assert store.get(run.id) == run, "the stopped run stays as it was"
    assert not jobs.can_go_on(whole, store) and not checkpoint.can_go_on(store.run_folder(further.id))


def test_the_command_line_goes_on_with_a_stopped_run(stopped, capsys):
    store, run = stopped
    assert cli.main(["--home", str(store.folder), "runs", "resume", run.id]) == 0
    assert "done" in capsys.readouterr().out
    done = store.list(states=("done",))[0]
    assert cli.main(["--home", str(store.folder), "runs", "resume", done.id]) == 2
    assert "only a stopped run can be continued" in capsys.readouterr().err


def test_a_run_that_left_nothing_cannot_go_on(tmp_path):
    store = Store(tmp_path)
    run = store.create(FineTuneSpec())
    store.request_stop(run.id)
    assert not jobs.can_go_on(store.get(run.id), store)
    with pytest.raises(SpecError, match="left nothing to continue from"):
        store.go_on(store.get(run.id))
