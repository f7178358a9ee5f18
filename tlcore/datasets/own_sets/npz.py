"""NPZ files: arrays of pictures and labels by their names (x and y, MedMNIST's); Python objects are never loaded."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tlcore.errors import DataError

from .folders import READERS, joined_validation, opened, path_of
from .nouns import Given, short
from .stack import Damaged, Picture, Read, Stack, check_classes, class_name

IMAGES = ("images", "image", "imgs", "img", "x", "data", "pixels", "features", "samples", "pictures")
LABELS = ("labels", "label", "y", "targets", "target", "classes", "class")
NAMES = ("class_names", "label_names", "classes", "names", "target_names")
PART_OF = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
MOST_HEAD = 10_000  # characters of an array's description
MOST_SMALL = 64 * 2**20  # bytes of labels or names, or of an array that cannot be read picture by picture
MOST_PIXELS = 4_000_000  # of one picture
AT_ONCE = 4 * 2**20  # bytes of a piece


def read_npz(givens: Sequence[Given], most: int) -> Stack:
    """Return the pictures of an NPZ file, or of several: one with pictures and one with labels, as KMNIST is shared.

    Parameters
    ----------
    most : pictures that the file may list at all

    Raises
    ------
    DataError
        It holds Python objects, or no arrays that are pictures and labels; the sentence says which arrays it has.
    """
    given, heads = givens[0], {}
    for each in givens:
        archive, mark = opened(each), f"{path_of(each.name).stem} " if givens[1:] else ""
        for entry in archive.infolist():
            if entry.filename.endswith(".npy"):
                heads[mark + entry.filename.removesuffix(".npy")] = _head(archive, entry, each)
    names: list[str] = []
    labels: list[str] = []
    parts: list[str] = []
    pieces: list[_Head] = []
    for part, (image_key, label_key) in _pairs(heads, given).items():
        head, values = heads[image_key], _labels(heads[label_key], given, label_key)
        if len(values) != head.shape[0]:
            raise DataError(
                "{file} has {n:,} pictures in {images!r} and {m:,} labels in {labels!r}: it needs one label for each.",
                file=short(given.name),
                n=head.shape[0],
                images=short(image_key),
                m=len(values),
                labels=short(label_key),
            )
        pieces.append(head)
        labels += values
        parts += [part] * len(values)
        names += [f"{short(image_key)} {i}" for i in range(len(values))]
        check_total(len(labels), most, given.name)
    labels = _named(labels, heads, given)
    findings = joined_validation(sum(part == "validation" for part in parts))
    parts = ["train" if part == "validation" else part for part in parts]
    check_classes(labels, given.name)

    def pixels(rows: Sequence[int]) -> Iterator[Read]:
        wanted, start = set(rows), 0
        for head in pieces:
            yield from _pictures(head, wanted, start, given)
            start += head.shape[0]

    return Stack("npz", names, labels, parts, pixels, findings)


def check_total(n: int, most: int, name: str) -> None:
    """Raise a DataError when a file lists more pictures than can be looked through."""
    if n > most:
        raise DataError(
            "{file} contains {n:,} pictures; the limit is {most:,}. Make a smaller file.",
            file=short(name),
            n=n,
            most=most,
        )


# -- its arrays ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Head:
    """What an array's description says, and where it lies."""

    archive: zipfile.ZipFile
    entry: zipfile.ZipInfo
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        n = self.dtype.itemsize
        for side in self.shape:
            n *= int(side)
        return n


def _head(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, given: Given) -> _Head:
    try:
        with archive.open(entry) as file:
            shape, fortran, dtype = _read_head(file)
    except Exception as error:  # NumPy reads the text as Python's literals, and raises what Python's parser does
        if "object" in str(error).lower():
            raise _objects(given, entry.filename) from error
        raise DataError(
            "The array {name!r} of {file} is damaged. Save the file again with numpy.savez.",
            name=short(entry.filename),
            file=short(given.name),
        ) from error
    if dtype.hasobject:
        raise _objects(given, entry.filename)
    return _Head(archive, entry, shape, fortran, dtype)


