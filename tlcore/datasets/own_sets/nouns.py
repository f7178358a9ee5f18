"""The nouns of a person's own pictures: what was given, what was seen, what is chosen. All but ``Given`` go to JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from tlcore import sentences
from tlcore.errors import DataError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import InputForm
from tlcore.spec.codec import decode

from .. import hands, mnist

FORMS = {"image": mnist.FORM, "photo": hands.FORM}
PARTS = ("train", "test")


class Stopped(DataError):
    """Somebody asked that reading stops."""


@dataclass(frozen=True)
class Given:
    """One file that a person gave and nobody has looked at.

    ``name`` is what the person calls it, ``label`` the class of a loose picture. Neither is ever used as a path.
    """

    path: Path
    name: str
    label: str = ""


class Json:
    """What goes to JSON and back; a Sentence stays one."""

    def to_json(self) -> dict[str, Any]:
        return json.loads(json.dumps(asdict(self), default=sentences.encode))  # type: ignore[call-overload]

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Return what ``to_json`` made; a DataError when the values are not those.

        A field that this version does not know is passed over.
        """
        try:
            return decode(cls, values, strict=False)
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise DataError("The description of these pictures is damaged. Add them again.") from error


@dataclass(frozen=True)
class ClassCount(Json):
    """How many pictures of a class there are; ``rows`` are a few of them, for thumbnails."""

    name: str
    n_train: int
    n_test: int
    rows: tuple[int, ...] = ()

    @property
    def n(self) -> int:
        return self.n_train + self.n_test


@dataclass(frozen=True)
class Sizes(Json):
    """Widths and heights of the pictures as given: the least, the middle and the most of each."""

    least: tuple[int, ...] = (0, 0)
    middle: tuple[int, ...] = (0, 0)
    most: tuple[int, ...] = (0, 0)


@dataclass(frozen=True)
class Finding(Json):
    """One thing that was seen, and its mend where there is a choice.

    Attributes
    ----------
    names : of files, some of them
    rows : of pictures, some of them; twins come in pairs
    mend : the word that ``Choices.mends`` takes; "" where nothing can be chosen
    default : whether the mend is made unless the choices say otherwise
    """

    kind: str
    sentence: Sentence
    n: int = 0
    names: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    mend: str = ""
    mend_words: Sentence = NOTHING
    default: bool = False


@dataclass(frozen=True)
class Report(Json):
    """What was seen in a person's files. ``n`` are the pictures that could be read; ``form`` is the suggested one."""

    id: str
    owner: str
    files: tuple[str, ...]
    kind: str
    kind_words: Sentence
    n: int
    classes: tuple[ClassCount, ...]
    split: bool
    form: str
    forms: tuple[str, ...]
    sizes: Sizes
    findings: tuple[Finding, ...]
    n_bytes: int

    @property
    def mends(self) -> tuple[str, ...]:
        """The mends that are made unless somebody chooses otherwise."""
        return tuple(finding.mend for finding in self.findings if finding.mend and finding.default)


@dataclass(frozen=True)
class Choices(Json):
    """What a person wants of their pictures.

    Attributes
    ----------
    form : "image" (28 × 28, grey), "photo" (96 × 96, in colour); "": as the report suggests
    names : (class as read, its new name); an equal name merges, "" leaves the class out
    mends : those to make; None: those that the report makes by itself
    left_out : rows
    per_class : at most so many pictures of each class, drawn by ``seed``
    own_split : draw the test part here though the files bring one
    test_share : of each class, 0.05 to 0.5
    """

    form: str = ""
    names: tuple[tuple[str, str], ...] = ()
    mends: tuple[str, ...] | None = None
    left_out: tuple[int, ...] = ()
    per_class: int | None = None
    own_split: bool = False
    test_share: float = 0.2
    seed: int = 0


@dataclass(frozen=True)
class Plan(Json):
    """What some choices give; ``problems`` are the reasons why it cannot be added, none when it can."""

    classes: tuple[ClassCount, ...]
    n_left_out: int
    problems: tuple[Sentence, ...]
    form: InputForm


def short(name: object, most: int = 60) -> str:
    """Return a stranger's name so that a sentence may quote it: printable, on one line, not too long.

    Examples
    --------
    >>> short("a\\nb{}"), len(short("x" * 99))
    ('ab{}', 61)
    """
    text = "".join(c for c in str(name)[: 4 * most] if c.isprintable()).strip()
    return text if len(text) <= most else text[:most] + "…"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return a few names and that there are more.

    Examples
    --------
    >>> listed(["a", "b", "c", "d"]), listed(["a"])
    ('a, b, c, …', 'a')
    """
    return ", ".join([*map(short, names[:most]), *(["…"] if len(names) > most else [])])
