"""The job engine: hands queued runs to warm child processes, and sees how each of them ends.

The row in the run store is the truth; nothing here has to survive. Whoever starts an engine on the same folder
later goes on where the last one was cut off.
"""

import atexit
import threading
import time
from collections.abc import Callable, Sequence
from logging import getLogger
from pathlib import Path
from typing import Protocol

from tlcore.errors import LabError
from tlcore.machine import is_alive, scratch
from tlcore.machine.deaths import CutOff, cause, memory_kills
from tlcore.machine.logs import Trouble
from tlcore.sentences import Sentence
from tlcore.store import Run, Store

from .ends import Ends
from .engine import Status
from .slots import Execute, Job, Slot, Warm

log = getLogger(__name__)

TURN_S = 2.0  # how often the engine looks at the store when nothing wakes it
PURGE_S = 3600.0  # between two looks for what was deleted long ago
KEEP_S = 30 * 24 * 3600.0  # a deleted run can be brought back for so long
LONGEST_HOLD_S = 20.0  # that the first children wait for what goes before them
JUST_NOW_S = 2 * TURN_S  # between the kernel's killing a child for memory and our seeing its end
CLOSE_S = 60.0  # for the children's ends; then nobody waits for them any more
MOST_STARTS = 3  # child processes that may end before one of them claims the run


class Offers(Protocol):
    """Which runs an engine may begin; without one of its own they are those that the store says come next."""

    def next(self, limit: int) -> Sequence[str]:
        """Return at most so many runs, the next first; those that the engine has in hand already may be among them."""
        ...

    def over(self, run_id: str) -> None:
        """Hear that a run is in none of the engine's hands any more, however that came."""
        ...


