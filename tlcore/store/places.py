"""Where a lab keeps its files: what one process's machine has for itself, and what everything on one store must see."""

import os
from pathlib import Path

from tlcore.errors import StoreError

HOME, RESULTS = "TRANSFER_LAB_HOME", "TRANSFER_LAB_RESULTS"
RUNS = "runs"  # in the shared folder: a folder for each run's files


def home() -> Path:
    """Return the app's data folder: TRANSFER_LAB_HOME, else ``var`` beside the package."""
    named = os.environ.get(HOME)
    # Not Path.expanduser, which raises where there is no such person.
    return Path(os.path.expanduser(named)) if named else Path(__file__).resolve().parents[2] / "var"


def shared_home(folder: Path | None = None) -> Path:
    """Return the folder of what replicas and workers share: the files of runs, and what people brought.

    TRANSFER_LAB_RESULTS where that is a folder, else the data folder: of an object store it holds the copy. What is
    computed again when it is gone (kept features), and what is of one machine alone (locks, temporary files), stays in
    the data folder.

    Parameters
    ----------
    folder : the data folder. Default: ``home()``
    """
    named = os.environ.get(RESULTS, "").strip()
    if named and not results_address():
        return Path(os.path.expanduser(named))
    return home() if folder is None else Path(folder)


def results_address() -> str:
    """Return the object store that TRANSFER_LAB_RESULTS names; "" where it names a folder or nothing."""
    named = os.environ.get(RESULTS, "").strip()
    return named if "://" in named else ""


def make(folder: Path, runs: Path) -> None:
    """Make the data folder, and the one of the runs' folders.

    Raises
    ------
    StoreError
        One cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if runs.parent == folder:
            runs.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(
            "The data folder {folder} cannot be used ({reason}). "
            "Make it writable, or name another one in TRANSFER_LAB_HOME.",
            folder=folder,
            reason=error.strerror,
        ) from error
    try:
        runs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            "The folder {folder} of TRANSFER_LAB_RESULTS cannot be used ({reason}). "
            "Make it writable, or name one that every server and worker reaches.",
            folder=runs.parent,
            reason=error.strerror,
        ) from error
