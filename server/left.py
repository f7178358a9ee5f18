"""Pages that were left are kept for whoever comes back, two minutes as Streamlit keeps them, and then end.

Streamlit forgets them only when the next one is left, and ends them when their memory is collected, which is rare here:
each holds an event loop, three open files, and all that its page had in memory.
"""

import asyncio
import time
from collections.abc import Callable

from streamlit.runtime import Runtime
from streamlit.runtime.session_manager import SessionInfo, SessionStorage

KEPT_S, MOST = 120.0, 128  # Streamlit's own
EVERY_S = 10.0


class Left(SessionStorage):
    """The sessions whose browsers are gone, the longest gone first; used on the server's loop alone."""

    def __init__(self, kept_s: float = KEPT_S, most: int = MOST, clock: Callable[[], float] = time.monotonic):
        self._kept_s, self._most, self._clock = kept_s, most, clock
        self._left: dict[str, tuple[float, SessionInfo]] = {}

    def get(self, session_id: str) -> SessionInfo | None:
        self.end_old()
        return self._left.get(session_id, (0.0, None))[1]

    def save(self, session_info: SessionInfo) -> None:
        self._left.pop(session_info.session.id, None)
        self._left[session_info.session.id] = self._clock(), session_info
        self.end_old()

    def delete(self, session_id: str) -> None:
        del self._left[session_id]

    def list(self) -> list[SessionInfo]:
        return [info for _since, info in self._left.values()]

    def end_old(self) -> None:
        """End those that nobody came back to, and of more than so many the longest gone."""
        for session_id, (since, info) in tuple(self._left.items()):
            if self._clock() - since < self._kept_s and len(self._left) <= self._most:
                return
            del self._left[session_id]
            info.session.shutdown()


async def end_left(every_s: float = EVERY_S) -> None:
    """Keep the sessions of this server so, and end the old ones, until this is cancelled."""
    manager, left = Runtime.instance()._session_mgr, Left()
    manager._session_storage = left  # type: ignore[attr-defined]
    while True:
        await asyncio.sleep(every_s)
        left.end_old()
