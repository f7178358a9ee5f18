"""A draft: what was read of a person's files, on disk until they add it as a set or an hour has passed."""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tlcore.errors import DataError

from .bounds import DRAFTS, folder
from .nouns import FORMS, Report

T = TypeVar("T")

ITEMS, FACTS, NAMES, REPORT = "items.u8", "facts.npz", "names.json", "report.json"
ID = 16  # hexadecimal digits
MOST_DRAFTS = 2  # of a person: an older one goes when they begin another


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of each picture, arrays of shape (n,).

    ``label`` are positions in the report's classes, ``part`` 0 (training, or not known) and 1 (test); ``group`` is the
    first of its twins, ``border`` the median grey value at the edge.
    """

    label: np.ndarray
    part: np.ndarray
    width: np.ndarray
    height: np.ndarray
    turned: np.ndarray
    grey: np.ndarray
    group: np.ndarray
    border: np.ndarray

    def __len__(self) -> int:
        return len(self.label)


@dataclass(frozen=True)
class Draft:
    """What lies in one folder. ``native`` is the form of the items there."""

    place: Path
    report: Report
    native: str

    def facts(self) -> Facts:
        with np.load(self.place / FACTS, allow_pickle=False) as file:
            return Facts(**{name: file[name] for name in Facts.__dataclass_fields__})

    def names(self) -> list[str]:
        return json.loads((self.place / NAMES).read_text(encoding="utf-8"))

    def items(self, rows: Sequence[int]) -> np.ndarray:
        return read_rows(self.place / ITEMS, FORMS[self.native].shape, rows)


def new_place(owner: str) -> Path:
    """Make the folder of a new draft; a person's oldest goes when they have too many."""
    mine = sorted((each for each in (folder() / DRAFTS).glob("*") if _owner(each) == owner), key=_age)
    for place in mine[: max(0, len(mine) - MOST_DRAFTS + 1)]:
        shutil.rmtree(place, ignore_errors=True)
    place = folder() / DRAFTS / secrets.token_hex(ID // 2)
    place.mkdir(parents=True)
    (place / "owner").write_text(owner, encoding="utf-8")
    return place


def _age(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _owner(place: Path) -> str | None:
    try:
        return (place / "owner").read_text(encoding="utf-8")
    except OSError:
        return None


def opened(id: str, owner: str) -> Draft:
    """Return a person's draft.

    Raises
    ------
    DataError
        There is none of that id, or it is somebody else's.
    """
    draft = read(id, owner, REPORT, lambda place, kept: Draft(place, Report.from_json(kept["report"]), kept["native"]))
    if draft is None:
        raise DataError("These pictures are gone: what is not added within an hour is deleted. Give the files again.")
    return draft


def read(id: str, owner: str, name: str, make: Callable[[Path, dict[str, Any]], T]) -> T | None:
    """Return what ``make`` makes of a file of a person's draft, which is kept for another hour; None if it is gone.

    Parameters
    ----------
    name : of the file, JSON
    make : gets the draft's folder and what the file holds
    """
    place = folder() / DRAFTS / id
    if not owned(id, owner):
        return None
    try:
        made = make(place, json.loads((place / name).read_text(encoding="utf-8")))
        os.utime(place)
        return made
    except (OSError, ValueError, KeyError, TypeError):
        return None


def discard(id: str, owner: str) -> None:
    """Delete a person's draft; one that is gone already is no error."""
    if owned(id, owner):
        shutil.rmtree(folder() / DRAFTS / id, ignore_errors=True)


def owned(id: str, owner: str) -> bool:
    """Return whether there is a draft of that id and this person's."""
    return len(id) == ID and set(id) <= set("0123456789abcdef") and _owner(folder() / DRAFTS / id) == owner


def read_rows(path: Path, shape: tuple[int, ...], rows: Sequence[int], offset: int = 0) -> np.ndarray:
    """Return some items of a file of uint8 items, one after the other: shape (len(rows), *shape).

    They are read and not mapped: a map of a whole set would count as memory of the server.
    """
    each = int(np.prod(shape))
    items = np.empty((len(rows), *shape), np.uint8)
    with open(path, "rb", buffering=0) as file:
        for i, row in enumerate(rows):
            file.seek(offset + int(row) * each)
            if file.readinto(items[i].data) != each:  # type: ignore[arg-type]
                raise DataError("These pictures are damaged on the disk. Add them again.")
    return items
