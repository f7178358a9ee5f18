"""The job engine with real processes: order, stop, death, two engines, restart, close."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest
import tiny_tasks
import waiting

from tlcore.engine import Engine, LocalEngine, Status, ends
from tlcore.engine import local as engine_module
from tlcore.errors import SpecError
from tlcore.jobs import execution  # noqa: F401 (what it names to the nursery)
from tlcore.machine import is_alive
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

LONG_S = 300  # longer than anything here takes; a test that waits for it fails


@pytest.fixture
def start(request, store, monkeypatch):
    """Start engines on the store's folder, which look at it ten times a second; all are closed at the end.

    The children of the slow tests are forked from the nursery, as the lab's own are on Linux; those of the others, and
    where a test says so, are spawned, as everywhere else.
    """
    monkeypatch.setattr(engine_module, "TURN_S", 0.1)
    engines, forked = [], request.node.get_closest_marker("slow") is not None

    def start(n_workers=1, execute=tiny_tasks.execute, warm=tiny_tasks.warm, with_keras=forked, **settings):
        settings |= {"execute": execute, "warm": warm, "with_keras": with_keras}
        engines.append(LocalEngine(store.folder, n_workers, **settings))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


def ended(store, run):
    return wait_for(lambda: (now := store.get(run.id)).final and now)


def begun(store, run):
    """Wait until a child works on the run; return the run."""
    return wait_for(lambda: (now := store.get(run.id)).progress.message == Sentence("began") and now)


def executions(store):
    """Return (run id, pid, parent's pid) of every execution, in order."""
    path = store.folder / "executed"
    return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        if sys.platform == "linux":  # one that has ended may wait for its parent to hear of it
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        return True
    except OSError:
        return False


def new(store, work="quick"):
    return store.create(FineTuneSpec(), name=work)


def test_a_submitted_run_is_done_in_a_process_of_its_own(store, start):
    engine = start()
    first, second = new(store), new(store)
    engine.submit(first.id)
    engine.submit(second.id)
    assert ended(store, first).state == ended(store, second).state == "done"
    (_, pid, parent), (_, other, _) = executions(store)
    assert int(parent) == os.getpid() and len({pid, other, str(os.getpid())}) == 3
    assert len(store.points(first.id)) == 1


@pytest.mark.slow
def test_the_first_child_waits_for_what_goes_before_it_but_not_for_ever(store, start, monkeypatch):
    asked = []
    run = new(store)
    engine = start(may_start=lambda: asked.append(not executions(store)) or len(asked) > 3)
    assert ended(store, run).state == "done"
    assert len(asked) == 4 and all(asked)
    monkeypatch.setattr(engine_module, "LONGEST_HOLD_S", 0.1)
    again = new(store)
    engine.close()
    start(may_start=lambda: False)
    assert ended(store, again).state == "done"


@pytest.mark.slow
def test_children_warm_up_one_after_the_other_while_no_run_waits(store, start):
    engine = start(2, warm=tiny_tasks.slow)
    path = store.folder / "warmed"
    wait_for(lambda: path.exists() and path.read_text().count("\n") == 4)
    lines = path.read_text().splitlines()
    first, second = lines[0].split()[0], lines[2].split()[0]
    assert lines == [f"{pid} {word}" for pid in (first, second) for word in ("begins", "is warm")]
    assert first != second and engine.wait_warm(LONG_S)


@pytest.mark.slow
def test_a_run_goes_to_a_child_that_is_warm(store, start):
    engine = start(2)
    assert engine.wait_warm(LONG_S)
    for _ in range(3):
        run = new(store)
        engine.submit(run.id)
        assert ended(store, run).state == "done"


def test_an_engine_that_waits_to_begin_closes_at_once(start):
    began = time.monotonic()
    start(may_start=lambda: False).close()
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_runs_are_done_first_come_first_served(store, start):
    runs = [new(store) for _ in range(4)]
    start()
    for run in runs:
        ended(store, run)
    assert [run_id for run_id, _, _ in executions(store)] == [run.id for run in runs]


def test_a_run_queued_by_another_process_is_found(store, start):
    engine = start()
    wait_for(lambda: engine.status().alive)
    run = new(store)  # and nobody submits it here
    assert ended(store, run).state == "done"


def test_what_was_deleted_a_month_ago_is_removed_and_nothing_else(store, start):
    old, young, kept = new(store), new(store), new(store)
    day = 24 * 3600
    for run, days in ((old, 31), (young, 29)):
        store.delete(run.id)
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET deleted = deleted - ? WHERE id = ?", (days * day, run.id))
    start(n_workers=0)
    wait_for(lambda: store.count(deleted=True) == 1)
    assert store.get(young.id).deleted and store.get(kept.id).state == "queued"


def test_an_unknown_run_is_refused_in_one_sentence(start):
    engine = start()
    for method in (engine.submit, engine.stop):
        with pytest.raises(SpecError, match="There is no run 'no such'"):
            method("no such")


@pytest.mark.slow
def test_the_status_counts_what_runs_and_what_waits(store, start):
    runs = [new(store, "until_stopped") for _ in range(3)]
    engine = start()
    begun(store, runs[0])
    assert engine.status() == Status(n_workers=1, busy=1, queued=2, alive=True)
    assert [store.ahead(run.id) for run in runs] == [0, 1, 2]
    for run in runs:
        engine.stop(run.id)
    wait_for(lambda: engine.status().busy == 0)


@pytest.mark.slow
def test_a_child_loads_no_streamlit_no_keras_and_not_the_main_script(store, tmp_path):
    main = tmp_path / "main_script.py"
    main.write_text(
        "import sys, types\n"
        f"open({str(tmp_path / 'times')!r}, 'a').write(__name__ + ' ')\n"
        "import streamlit\n"
        "from pathlib import Path\n"
        "from test_engine import ended, new\n"
        "import tiny_tasks\n"
        "from tlcore.engine import LocalEngine\n"
        "from tlcore.store import Store\n"
        f"store = Store(Path({str(store.folder)!r}))\n"
        "engine = LocalEngine(store.folder, 1, execute=tiny_tasks.execute, warm=tiny_tasks.warm)\n"
        "ended(store, new(store))\n"
        "page = types.ModuleType('__main__'); page.__file__ = __file__\n"
        "sys.modules['__main__'] = page\n"  # what Streamlit does for every page it runs
        "ended(store, new(store)); ended(store, new(store))\n"
        "engine.close()\n"
    )
    subprocess.run([sys.executable, main], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert (tmp_path / "times").read_text() == "__main__ "
    runs = store.list()
    assert len(runs) == 3
    for run in runs:
        assert not {"streamlit", "keras", "tensorflow", "sklearn"} & set(run.stored["modules"])


# -- stop


def test_stop_ends_a_run_that_listens(store, start):
    engine = start()
    run = new(store, "until_stopped")
    engine.submit(run.id)
    begun(store, run)
    engine.stop(run.id)
    assert (ended(store, run).state, store.get(run.id).stored) == ("stopped", {"obeyed": True})


@pytest.mark.slow
def test_stop_takes_a_waiting_run_off_the_queue(store, start):
    engine = start()
    running, waiting = new(store, "until_stopped"), new(store)
    begun(store, running)
    engine.stop(waiting.id)
    assert store.get(waiting.id).state == "stopped"
    engine.stop(running.id)
    ended(store, running)
    after = new(store)
    engine.submit(after.id)
    ended(store, after)
    assert waiting.id not in {run_id for run_id, _, _ in executions(store)}


@pytest.mark.slow
def test_a_stuck_run_is_killed_and_ends_stopped(store, start):
    engine = start(stop_grace_s=0.5)
    run = new(store, "stuck")
    process = begun(store, run).process
    asked = time.monotonic()
    engine.stop(run.id)
    assert (ended(store, run).state, str(store.get(run.id).error)) == ("stopped", "")
    assert 0.5 <= time.monotonic() - asked < 5
    assert is_alive(process) is False


@pytest.mark.slow
def test_a_stop_asked_for_elsewhere_kills_a_stuck_run_too(store, start):
    start(stop_grace_s=0.2)
    run = new(store, "stuck")
    begun(store, run)
    Store(store.folder).request_stop(run.id)
    assert ended(store, run).state == "stopped"


@pytest.mark.slow
def test_a_run_that_shows_progress_after_stop_is_left_to_save(store, start):
    engine = start(stop_grace_s=1.0)  # saving takes two seconds
    run = new(store, "busy_to_the_end")
    begun(store, run)
    engine.stop(run.id)
    assert (ended(store, run).state, store.get(run.id).stored) == ("stopped", {"saved": True})


@pytest.mark.slow
def test_a_child_that_outlives_its_run_is_killed_and_the_result_stays(store, start):
    engine = start(stop_grace_s=0.3)
    run, after = new(store, "ends_but_stays"), new(store)
    engine.submit(run.id)
    assert ended(store, after).state == "done"
    assert (store.get(run.id).state, store.get(run.id).stored) == ("done", {"whole": True})


@pytest.mark.slow
def test_a_deleted_run_is_stopped(store, start):
    engine = start(stop_grace_s=0.2)
    run = new(store, "stuck")
    begun(store, run)
    store.delete(run.id)
    engine.submit(run.id)
    assert ended(store, run).state == "stopped"


# -- death


@pytest.mark.slow
@pytest.mark.parametrize(
    ("work", "reason", "with_keras"),
    [
        ("killed", "it was killed (SIGKILL)", False),
        ("killed", "it was killed (SIGKILL)", True),
        ("crashed", "it crashed (SIGSEGV)", True),
        ("left", "it exited with code 7", True),
        ("left_quietly", "it ended without giving a reason (the log may say more)", True),
        ("raised", "it ended without giving a reason (the log may say more)", True),
    ],
)
def test_a_run_whose_workers_keep_dying_fails_with_its_reason(store, start, work, reason, with_keras):
    engine = start(with_keras=with_keras)
    run, after = new(store, work), new(store)
    engine.submit(run.id)
    assert (ended(store, run).state, store.get(run.id).attempt) == ("failed", 3)
    lost = "Its process ended early 3 times in a row, the last time because "
    assert str(store.get(run.id).error) == lost + reason + ". Start the run again."
    assert ended(store, after).state == "done"  # the next run has a worker all the same
    assert [run_id for run_id, _, _ in executions(store)] == [run.id] * 3 + [after.id]


@pytest.mark.slow
def test_a_run_that_gets_further_may_lose_any_number_of_processes(store, start):
    start()
    run = new(store, "killed_after_each_step")
    found = ended(store, run)
    assert (found.state, found.attempt, found.stored) == ("done", 6, {"steps": 5})


@pytest.mark.slow
def test_a_worker_killed_from_outside_is_seen_within_seconds_and_the_run_goes_on(store, start):
    start()
    run = new(store, "until_stopped")
    first = begun(store, run).process
    os.kill(int(first.split(":")[1]), signal.SIGKILL)
    second = wait_for(lambda: (now := begun(store, run)).process != first and now)
    assert (second.attempt, second.lost) == (2, 1)
    store.request_stop(run.id)
    assert ended(store, run).stored == {"obeyed": True}


@pytest.mark.slow
def test_a_run_killed_for_memory_says_so(store, start, monkeypatch):
    engine = start()
    run = new(store, "stuck")
    kills = [0]
    monkeypatch.setattr("tlcore.engine.local.memory_kills", lambda: kills[0])
    engine._memory_kills = 0
    for number in range(1, 4):
        attempt = wait_for(lambda number=number: (now := begun(store, run)).attempt == number and now)
        kills[0] += 1
        os.kill(int(attempt.process.split(":")[1]), signal.SIGKILL)
    assert "because memory ran out and the system killed it (SIGKILL)." in str(ended(store, run).error)


@pytest.mark.slow
def test_a_spare_killed_while_it_waits_is_replaced(store, start):
    engine = start()
    spare = wait_for(lambda: [one for one in engine._slots[0]._context.started if one.is_alive()])[0]
    os.kill(spare.pid, signal.SIGKILL)
    run = new(store)
    engine.submit(run.id)
    assert ended(store, run).state == "done"


@pytest.mark.slow
def test_a_run_given_to_a_spare_in_the_moment_of_its_death_gets_another(store, start, monkeypatch):
    engine = start()
    pool = wait_for(lambda: engine._slots[0]._pool)
    (spare,) = wait_for(lambda: [one for one in engine._slots[0]._context.started if one.is_alive()])
    tasks = pool._context.task_queue
    put, given = tasks.put, []

    def late(task):  # its pool is whole when it is asked, and broken when it gets the run
        if task is not None and not given:
            os.kill(spare.pid, signal.SIGKILL)
            wait_for(lambda: not pool.active)
        given.append(task)
        put(task)

    monkeypatch.setattr(tasks, "put", late)
    run = new(store)
    engine.submit(run.id)
    assert ended(store, run).state == "done"
    assert given[0] is not None and store.get(run.id).attempt == 1


@pytest.mark.slow
def test_a_worker_that_cannot_warm_up_still_gets_the_run(store, start):
    start(warm=tiny_tasks.cold)
    assert ended(store, new(store)).state == "done"  # and would say itself what is missing


@pytest.mark.slow
@pytest.mark.parametrize(("execute", "warm"), [("never_claims", "warm"), ("execute", "die")])
def test_a_run_whose_workers_never_begin_fails_after_three(store, start, execute, warm):
    start(execute=getattr(tiny_tasks, execute), warm=getattr(tiny_tasks, warm))
    run = ended(store, new(store))
    assert (run.state, run.attempt) == ("failed", 0)
    assert str(run.error).startswith(
        "The worker process ended 3 times before it could begin: it ended without giving a reason"
    )


@pytest.mark.slow
def test_a_run_that_had_begun_does_not_count_as_never_begun(store, start):
    start(execute=tiny_tasks.requeued_thrice)
    run = ended(store, new(store))
    assert (run.state, run.attempt) == ("done", 4)


@pytest.mark.slow
def test_a_run_that_cannot_go_on_is_not_said_to_have_never_begun(store, start):
    start(execute=tiny_tasks.dies_once_begun)
    assert str(ended(store, new(store)).error).startswith("The worker process ended 3 times before it could go on:")


# -- more than one engine, one after the other or at once


@pytest.mark.slow
def test_two_engines_on_one_folder_do_nothing_twice(store, start):
    runs = [new(store) for _ in range(5)]
    start(n_workers=2)
    start(n_workers=2)
    for run in runs:
        assert ended(store, run).attempt == 1
    assert sorted(run_id for run_id, _, _ in executions(store)) == sorted(run.id for run in runs)


@pytest.mark.slow
@pytest.mark.keras
def test_with_keras_each_run_has_a_process_of_its_own_that_need_not_import_what_runs_need(store, start):
    engine = start(with_keras=True)
    run, killed = new(store), new(store, "stuck_once")
    assert "keras" in ended(store, run).stored["modules"]
    os.kill(int(begun(store, killed).process.split(":")[1]), signal.SIGKILL)
    assert ended(store, killed).attempt == 2
    assert sys.platform != "linux" or {"keras", "sklearn.svm"} < set(ended(store, new(store)).stored["modules"])
    (_, pid, parent), *others = executions(store)
    assert len({pid, str(os.getpid()), *(other for _, other, _ in others)}) == 5
    if sys.platform == "linux":
        assert {nursery for _, _, nursery in others} == {parent} != {str(os.getpid())}
    engine.close()


@pytest.mark.slow
@pytest.mark.parametrize("with_keras", [False, True])
def test_a_killed_server_takes_its_children_along_and_the_next_goes_on(store, start, with_keras):
    code = f"import tiny_tasks; tiny_tasks.serve_forever({str(store.folder)!r}, {with_keras})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    runs = [new(store, "stuck_once"), new(store, "stuck_once"), new(store)]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as server:
        processes = [begun(store, run).process for run in runs[:2]]
        server.kill()
    wait_for(lambda: [is_alive(process) for process in processes] == [False, False])
    for _, _, parent in executions(store):  # the server, or the nursery
        wait_for(lambda parent=parent: not _is_there(int(parent)))
    start(n_workers=2)
    assert [ended(store, run).state for run in runs] == ["done"] * 3
    assert [store.get(run.id).attempt for run in runs] == [2, 2, 1]


@pytest.mark.slow
def test_a_run_cut_off_again_and_again_fails_with_its_reason(store, start):
    run = new(store)
    lost = subprocess.run(
        [sys.executable, "-c", "from tlcore.machine import identity; print(identity())"],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout.strip()  # fmt: skip
    for _ in range(3):
        store.requeue(run.id, lost=True)
        Store(store.folder).claim(run.id)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET process = ?, heartbeat = heartbeat - 60", (lost,))
    start()
    assert "ended early 3 times" in str(ended(store, run).error)
    assert "because the server that ran it stopped unexpectedly. Start the run again." in str(store.get(run.id).error)


@pytest.mark.slow
def test_a_run_of_another_machine_is_taken_over_when_its_heartbeat_stops(store, start, monkeypatch):
    monkeypatch.setattr(ends, "SILENT_S", 1.0)
    silent, alive = new(store), new(store)
    for run in (silent, alive):
        Store(store.folder).claim(run.id)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET process = 'elsewhere:1:1', heartbeat = heartbeat - 20")
        connection.exec_driver_sql("UPDATE runs SET heartbeat = heartbeat - 60 WHERE id = ?", (silent.id,))
    start(stale_s=60)
    assert (ended(store, silent).state, store.get(silent.id).attempt) == ("done", 2)
    assert (store.get(alive.id).state, store.get(alive.id).attempt) == ("running", 1)


@pytest.mark.slow
@pytest.mark.parametrize("jump_s", [-3600, 3600])
def test_a_clock_that_jumps_neither_hangs_nor_fails_a_run(store, start, monkeypatch, jump_s):
    monkeypatch.setattr(ends, "SILENT_S", 2.0)
    here, remote, dead = new(store, "until_stopped"), new(store), new(store)
    elsewhere = Store(store.folder)
    for run in (remote, dead):
        elsewhere.claim(run.id)
    with store._database.writing() as connection:
        connection.exec_driver_sql("UPDATE runs SET process = 'elsewhere:1:1' WHERE state = 'running'")
    engine = start(n_workers=2)
    begun(store, here)
    now = time.time
    monkeypatch.setattr(engine_module.time, "time", lambda: now() + jump_s)  # for the engine; workers keep their time

    def taken_over():  # the other machine goes on with one of its runs, and is silent about the other
        with store._database.writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET heartbeat = ? WHERE id = ?", (now(), remote.id))
        return store.get(dead.id).final

    wait_for(taken_over)
    assert (store.get(dead.id).state, store.get(dead.id).attempt) == ("done", 2)
    for run in (here, remote):
        assert (store.get(run.id).state, store.get(run.id).attempt) == ("running", 1)
    engine.stop(here.id)
    assert ended(store, here).stored == {"obeyed": True}


@pytest.mark.slow
def test_a_submit_from_a_thread_that_ends_does_not_take_the_run_along(store, start):
    engine = start()
    run = new(store, "until_stopped")
    thread = threading.Thread(target=engine.submit, args=(run.id,))
    thread.start()
    thread.join(LONG_S)
    assert not thread.is_alive(), "submit did not return"
    process = begun(store, run).process
    later = new(store)
    engine.submit(later.id)
    assert is_alive(process)
    engine.stop(run.id)
    assert ended(store, later).state == "done" and store.get(run.id).stored == {"obeyed": True}


# -- close


@pytest.mark.slow
def test_close_leaves_no_process_and_queues_again_what_ran(store):
    engine = LocalEngine(store.folder, 2, execute=tiny_tasks.execute, warm=tiny_tasks.warm)
    runs = [new(store, "stuck"), new(store, "until_stopped"), new(store)]
    processes = [begun(store, run).process for run in runs[:2]]
    engine.close()
    engine.close()  # again is fine
    assert [is_alive(process) for process in processes] == [False, False]
    assert not [child for child in active_children() if "pebble" in child.name]
    assert engine.status() == Status(n_workers=2, busy=2, queued=3, alive=False)


@pytest.mark.slow
def test_close_ends_what_was_asked_to_stop_as_stopped(store):
    engine = LocalEngine(store.folder, 1, execute=tiny_tasks.execute)
    run = new(store, "stuck")
    begun(store, run)
    engine.stop(run.id)
    engine.close()
    assert store.get(run.id).state == "stopped"


@pytest.mark.slow
def test_an_engine_whose_thread_stands_still_closes_and_leaves_no_child(store, monkeypatch, caplog):
    engine = LocalEngine(store.folder, 1, execute=tiny_tasks.execute)
    process = begun(store, new(store, "stuck")).process
    standing, on = threading.Event(), threading.Event()
    monkeypatch.setattr(engine_module, "CLOSE_S", 0.3)
    monkeypatch.setattr(engine, "_hand_out", lambda: standing.set() or on.wait(LONG_S))
    engine._wake.set()
    assert standing.wait(LONG_S)
    engine.close()
    assert "did not end within 0.3 s" in caplog.text
    wait_for(lambda: is_alive(process) is False)
    on.set()
    engine._thread.join(LONG_S)
    assert not engine._thread.is_alive()


@pytest.mark.slow
def test_an_engine_outlives_a_store_that_is_away_for_a_while(store, start, monkeypatch):
    engine = start()
    looked = threading.Event()

    def away(*_, **__):
        looked.set()
        raise OSError("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(engine._store, "queued", away)
        engine._wake.set()
        assert looked.wait(LONG_S)
    assert ended(store, new(store)).state == "done"


def test_an_engine_on_a_folder_that_cannot_be_used_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Exception, match="data folder .* cannot be used"):
        LocalEngine(Path(tmp_path / "file"), execute=tiny_tasks.execute)


@pytest.mark.keras
def test_keras_is_imported_without_what_nothing_here_uses(tmp_path):
    code = (
        "import sys; from tlcore.machine import import_keras; import_keras();"
        "assert 'keras' in sys.modules and not {'sklearn', 'pandas', 'pyarrow'} & set(sys.modules);"
        "import sklearn.svm; import keras; keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_whoever_uses_an_engine_knows_its_four_methods_alone():
    root = Path(__file__).resolve().parents[1]
    files = [path for folder in ("tlcore", "pages", "server") for path in (root / folder).rglob("*.py")]
    users = {str(path.relative_to(root)) for path in files if "LocalEngine" in path.read_text(encoding="utf-8")}
    own = {"tlcore/engine/__init__.py", "tlcore/engine/local.py", "tlcore/engine/custody.py"}
    assert users - own == {"tlcore/lab.py"}  # which starts it
    methods = [name for name in vars(Engine) if not name.startswith("_")]
    assert sorted(methods) == ["close", "status", "stop", "submit"]
