"""What a room has drawn, as a set of pictures of its host's own."""

from collections.abc import Mapping

import numpy as np

from tlcore import teaching
from tlcore.datasets.own_sets import Card
from tlcore.errors import DataError
from tlcore.sentences import Sentence
from tlcore.store import Room, Store

from . import counting, drawn, shown

KINDS = {"image": ("draw", "teach"), "photo": ("hands",)}  # of pictures, and the tasks that bring them
LEAST = 3  # of a class, to train and to test
# Of what is kept the set says this; who joined a room has read it.
CONSENT = Sentence(
    "Drawn by the people of a room. Before they joined they read: what you send appears on the wall, and the host may "
    "keep drawings and pictures, without names, as examples to learn from."
)


def collected(store: Store, room: Room, kind: str = "image") -> dict[str, list[np.ndarray]]:
    """Return what was sent and not removed, by class: that of all rounds, each as the networks read it.

    Parameters
    ----------
    kind : one of ``KINDS``
    """
    classes: dict[str, list[np.ndarray]] = {}
    read = shown.item if kind == "photo" else drawn.item
    for task in KINDS[kind]:
        for item in store.rooms.items(room.id, kind=task, removed=False):
            classes.setdefault(item.label, []).append(read(item.content))
    return dict(sorted(classes.items()))


def enough(classes: Mapping[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Return the classes that have enough drawings to learn from."""
    return {name: items for name, items in classes.items() if len(items) >= LEAST}


def save(store: Store, room: Room, owner: str, title: str, kind: str = "image") -> Card:
    """Keep a room's drawings as a set of somebody's own, without names; takes some seconds.

    Raises
    ------
    DataError
        No two classes have three of them each.
    RightsError, StoreError
        There is no room.
    """
    classes = enough(collected(store, room, kind))
    if len(classes) < 2:
        raise DataError(
            "A data set needs two classes with {n} drawings or pictures each. Let the room send more.", n=LEAST
        )
    return teaching.set_of(kind, classes, owner, title, notes=(CONSENT,))


def n_gone(store: Store, room: Room, kind: str = "image") -> int:
    """Return how many older pictures a room has counted and does not keep any more."""
    sums = (answers for _round, _label, answers in store.rooms.marks(room.id, counting.SUMS))
    return sum(answers["n"] for answers in sums if answers["of"] in KINDS[kind])
