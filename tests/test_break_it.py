"""Each mistake changes what it says and nothing else, and does what it promises."""

from dataclasses import replace

import pytest

from tlcore import jobs
from tlcore.errors import SpecError
from tlcore.features import freezing
from tlcore.jobs import execution as worker
from tlcore.recipes import break_it
from tlcore.recipes.break_it import BREAKS, broken, healthy, is_broken, verdict
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, HeadSpec

SEEDS = range(10)
FEWEST_KEPT = 9


def done(store, spec, accuracy=None, state="done"):
    """Store a run of ``spec`` that ended with that test accuracy."""
    run = store.create(spec)
    assert store.claim(run.id)
    result = {} if accuracy is None else {"test": {"accuracy": accuracy}}
    store.finish(run.id, state, result, error=Sentence("It rose."))
    return store.get(run.id)


def differences(first: FineTuneSpec, second: FineTuneSpec) -> set[str]:
    flat = [
        {f"data.{k}": v for k, v in vars(spec.data).items()}
        | {f"phase.{k}": v for k, v in vars(spec.phases[0]).items()}
        | {k: v for k, v in vars(spec).items() if k not in ("data", "phases")}
        for spec in (first, second)
    ]
    return {name for name in flat[0] if flat[0][name] != flat[1][name]}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("freeze_too_deep", "phase.frozen"),
        ("wrong_source", "source"),
        ("learning_rate", "phase.learning_rate"),
        ("scaling", "data.scale"),
        ("labels", "data.label_noise"),
    ],
)
def test_a_mistake_changes_one_thing_and_keeps_the_seed(name, field):
    assert differences(broken(name, 7), healthy(7)) == {field}
    jobs.check(broken(name, 7))


def test_the_forgotten_compile_is_the_head_first_and_then_what_the_twin_trains():
    (twin,), (head, rest) = healthy(7).phases, broken("recompile", 7).phases
    assert replace(broken("recompile", 7), phases=()) == replace(healthy(7), phases=())
    assert rest == replace(twin, epochs=10, recompiled=False) and head == replace(
        twin, epochs=10, frozen=("conv_1", "conv_2", "dense_1")
    )
    jobs.check(broken("recompile", 7))


def test_its_promise_is_broken_where_the_layer_moved(store):
    twin = done(store, healthy(), 0.95)
    for after, kept in (("a", True), ("b", False)):
        run = store.create(broken("recompile"))
        store.claim(run.id)
        row = {"layer": "dense_1", "frozen": False, "before": "a", "after": after, "ok": after == "b", "phase": 2}
        store.finish(run.id, "done", {"test": {"accuracy": 0.5}, "proof": [{**row, "compiled": False}]})
        assert verdict("recompile", store.get(run.id), twin).kept is kept


def test_no_mistake_is_left_untested():
    assert list(BREAKS) == ["freeze_too_deep", "wrong_source", "learning_rate", "scaling", "labels", "recompile"]
    assert all(break_it.CLEAR <= one.least_drop < 1 for one in BREAKS.values())


def test_a_mistake_is_known_by_its_spec_and_its_healthy_twin_is_none():
    assert all(is_broken(broken(name, seed)) for name in BREAKS for seed in (0, 7))
    assert not is_broken(healthy(7)) and not is_broken(HeadSpec())


@pytest.mark.parametrize("name", BREAKS)
def test_the_verdict_flips_with_the_drop(store, name):
    twin, least = done(store, healthy(1), 0.95), BREAKS[name].least_drop
    enough = verdict(name, done(store, broken(name, 1), 0.95 - least - 1e-9), twin)
    short = verdict(name, done(store, broken(name, 1), 0.95 - least + 1e-6), twin)
    assert (enough.kept, short.kept) == (True, False)
    assert enough.outcome == "worse"
    assert short.outcome == ("same" if least <= break_it.CLEAR else "worse")
    assert enough.drop == pytest.approx(least)


@pytest.mark.parametrize("name", BREAKS)
def test_a_run_that_ended_itself_keeps_the_promise_where_that_was_promised(store, name):
    found = verdict(name, done(store, broken(name), state="failed"), done(store, healthy(), 0.95))
    assert found == break_it.Verdict(kept=BREAKS[name].may_stop, drop=None, outcome="ended")


def test_runs_that_are_no_pair_are_refused(store):
    run, twin = done(store, broken("labels", 1), 0.2), done(store, healthy(1), 0.95)
    with pytest.raises(SpecError, match="do not belong together"):
        verdict("scaling", run, twin)
    with pytest.raises(SpecError, match="do not belong together"):
        verdict("labels", run, done(store, healthy(2), 0.95))
    with pytest.raises(SpecError, match="do not belong together"):
        verdict("labels", run, done(store, replace(healthy(1), batch_size=8), 0.95))
    with pytest.raises(SpecError, match="no result yet"):
        verdict("labels", store.create(broken("labels", 1)), twin)
    with pytest.raises(SpecError, match="There is no way to break it 'x'"):
        broken("x")


def executed(store, spec):
    run = store.create(spec)
    worker.execute(run.id, str(store.folder))
    return store.get(run.id)


@pytest.mark.keras
@pytest.mark.slow
def test_every_promise_is_kept_with_the_first_seed(store):
    twin = executed(store, healthy())
    found = {name: verdict(name, executed(store, broken(name)), twin) for name in BREAKS}
    assert all(one.kept for one in found.values()), found
    rows = store.list()[0].result.proof
    assert str(freezing.uncompiled(rows)) == (
        "dense_1 should have trained but did not change: the model was not compiled again after unfreezing."
    )


@pytest.mark.keras
@pytest.mark.soak
def test_every_promise_is_kept_in_nine_of_ten_seeds(store):
    twins = {seed: executed(store, healthy(seed)) for seed in SEEDS}
    for name in BREAKS:
        found = [verdict(name, executed(store, broken(name, seed)), twins[seed]) for seed in SEEDS]
        print(name, [None if one.drop is None else round(one.drop, 3) for one in found])
        assert sum(one.kept for one in found) >= FEWEST_KEPT, (name, found)
