"""Kinds of runs: each is one object, and whoever executes, lists or describes runs knows none of them."""

import counting
import pytest
from counting import CountSpec

from tlcore import cli, jobs
from tlcore.errors import SpecError
from tlcore.jobs.execution import execute
from tlcore.spec import from_json, to_json
from tlcore.spec import jobs as spec_jobs


@pytest.fixture
def count(monkeypatch):
    counting.register(monkeypatch)


def executed(store, spec):
    run = store.create(spec)
    execute(run.id, str(store.folder))
    return store.get(run.id)


def test_every_kind_that_can_be_stored_has_its_job():
    assert (
        set(jobs.JOBS)
        == set(spec_jobs.SPECS)
        == set(spec_jobs.RESULTS)
        == {"fine_tune", "heads", "comparison", "sweep", "example", "evaluate"}
    )
    for kind, job in jobs.JOBS.items():
        assert job.kind == kind and isinstance(job.describe(job.spec()), str)
        job.check(job.spec())


def test_a_kind_that_is_taken_is_refused():
    with pytest.raises(SpecError, match="Two kinds of run are called 'fine_tune'"):
        jobs.register(jobs.JOBS["fine_tune"])


def test_a_further_kind_is_checked_executed_stored_and_described(store, count):
    run = executed(store, CountSpec(to=2))
    assert (run.state, run.kind, run.result.counted, run.spec) == ("done", "count", 2, CountSpec(to=2))
    assert [point.x for _, point in store.points(run.id)] == [1, 2]
    assert from_json(to_json(run.spec)) == run.spec
    assert jobs.describe(run.spec) == "count to 2"
    with pytest.raises(SpecError, match="Count to 1 or more. Received: 0"):
        jobs.check(CountSpec(to=0))
    assert str(executed(store, CountSpec(to=0)).error) == "Count to 1 or more. Received: 0."


def test_what_a_lost_attempt_kept_is_gone_on_from(store, count):
    run = store.create(CountSpec(to=4, seed=1))
    with pytest.raises(KeyboardInterrupt):
        execute(run.id, str(store.folder))
    assert store.requeue(run.id, lost=True)
    execute(run.id, str(store.folder))
    assert [point.x for _, point in store.points(run.id)] == [1, 2, 3, 4]
    assert (store.get(run.id).attempt, store.get(run.id).state) == (2, "done")


def test_a_spec_that_nothing_runs_is_refused_with_the_kinds_there_are():
    with pytest.raises(
        SpecError, match="no runs of the kind 'count'. Pick one of: fine_tune, heads, comparison, sweep, example"
    ):
        jobs.check(CountSpec())


def test_a_run_whose_kind_is_gone_says_so_and_the_others_are_listed(store, count, monkeypatch, capsys):
    run = executed(store, CountSpec())
    monkeypatch.undo()
    with pytest.raises(SpecError, match="unknown kind 'count'"):
        store.get(run.id)
    assert cli.main(["--home", str(store.folder), "runs"]) == 0
    assert capsys.readouterr().out == "No runs.\n"
