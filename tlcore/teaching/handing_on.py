"""The examples of a person's classes as a set of pictures of their own, which every training takes as its target."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image

from tlcore import inputs
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card, Choices, Given
from tlcore.errors import LabError

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
    classes = [one for one in examples.classes() if one.examples]
    title = _free((title or ", ".join(one.name for one in classes))[:MOST_LETTERS].strip(" ,"), owner)
    preview = inputs.modality(examples.kind.name).preview
    with tempfile.TemporaryDirectory() as folder:
        given = []
        for one in classes:
            for n, example in enumerate(one.examples, 1):
                path = Path(folder) / f"{len(given)}.png"
                Image.fromarray(preview(examples.item(example.name))).save(path)
                given.append(Given(path, f"{n}.png", one.name))
        with ThreadPoolExecutor(1) as thread:  # the process that reads them ends with the thread that started it
            report = thread.submit(own_sets.look, given, owner).result()
    try:  # twins are kept, all in one part: recorded in one go, examples are much alike
        return own_sets.add(report.id, title, Choices(form=examples.kind.name, mends=()), owner)
    except LabError:
        own_sets.discard(report.id, owner)
        raise


def _free(title: str, owner: str) -> str:
    """Return a title that no set of this person's has, as near to the wished one as can be."""
    taken = {card.title for card in own_sets.kept(owner)}
    numbered = (f"{title} ({n})" for n in range(2, len(taken) + 3))
    return title if title not in taken else next(one for one in numbered if one not in taken)
