"""Where networks come from: one object each, and the list of those that are there for everybody."""

from typing import TYPE_CHECKING

import numpy as np

from tlcore import datasets
from tlcore.errors import SpecError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import SourceInfo

if TYPE_CHECKING:
    import keras

RANDOM = "random"  # the network that ships, before it has learned anything


class Source:
    """One network to start from. A subclass gives ``name``, ``card`` and ``load``."""

    name: str

    def card(self) -> SourceInfo:
        """Return what a picker says of it; loads no Keras.

        Raises
        ------
        DataError
            The card is missing or damaged.
        """
        raise NotImplementedError

    def load(self, n_classes: int | None, seed: int) -> "keras.Model":
        """Return the network, not compiled, every layer trainable; it reads items of its form as stored.

        Parameters
        ----------
        n_classes : of a fresh last layer, initialised from ``seed`` (``with_new_head``); None: the last layer it has

        Raises
        ------
        DataError
            Its file is missing or damaged.
        """
        raise NotImplementedError

    def examples(self, n: int) -> np.ndarray:
        """Return some of the items that it learned from, as stored, at most ``n``; none where they are not at hand.

        Shape (k, *form.shape), the dtype of its form.
        """
        card = self.card()
        task = datasets.at_hand(card.task) if card.trained else None
        if task is None or not task.info.offline or task.info.form != card.form:
            return np.zeros((0, *card.form.shape), card.form.dtype)
        return datasets.samples(card.task, n, part="train")[0]

    def missing(self) -> Sentence:
        """Return why it cannot be loaded now, and what to do; nothing where it can. Loads no Keras."""
        return NOTHING

    def is_offered(self) -> bool:
        """Whether a picker lists it."""
        return not self.missing()

    def check_shipped(self) -> None:
        """Raise a DataError when a file that ships with the app is missing or damaged."""


SOURCES: dict[str, Source] = {}


def register(source: Source) -> None:
    """Put a network on the list, after those that are there.

    Raises
    ------
    SpecError
        The name is taken.
    """
    if source.name in SOURCES:
        raise SpecError("Two networks are called {name!r}. Rename one.", name=source.name)
    SOURCES[source.name] = source


def names() -> tuple[str, ...]:
    """Return the names of all networks but those that persons added."""
    return tuple(SOURCES)
