"""Counts in a thread how well rooms are taught: one room at a time, each only as it stands now."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from logging import getLogger

from tlcore.errors import LabError
from tlcore.store import Store
from tlcore.teaching import Score

from . import taught

log = getLogger(__name__)

SCORE = "score"  # the kind of item that a count is kept as
HOST = 0  # whose they are: no member's
PATIENCE_S = 60.0


class Scorer:
    """Scores the rooms that changed. A room that changes while another is counted is counted once, at the end.

    Parameters
    ----------
    score : ``score(room_id)``: how well a room is taught, None while that cannot be told
    """

    def __init__(self, store: Store, score: Callable[[str], Score | None]):
        self._rows, self._score = store.rooms, score
        self._waiting: set[str] = set()
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rooms")

    def ask(self, room_id: str) -> None:
        """Have a room counted soon."""
        with self._lock:
            if room_id in self._waiting:
                return
            self._waiting.add(room_id)
        self._thread.submit(self._count, room_id)

    def wait(self) -> None:
        """Wait until what was asked is counted."""
        self._thread.submit(lambda: None).result()

    def _count(self, room_id: str) -> None:
        with self._lock:
            self._waiting.discard(room_id)
        try:
            score, room = self._score(room_id), self._rows.get(room_id)
            if score is not None and room is not None:
                self._rows.add(room, HOST, SCORE, "", b"", point(score))
        except LabError as error:  # the next drawing has it counted again
            log.warning("room %s was not counted: %s", room_id, error)


def point(score: Score) -> dict[str, float]:
    """Return a score as the wall's curve has it.

    Examples
    --------
    >>> point(Score(2, 3, 3, ((1, 1), (1, 2)), 2 / 3))
    {'n': 3, 'right': 2, 'of': 3, 'low': 0.208, 'high': 0.939, 'guess': 0.667}
    """
    low, high = score.interval
    shares = {"low": low, "high": high, "guess": score.guess}
    return {
        "n": score.n_examples, "right": score.n_right, "of": score.n, **{k: round(v, 3) for k, v in shares.items()},
    }  # fmt: skip


def scorer(store: Store, predict: taught.Predict) -> Scorer:
    """Return what counts the rooms of a store, by the process that answers."""
    return Scorer(store, lambda room_id: taught.score(room_id, predict, PATIENCE_S))
