"""How many drawings were read right, also of those that a room no longer keeps: of the oldest it only counts on.

A room of sixty phones sends some thousand drawings an hour. Their pictures go in the order in which they came; what the
networks read in them stays as a few sums, one for each task, round and class.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tlcore.store import Item, Room, Store
from tlcore.store.rooms import RoomTables

from .drawn import AFTER, BEFORE
from .scoring import HOST, SCORE

KINDS = ("draw", "hands", "teach")  # of items that are pictures
SUMS = "sums"  # the kind of item that stands for pictures that are gone; its answers name their kind
MOST_KEPT = 5000  # pictures, counts and sums of a room
AT_ONCE = 500  # that many of the oldest go

Mark = tuple[str, Mapping[str, Any]]


def fade(rows: RoomTables, room: Room) -> None:
    """Put sums in the place of a room's oldest pictures, where it keeps more than it may."""
    kinds = (*KINDS, SCORE, SUMS)
    if rows.count(room.id, kinds) > MOST_KEPT:
        rows.fold(room.id, kinds, AT_ONCE, summed)


def summed(items: Sequence[Item]) -> list[Item]:
    """Return the sums of items; what was removed, and earlier accuracies of a head, count for nothing."""
    groups: dict[tuple[int, str, str], list[Item]] = {}
    for item in items:
        if item.removed is None and item.kind != SCORE:
            kind = str(item.answers["of"]) if item.kind == SUMS else item.kind
            groups.setdefault((item.round, kind, item.label), []).append(item)
    return [
        Item(
            number=group[0].number,
            member=HOST,
            round=round,
            kind=SUMS,
            label=label,
            content=b"",
            answers={"of": kind, **counted((label, item.answers) for item in group)},
            removed=None,
            rev=0,
        )
        for (round, kind, label), group in groups.items()
    ]


def counted(marks: Iterable[Mark]) -> dict[str, int]:
    """Return how many drawings there are, and how many were read right before and after transfer.

    Parameters
    ----------
    marks : label and answers of each drawing, or of a sum of some

    Examples
    --------
    >>> counted([("5", {"before": ["3", 0.9], "after": ["5", 0.8]}), ("5", {"n": 7, "before": 1, "after": 6})])
    {'n': 8, 'before': 1, 'after': 7}
    """
    counts = {"n": 0, BEFORE: 0, AFTER: 0}
    for label, answers in marks:
        counts["n"] += answers.get("n", 1)
        for way in (BEFORE, AFTER):
            answer = answers.get(way)
            counts[way] += answer if isinstance(answer, int) else bool(answer) and answer[0] == label
    return counts


def scores(marks: Iterable[Mark]) -> dict[str, dict[str, int]]:
    """Return ``counted`` of each class.

    Examples
    --------
    >>> scores([("5", {"before": ["3", 0.9], "after": ["5", 0.8]}), ("5", {"before": None, "after": ["6", 0.5]})])
    {'5': {'n': 2, 'before': 0, 'after': 1}}
    """
    by_label: dict[str, list[Mark]] = {}
    for mark in marks:
        by_label.setdefault(mark[0], []).append(mark)
    return {label: counted(each) for label, each in sorted(by_label.items())}


def marks(store: Store, room: Room, kind: str) -> tuple[list[Mark], list[Mark]]:
    """Return label and answers of all drawings of a kind that were not removed: of this round, and of every round."""
    sums = store.rooms.marks(room.id, SUMS)
    rows = [*store.rooms.marks(room.id, kind), *(row for row in sums if row[2]["of"] == kind)]
    return [row[1:] for row in rows if row[0] == room.round], [row[1:] for row in rows]
