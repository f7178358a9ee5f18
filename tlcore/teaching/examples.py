"""What a person has shown: classes with names of their own, and examples of each, in files of a folder.

An example is a file that never changes: the item as a data set would store it, and its features. It is named after its
class and when it came, so that a listing tells what there is to learn from.
"""

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tlcore import sources
from tlcore.errors import DataError, SpecError, StoreError
from tlcore.machine import scratch
from tlcore.sentences import one_line
from tlcore.spec import InputForm, check_choice
from tlcore.store import shared_home

FOLDER = "teaching"
CLASSES = "classes.json"
REMOVED = ".removed"  # added to a name that can be brought back
LEAST_CLASSES, MOST_CLASSES = 2, 20
MOST_EXAMPLES = 500  # of one person and kind
MOST_LETTERS = 30  # of a class's name
CALLED = "Class {n}"  # what a class is called until it gets a name
FIRST = {1: 1, 2: 2}  # there from the beginning: ids, and the numbers they are called by

_lock = threading.RLock()  # over every list of classes


@dataclass(frozen=True)
class Kind:
    """One kind of example: photographs or drawings; ``layer`` of ``source`` gives their features."""

    name: str  # of the modality
    source: str
    layer: str

    @property
    def form(self) -> InputForm:
        return sources.info(self.source).form


KINDS = {"photo": Kind("photo", "mobilenet_v2", "average"), "image": Kind("image", "digits", "flatten")}


def kind(name: str) -> Kind:
    """Return the kind of that name; a SpecError lists the names when there is none."""
    check_choice("kind", name, tuple(KINDS))
    return KINDS[name]


@dataclass(frozen=True)
class Example:
    """One example: ``name`` is its file's, ``label`` the id of its class."""

    name: str
    label: int


@dataclass(frozen=True)
class OwnClass:
    """A class: its id never changes, its name may. Its examples, the oldest first."""

    id: int
    name: str
    examples: tuple[Example, ...]


def of(owner: str, name: str, called: str = CALLED) -> "Examples":
    """Return what a person has shown of one kind; ``called``: as for ``Examples``.

    Raises
    ------
    SpecError
        There is no such kind, or no such person.
    """
    if not owner.isalnum():
        raise SpecError("Nobody is called {owner!r}. Reload the page.", owner=owner)
    return Examples(shared_home() / FOLDER / owner / kind(name).name, kind(name), called)


