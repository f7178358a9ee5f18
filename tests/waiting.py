"""Wait for what another process or thread does, without a sleep that might be too short."""

import inspect
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout_s: float) -> T:
    """Look until ``condition()`` is true, and return what it gave; fails with what was waited for."""
    end, pause = time.monotonic() + timeout_s, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {timeout_s:g} s in vain: {_told(condition)}"
        pause.wait(0.02)
    return found


def _told(condition: Callable[[], object]) -> str:
    """Return the lines in which a condition is written."""
    try:
        return " ".join(inspect.getsource(condition).split())
    except (OSError, TypeError):  # made of others
        return repr(condition)
