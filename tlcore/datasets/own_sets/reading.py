"""Read a person's files into a draft: in a process of its own, which may take so much memory and time."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from tlcore import sentences
from tlcore.errors import DataError, LabError
from tlcore.machine import begin_child, confinement
from tlcore.sentences import Sentence

from ..splits import draw
from . import findings, giving, twins
from .bounds import Limits
from .decoding import fitted, know_heif
from .draft import FACTS, ITEMS, NAMES, REPORT, Facts
from .nouns import FORMS, PARTS, ClassCount, Finding, Given, Report, Sizes, short
from .stack import Damaged, Picture, Stack, in_order

PROGRESS, REFUSED = "progress", "refused.json"
TELL_S = 0.2
MOST_MEMORY = 768 * 2**20  # beyond what the process has when it begins
MOST_CPU_S = 900
SMALL = 28  # pixels a side: grey pictures of this size stay as they are
N_SHOWN = 12  # rows of a class for thumbnails
Tell = Callable[[int, int], object]


def in_child(place: Path, givens: Sequence[Given], owner: str, limits: Limits) -> None:
    """Do all of it, as the function of a process: the draft lies in ``place`` afterwards, or ``refused.json``."""
    confined(place, limits, lambda tell: read(place, givens, owner, limits, tell))


def confined(place: Path, limits: Limits, work: Callable[[Tell], object]) -> None:
    """Do what reads foreign files, in a process that from here on may do little else; a refusal is ``refused.json``."""
    begin_child()
    with suppress(OSError, AttributeError):
        os.nice(5)  # answering and training come first
    know_heif()
    _limit(limits)
    confinement.forbid("own pictures", "pickle.find_class")
    teller = _Teller(place / PROGRESS)
    try:
        work(teller)
    except LabError as error:
        (place / REFUSED).write_text(sentences.dumps(error.sentence), encoding="utf-8")


def _limit(limits: Limits) -> None:
    confinement.limit(MOST_MEMORY, MOST_CPU_S, limits.pictures * int(np.prod(FORMS["photo"].shape)) + 64 * 2**20)


class _Teller:
    """Writes how far it is into a file, five times a second."""

    def __init__(self, path: Path) -> None:
        self.path, self.last = path, 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self.last >= TELL_S:
            self.last = time.monotonic()
            self.path.write_text(f"{done} {total}")


def read(
    place: Path, givens: Sequence[Given], owner: str, limits: Limits, tell: Tell = lambda done, total: None
) -> Report:
    """Read files into the draft of a folder and return the report, which lies there too.

    Raises
    ------
    DataError
        They cannot be read, or hold no pictures.
    """
    room = place / "unpacked"
    try:
        return _read(place, giving.read(givens, limits, room), givens, owner, limits, tell)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _read(place: Path, stack: Stack, givens: Sequence[Given], owner: str, limits: Limits, tell: Tell) -> Report:
    rows, more = _drawn(stack, limits.pictures)
    seen = _Seen()
    native = _read_items(place / ITEMS, stack, rows, seen, tell)
    if not seen.rows:
        raise DataError(
            "None of the {n:,} pictures can be read ({name} is the first). Open one to see what is wrong.",
            n=len(rows),
            name=short(stack.names[rows[0]]) if rows else "-",
        )
    classes = in_order([stack.labels[row] for row in seen.rows])
    number = {name: i for i, name in enumerate(classes)}
    names = [str(stack.names[row]) for row in seen.rows]
    split = {stack.parts[row] for row in seen.rows} >= set(PARTS)
    near = twins.NEAR[native]
    facts = Facts(
        label=np.array([number[stack.labels[row]] for row in seen.rows], np.int32),
        part=np.array([split and stack.parts[row] == "test" for row in seen.rows], np.int8),
        width=np.array(seen.width, np.int32),
        height=np.array(seen.height, np.int32),
        turned=np.array(seen.turned, np.int8),
        grey=np.array(seen.grey, bool),
        group=twins.groups(
            np.array(seen.hashes), np.array(seen.digests), np.stack(seen.greys), np.stack(seen.fines), near
        ),
        border=np.array(seen.border, np.uint8),
    )
    said = [
        *stack.findings,
        *more,
        *findings.of_damaged(seen.damaged, seen.huge),
        *findings.of_pictures(facts, classes, names, native, split),
    ]
    report = Report(
        id=place.name,
        owner=owner,
        files=tuple(short(given.name) for given in givens[:20]),
        kind=stack.kind,
        kind_words=giving.KINDS[stack.kind],
        n=len(facts),
        classes=counts(facts, classes),
        split=split,
        form=native,
        forms=(native, *(form for form in FORMS if form != native)),
        sizes=_sizes(facts),
        findings=tuple(said),
        n_bytes=sum(given.path.stat().st_size for given in givens),
    )
    np.savez(place / FACTS, **vars(facts))
    (place / NAMES).write_text(json.dumps(names), encoding="utf-8")
    part = place / f"{REPORT}.part"
    part.write_text(json.dumps({"report": report.to_json(), "native": native}), encoding="utf-8")
    os.replace(part, place / REPORT)
    return report


def _drawn(stack: Stack, most: int) -> tuple[list[int], list[Finding]]:
    """Return the rows that are read: all, or so many as one set may have, drawn class by class in each part."""
    if len(stack) <= most:
        return list(range(len(stack))), []
    keys = [(label, part) for label, part in zip(stack.labels, stack.parts, strict=True)]
    number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    rows = draw(np.array([number[key] for key in keys]), most)
    said = Sentence(
        "These are {n:,} pictures; the limit for a set is {most:,}, so that many were drawn, class by class.",
        n=len(stack),
        most=most,
    )
    return rows.tolist(), [Finding("too_many", said, len(stack) - most)]


class _Seen:
    """What is noted of each picture that could be read, and the names of the others."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.width: list[int] = []
        self.height: list[int] = []
        self.turned: list[int] = []
        self.grey: list[bool] = []
        self.hashes: list[np.uint64] = []
        self.digests: list[np.uint64] = []
        self.greys: list[np.ndarray] = []
        self.fines: list[np.ndarray] = []
        self.border: list[int] = []
        self.damaged: list[str] = []
        self.huge: list[str] = []

    def note(self, row: int, picture: Picture, item: np.ndarray) -> None:
        thumbnail = twins.grey(item)
        self.rows.append(row)
        self.width.append(picture.width)
        self.height.append(picture.height)
        self.turned.append(picture.turned)
        self.grey.append(_is_grey(item))
        self.hashes.append(twins.dhash(item))
        self.digests.append(twins.digest(item))
        self.greys.append(thumbnail)
        self.fines.append(twins.fine(item))
        edge = np.concatenate([thumbnail[0], thumbnail[-1], thumbnail[:, 0], thumbnail[:, -1]])
        self.border.append(int(np.median(edge)))


