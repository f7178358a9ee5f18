"""What pages say of a cluster: its workers, to the host alone, and where a run ran."""

from pages.test_pages import ME, TUNED, finished, opened, sound, words

from pages import test_pages  # pyright: ignore[reportAttributeAccessIssue]
from pages.ui.runs import tables
from pages.ui.session import state
from tlcore.engine import Status, Worker, fitness
from tlcore.people import Person
from tlcore.spec import ExampleSpec, FineTuneSpec

lab = test_pages.lab

ONE = Worker("gpu-1", "10.0.0.7", 1, ("1a2b3c",), {"GPU": 1.0})
IDLE = Worker("cpu-1", "10.0.0.8", 1)
REFUSED = Worker("cpu-2", "10.0.0.9", 1, refusal=fitness.DAEMONIC)


def engine(monkeypatch, lab, *workers, alive=True, n=2):
    status = Status(n_workers=n, busy=1, queued=3, alive=alive, workers=workers)
    monkeypatch.setattr(lab.engine, "status", lambda: status)


def shown_tables(monkeypatch):
    seen = []
    monkeypatch.setattr(tables, "show", lambda *given: seen.append(given))
    return seen


def test_the_host_sees_every_worker_and_why_one_gets_no_runs(lab, monkeypatch):
    engine(monkeypatch, lab, IDLE, REFUSED, ONE)
    monkeypatch.setattr(state, "person", lambda: Person(ME.id, host=True))
    finished(lab.store, TUNED)
    seen = shown_tables(monkeypatch)
    app = sound(opened("runs"))
    ((_, rows, label, marked),) = seen
    assert label == "Workers" and marked == [1]
    assert rows == [
        ["cpu-1", "free", "–", "–", "10.0.0.8"],
        ["cpu-2", "gets no runs", "–", "–", "10.0.0.9"],
        ["gpu-1", "working", "1a2b3c", "GPU 1", "10.0.0.7"],
    ]
    assert "gets no runs. It may not start processes of its own." in words(app)
    assert [each.label for each in app.expander if "busy" in each.label] == ["Workers: 1 of 2 busy, 3 runs wait"]


def test_nobody_else_sees_them(lab, monkeypatch):
    engine(monkeypatch, lab, ONE)
    finished(lab.store, TUNED)
    app = sound(opened("runs"))
    assert not [each for each in app.expander if "Workers" in each.label]


def test_a_scheduler_that_is_away_is_said_to_the_host(lab, monkeypatch):
    engine(monkeypatch, lab, alive=False)
    monkeypatch.setattr(state, "person", lambda: Person(ME.id, host=True))
    finished(lab.store, TUNED)
    assert "The scheduler of the cluster does not answer" in words(sound(opened("runs")))


def test_a_run_that_waits_for_the_first_worker_says_so(lab, monkeypatch):
    engine(monkeypatch, lab, n=0)
    lab.store.create(FineTuneSpec(), owner=ME.id)
    run = lab.store.create(ExampleSpec(), owner=ME.id)
    said = words(sound(opened("runs", run_run=run.id)))
    assert "No worker is there just now." in said and "runs 0 at a time" not in said


def test_a_run_says_which_worker_of_which_machine_it_ran_on(lab, monkeypatch):
    run = lab.store.create(FineTuneSpec(), owner=ME.id)
    lab.store.claim(run.id, worker="gpu-1")
    lab.store.finish(run.id, "done", TUNED)
    seen = shown_tables(monkeypatch)
    sound(opened("runs", run_run=run.id))
    facts = dict(next(rows for _, rows, label, *_ in seen if label == "Settings of this run"))
    assert facts["Worker"] == f"gpu-1 ({lab.store.get(run.id).host})"


def test_a_run_of_this_machine_names_no_worker(lab, monkeypatch):
    run = finished(lab.store, TUNED)
    seen = shown_tables(monkeypatch)
    sound(opened("runs", run_run=run.id))
    assert "Worker" not in dict(next(rows for _, rows, label, *_ in seen if label == "Settings of this run"))
