"""What a process and all that it started use: memory, processor, open files. Linux only: it reads /proc."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """Return a process and its descendants, those that live."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        try:
            children = [
                int(c) for t in Path(f"/proc/{one}/task").iterdir() for c in (t / "children").read_text().split()
            ]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found.append(one)
        waiting += children
    return found


def pss_mb(pids: list[int]) -> float:
    """Return the memory of processes, what they share counted once."""
    return sum(_field(pid, "smaps_rollup", "Pss:") for pid in pids) / 1024


def n_threads(pids: list[int]) -> int:
    return int(sum(_field(pid, "status", "Threads:") for pid in pids))


def _field(pid: int, file: str, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith(name)), 0.0)


def cpu_s(pids: list[int]) -> float:
    """Return the seconds of processor that processes have had, and their children that are gone."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += sum(map(int, fields[11:15])) / TICKS
    return total


def kinds_of_handles(pids: list[int]) -> Counter[str]:
    """Return how many handles there are of each kind: sockets, pipes, others without a file, and files by ending."""
    found: Counter[str] = Counter()
    for pid in pids:
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            for handle in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    found[_kind(os.readlink(handle))] += 1
    return found


def _kind(target: str) -> str:
    """Return what a handle is by where it leads.

    Examples
    --------
    >>> _kind("socket:[17]"), _kind("anon_inode:[eventfd]"), _kind("/lab/lab.db-wal"), _kind("/dev/null")
    ('socket', 'eventfd', '.db-wal', 'null')
    """
    if not target.startswith("/"):
        kind, _, name = target.partition(":")
        return name.strip("[]") if kind == "anon_inode" else kind
    path = Path(target.removesuffix(" (deleted)"))
    return path.suffix or path.name


def disk_mb(folder: Path) -> float:
    """Return what the files below a folder take on the disk."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_blocks * 512
        except FileNotFoundError:  # a temporary file that is gone again
            continue
    return total / 2**20


@dataclass
class Used:
    """What was used between the beginning and the end of a ``with``."""

    seconds: float = 0.0
    cores: float = 0.0  # of the tree
    own_cores: float = 0.0  # of the process that measures


@contextmanager
def watch(pid: int) -> Iterator[Used]:
    """Measure the processor time of a process, its descendants and this process."""
    used, wall = Used(), time.perf_counter()
    before, own = cpu_s(tree(pid)), time.process_time()
    yield used
    used.seconds = time.perf_counter() - wall
    used.cores = (cpu_s(tree(pid)) - before) / used.seconds
    used.own_cores = (time.process_time() - own) / used.seconds
