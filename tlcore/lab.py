"""What one data folder runs: the store, the job engine, and the two warm processes that answer questions."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tlcore import jobs, people
from tlcore.datasets import own_sets
from tlcore.datasets.looks import Looks
from tlcore.engine import DaskEngine, Engine, LocalEngine, cluster
from tlcore.engine.forecast import Forecast
from tlcore.engine.measures import Measures
from tlcore.jobs import execution
from tlcore.jobs.cluster import GREET, WORK
from tlcore.machine import nursery
from tlcore.people import Keys, Limits
from tlcore.people.presence import Presence
from tlcore.prediction import many
from tlcore.prediction.serving import Serving
from tlcore.prediction.what_if import WhatIf
from tlcore.store import Store, home, results_address

IsOpen = Callable[[str], bool]


def at_once(timeout_s: float) -> None:
    """Wait for nothing: the workers of a lab on other machines do not get in the way of its processes here."""


def nobody(session: str) -> bool:
    """Return False: the sessions of a lab without a server."""
    return False


@dataclass
class Lab:
    """What every session shares: the run store, the job engine, the inference process and the what-if process.

    ``is_open`` tells of a session's id whether its browser is still connected; ``until_warm`` waits until a worker on
    this machine is warm, at most so many seconds.
    """

    folder: Path
    store: Store
    engine: Engine
    serving: Serving
    what_if: WhatIf
    is_open: IsOpen = nobody
    until_warm: Callable[[float], object] = at_once
    keys: Keys = field(init=False)
    limits: Limits = field(init=False)
    presence: Presence = field(init=False)
    forecast: Forecast = field(init=False)
    measures: Measures = field(init=False)
    looks: Looks = field(init=False)
    batches: Looks = field(init=False)  # pictures without labels, which a model is asked about

    def __post_init__(self) -> None:
        self.keys, self.limits = people.keys(self.folder), people.limits()
        self.presence = Presence(self.store, self.limits.idle_s, self.is_open)
        self.forecast = Forecast(self.store, lambda: self.engine.status().n_workers, jobs.work)
        self.measures = Measures(
            self.store,
            lambda: self.engine.status(),
            lambda: len(self.presence.sessions()),
            lambda: self.serving.ready,
        )
        self.looks = Looks(own_sets.look)
        self.batches = Looks(partial(many.look_and_ask, self.serving))
        self.serving.on_answer = self.measures.answers.observe

    def start_what_if(self) -> None:
        """Start the what-if process last, and wait until then: the pen comes first, then a worker for the first run."""
        self.serving.wait_ready(60)
        self.until_warm(30)
        self.what_if.start()

    def close(self) -> None:
        self.looks.close()
        self.batches.close()
        self.presence.close()
        self.engine.close()
        self.serving.close()
        self.what_if.close()


_labs: dict[Path, Lab] = {}
_lock = threading.Lock()


def shared(is_open: IsOpen = nobody) -> Lab:
    """Return this process's lab of the data folder, started on first use.

    Raises
    ------
    StoreError, SpecError
        The data folder, or a setting of the environment, cannot be used.
    """
    folder = home()
    n_workers = people.whole_number("TRANSFER_LAB_WORKERS", 2, os.environ, most=64)  # before anything is started
    scheduler = cluster.address(os.environ)
    with _lock:
        if folder not in _labs:
            store = Store(folder)
            serving = Serving(folder)  # first: the pen answers before anything is trained
            serving.start()
            engine, until_warm = _engine(folder, scheduler, n_workers, lambda: serving.ready)
            _labs[folder] = Lab(folder, store, engine, serving, WhatIf(folder), is_open, until_warm)
            _labs[folder].presence.start()
        return _labs[folder]


def _engine(
    folder: Path, scheduler: str | None, n_workers: int, may_start: Callable[[], bool]
) -> tuple[Engine, Callable[[float], object]]:
    """Return the engine of a cluster or of this machine, and what waits until a worker of this machine is warm."""
    if scheduler:
        # Who shares a sweep sees the same folder.
        helps = [] if results_address() else [kind for kind, job in jobs.JOBS.items() if job.helps]
        return DaskEngine(folder, scheduler, greet=GREET, work=WORK, helps=helps), at_once
    workers = {"execute": execution.execute, "warm": execution.warm, "n_workers": n_workers, "with_keras": True}
    engine = LocalEngine(folder, **workers, may_start=may_start)
    return engine, engine.wait_warm


def close_all() -> None:
    """Stop every engine and inference process of this server."""
    try:
        with _lock:
            while _labs:
                _labs.popitem()[1].close()
    finally:
        nursery.close()
