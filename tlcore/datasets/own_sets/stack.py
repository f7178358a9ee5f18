"""What every kind of file is read as: names, labels and parts at once, and the pixels one picture after the other."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from tlcore.errors import DataError

from .nouns import Finding, short

MOST_CLASSES = 200
CLASS_NAME = 30  # characters


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture as a file brings it.

    Attributes
    ----------
    pixels : uint8, shape (h, w) or (h, w, 3): upright, of a large photograph no more than is needed
    width, height : in pixels, as given
    turned : the orientation that its EXIF notes, 1 to 8; 1 is upright
    """

    pixels: np.ndarray
    width: int
    height: int
    turned: int = 1


class Damaged(Exception):
    """One picture that cannot be read; the others go on. ``huge``: it has too many pixels."""

    def __init__(self, huge: bool = False) -> None:
        super().__init__(huge)
        self.huge = huge


Read = Picture | Damaged


@dataclass(frozen=True, eq=False)
class Stack:
    """Pictures in the order of their files.

    Attributes
    ----------
    names, labels, parts : of each picture; a part is "train", "test" or "", which is not known
    pixels : gives the pictures of ascending positions, one after the other
    findings : what was seen before any picture was read
    """

    kind: str
    names: Sequence[str]
    labels: Sequence[str]
    parts: Sequence[str]
    pixels: Callable[[Sequence[int]], Iterator[Read]]
    findings: list[Finding] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.labels)


def class_name(text: object) -> str:
    """Return a stranger's name of a class: printable, on one line, not too long; a whole number without its ".0".

    Examples
    --------
    >>> class_name(" a\\tcat "), class_name("3.0"), class_name("")
    ('acat', '3', '?')
    """
    name = short(text, CLASS_NAME)
    return name.removesuffix(".0") if name.removesuffix(".0").isdigit() else name or "?"


def in_order(names: "set[str] | Sequence[str]") -> list[str]:
    """Return names in the order in which people count: "2" before "10".

    Examples
    --------
    >>> in_order({"10", "2", "b", "a3", "a12"})
    ['2', '10', 'a3', 'a12', 'b']
    """

    def key(name: str) -> list[tuple[int, int, str]]:
        parts, number = [], ""
        for c in [*name, ""]:
            if c and c in "0123456789":
                number += c
                continue
            if number:
                parts.append((0, int(number[:18]), number))
                number = ""
            if c:
                parts.append((1, 0, c))
        return parts

    return sorted(set(names), key=key)


def check_classes(names: "set[str] | Sequence[str]", source: str) -> None:
    """Raise a DataError when a file has more classes than a network of this lab tells apart."""
    if (n := len(set(names))) > MOST_CLASSES:
        raise DataError(
            "{source} has {n:,} different labels; a set may have {most}. Check that the labels are classes and not "
            "numbers of pictures.",
            source=short(source),
            n=n,
            most=MOST_CLASSES,
        )
