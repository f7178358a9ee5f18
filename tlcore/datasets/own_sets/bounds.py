"""How much people may bring, and whether there is room for more."""

import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tlcore.errors import DataError, RightsError
from tlcore.machine.settings import whole_number
from tlcore.store import shared_home

FOLDER, DRAFTS, INCOMING = "own_sets", "drafts", "incoming"
DISK_SHARE = 0.25  # of what is free, with what the sets take already
ABANDONED_S = 3600.0  # a draft or an upload that nobody touched for so long is given up
MB = 2**20


@dataclass(frozen=True)
class Limits:
    """How many pictures one set may have, how large its files may be, and all sets of a person together, in MB."""

    pictures: int = 20_000
    mb: int = 500
    person_mb: int = 1000


def limits(environ: Mapping[str, str] = os.environ) -> Limits:
    """Return the limits as set: TRANSFER_LAB_SET_PICTURES, _SET_MB, _SETS_MB_PERSON.

    Raises
    ------
    SpecError
        One is no whole number from 1 to 100,000.
    """
    names = {"pictures": "SET_PICTURES", "mb": "SET_MB", "person_mb": "SETS_MB_PERSON"}
    usual = Limits()
    return Limits(
        **{field: whole_number(f"TRANSFER_LAB_{name}", getattr(usual, field), environ) for field, name in names.items()}
    )


def folder() -> Path:
    return shared_home() / FOLDER


def size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder; 0 where there is none."""
    if path.is_file():
        return path.stat().st_size
    total = 0
    for at, _folders, names in os.walk(path):
        for name in names:
            with suppress(OSError):  # gone meanwhile
                total += os.stat(os.path.join(at, name)).st_size
    return total


def check_size(n_bytes: int, most: Limits) -> None:
    """Raise a DataError when files are larger than those of one set may be."""
    if n_bytes > most.mb * MB:
        raise DataError(
            "These files have {mb:,.0f} MB; the limit for a set is {most:,}. Leave some out, or make the pictures "
            "smaller.",
            mb=n_bytes / MB,
            most=most.mb,
        )


def check_disk(n_bytes: int) -> None:
    """Raise a RightsError when all sets together would take more of the disk than they may."""
    folder().mkdir(parents=True, exist_ok=True)
    used = size(folder())
    if used + n_bytes > DISK_SHARE * (shutil.disk_usage(folder()).free + used):
        raise RightsError(
            "This server has no room for {mb:,.0f} MB more: own pictures may take a quarter of the free disk. "
            "Remove sets that you no longer need, or ask the host.",
            mb=n_bytes / MB,
        )


def check_person(used: int, n_bytes: int, most: Limits) -> None:
    """Raise a RightsError when a person's sets would take more than they may; ``used`` bytes are taken already."""
    if used + n_bytes > most.person_mb * MB:
        raise RightsError(
            "Your sets take {used:,.0f} of {most:,} MB, and {mb:,.0f} MB more do not fit. Remove one first.",
            used=used / MB,
            most=most.person_mb,
            mb=n_bytes / MB,
        )


def sweep_abandoned(now: float | None = None) -> None:
    """Delete drafts and cut-off uploads that nobody touched for an hour."""
    now = time.time() if now is None else now
    for place in (*(folder() / DRAFTS).glob("*"), *(folder() / INCOMING).glob("*")):
        with suppress(OSError):
            newest = max([place.stat().st_mtime, *(each.stat().st_mtime for each in place.glob("*"))])
            if now - newest > ABANDONED_S:
                shutil.rmtree(place, ignore_errors=True)
