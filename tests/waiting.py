"""Wait for what another process or thread does, without a sleep that might be too short."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(condition: Callable[[], T], timeout_s: float) -> T:
    """Look until ``condition()`` is true, and return what it gave."""
    end, pause = time.monotonic() + timeout_s, threading.Event()
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        pause.wait(0.02)
    return found
