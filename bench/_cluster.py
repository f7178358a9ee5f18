"""A cluster on this machine for benchmarks: workers of half a core each, and a server's engine."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench._timing import ROOT

SLICE_S = 0.05  # so long a worker has its core, then so long another one, or nobody


class HalfCores:
    """Gives each worker half of one core: it and its children stand still in every second slice of time.

    Of two workers on one core one runs while the other stands still, so that ``2 × cores`` workers fill a machine.
    """

    def __init__(self) -> None:
        self._groups: list[tuple[int, int]] = []  # process group, and in which of two slices it runs
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._alternate, daemon=True)
        self._thread.start()

    def add(self, process: subprocess.Popen) -> None:
        self._groups.append((process.pid, len(self._groups) // (os.cpu_count() or 1) % 2))

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        for group, _ in self._groups:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGCONT)

    def _alternate(self) -> None:
        turn = 0
        while not self._end.wait(SLICE_S):
            turn = 1 - turn
            for number in (signal.SIGSTOP, signal.SIGCONT):
                for group, its in list(self._groups):
                    if (its == turn) == (number == signal.SIGCONT):
                        with suppress(ProcessLookupError):
                            os.killpg(group, number)


@contextmanager
def cluster(folder: Path, n_workers: int, halved: bool = True) -> Iterator[str]:
    """Start a scheduler and workers on a data folder; yield the scheduler's address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address, halves = f"tcp://127.0.0.1:{port}", HalfCores() if halved else None
    processes = [_start(folder, "scheduler", "--port", str(port))]
    try:
        for number in range(n_workers):
            core = number % (os.cpu_count() or 1) if halves else None
            process = _start(folder, "worker", "--scheduler", address, "--name", f"worker-{number}", core=core)
            processes.append(process)
            if halves:
                halves.add(process)
        yield address
    finally:
        if halves:
            halves.close()
        for process in processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _start(folder: Path, *words: str, core: int | None = None) -> subprocess.Popen:
    environment = {**os.environ, "TRANSFER_LAB_HOME": str(folder), "TF_CPP_MIN_LOG_LEVEL": "3"}
    pin = [] if core is None else ["taskset", "-c", str(core)]
    command = [*pin, sys.executable, "-m", "tlcore", *words]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, stdout=nowhere, stderr=nowhere)
