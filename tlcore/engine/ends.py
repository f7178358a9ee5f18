"""What becomes of runs whose process ended before they did: queued again, or ended with the reason."""

import time
from collections.abc import Collection
from logging import getLogger

from tlcore.machine import is_alive
from tlcore.sentences import Sentence
from tlcore.store import Run, Store, checkpoint

log = getLogger(__name__)

SETTLE_S = 3.0  # a dead run of this machine is first left to the engine that started it
SILENT_S = 10.0  # of our own clock, without a new heartbeat of another machine's run, before it can count as lost
MOST_LOST = 3  # processes that one run may lose in a row without getting further


class Ends:
    """Writes the ends that a process could not write itself. Any number of engines may do so on one store.

    Parameters
    ----------
    cut_off : why a run was lost of which nobody saw how its process ended
    stale_s : age of the last heartbeat after which another machine's run counts as lost
    """

    def __init__(self, store: Store, cut_off: Sentence, stale_s: float):
        self._store, self._cut_off, self._stale_s = store, cut_off, stale_s
        self._heard: dict[str, tuple[float | None, float]] = {}  # other machines' last heartbeats, and since when

    def again(self, run: Run, cause: Sentence) -> None:
        """Queue a run again whose process ended before it did; give up when it does not get further."""
        if run.lost + 1 < MOST_LOST and not run.stop_requested:
            log.warning("run %s lost its process (%s) and is queued again", run.id, cause)
            self._store.requeue(run.id, attempt=run.attempt, lost=True)
        else:
            self.fail(run, _gave_up(run.lost + 1, cause))

    def fail(self, run: Run, reason: Sentence) -> None:
        """Write a run's end: as stopped when that was asked for, else as failed with the reason."""
        if run.stop_requested:
            self._store.finish(run.id, "stopped", attempt=run.attempt)
        else:
            log.error("run %s failed: %s", run.id, reason)
            self._store.finish(run.id, "failed", error=reason, attempt=run.attempt)
        self.tidy(run.id)

    def take_over(self, in_hand: Collection[str]) -> None:
        """Queue runs again whose process is gone with whoever should have seen it.

        Parameters
        ----------
        in_hand : the ids of runs of which somebody will see how they end
        """
        for run in self._store.stale(SETTLE_S):
            alive = is_alive(run.process)
            if alive is None:  # another machine's process cannot be asked, but its heartbeat can be read
                alive = self._beats(run)
            if not alive and run.id not in in_hand:
                self.again(run, self._cut_off)

    def tidy(self, run_id: str) -> None:
        """Remove what only a run that goes on needs."""
        checkpoint.remove(self._store.run_folder(run_id))
        self._store.files.publish(run_id, new=False)

    def _beats(self, run: Run) -> bool:
        """Whether a heartbeat is young, or changed while we looked: clocks differ between machines, and jump."""
        heartbeat, since = self._heard.get(run.id, (None, 0.0))
        if run.heartbeat != heartbeat:
            since = time.monotonic()
            self._heard[run.id] = run.heartbeat, since
        return abs(time.time() - (run.heartbeat or 0.0)) < self._stale_s or time.monotonic() - since < SILENT_S


def _gave_up(n: int, cause: Sentence) -> Sentence:
    if n == 1:
        return Sentence("Its process ended early because {cause}. Start the run again.", cause=cause)
    return Sentence(
        "Its process ended early {n} times in a row, the last time because {cause}. Start the run again.",
        n=n,
        cause=cause,
    )
