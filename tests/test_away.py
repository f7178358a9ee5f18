"""What a run needs is away for a while, its folder or its database: it waits, and goes on from what it had."""

import threading
from contextlib import contextmanager
from functools import partial

import postgres_server
import pytest
import waiting

from tlcore.engine import fitness
from tlcore.errors import AwayError
from tlcore.jobs import away, execution
from tlcore.jobs.job import Left
from tlcore.machine.settings import WORKER_NAME
from tlcore.spec import FineTuneResult, FineTuneSpec
from tlcore.store import Attempt, Store

LONG_S = 120
wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


class Work:
    """In place of a kind of run: does what it is given, one thing for each attempt."""

    helps = resumes = False

    def __init__(self, *attempts):
        self.attempts = list(attempts)

    def left(self, run, store):
        return Left()

    def check(self, spec):
        pass

    def run(self, spec, reporter, folder, so_far, saved):
        self.attempts.pop(0)(reporter, folder)
        return FineTuneResult()

    def clean(self, folder):
        pass


@pytest.fixture
def execute(monkeypatch):
    """Return a function that has a run of some store executed here, each attempt doing what it is given."""
    monkeypatch.setattr(away, "LOOK_S", 0.05)

    def execute(store, *attempts, run=None):
        run = run or store.create(FineTuneSpec())
        work = Work(*attempts)
        monkeypatch.setattr(execution, "of", lambda spec: work)
        execution.execute(run.id, str(store.folder))
        return store.get(run.id)

    return execute


@pytest.fixture
def shared(tmp_path, monkeypatch):
    """A store as a worker of a cluster sees it: its database elsewhere, its folder on a disk that may be away."""
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    monkeypatch.setenv(WORKER_NAME, "one")
    store = Store(tmp_path / "disk" / "lab")
    fitness.leave_mark(store)
    return store


@contextmanager
def disk_away(store, empty):
    """Take the disk of a store away; back it comes after half a second, or after the block."""
    disk = store.folder.parent
    disk.rename(disk.with_name("away"))
    if empty:  # where it was mounted
        store.folder.mkdir(parents=True)

    def back():
        if disk.exists():
            disk.rename(disk.with_name("below"))
        disk.with_name("away").rename(disk)

    timer = threading.Timer(0.5, back)
    timer.start()
    yield
    assert disk.with_name("away").exists(), "the disk was back before it was missed"


def nothing(reporter, folder):
    """Be done."""


def test_a_run_whose_folder_is_away_is_queued_again_when_it_is_back_and_loses_no_life(shared, execute):
    def cut(reporter, folder):
        (reporter.folder() / "checkpoint").write_text("so far")
        with disk_away(shared, empty=False):
            reporter.folder()

    run = execute(shared, cut)
    assert (run.state, run.attempt, run.lost) == ("queued", 1, 0)
    assert (shared.run_folder(run.id) / "checkpoint").read_text() == "so far"
    assert execute(shared, nothing, run=run).state == "done"


def test_what_was_written_where_nothing_was_mounted_does_not_count(shared, execute):
    def elsewhere(reporter, folder):
        with disk_away(shared, empty=True):
            (reporter.folder() / "model").write_text("whole")

    run = execute(shared, elsewhere)
    assert (run.state, run.lost) == ("queued", 0)
    assert not shared.run_folder(run.id).exists()


def test_a_run_does_not_begin_while_its_folder_is_away(shared, execute):
    run = shared.create(FineTuneSpec())
    with disk_away(shared, empty=True):
        execution_ended = threading.Thread(target=execute, args=(shared, nothing), kwargs={"run": run}, daemon=True)
        execution_ended.start()
        threading.Event().wait(0.1)
        assert shared.get(run.id).state == "queued"
    execution_ended.join(LONG_S)
    assert shared.get(run.id).state == "done"


def test_a_folder_that_does_not_come_back_ends_the_run_with_the_reason(shared, execute, monkeypatch):
    monkeypatch.setattr(away, "AWAY_S", 0.1)
    run = execute(shared, lambda reporter, folder: (folder / fitness.MARK_FILE).unlink())
    assert run.state == "failed" and "was away for longer than" in str(run.error)


def test_an_end_that_the_database_does_not_take_is_written_when_it_does(store, execute, monkeypatch):
    finish, refused = Attempt.finish, []

    def refuse(self, *arguments):
        if len(refused) < 3:
            refused.append(arguments)
            raise AwayError("the server restarts")
        return finish(self, *arguments)

    monkeypatch.setattr(Attempt, "finish", refuse)
    assert execute(store, nothing).state == "done" and len(refused) == 3


def test_a_store_that_is_away_for_many_beats_is_logged_once_and_once_when_it_is_back(store, monkeypatch, caplog):
    def refuse(self, progress):
        raise AwayError("the server restarts")

    run = store.create(FineTuneSpec())
    reporter = execution.Reporter(store, store.claim(run.id, worker="here"))
    with monkeypatch.context() as away_for_a_while:
        away_for_a_while.setattr(Attempt, "beat", refuse)
        assert [reporter.flush() for _ in range(5)] == [False] * 5
    assert [reporter.flush() for _ in range(5)] == [True] * 5
    lines = [(record.getMessage(), bool(record.exc_info)) for record in caplog.records]
    assert lines == [(f"run {run.id} could not report", True), (f"run {run.id} can report again", False)]


def test_a_comparison_is_queued_again_with_the_part_that_was_cut_off(store, execute):
    whole = store.create(FineTuneSpec())
    attempt = store.claim(whole.id)
    part = store.get(store.begin(FineTuneSpec(), parent=whole.id).run_id)
    assert attempt is not None

    def cut(reporter, folder):
        raise AwayError("the server restarts")

    def train(reporter, folder):
        execution.perform(part, Left(), execution.Reporter(store, store.beside(part)))

    store.requeue(whole.id)
    run = execute(store, train, cut, run=whole)
    assert [run.state, store.get(part.id).state] == ["queued", "queued"]


@pytest.mark.slow
@pytest.mark.skipif(not postgres_server.find_binaries(), reason=postgres_server.NOT_FOUND)
def test_a_run_during_which_postgres_is_restarted_goes_on(tmp_path, monkeypatch, execute):
    with postgres_server.started() as server:
        monkeypatch.setenv("TRANSFER_LAB_DATABASE", server.address)
        store = Store(tmp_path / "lab")

        def cut(reporter, folder):
            server.stop()
            threading.Timer(1.0, server.start).start()
            reporter.keep(FineTuneResult())
            reporter.on_data("0")

        run = execute(store, cut)
        assert (run.state, run.attempt, run.lost) == ("queued", 1, 0)
        assert execute(store, nothing, run=run).state == "done"
        store.close()
