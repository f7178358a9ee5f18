"""The engine of a cluster: queued runs go to the workers behind a dask scheduler, wherever they are.

The row in the run store is the truth here too. The scheduler may forget everything, workers may die, and any number of
servers may do this for one store: a run is executed by who claims it, and nobody claims it twice.
"""

import atexit
import threading
import time
from collections.abc import Iterable
from logging import getLogger
from pathlib import Path

from tlcore.machine.logs import Trouble
from tlcore.sentences import Sentence
from tlcore.store import Store

from . import fitness
from .cluster import LOST_S, Cluster, Hands, check_installed
from .ends import Ends
from .engine import Status, Worker

log = getLogger(__name__)

TURN_S = 2.0  # how often the engine looks at the store and the scheduler when nothing wakes it
CLOSE_S = 5.0  # for a scheduler that does not answer
LEND_S = 10.0  # between two times that one worker helps with one run: the first found nothing left to do
CUT_OFF = Sentence("the worker that ran it stopped unexpectedly")


class DaskEngine:
    """An ``Engine`` on the workers of a dask cluster; people take turns. Starts at once, and needs no worker to start.

    It gives a run only to a worker that can begin it, so that whose turn it is is decided when it begins.

    Parameters
    ----------
    folder : the data folder of the store
    scheduler : its address, ``tcp://host:port`` or ``tls://host:port``
    greet, work : the names of the functions that a worker calls, ``module:name.name``; see ``Custody``
    helps : the kinds of runs whose work several workers can share: who is free helps with them
    stale_s : age of the last heartbeat after which another machine's run counts as lost

    Raises
    ------
    SpecError
        The package for it is not installed.
    StoreError
        The data folder cannot be used.
    """

    def __init__(
        self, folder: Path, scheduler: str, *, greet: str, work: str, helps: Iterable[str] = (), stale_s: float = 60.0
    ):
        check_installed()
        self._store, self._scheduler = Store(folder), scheduler
        self._ends = Ends(self._store, CUT_OFF, stale_s)
        self._wake, self._closing = threading.Event(), threading.Event()
        mark = fitness.leave_mark(self._store)
        self._cluster = Cluster(scheduler, greet, work, mark, self._store.is_file, self._wake.set)
        self._hands: list[Hands] = []
        self._helps, self._lent = tuple(helps), {}  # when a worker last helped with a run, by both
        self._trouble = Trouble(log)
        self._silent = ""  # what the scheduler's silence was last put down to
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    def submit(self, run_id: str) -> None:
        """Have a queued run looked at now rather than within two seconds.

        Raises
        ------
        SpecError
            There is no such run.
        """
        self._store.get(run_id)
        self._wake.set()

    def stop(self, run_id: str) -> None:
        """Ask a run to stop; its worker sees to it that it does.

        Raises
        ------
        SpecError
            There is no such run.
        """
        self._store.request_stop(run_id)

    def status(self) -> Status:
        hands = self._hands
        return Status(
            n_workers=sum(one.n_runs for one in hands if one.fit),
            busy=sum(len(one.runs | one.helps) for one in hands if one.fit),
            queued=self._store.count(states=("queued",)),
            alive=self._thread.is_alive() and not self._closing.is_set() and not self._silent,
            workers=tuple(
                Worker(
                    one.name,
                    one.host,
                    one.n_runs,
                    tuple(sorted(one.runs | one.helps)),
                    dict(one.resources),
                    one.refusal,
                )
                for one in sorted(hands, key=lambda one: one.name)
            ),
        )

    def close(self) -> None:
        """Let go of the scheduler; what its workers run goes on there, for any server on this store."""
        atexit.unregister(self.close)
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_S)
        self._store.close()

    # -- the engine's thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._look()
                self._ends.take_over(self._in_hand())
                self._hand_out()
                self._trouble.ends("the engine works again")
            except Exception as error:  # the store may be away for a while; the engine must not be
                self._trouble.begins(error, "the engine will try again")
            self._wake.wait(TURN_S)
            self._wake.clear()
        self._cluster.close()

    def _look(self) -> None:
        """Look at the cluster; where its scheduler does not answer, say so once, and go on without workers."""
        try:
            self._hands, self._silent = self._cluster.look(self._where), ""
        except Exception as error:  # dask raises whatever happens to be in the way
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            if not self._silent:
                log.warning("the scheduler %s does not answer, runs wait: %s", self._scheduler, reason)
            self._hands, self._silent = [], reason
            self._cluster.close()

    def _where(self, ids: set[str]) -> dict[str, str]:
        return {run.id: run.worker for run in self._store.list(states=("running",), ids=ids, limit=len(ids))}

    def _in_hand(self) -> set[str]:
        """Return the runs whose worker is there: it sees itself how they end."""
        return {run_id for hands in self._hands if hands.silent_s < LOST_S for run_id in hands.runs}

    def _hand_out(self) -> None:
        """Give runs to free workers, those with a GPU first, then those with the least to do."""
        free = sum(hands.free for hands in self._hands)
        if not free:
            return
        taken = {run_id for hands in self._hands for run_id in hands.runs}
        waiting = [run_id for run_id in self._store.queued(limit=free + len(taken)) if run_id not in taken]
        chosen = self._store.list(states=("queued",), ids=waiting[:free], limit=free)
        attempts = {run.id: run.attempt for run in chosen}
        for run_id in filter(attempts.__contains__, waiting[:free]):
            hands = max(self._hands, key=lambda one: (one.free > 0, one.resources.get("GPU", 0), one.free))
            self._cluster.give(hands, run_id, attempts[run_id])
        if not waiting:
            self._lend()

    def _lend(self) -> None:
        """Let workers that are free help with a run that can be shared, that with the fewest at it first."""
        free = [hands for hands in self._hands if hands.free]
        if not free:
            return
        running = [run.id for kind in self._helps for run in self._store.list(kind, ("running",))]
        for hands in free:
            now = time.monotonic()
            fresh = [run_id for run_id in running if now - self._lent.get((run_id, hands.name), -LEND_S) >= LEND_S]
            open_to = [run_id for run_id in fresh if run_id not in hands.runs | hands.helps]
            if open_to:
                run_id = min(open_to, key=lambda one: sum(one in other.helps for other in self._hands))
                self._lent[run_id, hands.name] = now
                self._cluster.lend(hands, run_id)
        self._lent = {key: when for key, when in self._lent.items() if key[0] in running}
