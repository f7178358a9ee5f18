"""Where target tasks come from: one object each, and the list of them all."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.spec import InputForm, check_choice


@dataclass(frozen=True)
class DatasetInfo:
    """What a picker says of one target task.

    ``sizes`` are the items of each class in the part that splits divide, training and validation together, so that a
    page knows the limits without reading data.
    """

    name: str
    title: str
    class_names: tuple[str, ...]
    form: InputForm
    sizes: tuple[int, ...]
    n_test: int
    offline: bool  # shipped with the app, or with a library it needs anyway
    attribution: str
    note: str = ""
    shares: tuple[str, ...] = ()  # other tasks some of whose test items it has

    @property
    def n_train(self) -> int:
        return sum(self.sizes)


@dataclass(frozen=True, eq=False)
class Raw:
    """The part that splits divide, and the test part: x as stored, shape (n, *form.shape); y int64 (n,), 0..k-1."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


class DataSource:
    """One target task. A subclass gives ``info`` and ``read``; the rest where it has files of its own."""

    info: DatasetInfo

    def read(self) -> Raw:
        """Return every item and its label.

        Raises
        ------
        DataError
            They are missing or damaged, or cannot be downloaded.
        """
        raise NotImplementedError

    def labels(self, part: str) -> np.ndarray:
        """Return the labels of "train" or "test": int64, shape (n,)."""
        raw = self.read()
        return raw.y_test if part == "test" else raw.y_train

    def items(self, part: str, rows: np.ndarray) -> np.ndarray:
        """Return some items of "train" or "test", shape (len(rows), *form.shape); a source may read these alone."""
        raw = self.read()
        return (raw.x_test if part == "test" else raw.x_train)[rows]

    def at_hand(self) -> bool:
        """Return whether ``read`` needs no download."""
        return self.info.offline

    def check_shipped(self) -> None:
        """Raise a DataError when a file that ships with the app is missing or damaged."""

    def build(self, folder: Path) -> Path:
        """Make the shipped file from the published ones in ``folder``; return its path."""
        raise DataError("{title} has no file that can be built.", title=self.info.title)


SOURCES: dict[str, DataSource] = {}
FINDERS: list[Callable[[str], DataSource | None]] = []  # of tasks that come and go, by their names


def register(source: DataSource) -> None:
    """Put a task on the list, after those that are there.

    Raises
    ------
    SpecError
        The name is taken.
    """
    name = source.info.name
    if name in SOURCES:
        raise SpecError("Two data sets are called {name!r}. Rename one.", name=name)
    SOURCES[name] = source


def get(name: str) -> DataSource:
    """Return one task.

    Raises
    ------
    SpecError
        There is no such task; the message lists the names.
    """
    for find in FINDERS if name not in SOURCES else ():
        if source := find(name):
            return source
    check_choice("target", name, tuple(SOURCES))
    return SOURCES[name]


def at_hand(name: str) -> DataSource | None:
    """Return one task whose items can be read without a download; None where there is none, or none any more."""
    try:
        source = get(name)
    except SpecError:
        return None
    return source if source.at_hand() else None


def info(name: str) -> DatasetInfo:
    """Return what a picker says of one task; raises as ``get``."""
    return get(name).info


def sharing(name: str) -> tuple[str, ...]:
    """Return a task and all others that share test items with it; raises as ``get``."""
    return name, *info(name).shares


def catalogue() -> tuple[DatasetInfo, ...]:
    """Return every target task, the shipped ones first."""
    return tuple(source.info for source in SOURCES.values())


def check_shipped() -> None:
    """Raise a DataError when a shipped file of a task is missing or damaged."""
    for source in SOURCES.values():
        source.check_shipped()
