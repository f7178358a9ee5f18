"""The sets that people added: listed, read as target tasks, removed and brought back, packed as a ZIP.

A set is a folder of the data folder: items and labels of both parts, the names of their files, and the card, which is
written last. It never changes but for its title; what a run learned from is named by its content.
"""

import hashlib
import io
import json
import os
import secrets
import shutil
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from tlcore.errors import DataError, SpecError, StoreError
from tlcore.sentences import Sentence, one_line
from tlcore.spec import InputForm
from tlcore.store import results_address

from ..source import SOURCES, DatasetInfo, DataSource, Raw
from . import draft as drafts
from .bounds import ABANDONED_S, Limits, check_disk, check_person, check_size, folder, limits, size, sweep_abandoned
from .card import Card, is_own
from .decoding import reformed, turned_back
from .draft import Draft, opened
from .nouns import FORMS, PARTS, Choices, Plan, short
from .planning import Selection, planned, select

CARD, FILES = "card.json", "files.json"
TITLE = 60  # characters
AT_ONCE = 256  # items
BLACK = 55  # the most grey that the ground of ink has, of 255
HEADS = 128  # bytes before the first item: what numpy.save writes
Part = tuple[Iterator[np.ndarray], np.ndarray, list[str]]  # items as stored, labels int64, the names of their files


class OwnSet(DataSource):
    """One of them, as a target task."""

    def __init__(self, name: str):
        self.name = name

    @property
    def info(self) -> DatasetInfo:  # type: ignore[override]
        found = card(self.name)
        return replace(found.info, shares=_older(found))

    def at_hand(self) -> bool:
        return (folder() / self.name / "train.npy").exists()

    def read(self) -> Raw:
        return Raw(self._array("train"), self.labels("train"), self._array("test"), self.labels("test"))

    def labels(self, part: str) -> np.ndarray:
        return self._loaded(f"y_{part}", None)

    def items(self, part: str, rows: np.ndarray) -> np.ndarray:
        form = card(self.name).form
        try:
            return drafts.read_rows(folder() / self.name / f"{part}.npy", form.shape, rows.tolist(), HEADS)
        except OSError as error:
            raise self._gone() from error

    def _array(self, part: str) -> np.ndarray:
        """Return the items of a part, mapped: only what is used is read."""
        return self._loaded(part, "r")

    def _loaded(self, name: str, mmap_mode: str | None) -> np.ndarray:
        try:
            return np.load(folder() / self.name / f"{name}.npy", mmap_mode=mmap_mode, allow_pickle=False)  # type: ignore[call-overload]
        except (OSError, ValueError, EOFError) as error:
            raise self._gone() from error

    def _gone(self) -> DataError:
        found = card(self.name)
        if found.removed:
            return DataError(
                "The pictures {title!r} were removed. Choose another target, or add them again.", title=found.title
            )
        return DataError("The pictures {title!r} are damaged. Add them again.", title=found.title)


def _older(found: Card) -> tuple[str, ...]:
    """Return the sets that a cleaned one came of, whose test images it shares."""
    names: list[str] = []
    with suppress(DataError, SpecError):
        while found.made_from and found.made_from not in names:
            names.append(found.made_from)
            if found.made_from in SOURCES:
                return (*names, *SOURCES[found.made_from].info.shares)
            found = card(found.made_from)
    return tuple(names)


def find_source(name: str) -> OwnSet | None:
    """Return the set of that name as a target task, also a removed one; None for the name of no set.

    Raises
    ------
    SpecError
        There is no such set here.
    """
    if not is_own(name):
        return None
    if not (folder() / name / CARD).exists():
        raise _not_here(name)
    return OwnSet(name)


# -- the list --------------------------------------------------------------------------------------------------------


def card(name: str) -> Card:
    """Return one set's card, also that of a removed one.

    Raises
    ------
    SpecError
        There is no such set.
    DataError
        The card is damaged.
    """
    try:
        if not is_own(name):
            raise FileNotFoundError
        return Card.from_json(json.loads((folder() / name / CARD).read_text(encoding="utf-8")))
    except OSError as error:
        raise _not_here(name) from error
    except ValueError as error:
        raise DataError("The card of the pictures {name!r} is damaged. Add them again.", name=name) from error


