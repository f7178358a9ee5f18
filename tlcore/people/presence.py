"""Who has a page open, and what happens to the waiting runs of those who left."""

import threading
import time
from collections.abc import Callable
from logging import getLogger

from tlcore.errors import LabError
from tlcore.sentences import Sentence
from tlcore.store import Store

log = getLogger(__name__)

TURN_S = 30.0


class Presence:
    """Notes which sessions are whose; every half minute it lets go of what people who left have waiting.

    When somebody was last here is kept in the store, so that a server counts who is with another one. A server that
    has just started waits that long before it lets go of anything.

    Parameters
    ----------
    idle_s : how long the owner of a waiting run may be away
    is_open : whether a session has a browser that is connected
    """

    def __init__(self, store: Store, idle_s: float, is_open: Callable[[str], bool]):
        self._store, self._idle_s, self._is_open = store, idle_s, is_open
        self._people: dict[str, str] = {}
        self._began = time.monotonic()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Begin to look, in a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def note(self, session: str, person_id: str) -> None:
        """Say that a session is a person's."""
        self._people[session] = person_id

    def sessions(self) -> dict[str, str]:
        """Return the sessions that are open, with the person of each; closed ones are forgotten."""
        for session in list(self._people):
            if not self._is_open(session):
                self._people.pop(session, None)
        return dict(self._people)

    def look(self, may_let_go: bool = True) -> None:
        """Note in the store who is here; let go of what waits for somebody who is not."""
        here = set(self.sessions().values())
        if not self._store.count(states=("queued",)):
            return
        self._store.attend(here)
        if may_let_go:
            left = Sentence(
                "Cancelled: it was still queued {minutes:.0f} minutes after its owner left. Start it again.",
                minutes=self._idle_s / 60,
            )
            for run_id in self._store.let_go(self._idle_s, left):
                log.info("run %s was let go: its owner left", run_id)

    def _run(self) -> None:
        while not self._end.wait(TURN_S):
            try:
                self.look(may_let_go=time.monotonic() - self._began > self._idle_s)
            except LabError:  # the store may be away for a while
                log.exception("who is here could not be noted")
