"""CSV files: a row of pixels for each picture as MNIST's are shared, or path and label of pictures beside them."""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np

from tlcore.errors import DataError

from .nouns import Given, short
from .npz import as_picture, check_total, factor, form_of
from .stack import Damaged, Read, Stack, check_classes, class_name

LABEL_NAMES = ("label", "labels", "class", "classes", "class_name", "target", "y", "category", "digit")
PATH_NAMES = (
    "path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path", "image_id", "img", "id",
    "name",
)  # fmt: skip
MOST_LINE = 1_000_000  # characters: a picture of 500 × 500 pixels
MOST_COLUMNS = 250_000
DAMAGED = (OSError, EOFError, UnicodeError, ValueError, csv.Error, zlib.error)


@dataclass(frozen=True)
class Table:
    """A CSV whose first lines were looked at; ``label`` and ``path`` are positions of columns."""

    given: Given
    delimiter: str
    header: tuple[str, ...]  # () where the first line is a row already
    n_columns: int
    label: int
    path: int | None  # None: the other columns are pixels

    @property
    def part(self) -> str:
        name = self.given.name.lower()
        return "test" if "test" in name else "train" if "train" in name else ""

    def rows(self) -> Iterator[list[str]]:
        """Yield the cells of each row, blank lines left out; a DataError when the file cannot be read on."""
        try:
            with _opened(self.given) as file:
                for number, line in enumerate(_lines(file, self.given)):
                    if line.strip() and not (self.header and number == 0):
                        yield next(csv.reader([line], delimiter=self.delimiter))
        except DAMAGED as error:
            raise _unreadable(self.given) from error


def looked_at(given: Given) -> Table:
    """Return what kind of table a file is.

    Raises
    ------
    DataError
        It is no table, or has neither pixels nor paths.
    """
    try:
        with _opened(given) as file:
            lines = [line for _, line in zip(range(20), _lines(file, given), strict=False) if line.strip()]
    except DAMAGED as error:
        raise _unreadable(given) from error
    if not lines:
        raise DataError("{file} is empty.", file=short(given.name))
    delimiter = max(",;\t", key=lines[0].count)
    try:
        cells = [next(csv.reader([line], delimiter=delimiter)) for line in lines]
    except DAMAGED as error:
        raise _unreadable(given) from error
    n_columns = len(cells[0])
    if n_columns > MOST_COLUMNS or n_columns < 2:
        raise _neither(given, n_columns)
    header = tuple(cell.strip().lower() for cell in cells[0])
    has_header = not any(_is_number(cell) for cell in cells[0]) or header[0] in LABEL_NAMES
    label = next((header.index(name) for name in LABEL_NAMES if name in header), None) if has_header else None
    body = cells[1:] if has_header else cells
    numbers = bool(body) and sum(_is_number(cell) for cell in body[0]) >= n_columns - 1
    if numbers and form_of((1, n_columns - 1)):
        return Table(given, delimiter, header if has_header else (), n_columns, label or 0, None)
    path = next((header.index(name) for name in PATH_NAMES if name in header), None) if has_header else None
    if path is None and n_columns == 2:
        path = 0 if label is None else 1 - label
    if path is None or (label is None and n_columns != 2):
        raise _neither(given, n_columns)
    return Table(given, delimiter, header if has_header else (), n_columns, 1 - path if label is None else label, path)


def labels_of(table: Table, most: int) -> dict[str, str]:
    """Return the label of each path in a table of paths."""
    assert table.path is not None
    labels: dict[str, str] = {}
    for row in table.rows():
        if len(row) > max(table.path, table.label):
            labels[row[table.path].strip().replace("\\", "/").removeprefix("./")[:1000]] = class_name(row[table.label])
            check_total(len(labels), most, table.given.name)
    check_classes(list(labels.values()), table.given.name)
    return labels


def read_tables(tables: Sequence[Table], most: int) -> Stack:
    """Return the pictures of tables of pixels; two that are named train and test are these parts."""
    labels: list[str] = []
    parts: list[str] = []
    names: list[str] = []
    for table in tables:
        for number, row in enumerate(table.rows(), 2 if table.header else 1):
            whole = len(row) == table.n_columns
            labels.append(class_name(row[table.label]) if whole else "?")
            parts.append(table.part)
            names.append(f"{short(table.given.name)} line {number}")
            check_total(len(labels), most, table.given.name)
    check_classes({label for label in labels if label != "?"}, tables[0].given.name)
    if len(set(parts)) == 1:
        parts = [""] * len(parts)

    def pixels(rows: Sequence[int]) -> Iterator[Read]:
        wanted, position = set(rows), 0
        for table in tables:
            shape, scale = (1, table.n_columns - 1), None
            for row in table.rows():
                if position in wanted:
                    values = _values(row, table)
                    scale = factor(values) if scale is None and values is not None and values.any() else scale
                    yield Damaged() if values is None else as_picture(values, shape, scale or 1.0)
                position += 1

    return Stack("table", names, labels, parts, pixels)


def _values(row: Sequence[str], table: Table) -> np.ndarray | None:
    if len(row) != table.n_columns:
        return None
    try:
        return np.array([*row[: table.label], *row[table.label + 1 :]], np.float32)
    except ValueError:
        return None


def _opened(given: Given) -> TextIO:
    with open(given.path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    opened = gzip.open if zipped else open
    return opened(given.path, "rt", encoding="utf-8-sig", errors="replace", newline="")  # type: ignore[return-value]


def _lines(file: TextIO, given: Given) -> Iterator[str]:
    while line := file.readline(MOST_LINE + 1):
        if len(line) > MOST_LINE:
            raise DataError(
                "{file} has a line of more than {most:,} characters. Give one row for each picture, of at most "
                "{columns:,} pixels.",
                file=short(given.name),
                most=MOST_LINE,
                columns=MOST_COLUMNS,
            )
        if "\0" in line:
            raise ValueError("not text")
        yield line


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\s*[-+]?\d+(\.\d*)?([eE][-+]?\d+)?\s*", text[:40]))


def _unreadable(given: Given) -> DataError:
    return DataError(
        "{file} cannot be read. Give a ZIP of class folders, pictures, a CSV, an NPZ or IDX files.",
        file=short(given.name),
    )


def _neither(given: Given, n_columns: int) -> DataError:
    return DataError(
        "{file} has {n:,} columns and is read neither as pixels nor as paths. Give a label and the pixels of a square "
        "picture (1 + 784 columns for 28 × 28), or a path and a label beside a ZIP of the pictures.",
        file=short(given.name),
        n=n_columns,
    )
