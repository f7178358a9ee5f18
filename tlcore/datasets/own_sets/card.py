"""The card of one set, and its name: by it a run names the pictures that it learned from."""

import re
from dataclasses import dataclass

from tlcore.sentences import Sentence
from tlcore.spec import InputForm

from ..source import DatasetInfo
from .nouns import Json

NAME = re.compile(r"set-[0-9a-f]{12}(-[0-9a-f]{6})?")


@dataclass(frozen=True)
class Card(Json):
    """One set of a person's own pictures, as it is stored beside them.

    Attributes
    ----------
    name : the target: "set-", 12 digits of ``hash``, and a mark of whose it is
    owner : the person; "" is everybody's
    created : seconds since 1970, UTC
    sizes, test_sizes : pictures of each class that splits divide, and that test
    hash : SHA-256 (hex) over class names, form, items and labels
    n_bytes : on the disk
    files : what they were read from
    split : whether the files brought the test part; else ``test_share`` of each class was drawn by ``seed``
    notes : what was mended
    made_from : the set that this one is a cleaned version of; "" for most
    whole : whether its grey pictures fill their frame, as X-rays do: then a new one is read as it is, else as ink
    """

    name: str
    title: str
    owner: str
    created: float
    class_names: tuple[str, ...]
    sizes: tuple[int, ...]
    test_sizes: tuple[int, ...]
    form: InputForm
    hash: str
    n_bytes: int
    files: tuple[str, ...] = ()
    split: bool = False
    test_share: float = 0.2
    seed: int = 0
    notes: tuple[Sentence, ...] = ()
    removed: bool = False
    made_from: str = ""
    whole: bool = False

    @property
    def n(self) -> int:
        return sum(self.sizes) + sum(self.test_sizes)

    @property
    def info(self) -> DatasetInfo:
        """What a picker says of it."""
        attribution = "Own pictures"
        note = f"Own pictures from {', '.join(self.files[:3]) or 'files'}; SHA-256 {self.hash[:12]}…"
        return DatasetInfo(
            self.name,
            self.title,
            self.class_names,
            self.form,
            self.sizes,
            sum(self.test_sizes),
            True,
            attribution,
            note,
        )


def is_own(name: object) -> bool:
    """Return whether ``name`` has the form of a set's name.

    >>> is_own("set-0123456789ab"), is_own("set-0123456789ab-c0ffee"), is_own("mnist")
    (True, True, False)
    """
    return isinstance(name, str) and NAME.fullmatch(name) is not None
