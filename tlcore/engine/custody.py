"""What a worker of a cluster does with the runs that it is given: children of its own, as on a single machine."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tlcore import extensions, sentences
from tlcore.errors import LabError
from tlcore.machine import identity
from tlcore.machine.settings import WORKER_NAME
from tlcore.store import Store, home

from . import fitness
from .local import LocalEngine
from .slots import Execute, Warm

LOOK_S = 1.0  # how often a run's thread looks whether its worker is leaving the cluster


class Custody:
    """The runs in one worker's hands; begins with the first greeting, and outlives a connection to the scheduler.

    ``greet`` and ``work`` are what a server calls by name, in the worker's process.

    Parameters
    ----------
    execute, warm, with_keras : as ``LocalEngine`` has them
    """

    def __init__(self, execute: Execute, warm: Warm | None = None, with_keras: bool = False):
        self._execute, self._warm, self._with_keras = execute, warm, with_keras
        self._engine: LocalEngine | None = None
        self._store: Store | None = None
        self._runs: dict[str, threading.Event] = {}  # each is set when the run is in these hands no more
        self._lock = threading.Lock()

    def begin(self, n_runs: int, name: str = "") -> None:
        """Start the children that wait for runs, on the store that this process's environment names; once.

        Parameters
        ----------
        n_runs : how many at a time

        Raises
        ------
        StoreError
            The data folder or the database cannot be used.
        """
        with self._lock:
            if self._engine is not None:
                return
            extensions.load()
            self._store = Store(home())
            if name:
                os.environ[WORKER_NAME] = name
            settings: dict[str, Any] = {"execute": self._execute, "warm": self._warm, "with_keras": self._with_keras}
            self._engine = LocalEngine(home(), n_runs, **settings, offers=self)

    def greet(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Say what this worker is, and begin if it may be given runs; JSON values.

        Parameters
        ----------
        asked : ``versions`` of the server, ``n_runs`` at a time, and the ``name`` of the worker
        """
        facts = {
            "versions": fitness.versions(),
            "process": identity(),
            "daemonic": bool(multiprocessing.current_process().daemon),
        }
        if facts["daemonic"] or facts["versions"] != asked["versions"]:
            return facts
        try:
            self.begin(asked["n_runs"], asked["name"])
            assert self._store is not None
            facts |= {"mark": self._store.mark(), "folder": self._store.files.mark()}
        except LabError as error:
            return facts | {"error": sentences.encode(error.sentence)}
        return facts | {"runs": list(self._runs)}

    def work(self, run_id: str, state: str = "queued") -> str:
        """Execute a queued run in a child, or help with a running one; return in a word how that ended.

        Waits until then.

        Called in a thread of a dask worker. When the worker leaves its cluster the call returns, and the run goes on:
        its row in the store tells how it ends.

        Raises
        ------
        SpecError
            There is no such run.
        """
        from distributed import get_worker

        worker = get_worker()
        return self.take(run_id, lambda: worker.status.name not in ("running", "paused"), state)

    def take(self, run_id: str, leaving: Callable[[], bool], state: str = "queued") -> str:
        """Do what ``work`` does, until ``leaving`` returns True."""
        assert self._engine is not None and self._store is not None
        if self._store.get(run_id).state != state:
            return f"not {state}"
        with self._lock:
            over = self._runs.setdefault(run_id, threading.Event())
        self._engine.submit(run_id)
        while not over.wait(LOOK_S):
            if leaving():
                return "left"
        return "over"

    def close(self) -> None:
        """End the children; what they ran is queued again."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.close()

    # -- what the engine asks: see ``Offers`` ------------------------------------------------------------------------

    def next(self, limit: int) -> Sequence[str]:
        with self._lock:
            return tuple(self._runs)[:limit]

    def over(self, run_id: str) -> None:
        with self._lock:
            ended = self._runs.pop(run_id, None)
        if ended is not None:
            ended.set()
