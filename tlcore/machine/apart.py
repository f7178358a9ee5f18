"""One call of a function in a process of its own, which is gone afterwards."""

from collections.abc import Callable
from typing import Any

from pebble import ProcessPool

from . import nursery
from .processes import LeanContext


def apart(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    begin: Callable[[], object],
    seconds: float,
    start_s: float,
) -> Any:
    """Return ``function(*arguments)`` from a fresh process, which has Keras where this one has a nursery.

    Parameters
    ----------
    begin : first thing in the process
    seconds, start_s : what it may take from the moment the process has begun, and until then

    Raises
    ------
    TimeoutError, concurrent.futures.TimeoutError
        It took longer.
    pebble.ProcessExpired
        The process ended in the middle, as when memory runs out.
    Exception
        Whatever the function raises.
    """
    context = LeanContext(nursery.place())
    pool = ProcessPool(max_workers=1, max_tasks=1, initializer=begin, context=context)
    try:
        return pool.schedule(function, args=arguments, timeout=seconds).result(seconds + start_s)
    finally:  # not the pool's own exit, which would wait for a process that hangs before it takes the task
        pool.stop()
        context.kill()
        pool.join()
