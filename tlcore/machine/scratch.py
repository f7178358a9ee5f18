"""Unfinished files: named after the process that writes them, so that what a dead one left is told and removed."""

import atexit
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path

from tlcore.errors import StoreError

from .processes import identity, is_alive

log = getLogger(__name__)

FOLDER = "tmp"  # in the data folder: the temporary files of its processes
ABANDONED_S = 3600  # a part file this old, whose writer cannot be asked, has lost it
_MARK = "~"  # between the parts of a name; no host has it in its own


def prefix() -> str:
    """Return how the names of this process's unfinished files begin."""
    return _MARK.join(("part", *identity().split(":"), ""))


def is_abandoned(path: Path) -> bool:
    """Return whether the process that was writing an unfinished file is gone."""
    mark, *writer = path.name.split(_MARK)[:4]
    alive = is_alive(":".join(writer)) if mark == "part" and len(writer) == 3 else None
    if alive is None:  # another machine's, or named by an earlier version
        try:
            return path.stat().st_mtime < time.time() - ABANDONED_S
        except OSError:
            return False
    return not alive


def write_whole(path: Path, write: Callable[[Path], object], move: Callable[[Path, Path], object] = os.replace) -> None:
    """Have ``write`` make a file under a temporary name and move it into place: it is whole or not there.

    Raises
    ------
    OSError
        It cannot be written; what was at ``path`` is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(prefix() + path.name)
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        move(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def enter(data_folder: Path) -> None:
    """Have this process keep its temporary files in a folder of its own.

    TensorFlow leaves a file in the temporary folder for every function it has traced when its process is killed.
    """
    own = own_folder(data_folder)
    try:
        own.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # whatever else needs the data folder says so
        log.warning("%s cannot be made: %s", own, error.strerror)
        return
    os.environ["TMPDIR"] = tempfile.tempdir = str(own)
    atexit.register(leave, data_folder)


def own_folder(data_folder: Path) -> Path:
    """Return where this process may keep temporary files; it need not exist yet."""
    return Path(data_folder) / FOLDER / prefix()


def leave(data_folder: Path) -> None:
    """Remove the folder that this process kept its temporary files in, if it had one."""
    shutil.rmtree(own_folder(data_folder), ignore_errors=True)


def settle(data_folder: Path) -> None:
    """Have this process keep its temporary files in the data folder where the machine has no place for them.

    In a container with a read-only root nothing can be written but what is mounted.
    """
    if not has_folder():
        enter(data_folder)


def has_folder() -> bool:
    """Return whether there is a folder for temporary files."""
    try:
        return bool(tempfile.gettempdir())
    except FileNotFoundError:
        return False


@contextmanager
def needed() -> Iterator[None]:
    """Say in one sentence that what happens inside lacks a folder for temporary files, as TensorFlow's import does.

    Raises
    ------
    StoreError
        There is none.
    """
    try:
        yield
    except FileNotFoundError as error:
        if has_folder():
            raise
        raise StoreError(
            "There is no folder for temporary files: neither {folder} nor the data folder can be written. Mount one "
            "there (docker run --tmpfs /tmp), or name one in TMPDIR.",
            folder=os.environ.get("TMPDIR") or "/tmp",
        ) from error


def sweep(*folders: Path) -> None:
    """Remove what processes that are gone left unfinished in these folders, which need not exist."""
    for folder in folders:
        for path in folder.glob(f"part{_MARK}*"):
            if is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def sweep_all(data_folder: Path, shared: Path) -> None:
    """Remove everything of that kind from a data folder, and from the folder that has the runs' folders."""
    data_folder, runs = Path(data_folder), Path(shared) / "runs"
    sweep(data_folder / FOLDER, data_folder / "cache", *runs.glob("*"), *runs.glob("*/heads"))
