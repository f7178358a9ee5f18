"""What arrived is looked at in a thread of the server, and a page asks from time to time how far that is."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tlcore.errors import DataError, LabError

from . import arriving
from .arriving import Arrival

log = logging.getLogger(__name__)

AT_A_TIME = 2  # each has a process of its own beside the server
FIRST = 20  # pictures that are read before their pace says something
KEPT_S = 3600.0  # so long it is known what came of one


@dataclass(eq=False)
class Look:
    """One look: the sending, whose draft it becomes, how many pictures are read, and what came of it.

    ``total`` is 0 until it is known, ``since`` when that was; ``report`` is the draft's id.
    """

    arrival: Arrival
    owner: str
    done: int = 0
    total: int = 0
    report: str = ""
    error: LabError | None = None
    since: float | None = None
    ended: float | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    more: Mapping[str, Any] = field(default_factory=dict)

    def note(self, done: int, total: int) -> None:
        if total and self.since is None:
            self.since = time.monotonic()
        self.done, self.total = done, total

    @property
    def left_s(self) -> float | None:
        """Seconds that it still takes at the pace so far; None where that is not known yet."""
        if self.since is None or self.done < FIRST:
            return None
        return (time.monotonic() - self.since) / self.done * (self.total - self.done)


class Looks:
    """The looks of one server.

    Parameters
    ----------
    look : ``look(files, owner, progress, stopped, **more)`` returns a report, as ``own_sets.look`` does
    """

    def __init__(self, look: Callable[..., Any]):
        self._look = look
        self._pool = ThreadPoolExecutor(AT_A_TIME, "look")
        self._looks: dict[str, Look] = {}
        self._lock = threading.Lock()

    def start(self, arrival: Arrival, owner: str, **more: Any) -> Look:
        """Begin to look at a sending, whose files are removed afterwards; one that is looked at already goes on.

        Parameters
        ----------
        more : keywords that ``look`` takes

        Raises
        ------
        DataError
            It is not whole.
        """
        with self._lock:
            self._forget()
            known = self._looks.get(arrival.id)
            if known is None or known.ended:
                if not arrival.complete:
                    raise DataError("These files have not arrived whole. Send them again.")
                known = self._looks[arrival.id] = Look(arrival, owner, more=more)
                self._pool.submit(self._run, known)
            return known

    def find(self, arrival_id: str, owner: str) -> Look | None:
        """Return a look of this person's; None when there is none."""
        look = self._looks.get(arrival_id)
        return look if look is not None and look.owner == owner else None

    def cancel(self, look: Look) -> None:
        """End a look; its files are gone at once, so that they can be sent again."""
        with self._lock:
            look.cancelled.set()
            self._looks.pop(look.arrival.id, None)
        arriving.remove(look.arrival)

    def close(self) -> None:
        """End what is going on; the files stay, and a page that asks later has them looked at again."""
        for look in tuple(self._looks.values()):
            look.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, look: Look) -> None:
        from .own_sets import Given

        try:
            files = [Given(path, name) for name, path in look.arrival.named()]
            look.report = self._look(files, look.owner, look.note, look.cancelled.is_set, **look.more).id
        except LabError as error:
            look.error = error
        except Exception:
            log.exception("a look at files failed")
            look.error = DataError("These files could not be read. Try again, or send them as a ZIP of class folders.")
        finally:
            if not look.cancelled.is_set():
                arriving.remove(look.arrival)
            look.ended = time.monotonic()

    def _forget(self) -> None:
        now = time.monotonic()
        self._looks = {key: look for key, look in self._looks.items() if not look.ended or now - look.ended < KEPT_S}