def _read_head(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file, max_header_size=MOST_HEAD)
    if not all(0 <= side < 2**40 for side in shape):
        raise ValueError("a shape that cannot be")
    return shape, fortran, dtype


def _objects(given: Given, name: str) -> DataError:
    return DataError(
        "The array {name!r} of {file} holds Python objects, which can run code and are never loaded. Save numbers: "
        "array.astype('uint8') for pictures, integers or text for labels.",
        name=short(name),
        file=short(given.name),
    )


def _pairs(heads: dict[str, "_Head"], given: Given) -> dict[str, tuple[str, str]]:
    """Return for each part the names of its pictures and its labels."""
    images: dict[str, str] = {}
    labels: dict[str, str] = {}
    for key, head in heads.items():
        words = [word for word in re.split(r"[^a-z]+", key.lower()) if word]
        part = next((PART_OF[word] for word in words if word in PART_OF), "")
        role = set(words) - set(PART_OF)
        if role & set(LABELS) and _are_labels(head) and key.lower() not in NAMES:
            labels.setdefault(part, key)
        elif role & set(IMAGES) and _are_pictures(head):
            images.setdefault(part, key)
    if not images:  # by their shape alone
        by_shape = [key for key, head in heads.items() if len(head.shape) in (3, 4) and _are_pictures(head)]
        images = {"": by_shape[0]} if len(by_shape) == 1 else {}
    if len(images) == 1 and not labels:
        labels = dict.fromkeys(images, next((key for key, head in heads.items() if len(head.shape) == 1), ""))
    pairs = {part: (key, labels[part]) for part, key in images.items() if labels.get(part)}
    if not pairs:
        arrays = ", ".join(f"{short(key, 20)} {head.shape}" for key, head in list(heads.items())[:8]) or "none"
        raise DataError(
            "{file} needs an array of pictures, such as x or train_images, with the shape (n, height, width) or "
            "(n, height, width, 3), and one of labels, such as y or train_labels. Its arrays: {arrays}.",
            file=short(given.name),
            arrays=arrays,
        )
    return pairs


def _are_labels(head: _Head) -> bool:
    return len(head.shape) in (1, 2) and head.dtype.kind in "iufUSb"


def _are_pictures(head: _Head) -> bool:
    return head.dtype.kind in "iufb" and form_of(head.shape) is not None


def form_of(shape: Sequence[int]) -> tuple[int, int, int, bool] | None:
    """Return height, width, channels, and whether the channels come first; None where these are no pictures.

    Examples
    --------
    >>> form_of((9, 28, 28)), form_of((9, 3, 32, 32)), form_of((9, 784)), form_of((9, 5))
    ((28, 28, 1, False), (32, 32, 3, True), (28, 28, 1, False), None)
    """
    each, first = tuple(shape[1:]), False
    if len(each) == 3 and each[0] in (1, 3) and each[2] not in (1, 3, 4):
        each, first = (each[1], each[2], each[0]), True
    if len(each) == 1:
        for channels in (1, 3):
            side = round((each[0] / channels) ** 0.5)
            if side > 3 and channels * side * side == each[0]:
                each = (side, side, channels)
                break
    if len(each) == 2:
        each = (*each, 1)
    if len(each) != 3 or each[2] not in (1, 3, 4) or min(each) < 1 or each[0] * each[1] > MOST_PIXELS:
        return None
    return each[0], each[1], each[2], first


def _small(head: _Head, given: Given) -> np.ndarray:
    """Return a whole array; a DataError when it is large or damaged."""
    if head.n_bytes > MOST_SMALL:
        raise DataError(
            "The array {name!r} of {file} is too large to be labels.",
            name=short(head.entry.filename),
            file=short(given.name),
        )
    try:
        with head.archive.open(head.entry) as file:
            _read_head(file)
            content = file.read(head.n_bytes)
        return np.frombuffer(content, head.dtype).reshape(head.shape, order="F" if head.fortran else "C")
    except READERS as error:
        raise DataError(
            "The array {name!r} of {file} is damaged. Save the file again with numpy.savez.",
            name=short(head.entry.filename),
            file=short(given.name),
        ) from error