class LocalEngine:
    """An ``Engine`` on this machine: runs the queued runs of one data folder; people take turns. Starts at once.

    Parameters
    ----------
    folder : the data folder of the store
    n_workers : how many runs at a time; each has a process of its own, and a fresh warm one follows it
    execute : ``execute(run_id, folder)`` in the child: claims the run and writes its end to the store
    warm : called in every child before it gets a run; imports what takes long
    with_keras : whether the children are forked from a process that has imported Keras, where that can be
    may_start : False as long as something else that starts needs the processor more than the first children do
    stop_grace_s : how long a run that was asked to stop may go without a new progress before it is killed;
        six times that in all
    stale_s : age of the last heartbeat after which another machine's run counts as lost
    offers : which runs it may begin; None: those that come next in the store
    """

    def __init__(
        self,
        folder: Path,
        n_workers: int = 2,
        *,
        execute: Execute,
        warm: Warm | None = None,
        with_keras: bool = False,
        may_start: Callable[[], bool] = lambda: True,
        stop_grace_s: float = 10.0,
        stale_s: float = 60.0,
        offers: Offers | None = None,
    ):
        self._store = Store(folder)
        self._execute, self._folder, self._may_start = execute, Path(folder), may_start
        self._stop_grace_s, self._offers = stop_grace_s, offers
        self._ends = Ends(self._store, cause(CutOff()), stale_s)
        has_server = offers is None  # beside it; a worker of a cluster has none to give way to
        self._slots = [Slot(folder, warm, with_keras, gives_way=has_server) for _ in range(n_workers)]
        self._starts: dict[str, int] = {}
        self._purge_at, self._trouble = 0.0, Trouble(log)
        self._memory_kills, self._memory_ran_out = memory_kills(), -JUST_NOW_S  # as of the last look, and when it rose
        self._wake, self._closing, self._warm = threading.Event(), threading.Event(), threading.Event()
        # The children die with this thread (see processes.die_with_parent): it alone starts them, and ends in close().
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
        """Ask a run to stop; one that does not is killed after ``stop_grace_s``, and ends as stopped all the same.

        Raises
        ------
        SpecError
            There is no such run.
        """
        self._store.request_stop(run_id)
        self._wake.set()

    def wait_warm(self, timeout_s: float) -> bool:
        """Wait until a child has warmed up since the engine started, at most that long; return whether one has."""
        return self._warm.wait(timeout_s)

    def status(self) -> Status:
        return Status(
            n_workers=len(self._slots),
            busy=sum(slot.job is not None for slot in self._slots),
            queued=self._store.count(states=("queued",)),
            alive=self._thread.is_alive() and not self._closing.is_set(),
        )

    def close(self) -> None:
        """End every child process; what ran is queued again, for the next engine on this folder."""
        atexit.unregister(self.close)
        self._closing.set()
        self._wake.set()
        self._thread.join(CLOSE_S)
        if self._thread.is_alive():
            log.error("the engine did not end within %g s, and its children are killed where they stand", CLOSE_S)
            for slot in self._slots:
                slot.kill()
        self._store.close()

    # -- the engine's thread -----------------------------------------------------------------------------------------

    def _run(self) -> None:
        until, swept = time.monotonic() + LONGEST_HOLD_S, False
        while not self._may_start() and time.monotonic() < until and not self._closing.wait(0.05):
            pass
        while not self._closing.is_set():
            try:
                self._turn()
                swept = swept or self._sweep()  # after the children were started: they need not wait for it
                self._purge()
                self._trouble.ends("the engine works again")
            except Exception as error:  # the store may be away for a while; the engine must not be
                self._trouble.begins(error, "the engine will try again")
            hurry = any((slot.job and slot.job.asked) or slot.is_warming for slot in self._slots)
            self._wake.wait(TURN_S / 8 if hurry else TURN_S)
            self._wake.clear()
        for slot in self._slots:
            slot.close()
        for slot in self._slots:
            if slot.job:
                self._give_back(slot.job.run_id)
        self._sweep()

    def _sweep(self) -> bool:
        scratch.sweep_all(self._folder, self._store.shared)
        return True

    def _purge(self) -> None:
        """Remove for good, once an hour, what was deleted long ago."""
        if time.monotonic() >= self._purge_at:
            self._purge_at = time.monotonic() + PURGE_S
            self._store.purge(older_than_s=KEEP_S)

    def _turn(self) -> None:
        for slot in self._slots:
            if (job := slot.job) and (job.future.done() or self._is_lost(slot, job)):
                self._conclude(slot, job)
                if self._offers and job.run_id not in self._starts:  # else it is tried again here
                    self._offers.over(job.run_id)
        self._keep_warm()
        self._hurry()
        self._ends.take_over(self._in_hand())
        self._hand_out()
        self._for_memory()

    def _keep_warm(self) -> None:
        """Let children warm up one after the other, so that the first is soon there; all at once when runs wait."""
        for slot in self._slots:
            slot.keep_warm()
            if slot.is_warming and not self._next(1):
                break
        if any(slot.is_warm for slot in self._slots):
            self._warm.set()

    def _next(self, limit: int) -> Sequence[str]:
        return self._offers.next(limit) if self._offers else self._store.queued(limit=limit)

    def _hand_out(self) -> None:
        # A warm child first; then the slot that has been free longest: it will be warm first.
        free = [slot for slot in self._slots if slot.is_free]
        free.sort(key=lambda slot: (not slot.is_warm, slot.free_since))
        if not free:
            return
        taken = self._in_hand()
        waiting = [run_id for run_id in self._next(len(self._slots) + len(free)) if run_id not in taken]
        for slot, run_id in zip(free, waiting, strict=False):
            if run := self._find(run_id):
                slot.give(run_id, run.attempt, self._execute, self._wake.set)

    def _conclude(self, slot: Slot, job: Job) -> None:
        """See how a child ended, and write the end of its run when it could not do so itself."""
        error = job.future.exception() if job.future.done() else ChildProcessError("it ended without giving a reason")
        run = self._find(job.run_id)
        slot.free(
            broken=error is not None, began=run is not None and (run.state != "queued" or run.attempt > job.attempt)
        )
        if error is not None:
            log.warning("the worker process of run %s ended: %r", job.run_id, error)
        if run is None or run.final:
            self._starts.pop(job.run_id, None)
            self._ends.tidy(job.run_id)
        elif run.state == "queued" and run.attempt > job.attempt:  # it had begun, and was queued again already
            self._starts.pop(run.id, None)
        elif run.state == "queued":  # it never got as far as the claim
            self._starts[run.id] = self._starts.get(run.id, 0) + 1
            if self._starts[run.id] >= MOST_STARTS:
                self._ends.fail(run, _never_ready(run, self._starts.pop(run.id), self._cause(error)))
        elif (is_alive(run.process) is False) if error else (run.process == job.future.result()):
            self._ends.again(run, self._cause(error))

    def _is_lost(self, slot: Slot, job: Job) -> bool:
        """Whether a run's child is gone, at two looks, and its pool will never say so.

        A pool takes a child that left with exit code 0 in the middle of its run for no end at all, and says nothing of
        a run that it was given in the moment in which it broke.
        """
        run = self._find(job.run_id)
        gone = slot.is_broken or (run is not None and run.state == "running" and is_alive(run.process) is False)
        lost, job.gone = job.gone and gone and not job.future.done(), gone
        return lost

    def _hurry(self) -> None:
        """Kill a child whose run was asked to stop, or has ended, and which shows no sign of ending itself."""
        now = time.monotonic()
        for slot in self._slots:
            job = slot.job
            run = self._find(job.run_id) if job else None
            if job is None or run is None or not (run.stop_requested or run.final):
                continue
            job.asked = job.asked or now
            if run.progress != job.progress:
                job.progress, job.sign = run.progress, now
            silent, waited = now - max(job.asked, job.sign), now - job.asked
            if silent >= self._stop_grace_s or waited >= 6 * self._stop_grace_s:
                log.warning("run %s did not stop by itself and is killed", run.id)
                slot.kill()

    def _give_back(self, run_id: str) -> None:
        try:
            run = self._store.get(run_id)
            if run.state == "running" and is_alive(run.process) is False:
                if run.stop_requested:
                    self._store.finish(run.id, "stopped", attempt=run.attempt)
                    self._ends.tidy(run.id)
                self._store.requeue(run.id, attempt=run.attempt)
        except LabError:
            log.exception("run %s could not be given back", run_id)

    def _cause(self, error: BaseException | None) -> Sentence:
        return cause(error, self._for_memory())

    def _for_memory(self) -> bool:
        """Whether the kernel has killed for memory just now; the end of a child is seen a moment after its death."""
        before, self._memory_kills = self._memory_kills, memory_kills()
        if self._memory_kills is not None and before is not None and self._memory_kills > before:
            self._memory_ran_out = time.monotonic()
        return time.monotonic() - self._memory_ran_out < JUST_NOW_S

    def _find(self, run_id: str) -> Run | None:
        try:
            return self._store.get(run_id)
        except LabError:
            return None

    def _in_hand(self) -> set[str]:
        return {slot.job.run_id for slot in self._slots if slot.job}


def _never_ready(run: Run, n: int, cause: Sentence) -> Sentence:
    if run.attempt:
        return Sentence(
            "The worker process ended {n} times before it could go on: {cause}. Start the run again.", n=n, cause=cause
        )
    return Sentence(
        "The worker process ended {n} times before it could begin: {cause}. Start the run again.", n=n, cause=cause
    )
