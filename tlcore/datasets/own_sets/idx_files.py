"""IDX files, as MNIST is shared: a file of pictures and one of labels, zipped by gzip or not, for one part or for two.

References
----------
The IDX format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
"""

import gzip
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from tlcore.errors import DataError

from .nouns import Given, short
from .npz import AT_ONCE, as_picture, check_total, factor, form_of
from .stack import Damaged, Read, Stack, check_classes, class_name

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MOST_LABELS = 10_000_000
DAMAGED = (OSError, EOFError, ValueError, zlib.error, struct.error)


@dataclass(frozen=True)
class _File:
    given: Given
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.given.name.replace("\\", "/").rpartition("/")[2].lower()

    @property
    def part(self) -> str:
        return "test" if re.match(r"t10k|.*test", self.name) else "train" if "train" in self.name else ""

    def open(self) -> BinaryIO:
        """Return the file after its head."""
        file = _opened(self.given)
        file.read(4 + 4 * len(self.shape))
        return file


def is_idx(head: bytes) -> bool:
    """Return whether a file's first four bytes are those of an IDX file of pictures or labels.

    >>> is_idx(bytes([0, 0, 8, 3])), is_idx(b"PK12")
    (True, False)
    """
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in TYPES and 1 <= head[3] <= 4


def read_idx_files(givens: Sequence[Given], most: int) -> Stack:
    """Return the pictures of IDX files.

    Parameters
    ----------
    most : pictures that they may list at all

    Raises
    ------
    DataError
        A file of labels is missing, or a head does not tell the truth.
    """
    files = [_looked_at(given) for given in givens]
    images = [file for file in files if len(file.shape) >= 3]
    labels = [file for file in files if len(file.shape) == 1]
    pairs = [(image, _labels_of(image, labels, len(images))) for image in images]
    if not pairs:
        raise DataError(
            "{file} holds labels and no pictures. Give the file of pictures too, as train-images-idx3-ubyte.",
            file=short(givens[0].name),
        )
    names: list[str] = []
    all_labels: list[str] = []
    parts: list[str] = []
    for image, label in pairs:
        n, m = image.shape[0], label.shape[0]
        if n != m:
            raise DataError(
                "{images} has {n:,} pictures and {labels} {m:,} labels. Give the two files that belong together.",
                images=short(image.given.name),
                n=n,
                labels=short(label.given.name),
                m=m,
            )
        if form_of(image.shape) is None:
            raise DataError(
                "{file} holds no pictures: its shape is {shape}.", file=short(image.given.name), shape=image.shape
            )
        check_total(len(names) + n, most, image.given.name)
        all_labels += _values(label)
        parts += [image.part] * n
        names += [f"{short(image.given.name)} {i}" for i in range(n)]
    check_classes(all_labels, givens[0].name)
    if len(pairs) == 1:
        parts = [""] * len(parts)  # one part alone is not divided

    def pixels(rows: Sequence[int]) -> Iterator[Read]:
        wanted, start = set(rows), 0
        for image, _label in pairs:
            yield from _pictures(image, wanted, start)
            start += image.shape[0]

    return Stack("idx", names, all_labels, parts, pixels)


def _opened(given: Given) -> BinaryIO:
    with open(given.path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.open(given.path, "rb") if zipped else open(given.path, "rb")  # type: ignore[return-value]


def _looked_at(given: Given) -> _File:
    try:
        with _opened(given) as file:
            head = file.read(4)
            if not is_idx(head):
                raise ValueError("no IDX")
            shape = struct.unpack(f">{head[3]}I", file.read(4 * head[3]))
            return _File(given, np.dtype(TYPES[head[2]]), shape)
    except DAMAGED as error:
        raise DataError("{file} cannot be read as an IDX file. Download it again.", file=short(given.name)) from error


def _labels_of(image: _File, labels: Sequence[_File], n_images: int) -> _File:
    """Return the file of labels that belongs to a file of pictures: by its name, else the only one."""
    wanted = image.name.replace("images", "labels").replace("idx3", "idx1").removesuffix(".gz")
    named = [label for label in labels if label.name.removesuffix(".gz") == wanted]
    same_part = [label for label in labels if label.part == image.part]
    for choice in (named, same_part, labels if n_images == 1 else []):
        if len(choice) == 1:
            return choice[0]
    raise DataError(
        "{file} needs its file of labels, as {wanted}. Give both together.",
        file=short(image.given.name),
        wanted=short(wanted if wanted != image.name else "train-labels-idx1-ubyte"),
    )


def _values(label: _File) -> list[str]:
    n = label.shape[0]
    try:
        if n > MOST_LABELS:
            raise ValueError("too many")
        with label.open() as file:
            content = file.read(n * label.dtype.itemsize)
        values = np.frombuffer(content, label.dtype)
        if len(values) != n:
            raise ValueError("cut off")
    except DAMAGED as error:
        raise DataError(
            "{file} announces {n:,} labels and holds fewer. Download it again.", file=short(label.given.name), n=n
        ) from error
    return [class_name(value) for value in values.tolist()]


def _pictures(image: _File, wanted: "set[int]", start: int) -> Iterator[Read]:
    n, each = image.shape[0], int(np.prod(image.shape[1:], dtype=np.int64)) * image.dtype.itemsize
    step, scale = max(1, AT_ONCE // each), None
    with image.open() as file:
        for at in range(0, n, step):
            rows = range(start + at, start + min(at + step, n))
            try:
                content = file.read(len(rows) * each)
            except DAMAGED:
                content = b""
            if wanted.isdisjoint(rows):
                continue
            n_whole = len(content) // each
            values = np.frombuffer(content[: n_whole * each], image.dtype).reshape(n_whole, *image.shape[1:])
            scale = factor(values) if scale is None and n_whole else scale
            for i, row in enumerate(rows):
                if row in wanted:
                    yield as_picture(values[i], image.shape, scale or 1.0) if i < n_whole else Damaged()
