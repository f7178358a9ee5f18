"""How often somebody may do something: a few times at once, then at a steady pace."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST_KNOWN = 20_000  # whoever comes after so many others counts as new


class Pace:
    """A bucket of tokens for each of many: ``burst`` at once, one more every ``every_s`` seconds.

    Examples
    --------
    >>> now = [0.0]
    >>> pace = Pace(burst=2, every_s=10.0, clock=lambda: now[0])
    >>> pace.take("a"), pace.take("a"), pace.take("a"), pace.take("b")
    (0.0, 0.0, 10.0, 0.0)
    >>> now[0] = 10.0
    >>> pace.take("a")
    0.0
    """

    def __init__(self, burst: int, every_s: float, clock: Callable[[], float] = time.monotonic):
        self.burst, self.every_s, self._clock = burst, every_s, clock
        self._known: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()  # tokens, and when they were counted
        self._lock = threading.Lock()

    def take(self, who: Hashable) -> float:
        """Take a token; return 0.0, or how many seconds until there is one: then nothing was taken."""
        with self._lock:
            tokens = self._tokens(who)
            if tokens < 1.0:
                return (1.0 - tokens) * self.every_s
            self._put(who, tokens - 1.0)
            return 0.0

    def wait_s(self, who: Hashable) -> float:
        """Return what ``take`` would, and take nothing."""
        with self._lock:
            return max(0.0, 1.0 - self._tokens(who)) * self.every_s

    def _tokens(self, who: Hashable) -> float:
        tokens, then = self._known.get(who, (float(self.burst), self._clock()))
        return min(float(self.burst), tokens + (self._clock() - then) / self.every_s)

    def _put(self, who: Hashable, tokens: float) -> None:
        self._known[who] = tokens, self._clock()
        self._known.move_to_end(who)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