def _labels(head: _Head, given: Given, key: str) -> list[str]:
    values = _small(head, given)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise DataError(
            "The labels {name!r} of {file} have {n} columns; each picture needs one class. Save them as one number or "
            "word for each picture.",
            name=short(key),
            file=short(given.name),
            n=values.shape[1],
        )
    return [class_name(_text(value)) for value in values.tolist()]


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _named(labels: list[str], heads: dict[str, _Head], given: Given) -> list[str]:
    """Return labels that are numbers as the names that the file gives them."""
    for key, head in heads.items():
        if key.lower() in NAMES and head.dtype.kind in "US" and len(head.shape) == 1 and head.n_bytes <= MOST_SMALL:
            names = [class_name(_text(value)) for value in _small(head, given).tolist()]
            if all(label.isdigit() and int(label) < len(names) for label in set(labels)):
                return [names[int(label)] for label in labels]
    return labels


# -- their pixels ----------------------------------------------------------------------------------------------------


def _pictures(head: _Head, wanted: "set[int]", start: int, given: Given) -> Iterator[Read]:
    each = head.n_bytes // max(head.shape[0], 1)
    scale: float | None = None
    with head.archive.open(head.entry) as file:
        _read_head(file)
        if head.fortran and head.n_bytes > MOST_SMALL:
            raise DataError(
                "The pictures of {file} are stored in Fortran order. Save them with numpy.ascontiguousarray.",
                file=short(given.name),
            )
        step = max(1, AT_ONCE // max(each, 1))
        whole = _small(head, given) if head.fortran else None
        for at in range(0, head.shape[0], step):
            n = min(step, head.shape[0] - at)
            content = b"" if whole is not None else _cut(file, n * each)
            rows = range(start + at, start + at + n)
            if wanted.isdisjoint(rows):
                continue
            n_whole = n if whole is not None else len(content) // max(each, 1)
            values = (
                whole[at : at + n]
                if whole is not None
                else np.frombuffer(content[: n_whole * each], head.dtype).reshape(n_whole, *head.shape[1:])
            )
            scale = factor(values) if scale is None and n_whole else scale
            for i, row in enumerate(rows):
                if row in wanted:
                    yield as_picture(values[i], head.shape, scale or 1.0) if i < n_whole else Damaged()


def _cut(file: Any, n: int) -> bytes:
    try:
        return file.read(n)
    except READERS:
        return b""


def factor(values: np.ndarray) -> float:
    """Return what some pixel values are multiplied with so that they reach 255."""
    if values.dtype == np.uint8:
        return 1.0
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    most = float(finite.max()) if finite.size else 0.0
    if values.dtype.kind in "fb" and most <= 1.0:
        return 255.0
    return 1.0 if most <= 255 else 255.0 / most


def as_picture(values: np.ndarray, shape: Sequence[int], scale: float) -> Picture:
    """Return one picture of an array.

    Parameters
    ----------
    values : of one picture, any real numbers
    shape : of the array that it is of
    """
    height, width, channels, first = form_of(shape) or (1, 1, 1, False)
    pixels = values.reshape((channels, height, width) if first else (height, width, channels))
    pixels = np.moveaxis(pixels, 0, -1) if first else pixels
    if pixels.dtype != np.uint8:
        with np.errstate(all="ignore"):  # a stranger's numbers may be any
            numbers = np.nan_to_num(pixels.astype(np.float32) * np.float32(scale), posinf=255, neginf=0)
        pixels = np.round(np.clip(numbers, 0, 255)).astype(np.uint8)
    pixels = np.ascontiguousarray(pixels[..., 0] if channels == 1 else pixels[..., :3])
    return Picture(pixels, width, height)
