"""Which of a lab's processes has a processor first, and on which one the server's threads take their turns.

The server's work is short turns of some forty threads, of which one at a time has the interpreter's lock. Where they
run on several processors, a thread that lets go of the lock for a system call of microseconds finds it taken by one
that computes, and waits a whole switch interval at every read, write and query (David Beazley, "Understanding the
Python GIL", PyCon 2010). On one processor it goes on before another has begun: a hundred people wait a third as long.
"""

import logging
import os
import random
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

MARK = "TL_PROCESSORS"  # in the environment of who was kept together, and of its children: where they may run
SWITCH_S = 0.001  # a thread that computes lets another have the lock after that; Python's 5 ms is for throughput
NICE = 15  # where the system knows no process that runs only when nobody else wants to
SLOW = 0.9  # of the quickest clock: a processor below that is one of the slow ones that notebooks have beside others
CPU = Path("/sys/devices/system/cpu")


@contextmanager
def together() -> Iterator[int | None]:
    """Keep this process's threads, new ones too, on one processor; yield its number, None where they stay spread.

    No two processes of this machine get the same one. Children run wherever this process did: ``spread``.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with _place() as processor:
            yield processor
    finally:
        sys.setswitchinterval(interval)


@contextmanager
def _place() -> Iterator[int | None]:
    if sys.platform != "linux" or len(everywhere := os.sched_getaffinity(0)) < 2:
        yield None
        return
    with closing(socket.socket(socket.AF_UNIX)) as claim:
        processor = _claimed(claim, _quick(everywhere))
        if processor is None:
            log.info("other labs of this machine keep to each of its processors: its threads stay spread")
            yield None
            return
        log.info("this process keeps to processor %d", processor)
        os.environ[MARK] = ",".join(map(str, sorted(everywhere)))
        _move({processor})
        try:
            yield processor
        finally:
            _move(everywhere)
            del os.environ[MARK]


def _claimed(claim: socket.socket, processors: Iterable[int]) -> int | None:
    """Return one that no other process has claimed; ``claim`` holds it until it is closed or the process ends."""
    for processor in processors:
        with suppress(OSError):
            claim.bind(f"\0transfer-lab/processor/{processor}")
            return processor
    return None


def _quick(processors: Iterable[int]) -> list[int]:
    """Return those of the quickest kind, in any order: labs of two containers do not know of each other."""
    clocks = {one: _clock(one) for one in processors}
    quick = [one for one, clock in clocks.items() if clock >= SLOW * max(clocks.values())]
    return random.sample(quick, len(quick))


def _clock(processor: int) -> float:
    for name in ("cpu_capacity", "cpufreq/cpuinfo_max_freq"):
        with suppress(OSError, ValueError):
            return float((CPU / f"cpu{processor}" / name).read_text())
    return 0.0


def _move(processors: Iterable[int]) -> None:
    if sys.platform == "linux":
        for _ in range(2):  # a thread that was not on the list may have started another meanwhile
            for thread in os.listdir("/proc/self/task"):
                with suppress(OSError):  # it has ended
                    os.sched_setaffinity(int(thread), processors)


def spread() -> None:
    """Have this child run wherever its parent did before it was kept together."""
    if sys.platform == "linux" and (everywhere := os.environ.get(MARK)):
        with suppress(OSError, ValueError):  # not one of them is there any more
            os.sched_setaffinity(0, {int(one) for one in everywhere.split(",")})


def step_back() -> None:
    """Have this process, its threads and children run when nobody else wants the processor.

    A high nice value alone does not do that: on Linux it says how much a process gets, and who wakes up still waits
    until the turn of the one that runs is over, some milliseconds.
    """
    if hasattr(os, "nice"):
        os.nice(NICE)
    if sys.platform == "linux":
        with suppress(OSError):  # forbidden in some containers
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
