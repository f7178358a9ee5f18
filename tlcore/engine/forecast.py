"""How many runs come before a waiting one, and how long it is likely to wait, from how long others took lately."""

import threading
import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heapreplace
from statistics import median

from tlcore.spec import Spec
from tlcore.store import Run, Store

RECENT = 60  # finished runs that are looked at
FRESH_S = 2.0  # so long one answer serves everybody who asks
SHARE = 0.05  # of a core, at most, goes into looking who comes before whom, however many ask
MOST = 1000  # waiting runs that are looked at
SHORT_S = 1.0  # a wait under this is not told: it would read "about 0 s"

Work = Callable[[Spec], Hashable]  # how much there is to do: alike for runs of a kind that take as long


@dataclass
class Forecast:
    """Answers for any number of threads; a store with many waiting runs is read once in two seconds.

    Parameters
    ----------
    n_workers : how many runs go at a time
    work : what runs of a kind are compared by
    """

    store: Store
    n_workers: Callable[[], int]
    work: Work
    _known: dict[str, float] = field(default_factory=dict)
    _until: float = 0.0
    _ahead: Mapping[str, int] = field(default_factory=dict)
    _ahead_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ahead(self, run_id: str) -> int:
        """Return what ``Store.ahead`` says of a run; with a long line as it stood up to two seconds ago.

        Everybody who waits asks twice a second, and of 10,000 runs that wait each look takes 30 ms.
        """
        with self._lock:
            began = time.monotonic()
            if began >= self._ahead_until:
                self._ahead = self.store.ahead_of_all()
                now = time.monotonic()
                self._ahead_until = now + min(FRESH_S, (now - began) / SHARE)
            known = self._ahead.get(run_id)
        return self.store.ahead(run_id) if known is None else known

    def wait_s(self, run_id: str) -> float | None:
        """Return the seconds until a waiting run is likely to start; None when nothing like it was ever finished."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._known = self._look()
                self._until = time.monotonic() + FRESH_S
            return self._known.get(run_id)

    def _look(self) -> dict[str, float]:
        done = self.store.list(states=("done",), limit=RECENT)
        ids = self.store.queued(limit=MOST)
        waiting = {run.id: run for run in self.store.list(states=("queued",), ids=ids, limit=MOST)}
        order = [waiting[run_id] for run_id in ids if run_id in waiting]
        return waits(order, self.store.list(states=("running",)), done, self.n_workers(), time.time(), self.work)


def waits(
    waiting: Iterable[Run], running: Iterable[Run], done: Iterable[Run], n_workers: int, now: float, work: Work
) -> dict[str, float]:
    """Return the seconds each waiting run is likely to wait, by its id: each goes to the worker that is free first.

    Parameters
    ----------
    waiting : in the order in which they will start
    done : what durations are taken from, the median of the most alike
    now : seconds since 1970
    """
    took: dict[Hashable, list[float]] = {}
    for run in done:
        if run.started and run.finished:
            for likeness in _likenesses(run.spec, work):
                took.setdefault(likeness, []).append(run.finished - run.started)
    if not took or n_workers < 1:
        return {}
    free = [0.0] * n_workers
    heapify(free)
    for run in running:
        passed = now - (run.started or now)
        left = run.progress.left_s
        heapreplace(free, max(0.0, _expected(run.spec, took, work) - passed) if left is None else left)
    found = {}
    for run in waiting:
        found[run.id] = free[0]
        heapreplace(free, free[0] + _expected(run.spec, took, work))
    return found


def _likenesses(spec: Spec, work: Work) -> tuple[Hashable, ...]:
    """What runs are compared by, the most telling first."""
    return ((spec.kind, work(spec)), spec.kind, None)


def _expected(spec: Spec, took: dict[Hashable, list[float]], work: Work) -> float:
    return median(next(took[likeness] for likeness in _likenesses(spec, work) if likeness in took))
