"""On which processors a process runs, and whether it runs only when nothing else wants them.

A server's work is short turns of some forty threads, of which only one at a time has the interpreter's lock. Spread
over several processors, a thread that releases the lock for a system call of microseconds finds it taken by one that
computes, and waits a whole switch interval at every read, write and query (David Beazley, "Understanding the Python
GIL", PyCon 2010). On one processor it goes on before another has begun: a hundred people wait a third as long.
"""

import logging
import os
import random
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

SWITCH_S = 0.001  # how long a thread that computes keeps the lock from others; Python's 5 ms is for throughput
SLOW = 0.9  # of the quickest clock: a processor below that is one of the slow ones that notebooks have beside others
CPU = Path("/sys/devices/system/cpu")
CLAIM = "\0transfer-lab/processor/{n}"  # an address that one process of a machine (or container) can have

_before: frozenset[int] = frozenset()  # where this process ran before it was kept together; empty when it is not
_now: frozenset[int] = frozenset()  # where its threads are kept


@contextmanager
def together() -> Iterator[int | None]:
    """Keep this process's threads, new ones too, on one processor; yield its number, None where they stay spread.

    No two processes of this machine that do so get the same one. A child started inside ``anywhere`` is not kept there.
    """
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with _kept() as processor:
            yield processor
    finally:
        sys.setswitchinterval(interval)


@contextmanager
def _kept() -> Iterator[int | None]:
    global _before, _now
    if sys.platform != "linux" or len(everywhere := os.sched_getaffinity(0)) < 2:
        yield None
        return
    claim, processor = _claimed(_quick(everywhere))
    if processor is not None:
        _before, _now = frozenset(everywhere), frozenset({processor})
        _move(_now)
    try:
        is_kept = os.sched_getaffinity(0) == {processor}  # a container may forbid it
        log.info("server threads %s", f"keep to processor {processor}" if is_kept else "stay spread")
        yield processor if is_kept else None
    finally:
        if processor is not None:
            _now = _before
            _move(everywhere)
            _before = frozenset()
        if claim is not None:
            claim.close()


def _claimed(processors: Iterable[int]) -> tuple[socket.socket | None, int | None]:
    """Return what claims the first that no other process has, until it is closed or this process ends; and that one."""
    for processor in processors:
        with suppress(OSError):  # another has it, or such sockets are forbidden
            claim = socket.socket(socket.AF_UNIX)
            try:
                claim.bind(CLAIM.format(n=processor))
            except OSError:
                claim.close()
                raise
            return claim, processor
    return None, None


def _quick(processors: Iterable[int]) -> list[int]:
    """Return those of the quickest kind, in random order: servers in two containers cannot see each other's claims."""
    clocks = {processor: _clock(processor) for processor in processors}
    quick = [processor for processor, clock in clocks.items() if clock >= SLOW * max(clocks.values())]
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


@contextmanager
def anywhere() -> Iterator[None]:
    """Let the child that this thread starts meanwhile run wherever this process did before it was kept together.

    Not for what starts a thread: that would stay where this one is meanwhile.
    """
    if sys.platform != "linux" or not _before:
        yield
        return
    with suppress(OSError):
        os.sched_setaffinity(0, _before)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, _now)  # and not where it was: it may have been moved meanwhile


def step_back() -> None:
    """Have this process, its children too, run only when nothing else wants the processor; Linux.

    A high nice value alone does not do that: it says how much of the processor a process gets, and who wakes up still
    waits until the slice of the one that runs is over, some milliseconds.
    """
    if sys.platform == "linux":
        for thread in os.listdir("/proc/self/task"):
            with suppress(OSError):  # it has ended, or a container forbids it
                os.sched_setscheduler(int(thread), os.SCHED_IDLE, os.sched_param(0))
