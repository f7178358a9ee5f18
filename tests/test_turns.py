"""The server's threads on one processor, its children on all, and who runs only when nobody else wants to."""

import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tlcore.machine import LeanContext, begin_child, turns

linux = pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such call")
several = pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one processor")

ALONE = """
import sys
from tlcore.machine import turns
with turns.together() as processor:
    print(processor, flush=True)
    sys.stdin.read()
"""


def of_threads() -> set[frozenset[int]]:
    """Return where the threads of this process may run."""
    assert sys.platform == "linux"
    return {frozenset(os.sched_getaffinity(int(thread))) for thread in os.listdir("/proc/self/task")}


def of_a_new_thread() -> set[int]:
    found: list[set[int]] = []
    thread = threading.Thread(target=lambda: found.append(os.sched_getaffinity(0)))
    thread.start()
    thread.join()
    return found[0]


def scheduler() -> int:
    turns.step_back()
    return os.sched_getscheduler(0)


@linux
@several
def test_threads_of_before_and_of_later_are_on_one_processor_and_afterwards_everywhere():
    everywhere, interval, stop = os.sched_getaffinity(0), sys.getswitchinterval(), threading.Event()
    older = threading.Thread(target=stop.wait)
    older.start()
    with turns.together() as processor:
        assert processor in everywhere
        assert of_threads() == {frozenset({processor})} and of_a_new_thread() == {processor}
        assert sys.getswitchinterval() < interval
    assert of_threads() == {frozenset(everywhere)} and sys.getswitchinterval() == interval
    stop.set()
    older.join()


@linux
@several
def test_a_child_runs_wherever_its_parent_did():
    everywhere = os.sched_getaffinity(0)
    with turns.together(), ProcessPoolExecutor(1, mp_context=LeanContext(), initializer=begin_child) as pool:
        assert pool.submit(os.sched_getaffinity, 0).result(timeout=60) == everywhere


@linux
@several
def test_two_servers_of_a_machine_have_different_processors_and_one_too_many_stays_spread():
    n = len(os.sched_getaffinity(0))
    labs = [
        subprocess.Popen([sys.executable, "-c", ALONE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(n + 1)
    ]
    try:
        told = [lab.stdout.readline().strip() for lab in labs if lab.stdout]
    finally:
        for lab in labs:
            lab.communicate(timeout=30)
    claimed = [one for one in told if one != "None"]
    assert len(set(claimed)) == len(claimed) and "None" in told  # other labs of this machine may have some, too
    assert [lab.returncode for lab in labs] == [0] * (n + 1)


@linux
def test_who_has_one_processor_keeps_it():
    code = f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])\n{ALONE}"
    done = subprocess.run([sys.executable, "-c", code], input="", capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "None" and done.returncode == 0


@linux
def test_the_slow_processors_of_a_notebook_are_left_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for n, capacity in enumerate((1024, 400, 1000, 400)):
        (tmp_path / f"cpu{n}").mkdir()
        (tmp_path / f"cpu{n}" / "cpu_capacity").write_text(f"{capacity}\n")
    monkeypatch.setattr(turns, "CPU", tmp_path)
    assert sorted(turns._quick(range(4))) == [0, 2]
    monkeypatch.setattr(turns, "CPU", tmp_path / "nowhere")  # a container may hide them: all are as good
    assert sorted(turns._quick(range(4))) == [0, 1, 2, 3]


@linux
def test_who_steps_back_runs_when_nobody_else_wants_to():
    with ProcessPoolExecutor(1, mp_context=LeanContext(), initializer=begin_child) as pool:
        assert pool.submit(scheduler).result(timeout=60) == os.SCHED_IDLE
        assert pool.submit(os.nice, 0).result(timeout=60) == min(19, os.nice(0) + turns.NICE)
