"""Clean a set: some pictures get another class or are left out, which makes a new set beside the old one."""

import json
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.sentences import Sentence

from ..source import SOURCES, DataSource, get
from .bounds import DRAFTS, folder, size
from .card import Card, is_own
from .findings import LEAST
from .kept import AT_ONCE, FILES, TITLE, card, check_room, fresh_title, named, no_room, place_set, write_parts
from .nouns import FORMS, PARTS, listed
from .stack import class_name, in_order

Where = tuple[str, int]  # "train" or "test", and the position in that part, from 0


def card_of(name: str) -> Card:
    """Return the card of a set that can be revised; that of one that ships is as if it were everybody's.

    Raises
    ------
    SpecError
        There is no such set, or what it holds are no pictures of these forms.
    DataError
        It is damaged.
    """
    if name not in SOURCES or SOURCES[name].info.form not in FORMS.values():
        return card(name)
    info, n_classes = SOURCES[name].info, len(SOURCES[name].info.class_names)
    tests = tuple(np.bincount(SOURCES[name].labels("test"), minlength=n_classes).tolist())
    files = (info.title,)
    return Card(name, info.title, "", 0.0, info.class_names, info.sizes, tests, info.form, "", 0, files, split=True)


def revise(
    name: str,
    relabelled: Mapping[Where, str] | None = None,
    left_out: Collection[Where] = (),
    title: str = "",
    owner: str = "",
) -> Card:
    """Make a new version of a set, also of one that ships. The old one stays: runs that learned from it name it.

    Parameters
    ----------
    relabelled : the class of some pictures, by part and position; a class may be new
    title : default: the old one with a number

    Raises
    ------
    SpecError
        There is no such set or picture, nothing is changed, or the title is taken.
    DataError
        A class would have too few pictures, or the set is gone.
    RightsError
        There is no room.
    StoreError
        The data folder cannot be written.
    """
    old, source = card_of(name), get(name)
    relabelled = {where: class_name(label) for where, label in (relabelled or {}).items()}
    numbers: dict[str, int] = dict(zip(PARTS, (sum(old.sizes), sum(old.test_sizes)), strict=True))
    for part, row in (*relabelled, *left_out):
        if not 0 <= row < numbers.get(part, 0):
            raise SpecError("{title} has no picture {part}/{n}.", title=old.title, part=part, n=row + 1)
    labels: dict[str, list[str]] = {}
    rows: dict[str, np.ndarray] = {}
    for part in PARTS:
        now = [old.class_names[k] for k in source.labels(part).tolist()]
        now = [relabelled.get((part, row), label) for row, label in enumerate(now)]
        rows[part] = np.array([row for row in range(len(now)) if (part, row) not in left_out], np.int64)
        labels[part] = [now[row] for row in rows[part].tolist()]
    classes = tuple(in_order([*labels["train"], *labels["test"]]))
    _check(labels, classes)
    y = {part: np.array([classes.index(label) for label in labels[part]], np.int64) for part in PARTS}
    check_room(owner, sum(len(rows[part]) for part in PARTS) * int(np.prod(old.form.shape)))
    place = folder() / DRAFTS / f"revised-{secrets.token_hex(4)}"
    try:
        place.mkdir(parents=True)
        files = _files(old, numbers)
        parts = {
            part: (_items(source, part, rows[part]), y[part], [files[part][row] for row in rows[part].tolist()])
            for part in PARTS
        }
        digest = write_parts(place, classes, old.form, parts)
        if digest == old.hash:
            raise SpecError("Nothing would change. Give pictures another class, or leave some out.")
        said = Sentence(
            "Made from {title} ({name}): {n:,} pictures have another class, {m:,} are left out.",
            title=old.title,
            name=old.name,
            n=len(relabelled),
            m=len(set(left_out)),
        )
        made = replace(
            old,
            name=named(digest, owner),
            title=fresh_title(title or old.title[: TITLE - 6], owner, numbered=not title),
            owner=owner,
            created=time.time(),
            class_names=classes,
            sizes=tuple(np.bincount(y["train"], minlength=len(classes)).tolist()),
            test_sizes=tuple(np.bincount(y["test"], minlength=len(classes)).tolist()),
            hash=digest,
            n_bytes=size(place),
            notes=(*old.notes, said),
            removed=False,
            made_from=old.name,
        )
        place_set(place, made)
    except OSError as error:
        raise no_room(error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return made


def _files(old: Card, numbers: Mapping[str, int]) -> dict[str, list[str]]:
    """Return what the pictures' files were called; those of a set that ships have their numbers."""
    if is_own(old.name):
        return json.loads((folder() / old.name / FILES).read_text(encoding="utf-8"))
    return {part: [f"{part}-{n + 1}.png" for n in range(numbers[part])] for part in PARTS}


def _items(source: DataSource, part: str, rows: np.ndarray) -> Iterator[np.ndarray]:
    for at in range(0, len(rows), AT_ONCE):
        yield source.items(part, rows[at : at + AT_ONCE])


def _check(labels: Mapping[str, list[str]], classes: tuple[str, ...]) -> None:
    few = [name for name in classes if labels["train"].count(name) < LEAST - 1 or not labels["test"].count(name)]
    if few or len(classes) < 2:
        raise DataError(
            "A set needs 2 classes, and each class 2 training pictures and 1 test picture. Too few has: {names}.",
            names=listed(few, 8) or listed(classes),
        )
