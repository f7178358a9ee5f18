"""Look at a person's files: a child process reads them into a draft, under limits, and can be stopped."""

import time
from collections.abc import Callable, Sequence
from logging import getLogger
from pathlib import Path
from threading import Semaphore
from typing import Any

import numpy as np

from tlcore import sentences
from tlcore.errors import DataError
from tlcore.machine import LeanContext

from . import draft, reading
from .bounds import Limits, check_disk, check_size, limits, sweep_abandoned
from .draft import discard, new_place, opened
from .nouns import FORMS, Given, Report, Stopped

log = getLogger(__name__)

SECONDS = 900.0
WAIT_S = 600.0  # for others' pictures, which are read first
TURN_S = 0.05

_one_at_a_time = Semaphore(1)


def look(
    files: Sequence[Given],
    owner: str = "",
    progress: Callable[[int, int], object] = lambda done, total: None,
    stopped: Callable[[], bool] = lambda: False,
    most: Limits | None = None,
) -> Report:
    """Read files into a draft of a person's and return what was seen. Takes up to some minutes; the files stay.

    Call it from a thread that lives until it returns: the process ends with the thread that started it.

    Parameters
    ----------
    progress : ``progress(done, total)`` pictures, now and then
    stopped : whether somebody asked that it stops
    most : default: what the environment sets

    Raises
    ------
    Stopped
        Somebody asked.
    DataError
        They cannot be read, are too large, or take too long or too much memory.
    RightsError
        The server has no room.
    """
    most = most or limits()
    place = in_turn(reading.in_child, files, owner, (owner, most), draft.REPORT, progress, stopped, most)
    return opened(place.name, owner).report


def in_turn(
    read: Callable[..., object],
    files: Sequence[Given],
    owner: str,
    arguments: tuple[Any, ...],
    made: str,
    progress: Callable[[int, int], object],
    stopped: Callable[[], bool],
    most: Limits,
) -> Path:
    """Have a process read files into a new folder of drafts, one person's after the other's; return the folder.

    Raises what ``look`` does.

    Parameters
    ----------
    read : ``read(place, files, *arguments)``, of a module: the function of the process
    made : the file that lies there once all is read
    """
    n_bytes = sum(given.path.stat().st_size for given in files)
    check_size(n_bytes, most)
    sweep_abandoned()
    check_disk(n_bytes)
    until = time.monotonic() + WAIT_S
    while not _one_at_a_time.acquire(timeout=TURN_S):
        _check_stopped(stopped)
        if time.monotonic() > until:
            raise DataError("Other pictures are being read. Try again in a minute.")
    place = new_place(owner)
    try:
        _in_a_process(read, place, files, arguments, made, progress, stopped)
        return place
    except BaseException:
        discard(place.name, owner)
        raise
    finally:
        _one_at_a_time.release()


def _in_a_process(
    read: Callable[..., object],
    place: Path,
    files: Sequence[Given],
    arguments: tuple[Any, ...],
    made: str,
    progress: Callable[[int, int], object],
    stopped: Callable[[], bool],
) -> None:
    context = LeanContext()
    process = context.Process(target=read, args=(place, tuple(files), *arguments), daemon=True)
    process.start()
    until, before = time.monotonic() + SECONDS, ""
    try:
        while process.is_alive():
            process.join(TURN_S)
            _check_stopped(stopped)
            if time.monotonic() > until:
                raise DataError(
                    "Reading these pictures takes more than {minutes:.0f} minutes. Give fewer or smaller ones.",
                    minutes=SECONDS / 60,
                )
            if (said := _told(place)) and said != before:
                before = said
                done, total = map(int, said.split())
                progress(done, total)
    finally:
        context.end()
    if (place / reading.REFUSED).exists():
        sentence = sentences.loads((place / reading.REFUSED).read_text(encoding="utf-8"))
        raise DataError(sentence.template, **sentence.values)
    if process.exitcode or not (place / made).exists():
        log.warning("the process that read own pictures ended with exit code %s", process.exitcode)
        raise DataError(
            "The process that read these pictures ended in the middle, as when memory runs out. Give fewer or smaller "
            "ones."
        )


def _told(place: Path) -> str:
    try:
        text = (place / reading.PROGRESS).read_text()
    except OSError:
        return ""
    parts = text.split()
    return text if len(parts) == 2 and all(part.isdigit() for part in parts) else ""


def _check_stopped(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise Stopped("Reading was stopped; nothing was kept.")


def report(id: str, owner: str = "") -> Report:
    """Return the report of a person's draft; a DataError when it is gone."""
    return opened(id, owner).report


def thumbnails(id: str, owner: str, rows: Sequence[int]) -> np.ndarray:
    """Return pictures of a draft: uint8, shape (n, h, w) of small grey ones, else (n, h, w, 3)."""
    kept = opened(id, owner)
    items = kept.items([row for row in rows if 0 <= row < kept.report.n])
    return items[..., 0] if FORMS[kept.native].shape[-1] == 1 else items
