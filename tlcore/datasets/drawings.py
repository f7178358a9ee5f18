"""A person's own labelled drawings, and sets of them that runs learn from.

Each drawing is a file of its owner's folder inside the data folder. A set is a copy named by its content, so that a run
that learned from it can be made again when drawings have come and gone.
"""

import hashlib
import io
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.spec import InputForm
from tlcore.store import shared_home

from .mnist import FORM
from .source import DatasetInfo

FOLDER, SETS = "drawings", "sets"
REMOVED = ".removed"  # added to the name of a file that can be brought back
MOST = 500  # drawings of one person
DIGITS = 16  # hexadecimal, of a set's hash


@dataclass(frozen=True, eq=False)
class Drawing:
    """One drawing: an item of MNIST's form, uint8 (28, 28, 1), and the label that its person gave it."""

    name: str
    item: np.ndarray
    label: str


def fits(form: InputForm) -> bool:
    """Return whether items of that form can be kept."""
    return form == FORM


def keep(owner: str, item: np.ndarray, label: str) -> Drawing:
    """Keep a drawing; the same one is kept once, with its newest label.

    Raises
    ------
    DataError
        It has another form than MNIST's, or there are too many.
    """
    if item.shape != FORM.shape or item.dtype != FORM.dtype:
        raise DataError("Only drawings of {form} numbers can be kept.", form=FORM)
    name = f"{_hash(item.tobytes())}.npz"
    if len(kept := drawings(owner)) >= MOST and name not in {drawing.name for drawing in kept}:
        raise DataError("You have kept {n} drawings already; that is the limit. Delete some.", n=MOST)
    folder = _folder(owner)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}{REMOVED}").unlink(missing_ok=True)
    _write(folder / name, item=item, label=np.array(label))
    return Drawing(name, item, label)


def drawings(owner: str) -> tuple[Drawing, ...]:
    """Return what a person has kept, in the order of their names."""
    try:
        return _read(_folder(owner), _folder(owner).stat().st_mtime_ns)
    except OSError:
        return ()


@lru_cache(maxsize=200)
def _read(folder: Path, mtime_ns: int) -> tuple[Drawing, ...]:
    found = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            found.append(Drawing(path.name, file["item"], str(file["label"])))
    return tuple(found)


def remove(owner: str, name: str) -> None:
    """Take a drawing off the list; ``bring_back`` undoes it. Runs that learned from it keep their copy."""
    path = _path(owner, name)
    path.rename(path.with_name(f"{name}{REMOVED}"))


def bring_back(owner: str, name: str) -> None:
    """Undo ``remove``."""
    path = _path(owner, name, REMOVED)
    path.rename(path.with_name(name))


def set_of(owner: str, class_names: Collection[str]) -> str:
    """Return the hash of what a person has kept of these classes, which ``DataSpec.own`` takes; "" when nothing."""
    kept = [drawing for drawing in drawings(owner) if drawing.label in class_names]
    if not kept:
        return ""
    items, labels = np.stack([drawing.item for drawing in kept]), np.array([drawing.label for drawing in kept])
    own = _hash(items.tobytes() + "\n".join(labels).encode())
    path = shared_home() / FOLDER / SETS / f"{own}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, items=items, labels=labels)
    return own


def of_task(own: str, task: DatasetInfo) -> tuple[np.ndarray, np.ndarray]:
    """Return those drawings of a set whose label is a class of the task: items (n, *form.shape), labels int64 (n,).

    Raises
    ------
    SpecError
        ``own`` is not a hash of such a set.
    DataError
        The set is gone.
    """
    nothing = np.zeros((0, *task.form.shape), task.form.dtype), np.zeros(0, np.int64)
    if not own:
        return nothing
    if len(own) != DIGITS or not set(own) <= set("0123456789abcdef"):
        raise SpecError("There are no drawings {own!r}. Choose the images again.", own=own)
    try:
        with np.load(shared_home() / FOLDER / SETS / f"{own}.npz", allow_pickle=False) as file:
            items, labels = file["items"], file["labels"]
    except (OSError, ValueError, KeyError) as error:
        raise DataError("The drawings that this run learned from are gone. Start it without them.") from error
    chosen = [i for i, label in enumerate(labels) if label in task.class_names]
    if task.form != FORM or not chosen:
        return nothing
    return items[chosen], np.array([task.class_names.index(labels[i]) for i in chosen], np.int64)


def _folder(owner: str) -> Path:
    return shared_home() / FOLDER / owner


def _path(owner: str, name: str, ending: str = "") -> Path:
    path = _folder(owner) / f"{name}{ending}"
    if path.parent != _folder(owner) or not path.is_file():
        raise DataError("This drawing is not there any more.")
    return path


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def _write(path: Path, **arrays: np.ndarray) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    temporary = path.with_suffix(".part")
    temporary.write_bytes(content.getvalue())
    temporary.replace(path)
