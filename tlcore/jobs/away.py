"""What a run needs may be away for a while: the database server, or the folder that all of a cluster share.

A run that notices waits until it is back, and is queued again: it goes on from its last checkpoint, wherever there is
room.
"""

import os
import time
from collections.abc import Callable
from logging import getLogger
from pathlib import Path
from typing import TypeVar

from tlcore.engine.fitness import mark_in
from tlcore.errors import AwayError, LabError
from tlcore.machine.settings import WORKER_NAME
from tlcore.store import Store

log = getLogger(__name__)

T = TypeVar("T")
AWAY_S = 900.0  # so long a run waits; then it fails
LOOK_S = 0.5


def folder_is_away(folder: Path) -> bool:
    """Return whether this process is of a cluster, and its data folder is not the one that all share.

    A disk that is not mounted leaves an empty folder; what is written there is never seen again.
    """
    return bool(os.environ.get(WORKER_NAME)) and not mark_in(folder)


def caused(error: Exception, folder: Path) -> bool:
    """Return whether something failed because what a run needs was away."""
    return isinstance(error, AwayError) or (isinstance(error, LabError | OSError) and folder_is_away(folder))


def gone(folder: Path) -> AwayError:
    """Return what a run ends with for which nothing came back."""
    return AwayError(
        "The data folder {folder} or the database was away for longer than {minutes:.0f} minutes. Start the run again "
        "when it is back.",
        folder=folder,
        minutes=AWAY_S / 60,
    )


def wait_for_folder(folder: Path) -> bool:
    """Wait until the shared folder is there; return whether it is."""
    return _wait(lambda: not folder_is_away(folder))


def wait_for_both(store: Store) -> bool:
    """Wait until the shared folder is there and the database answers; return whether both are so."""
    return _wait(lambda: not folder_is_away(store.folder) and _answers(store))


def patiently(write: Callable[[], T]) -> T:
    """Return what ``write`` returns, once the database takes it; raises what it raised when that takes too long."""
    until = time.monotonic() + AWAY_S
    while True:
        try:
            return write()
        except AwayError:
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_S)


def _wait(is_there: Callable[[], bool]) -> bool:
    until = time.monotonic() + AWAY_S
    while not is_there():
        if time.monotonic() > until:
            return False
        time.sleep(LOOK_S)
    return True


def _answers(store: Store) -> bool:
    try:
        return bool(store.mark())
    except LabError:
        return False