def _not_here(name: str) -> SpecError:
    if results_address():
        return SpecError(
            "The pictures {name!r} are not on this machine: with results in an object store, own pictures stay where "
            "they were added. Choose another task, or ask the host for a results folder that all machines share.",
            name=short(name),
        )
    return SpecError("There is no set of own pictures {name!r}. Pick one from the list.", name=short(name))


def kept(owner: str | None = None, removed: bool = False) -> tuple[Card, ...]:
    """Return the cards of a person's sets and of nobody's, newest first: those on the list, or those removed.

    ``None`` are all sets, as the host sees them. A card that cannot be read is left out.
    """
    cards = []
    for path in folder().glob(f"set-*/{CARD}"):
        with suppress(DataError, SpecError):
            found = card(path.parent.name)
            if found.removed == removed and (owner is None or found.owner in ("", owner)):
                cards.append(found)
    return tuple(sorted(cards, key=lambda each: (-each.created, each.name)))


def find(text: str, owner: str | None = None, removed: bool = False) -> str:
    """Return the name of the set with that name or title; ``text`` itself where there is none.

    Of several with one title, those of different people, it is nobody's, else the newest.
    """
    same = [each for each in kept(owner, removed) if text in (each.name, each.title)]
    return next((each.name for each in same if not each.owner), same[0].name if same else text)


def used(owner: str) -> int:
    """Return the bytes that a person's sets take, removed ones too while they can be brought back."""
    cards = (*kept(owner), *kept(owner, removed=True))
    return sum(size(folder() / each.name) for each in cards if each.owner == owner)


def used_mb(owner: str) -> float:
    """Return the MB that a person's sets take."""
    return used(owner) / 2**20


def check_room(owner: str, n_bytes: int = 0, most: Limits | None = None) -> None:
    """See that files of so many bytes may be brought: what the person removed goes for good when there is no room.

    Raises
    ------
    DataError
        They are larger than those of one set may be.
    RightsError
        The person's sets, or all sets, would take more than they may.
    """
    most = most or limits()
    check_size(n_bytes, most)
    try:
        check_person(used(owner), n_bytes, most)
        check_disk(n_bytes)
    except Exception:
        sweep(0.0, owner)
        check_person(used(owner), n_bytes, most)
        check_disk(n_bytes)


# -- adding ----------------------------------------------------------------------------------------------------------


def plan(id: str, owner: str = "", choices: Choices = Choices()) -> Plan:  # noqa: B008 (frozen)
    """Return what some choices make of a person's draft.

    Raises
    ------
    DataError
        The draft is gone.
    SpecError
        A choice is none.
    """
    return planned(opened(id, owner), choices)


def add(
    id: str,
    title: str,
    choices: Choices = Choices(),  # noqa: B008
    owner: str = "",
    most: Limits | None = None,
    notes: tuple[Sentence, ...] = (),
) -> Card:
    """Make a set of a person's draft, which goes. The same pictures again are the same set, with its newest title.

    Parameters
    ----------
    notes : what its card says beside what was mended

    Raises
    ------
    SpecError
        The title is empty or taken, or a choice is none.
    DataError
        There are too few classes or pictures, the sentence says of what; or the draft is gone.
    RightsError
        There is no room.
    StoreError
        The data folder cannot be written.
    """
    draft = opened(id, owner)
    chosen = select(draft, choices)
    title = _checked_title(title, owner)
    if chosen.problems:
        raise DataError(chosen.problems[0].template, **chosen.problems[0].values)
    check_room(owner, 0, most)
    check_person(used(owner), _bytes(chosen), most or limits())
    check_disk(_bytes(chosen))
    place = draft.place / f"set-{secrets.token_hex(4)}"
    try:
        place.mkdir()
        names = draft.names()
        parts = {
            part: (_items(draft, chosen, rows), labels, [names[row] for row in rows])
            for part, rows, labels in zip(
                PARTS, (chosen.train, chosen.test), (chosen.y_train, chosen.y_test), strict=True
            )
        }
        digest = write_parts(place, chosen.class_names, FORMS[chosen.form], parts)
        made = _card(draft, chosen, choices, title, owner, digest, size(place))
        made = replace(made, notes=(*made.notes, *notes))
        place_set(place, made)
    except OSError as error:
        raise no_room(error) from error
    drafts.discard(id, owner)
    return made


