"""A small cluster for tests: a real scheduler, and real workers whose runs are those of ``tiny_tasks``."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import tiny_tasks

from tlcore.engine.attending import Attendance, attend
from tlcore.engine.custody import Custody

ROOT = Path(__file__).resolve().parents[1]
custody = Custody(tiny_tasks.execute, tiny_tasks.warm)
ENDED_S = 30.0  # for a process that was killed to be gone
GREET, WORK = "tiny_cluster:custody.greet", "tiny_cluster:custody.work"


def work(scheduler: str, name: str) -> None:
    """Be a worker of these tests until SIGTERM."""

    async def main() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        await attend(Attendance(scheduler, name), custody, stop, print)

    asyncio.run(main())


class TinyCluster:
    """Starts and ends processes; a block ends them all.

    Parameters
    ----------
    folder : the data folder of the store
    host : the address that the scheduler listens on; "" leaves it to the scheduler
    environment : of all processes, beside this one's; with certificates in it they speak TLS
    """

    def __init__(self, folder: Path, host: str = "", environment: Mapping[str, str] | None = None):
        self.folder, self.host, self.workers, self.others = folder, host, {}, []
        self.environment = dict(environment or {})
        with socket.socket() as probe:
            probe.bind((host or "127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"{'tls' if environment else 'tcp'}://{host or '127.0.0.1'}:{self.port}"
        self.scheduler = self.start_scheduler()

    def __enter__(self) -> "TinyCluster":
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*self.workers.values(), *self.others, self.scheduler):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a nanny's worker too
            process.wait(ENDED_S)

    def start_scheduler(self) -> subprocess.Popen:
        words = [*(("--host", self.host) if self.host else ()), *(("--tls",) if self.environment else ())]
        self.scheduler = self._start("-m", "tlcore", "scheduler", "--port", str(self.port), *words)
        return self.scheduler

    def kill_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait(ENDED_S)

    def start_worker(self, name: str) -> subprocess.Popen:
        self.workers[name] = self._start("-c", f"import tiny_cluster; tiny_cluster.work({self.address!r}, {name!r})")
        return self.workers[name]

    def start_real_worker(self, name: str, *words: str, before: tuple[str, ...] = ()) -> subprocess.Popen:
        """Start a worker as a person does: its runs are trainings. ``before`` stands before the command."""
        line = ("-m", "tlcore", "worker", "--scheduler", self.address, "--name", name, *words)
        self.workers[name] = self._start(*line, before=before)
        return self.workers[name]

    def start_plain_worker(self, *flags: str, with_tlcore: bool = True, **environment: str) -> None:
        """Start a worker as dask itself does."""
        words = ("-m", "distributed.cli.dask_worker", self.address, "--no-dashboard", "--nthreads", "1", *flags)
        self.others.append(self._start(*words, with_tlcore=with_tlcore, **environment))

    def _start(
        self, *words: str, with_tlcore: bool = True, before: tuple[str, ...] = (), **environment: str
    ) -> subprocess.Popen:
        paths = os.pathsep.join(sys.path) if with_tlcore else str(ROOT / "tests")
        settings = {**os.environ, "PYTHONPATH": paths, "TRANSFER_LAB_HOME": str(self.folder)}
        settings |= self.environment | environment
        cwd = ROOT if with_tlcore else self.folder
        with open(self.folder / "cluster.log", "a") as log:  # for whoever looks why a test failed
            command = [*before, sys.executable, *words]
            return subprocess.Popen(command, env=settings, cwd=cwd, start_new_session=True, stdout=log, stderr=log)