class _Larger(Exception):
    """A picture does not stay small and grey, as those before it did."""


def _read_items(path: Path, stack: Stack, rows: list[int], seen: _Seen, tell: Tell) -> str:
    """Write the items and return their form: small grey pictures stay small and grey where all of them are."""
    try:
        with open(path, "wb") as file:
            _write_items(file, stack, rows, "image", seen, tell)
        return "image"
    except _Larger:
        seen.__init__()
        with open(path, "wb") as file:
            _write_items(file, stack, rows, "photo", seen, tell)
        return "photo"


def _write_items(file: BinaryIO, stack: Stack, rows: list[int], form: str, seen: _Seen, tell: Tell) -> None:
    for done, (row, picture) in enumerate(_with_rows(stack, rows)):
        if isinstance(picture, Damaged):
            (seen.huge if picture.huge else seen.damaged).append(str(stack.names[row]))
        else:
            if form == "image" and not _stays_small(picture):
                raise _Larger
            item = fitted(picture.pixels, form)
            file.write(item.tobytes())
            seen.note(row, picture, item)
        tell(done + 1, len(rows))


def _with_rows(stack: Stack, rows: list[int]) -> Iterator[tuple[int, Picture | Damaged]]:
    yield from zip(rows, stack.pixels(rows), strict=True)


def _stays_small(picture: Picture) -> bool:
    pixels = picture.pixels
    return pixels.shape[:2] == (SMALL, SMALL) and (pixels.ndim == 2 or int(np.ptp(pixels, axis=2).max()) == 0)


def _is_grey(item: np.ndarray) -> bool:
    return item.shape[-1] == 1 or int(np.quantile(np.ptp(item, axis=2), 0.99)) < findings.SHARP


def counts(facts: Facts, classes: Sequence[str]) -> tuple[ClassCount, ...]:
    """Return how many pictures of each class there are."""
    per_class = []
    for i, name in enumerate(classes):
        rows = np.flatnonzero(facts.label == i)
        n_test = int(facts.part[rows].sum())
        shown = rows[np.linspace(0, len(rows) - 1, min(len(rows), N_SHOWN)).astype(int)] if len(rows) else rows
        per_class.append(ClassCount(name, len(rows) - n_test, n_test, tuple(shown.tolist())))
    return tuple(per_class)


def _sizes(facts: Facts) -> Sizes:
    sides = np.stack([facts.width, facts.height])
    least, middle, most = (tuple(int(v) for v in f(sides, axis=1)) for f in (np.min, np.median, np.max))
    return Sizes(least, middle, most)
