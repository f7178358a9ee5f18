"""A server's threads on one processor, its children on all, and training that runs when nothing else wants to."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tlcore.machine import LeanContext, affinity, begin_child, nursery

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such call")
several = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there is one processor"
)

SERVER = """
import sys
from tlcore.machine import affinity
affinity.CLAIM = "\\0" + sys.argv[1] + "/{n}"
with affinity.together() as processor:
    print(processor, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def claim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let this test claim processors that real servers beside it have claimed."""
    monkeypatch.setattr(affinity, "CLAIM", f"\0{tmp_path.name}{os.getpid()}/{{n}}")
    return f"{tmp_path.name}{os.getpid()}"


def where(thread: int | str = 0) -> frozenset[int]:
    assert sys.platform == "linux"
    return frozenset(os.sched_getaffinity(int(thread)))


def where_threads() -> set[frozenset[int]]:
    return {where(thread) for thread in os.listdir("/proc/self/task")}


def where_a_new_thread() -> frozenset[int]:
    seen: list[frozenset[int]] = []
    thread = threading.Thread(target=lambda: seen.append(where()))
    thread.start()
    thread.join()
    return seen[0]


def policy() -> int:
    affinity.step_back()
    return os.sched_getscheduler(0)


@several
def test_threads_of_before_and_of_later_are_on_one_processor_and_afterwards_everywhere(claim: str):
    everywhere, interval, stop = where(), sys.getswitchinterval(), threading.Event()
    older = threading.Thread(target=stop.wait)
    older.start()
    with affinity.together() as processor:
        assert processor in everywhere
        assert where_threads() == {frozenset({processor})} == {where_a_new_thread()}
        assert sys.getswitchinterval() < interval
    assert where_threads() == {everywhere} and sys.getswitchinterval() == interval
    stop.set()
    older.join()


@several
@pytest.mark.parametrize("from_nursery", [False, pytest.param(True, marks=pytest.mark.keras)])
def test_a_child_runs_wherever_its_parent_did_also_one_that_a_new_thread_starts(
    claim: str, tmp_path: Path, from_nursery: bool
):
    everywhere = where()
    with affinity.together() as processor:
        context = LeanContext(nursery.place() or tmp_path if from_nursery else None)
        with ProcessPoolExecutor(1, context, initializer=begin_child) as pool, ProcessPoolExecutor(1, context) as other:
            assert pool.submit(where).result(timeout=120) == everywhere
            thread = threading.Thread(target=lambda: other.submit(where).result(timeout=120))
            thread.start()
            thread.join()
            assert other.submit(where).result(timeout=120) == everywhere
        assert where_threads() == {frozenset({processor})} != {everywhere}


@several
@pytest.mark.parametrize("before", [True, False])
def test_a_thread_that_is_starting_a_child_when_it_is_moved_is_moved(claim: str, before: bool):
    everywhere, inside, go = where(), threading.Event(), threading.Event()
    seen: list[frozenset[int]] = []

    def starts() -> None:
        with affinity.anywhere():
            inside.set()
            go.wait()
        seen.append(where())

    starting = threading.Thread(target=starts)
    if before:  # it began when all was as it had been
        starting.start()
        inside.wait()
    with affinity.together() as processor:
        if not before:
            starting.start()
            inside.wait()
            assert everywhere in where_threads()
            affinity._move({processor or 0})
        go.set()
        starting.join()
        assert seen == [{processor}]


@several
def test_a_command_that_a_server_starts_runs_everywhere(claim: str):
    ask = [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
    everywhere = where()
    with affinity.together():
        with affinity.anywhere():
            done = subprocess.run(ask, capture_output=True, text=True, timeout=60)
        assert done.stdout.strip() == str(sorted(everywhere)) and len(where()) == 1


@several
def test_servers_of_one_machine_have_different_processors_and_one_too_many_stays_spread(claim: str):
    n = len(where())
    command = [sys.executable, "-c", SERVER, claim]
    servers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(n + 1)
    ]
    try:
        processors = [server.stdout.readline().strip() for server in servers if server.stdout]
    finally:
        for server in servers:
            server.communicate(timeout=30)
    assert sorted(processors) == sorted(["None", *map(str, where())])
    assert [server.returncode for server in servers] == [0] * (n + 1)


def test_who_has_one_processor_keeps_it(claim: str):
    code = f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n{SERVER}"
    done = subprocess.run([sys.executable, "-c", code, claim], input="", capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "None" and done.returncode == 0


@several
def test_where_a_container_forbids_it_the_server_runs_as_before(
    claim: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO", affinity.__name__)

    def forbidden(*_: object) -> None:
        raise PermissionError

    everywhere = where()
    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    with affinity.together() as processor:
        assert processor is None and where_threads() == {everywhere}
    monkeypatch.setattr(affinity.socket, "socket", forbidden)
    with affinity.together() as processor:
        assert processor is None
    assert caplog.messages == ["server threads stay spread"] * 2


def test_the_slow_processors_of_a_notebook_are_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for n, capacity in enumerate((1024, 400, 1000, 400)):
        (tmp_path / f"cpu{n}").mkdir()
        (tmp_path / f"cpu{n}" / "cpu_capacity").write_text(f"{capacity}\n")
    monkeypatch.setattr(affinity, "CPU", tmp_path)
    assert sorted(affinity._quick(range(4))) == [0, 2]
    monkeypatch.setattr(affinity, "CPU", tmp_path / "nowhere")  # a container may hide them: all are as good
    assert sorted(affinity._quick(range(4))) == [0, 1, 2, 3]


def test_who_steps_back_runs_when_nothing_else_wants_to():
    with ProcessPoolExecutor(1, LeanContext(), initializer=begin_child) as pool:
        assert pool.submit(policy).result(timeout=60) == os.SCHED_IDLE