class Examples:
    """The classes and examples in a folder, which is made with the first of them.

    Parameters
    ----------
    called : what a class is called that nobody has named, with its number as ``{n}``: in the language of who reads it
    """

    def __init__(self, folder: Path, kind: Kind, called: str = CALLED):
        self.folder, self.kind, self.called = folder, kind, called

    # -- what there is ---------------------------------------------------------------------------------------------

    def classes(self) -> tuple[OwnClass, ...]:
        """Return the classes in the order in which they were made; at first two that wait for a name."""
        by_label: dict[int, list[Example]] = {}
        for example in self._listed():
            by_label.setdefault(example.label, []).append(example)
        return tuple(OwnClass(id, name, tuple(by_label.get(id, ()))) for id, name in self._names().items())

    def names(self) -> tuple[str, ...]:
        """Return the names of the classes, in their order: what a head's answers stand for."""
        return tuple(self._names().values())

    def item(self, name: str) -> np.ndarray:
        """Return an example as a data set would store it."""
        return _item(self._path(name))

    def learned(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all features, float32 (n, d), and the position of each example's class, int64 (n,)."""
        rows, labels = [], []
        for position, one in enumerate(self.classes()):
            rows += [_features(self.folder / example.name) for example in one.examples]
            labels += [position] * len(one.examples)
        return (np.stack(rows) if rows else np.zeros((0, 1), np.float32)), np.array(labels, np.int64)

    def state(self) -> str:
        """Return a short text that changes with whatever a head learns from."""
        listed = [self._kept(), sorted(example.name for example in self._listed())]
        return hashlib.sha256(json.dumps(listed).encode()).hexdigest()[:16]

    def _names(self) -> dict[int, str]:
        return {id: self._shown(name) for id, name in self._kept().items()}

    def _shown(self, name: str | int) -> str:
        return self.called.format(n=name) if isinstance(name, int) else name

    def _kept(self) -> dict[int, str | int]:
        """Return the list of classes as it is kept: each by its name, or by the number it is called by."""
        try:
            return dict(json.loads((self.folder / CLASSES).read_text("utf-8")))
        except FileNotFoundError:
            return dict(FIRST)
        except (OSError, ValueError, TypeError) as error:
            raise DataError("Your classes cannot be read: their list is damaged. Start over.") from error

    def _listed(self) -> list[Example]:
        try:
            names = sorted(entry.name for entry in os.scandir(self.folder) if entry.name.endswith(".npz"))
        except FileNotFoundError:
            return []
        known = self._names()
        found = [Example(name, int(name.partition("-")[0])) for name in names if name[:3].isdigit()]
        return [example for example in found if example.label in known]

    # -- what changes it -------------------------------------------------------------------------------------------

    def add(self, label: int, item: np.ndarray, features: np.ndarray) -> Example:
        """Keep an example of a class.

        Parameters
        ----------
        item : of the kind's form
        features : float32 (d,), of the kind's layer

        Raises
        ------
        SpecError
            There is no such class.
        DataError
            The item has another form, or there are too many examples.
        StoreError
            The disk takes no more.
        """
        self._check(label)
        form = self.kind.form
        if item.shape != form.shape or item.dtype != form.dtype:
            raise DataError("Only items of {form} numbers can be kept.", form=form)
        if (n := len(self._listed())) >= MOST_EXAMPLES:
            raise DataError("There are {n} examples already; that is the limit. Delete some.", n=n)
        digest = hashlib.sha256(item.tobytes()).hexdigest()[:8]
        name = f"{label:03d}-{time.time_ns():020d}-{digest}.npz"
        _write(self.folder / name, lambda path: _save(path, item, features))
        return Example(name, label)

    def remove(self, name: str) -> None:
        """Take an example away; ``bring_back`` undoes it."""
        self._moved(self._path(name), f"{name}{REMOVED}")

    def bring_back(self, name: str) -> None:
        """Undo ``remove``."""
        self._moved(self._path(f"{name}{REMOVED}"), name)

    def add_class(self, name: str = "") -> int:
        """Make a class and return its id; without a name it is called by its number.

        Raises
        ------
        SpecError
            There are too many, or the name is taken or too long.
        """
        with _lock:
            names = self._names()
            if len(names) >= MOST_CLASSES:
                raise SpecError("There are {n} classes, and that is the limit. Remove one first.", n=len(names))
            id = max(self._used(), default=0) + 1
            number = len(names) + 1
            while self._shown(number) in names.values():
                number += 1
            self._put({**self._kept(), id: _checked(name, names.values()) if name else number})
            return id

    def rename(self, label: int, name: str) -> None:
        """Call a class something else; raises as ``add_class``."""
        with _lock:
            self._check(label)
            names = self._names()
            others = [other for id, other in names.items() if id != label]
            self._put({**self._kept(), label: _checked(name, others)})

    def begin(self, names: Iterable[str]) -> dict[str, int]:
        """Put these classes in place of those there are; return their ids. Examples of the others are out of sight."""
        with _lock:
            first = max(self._used(), default=0) + 1
            ids = {name: id for id, name in enumerate(names, first)}
            self._put({id: name for name, id in ids.items()})
            return ids

    def remove_class(self, label: int) -> str:
        """Take a class off the list and return its name; its files stay until ``clear``, so ``put_class`` undoes it.

        Raises
        ------
        SpecError
            There is no such class, or only two are left.
        """
        with _lock:
            self._check(label)
            names = self._names()
            if len(names) <= LEAST_CLASSES:
                raise SpecError("A classifier needs at least two classes. Rename this one instead.")
            self._put({id: name for id, name in self._kept().items() if id != label})
            return names[label]

    def put_class(self, label: int, name: str) -> None:
        """Undo ``remove_class``."""
        with _lock:
            kept = {**self._kept(), label: _checked(name, self._names().values())}
            self._put(dict(sorted(kept.items())))

    def clear(self) -> None:
        """Take away all classes and examples; ``restore`` undoes the last time."""
        with _lock:
            aside = self.folder.with_name(self.folder.name + REMOVED)
            shutil.rmtree(aside, ignore_errors=True)
            if self.folder.exists():
                self.folder.rename(aside)

    def restore(self) -> None:
        """Undo ``clear``; what came since then is lost."""
        with _lock:
            aside = self.folder.with_name(self.folder.name + REMOVED)
            if aside.exists():
                shutil.rmtree(self.folder, ignore_errors=True)
                aside.rename(self.folder)

    def _check(self, label: int) -> None:
        if label not in self._names():
            raise SpecError("This class is not there any more. Reload the page.")

    def _used(self) -> set[int]:
        files = self.folder.glob("*.npz*") if self.folder.exists() else ()
        return {*self._names(), *(int(path.name[:3]) for path in files if path.name[:3].isdigit())}

    def _put(self, names: Mapping[int, str | int]) -> None:
        content = json.dumps(list(names.items()), ensure_ascii=False)
        _write(self.folder / CLASSES, lambda path: path.write_text(content, "utf-8"))

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if path.parent != self.folder or not path.is_file():
            raise DataError("This example is not there any more.")
        return path

    def _moved(self, path: Path, name: str) -> None:
        try:
            path.rename(path.with_name(name))
        except OSError as error:
            raise StoreError("The example could not be changed ({reason}).", reason=error.strerror) from error


def _checked(name: str, others: Iterable[str]) -> str:
    """Return a class's name as it is kept."""
    name = one_line(name)
    if not name:
        raise SpecError("A class needs a name. Type one.")
    if len(name) > MOST_LETTERS:
        raise SpecError("A class's name has at most {most} letters, and this has {n}.", most=MOST_LETTERS, n=len(name))
    if name in others:
        raise SpecError("There is a class {name!r} already. Choose another name.", name=name)
    return name


def _save(path: Path, item: np.ndarray, features: np.ndarray) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, item=item, features=features.astype(np.float32))


def _write(path: Path, write: object) -> None:
    try:
        scratch.write_whole(path, write)  # type: ignore[arg-type]
    except OSError as error:
        raise StoreError(
            "The example could not be kept in the data folder ({reason}). Free some space there.",
            reason=error.strerror or "no reason given",
        ) from error


@lru_cache(maxsize=4000)
def _features(path: Path) -> np.ndarray:
    return _loaded(path, "features")


@lru_cache(maxsize=500)
def _item(path: Path) -> np.ndarray:
    return _loaded(path, "item")


def _loaded(path: Path, name: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as file:
            return file[name]
    except (OSError, ValueError, KeyError) as error:
        raise DataError("An example cannot be read: its file is damaged. Delete it.") from error