def named(digest: str, owner: str) -> str:
    """Return the name of a set by its content and whose it is."""
    mark = f"-{hashlib.sha256(owner.encode()).hexdigest()[:6]}" if owner else ""
    return f"set-{digest[:12]}{mark}"


def _card(draft: Draft, chosen: Selection, choices: Choices, title: str, owner: str, digest: str, n_bytes: int) -> Card:
    report = draft.report
    n_classes = len(chosen.class_names)
    notes = [finding.sentence for finding in report.findings if not finding.mend]
    notes += [
        Sentence("{what} {mend}.", what=finding.sentence, mend=finding.mend_words)
        for finding in report.findings
        if finding.mend in chosen.mends
    ]
    return Card(
        name=named(digest, owner),
        title=title,
        owner=owner,
        created=time.time(),
        class_names=chosen.class_names,
        sizes=tuple(np.bincount(chosen.y_train, minlength=n_classes).tolist()),
        test_sizes=tuple(np.bincount(chosen.y_test, minlength=n_classes).tolist()),
        form=FORMS[chosen.form],
        hash=digest,
        n_bytes=n_bytes,
        files=report.files,
        split=report.split and not choices.own_split,
        test_share=choices.test_share,
        seed=choices.seed,
        notes=tuple(notes),
        whole=chosen.form == "image" and _fill_their_frame(draft, chosen),
    )


def _fill_their_frame(draft: Draft, chosen: Selection) -> bool:
    """Return whether most pictures are no ink on a ground: their edge is neither black nor, before a mend, white."""
    border = draft.facts().border[np.concatenate([chosen.train, chosen.test])]
    ground = 255 - border if "invert" in chosen.mends else border
    return bool(np.mean(ground > BLACK) > 0.5)


def place_set(place: Path, made: Card) -> None:
    """Move a finished folder to where sets lie; one that is there already gets the new card."""
    target = folder() / made.name
    if not (target / "train.npy").exists():
        if target.exists():  # removed and swept: its card was kept
            shutil.rmtree(target)
        _write_card(place, made)
        os.replace(place, target)
    else:
        _write_card(target, made)


