"""A function in a process of its own that may take so much time and memory, and is gone afterwards."""

import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from logging import getLogger
from typing import Any

from pebble import ProcessExpired

from tlcore.errors import DataError
from tlcore.machine.apart import apart
from tlcore.sentences import Sentence

log = getLogger(__name__)

_one_at_a_time = threading.Semaphore(1)
Because = Callable[[Sentence], DataError]


def guarded(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    begin: Callable[[], object],
    because: Because,
    failed: Sentence,
    seconds: float,
    start_s: float,
) -> Any:
    """Return ``function(*arguments)`` from a fresh process, which has Keras where this one has a nursery.

    Parameters
    ----------
    begin : first thing in the process: imports what is needed, and gives away what is not
    because : makes the refusal of a reason
    failed : the reason where the function raises what is no DataError
    seconds, start_s : what it may take from the moment the process has begun, and until then

    Raises
    ------
    DataError
        What the function says; or it took too long, or too much memory.
    """
    if not _one_at_a_time.acquire(timeout=seconds + start_s):
        raise DataError("Other models are being checked. Try again in a minute.")
    try:
        return apart(function, arguments, begin, seconds, start_s)
    except DataError:
        raise
    except (TimeoutError, FutureTimeout) as error:
        most = f"{seconds + start_s:.0f}"
        raise because(
            Sentence("reading it takes more than {s} seconds. Use a smaller model, or try again", s=most)
        ) from error
    except MemoryError as error:
        raise because(Sentence("reading it takes more memory than is allowed. Use a smaller model")) from error
    except ProcessExpired as error:
        log.warning("the process that read an uploaded file ended with exit code %s", error.exitcode)
        raise because(
            Sentence("the process that read it ended in the middle, as when memory runs out. Use a smaller model")
        ) from error
    except Exception as error:
        log.exception("an uploaded file could not be read")
        raise because(failed) from error
    finally:
        _one_at_a_time.release()
