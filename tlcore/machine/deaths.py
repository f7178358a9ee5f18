"""Why a child process ended, as far as this can be told from outside."""

import signal
from collections.abc import Iterator
from pathlib import Path

from pebble import ProcessExpired

from tlcore.sentences import Sentence


class CutOff(Exception):
    """A run's process is gone, and so is the server that would have seen how it ended."""


def cause(error: BaseException | None, for_memory: bool = False) -> Sentence:
    """Say why a child ended.

    Parameters
    ----------
    error : what its pool raised
    for_memory : whether the kernel has killed a process of ours for memory meanwhile
    """
    if isinstance(error, CutOff):
        return Sentence("the server that ran it stopped unexpectedly")
    code = error.exitcode if isinstance(error, ProcessExpired) else None
    if not code:
        return Sentence("it ended without giving a reason (the log may say more)")
    if code > 0:
        return Sentence("it exited with code {code}", code=code)
    names = {number.value: number.name for number in signal.Signals}
    if code == -signal.SIGKILL and for_memory:
        return Sentence("memory ran out and the system killed it (SIGKILL)")
    if code == -signal.SIGKILL:
        return Sentence("it was killed (SIGKILL)")
    return Sentence("it crashed ({signal})", signal=names.get(-code, f"signal {-code}"))


def memory_kills(root: Path = Path("/")) -> int | None:
    """Return how many processes the kernel has killed for memory so far, or None when it does not say.

    Counted are those of this process's control group (``oom_kill`` in memory.events, or in memory.oom_control of
    version 1); where there is none, those of the machine.

    Parameters
    ----------
    root : where ``proc`` and ``sys`` are
    """
    for path in _counters(root):
        try:
            rows = [line.split() for line in path.read_text().splitlines()]
        except OSError:
            continue
        counts = [int(row[1]) for row in rows if row[0] == "oom_kill"]
        if counts:
            return counts[0]
    return None


def _counters(root: Path) -> Iterator[Path]:
    groups = root / "sys/fs/cgroup"
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            yield groups / path.lstrip("/") / "memory.events"
        elif controllers == "memory":
            yield groups / "memory" / path.lstrip("/") / "memory.oom_control"
    # In a container the paths above may be the host's; its own group is at the top.
    yield groups / "memory.events"
    yield groups / "memory" / "memory.oom_control"
    yield root / "proc/vmstat"
