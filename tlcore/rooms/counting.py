"""How many drawings were read right, also of those that a room no longer keeps: of the oldest it only counts on.

A room of sixty phones sends some thousand drawings an hour. Their pictures go in the order in which they came; what the
networks read in them stays as a few sums, one for each task, round and class.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from tlcore.store import Item, Room, Store
from tlcore.store.rooms import Change, RoomTables

from .drawn import AFTER, BEFORE
from .scoring import HOST, SCORE

KINDS = ("draw", "hands", "teach")  # of items that are pictures
SUMS = "sums"  # the kind of item that stands for pictures that are gone; its answers name their kind
MOST_KEPT = 5000  # pictures, counts and sums of a room
AT_ONCE = 500  # that many of the oldest go
MOST_TALLIES = 100  # rooms, each by kind, whose counts a server goes on from

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


class Tally:
    """The counts of one kind of a room, which follow what changes: a wall asks every second, and most stays as it was.

    Attributes
    ----------
    counts : by round and class what ``counted`` gives
    """

    def __init__(self, kind: str):
        self.counts: dict[tuple[int, str], Counter[str]] = {}
        self._kind, self._rev, self._lock = kind, 0, threading.Lock()
        self._kept: dict[int, tuple[tuple[int, str], dict[str, int]]] = {}  # by number

    def follow(self, rows: RoomTables, room_id: str) -> None:
        """Count what has changed since the last time."""
        with self._lock:
            changes = rows.changed(room_id, (self._kind, SUMS), self._rev)
            if self._rev and any(change.kind == SUMS for change in changes):  # the oldest are gone, which no row tells
                self._kept, self.counts = {}, {}
                changes = rows.changed(room_id, (self._kind, SUMS), 0)
            for change in changes:
                self._take(change)
                self._rev = max(self._rev, change.rev)

    def _take(self, change: Change) -> None:
        where, counts = self._kept.pop(change.number, ((0, ""), {}))
        if counts:
            self.counts[where].subtract(counts)
        is_ours = change.kind == self._kind or change.answers["of"] == self._kind
        if is_ours and change.removed is None:
            where, counts = (change.round, change.label), counted([(change.label, change.answers)])
            self.counts.setdefault(where, Counter()).update(counts)
            self._kept[change.number] = where, counts

    def of_round(self, round: int) -> dict[str, int]:
        """Return how many drawings of a round there are, and how many were read right before and after transfer."""
        return self._sum(where for where in self.counts if where[0] == round)

    def by_label(self) -> dict[str, dict[str, int]]:
        """Return the same of each class that was drawn, over all rounds."""
        labels = sorted({label for (_round, label), counts in self.counts.items() if counts["n"]})
        return {label: self._sum(where for where in self.counts if where[1] == label) for label in labels}

    def _sum(self, places: Iterable[tuple[int, str]]) -> dict[str, int]:
        counts = [self.counts[place] for place in places]
        return {name: sum(each[name] for each in counts) for name in ("n", BEFORE, AFTER)}


_tallies: WeakKeyDictionary[Store, dict[tuple[str, str], Tally]] = WeakKeyDictionary()


def tally(store: Store, room: Room, kind: str) -> Tally:
    """Return the counts of all drawings of a kind in a room that were not removed, as they are now."""
    known = _tallies.setdefault(store, {})
    found = known.setdefault((room.id, kind), Tally(kind))
    while len(known) > MOST_TALLIES:
        known.pop(next(iter(known)), None)
    found.follow(store.rooms, room.id)
    return found