def _items(draft: Draft, chosen: Selection, rows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield items as they are kept, a few hundred at a time."""
    facts = draft.facts()
    upright, invert = "rotate" in chosen.mends, "invert" in chosen.mends and chosen.form == "image"
    for at in range(0, len(rows), AT_ONCE):
        some = rows[at : at + AT_ONCE]
        items = draft.items(some.tolist())
        if not upright:
            for i in np.flatnonzero(facts.turned[some] > 1):
                items[i] = turned_back(items[i], int(facts.turned[some[i]]))
        if chosen.form != draft.native:
            items = np.stack([reformed(item, chosen.form) for item in items])
        yield 255 - items if invert else items


def write_parts(place: Path, class_names: Sequence[str], form: InputForm, parts: Mapping[str, Part]) -> str:
    """Write the pictures, labels and files' names of both parts into a folder; return the hash of the content."""
    digest = hashlib.sha256(json.dumps([class_names, str(form)]).encode())
    for part, (items, labels, _names) in parts.items():
        _write_items(place / f"{part}.npy", items, len(labels), form.shape, digest)
        np.save(place / f"y_{part}.npy", labels, allow_pickle=False)
        digest.update(labels.tobytes())
    files = {part: names for part, (_, _, names) in parts.items()}
    (place / FILES).write_text(json.dumps(files), encoding="utf-8")
    return digest.hexdigest()


def no_room(error: OSError) -> StoreError:
    """Return what is said where the data folder cannot be written."""
    return StoreError(
        "The pictures could not be kept in the data folder ({reason}). Free some space there and try again.",
        reason=error.strerror or "no reason given",
    )


def _write_items(
    path: Path, parts: Iterator[np.ndarray], n: int, shape: tuple[int, ...], digest: "hashlib._Hash"
) -> None:
    with open(path, "wb") as file:
        head = io.BytesIO()
        header = {"descr": "|u1", "fortran_order": False, "shape": (n, *shape)}
        np.lib.format.write_array_header_1_0(head, header)
        content = head.getvalue()
        if len(content) != HEADS:
            raise OSError(f"NumPy's head has {len(content)} bytes and not {HEADS}")
        file.write(content)
        for items in parts:
            file.write(items.tobytes())
            digest.update(items.tobytes())


def _bytes(chosen: Selection) -> int:
    return chosen.n * int(np.prod(FORMS[chosen.form].shape))


def _write_card(place: Path, made: Card) -> None:
    part = place / f"{CARD}.part"
    part.write_text(json.dumps(made.to_json(), indent=2) + "\n", encoding="utf-8")
    os.replace(part, place / CARD)


def _checked_title(title: str, owner: str, name: str = "") -> str:
    """Return a title that can be shown and is not taken."""
    title = one_line(title)
    if not title or len(title) > TITLE:
        raise SpecError("Give the pictures a name of 1 to {most} characters.", most=TITLE)
    taken = {each.title for each in kept(owner) if each.name != name} | set(SOURCES)
    if title in taken or is_own(title):
        raise SpecError("There are pictures named {title!r} already. Choose another name.", title=title)
    return title


def fresh_title(title: str, owner: str, numbered: bool) -> str:
    """Return a title as ``add`` takes it; ``numbered`` gives it the next number that is free."""
    taken = {each.title for each in kept(owner)}
    numbers = (f"{title} ({n})" for n in range(2, len(taken) + 3))
    return _checked_title(next(each for each in numbers if each not in taken) if numbered else title, owner)


# -- changing --------------------------------------------------------------------------------------------------------


def rename(name: str, title: str) -> Card:
    """Give a set another title; raises as ``card``, and a SpecError where the title is empty or taken."""
    found = card(name)
    made = replace(found, title=_checked_title(title, found.owner, name))
    _write_card(folder() / name, made)
    return made


def remove(name: str, removed: bool = True) -> Card:
    """Take a set off the list, or with ``removed=False`` put it back.

    The pictures go an hour later. The card stays: old runs name it.

    Raises
    ------
    SpecError
        There is no such set.
    DataError
        It cannot be brought back: the pictures are gone.
    """
    found = card(name)
    if not removed and not OwnSet(name).at_hand():
        raise DataError("The pictures {title!r} are gone for good. Add them again.", title=found.title)
    made = replace(found, removed=removed)
    _write_card(folder() / name, made)
    return made


def sweep(older_than_s: float = ABANDONED_S, owner: str | None = None) -> None:
    """Delete the pictures of sets that were removed so long ago, and drafts and uploads that nobody went on with."""
    for found in kept(owner, removed=True):
        place = folder() / found.name
        with suppress(OSError):
            if time.time() - (place / CARD).stat().st_mtime >= older_than_s:
                for path in place.iterdir():
                    if path.name != CARD:
                        path.unlink()
    sweep_abandoned()


# -- as a ZIP --------------------------------------------------------------------------------------------------------


def write_zip(name: str, file: BinaryIO) -> None:
    """Write a set as a ZIP of class folders, ``train/cat/0001.png``: the pictures as they are kept, without loss.

    Raises
    ------
    DataError, SpecError
        There is no such set, or its pictures are gone.
    """
    found, source = card(name), OwnSet(name)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for part in PARTS:
            labels = source.labels(part)
            for at in range(0, len(labels), AT_ONCE):
                rows = np.arange(at, min(at + AT_ONCE, len(labels)))
                for row, item in zip(rows, source.items(part, rows), strict=True):
                    path = f"{part}/{_folder_name(found.class_names, labels[row])}/{row + 1:05d}.png"
                    archive.writestr(path, _png(item))


def _folder_name(names: Sequence[str], k: int) -> str:
    """Return a class name that every system takes for a folder; two never get the same."""
    clean = ["".join("_" if c in '<>:"/\\|?*' else c for c in name).strip(" .") or "class" for name in names]
    return clean[k] if clean.count(clean[k]) == 1 else f"{clean[k]}_{k}"


def _png(item: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(item[..., 0] if item.shape[-1] == 1 else item).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
