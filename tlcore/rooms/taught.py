"""A room's common few-shot set: what everybody draws of a few classes, and how well a head tells them apart.

The drawings are examples as those of Teach, of an owner that is the room; so the same head follows them.
"""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from tlcore import teaching
from tlcore.errors import LabError
from tlcore.prediction import collected, verdict
from tlcore.store import Item, Room
from tlcore.teaching import Examples, Score

from .drawn import Predict, item

KIND = "image"
EXAMPLE = "example"  # of an item's answers: the file of the example that it became
GUESS = "guess"  # what the head read before it learned from the drawing
AT_ONCE = 20  # drawings that may come in the same moment


def owner(room_id: str) -> str:
    """Return under what name the examples of a room are kept."""
    return f"room{room_id}"


def examples(room_id: str) -> Examples:
    """Return what a room has drawn of its classes."""
    return teaching.of(owner(room_id), KIND)


def begin(room: Room, classes: Sequence[str]) -> None:
    """Put these classes in place of those there are, with no example of any."""
    examples(room.id).begin(classes)


def learn(room: Room, label: str, content: bytes, predict: Predict, timeout_s: float) -> dict[str, Any]:
    """Keep a drawing as an example of a class; return what the head read in it before it learned from it.

    Of a full set the oldest examples of the largest class go.

    Raises
    ------
    DataError, SpecError, StoreError
        Nothing is drawn, the class is gone, the network does not answer, or the disk takes no more.
    """
    mine = examples(room.id)
    ids = {one.name: one.id for one in mine.classes()}
    drawing = item(content)
    head = collected.name_of(owner(room.id), KIND)
    shares = predict(drawing, [head], timeout_s)[head]
    _make_room(mine)
    example = collected.keep(mine, ids.get(label, 0), drawing, predict, timeout_s)
    answers: dict[str, Any] = {EXAMPLE: example.name, GUESS: None}
    if not isinstance(shares, str) and len(shares) == len(ids):
        read = verdict(tuple(ids), shares)
        answers[GUESS] = [read.label, round(read.probability, 3)]
    return answers


def _make_room(mine: Examples) -> None:
    """Take the oldest examples of the largest class out of a full set: the head learns from the newest."""
    classes = mine.classes()
    while sum(len(one.examples) for one in classes) > teaching.MOST_EXAMPLES - AT_ONCE:
        largest = max(classes, key=lambda one: len(one.examples))
        with suppress(LabError):  # another drawing of this moment took it out
            mine.remove(largest.examples[0].name)
        classes = mine.classes()


def unlearn(room_id: str, items: Iterable[Item]) -> bool:
    """Take the examples that these items became out of the set; return whether there were any."""
    names = [one.answers[EXAMPLE] for one in items if one.answers.get(EXAMPLE)]
    for name in names:
        try:
            examples(room_id).remove(name)
        except LabError:  # it is gone already
            continue
    return bool(names)


def score(room_id: str, predict: Predict, timeout_s: float) -> Score | None:
    """Return how well a head tells a room's drawings apart that it has not seen; None while it cannot be told."""
    mine = examples(room_id)
    if sum(bool(one.examples) for one in mine.classes()) < 2:
        return None
    return collected.score_of(mine, owner(room_id), predict, timeout_s)


def forget(room_id: str) -> None:
    """Delete the examples of a room."""
    shutil.rmtree(examples(room_id).folder.parent, ignore_errors=True)
