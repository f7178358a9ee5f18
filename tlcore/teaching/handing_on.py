"""The examples of a person's classes as a set of pictures of their own, which every training takes as its target."""

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore import inputs
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card, Choices, Given
from tlcore.errors import LabError
from tlcore.sentences import Sentence

from .examples import Examples

MOST_LETTERS = 40  # of a title


def as_set(examples: Examples, owner: str, title: str = "") -> Card:
    """Make a set of pictures, a fifth of each class to test. Takes some seconds; the examples stay.

    Parameters
    ----------
    title : what it is called, with a number where that is taken; nothing: by its classes

    Raises
    ------
    DataError
        A class has fewer than three examples, or they are so alike that none can be kept for testing.
    RightsError, StoreError
        There is no room.
    """
    classes = {
        one.name: [examples.item(example.name) for example in one.examples]
        for one in examples.classes()
        if one.examples
    }
    return set_of(examples.kind.name, classes, owner, title)


def set_of(
    kind: str,
    classes: Mapping[str, Sequence[np.ndarray]],
    owner: str,
    title: str = "",
    notes: tuple[Sentence, ...] = (),
) -> Card:
    """Make a set of pictures of items by class; raises as ``as_set``.

    Parameters
    ----------
    kind : the items' modality
    notes : what the set's card says of them
    """
    title = _free((title or ", ".join(classes))[:MOST_LETTERS].strip(" ,"), owner)
    preview = inputs.modality(kind).preview
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for name, items in classes.items():
            for n, item in enumerate(items, 1):
                path = Path(folder) / f"{len(given)}.png"
                Image.fromarray(preview(item)).save(path)
                given.append(Given(path, f"{n}.png", name))
        with ThreadPoolExecutor(1) as thread:  # the process that reads them ends with the thread that started it
            report = thread.submit(own_sets.look, given, owner).result()
    try:  # twins are kept, all in one part: recorded in one go, examples are much alike
        return own_sets.add(report.id, title, Choices(form=kind, mends=()), owner, notes=notes)
    except LabError:
        own_sets.discard(report.id, owner)
        raise


def _free(title: str, owner: str) -> str:
    """Return a title that no set of this person's has, as near to the wished one as can be."""
    taken = {card.title for card in own_sets.kept(owner)}
    numbered = (f"{title} ({n})" for n in range(2, len(taken) + 3))
    return title if title not in taken else next(one for one in numbered if one not in taken)
