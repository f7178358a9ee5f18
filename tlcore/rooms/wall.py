"""What the wall and the phones show of a room, as JSON values. Of a person it holds the nickname and nothing else."""

import json
import time
from base64 import b64encode
from typing import Any

from tlcore.store import Item, Member, Room, Standing, Store

from . import bets, counting
from .activity import Activity
from .rooms import is_here
from .scoring import HOST, SCORE
from .taught import EXAMPLE

MOST_SHOWN = 300  # pictures on the wall at once: the newest


def on_wall(store: Store, room: Room, since: int, of_round: int) -> dict[str, Any]:
    """Return what changed on the wall after ``since``; all of it where the round is another one.

    ``tiles`` are the newest drawings, each with ``member``, a number that means nothing outside the room; older ones,
    those below ``first``, leave it. ``count`` and ``scores`` have them all: how many there are and how many were read
    right before and after transfer, in this round and for each class of all rounds.
    """
    fresh = of_round != room.round
    members = {one.number: one for one in store.rooms.members(room.id)}
    first = store.rooms.newest(room.id, room.round, counting.KINDS, MOST_SHOWN)
    changed = store.rooms.items(room.id, since=0 if fresh else since, round=room.round, first=first)
    shown = [item for item in changed if item.kind in counting.KINDS and not (fresh and item.removed)]
    now, kind = time.time(), Activity.of(room.activity).kind
    tally = counting.tally(store, room, kind)
    return {
        **_common(room),
        "fresh": fresh,
        "here": sum(is_here(one, now) for one in members.values()),
        "joined": sum(one.removed is None for one in members.values()),
        "first": first,
        "tiles": [_tile(item, members[item.member], room.names) for item in shown],
        "points": _points(store, room, 0 if fresh else since),
        **({"bet": bets.on_wall(store, room)} if kind == "bet" else {}),
        "count": tally.of_round(room.round),
        "scores": tally.by_label(),
    }


def _points(store: Store, room: Room, since: int) -> list[dict[str, Any]]:
    """Return how well the room's head was counted to be, in the order of the counts."""
    counts = store.rooms.items(room.id, since=since, round=room.round, member=HOST, kind=SCORE)
    return [dict(item.answers) for item in counts]


def for_member(standing: Standing) -> dict[str, Any]:
    """Return what a member's phone shows: the task, and how many drawings of theirs are on the wall."""
    member, sent = standing.member, standing.sent
    told = {"name": member.name, "sent": sent, "turn": member.number + sent, "vote": standing.vote}
    return {**_common(standing.room), **told}


def _common(room: Room) -> dict[str, Any]:
    activity = Activity.of(room.activity)
    told = {**activity.stored(), "begun": bool(activity.runs)}
    del told["runs"]
    return {
        "code": room.code,
        "rev": room.rev,
        "round": room.round,
        "activity": told,
        "paused": room.paused,
        "closed": room.closed is not None,
        "names": room.names,
    }


def _tile(item: Item, member: Member, names: bool) -> dict[str, Any]:
    if item.removed is not None:
        return {"number": item.number, "removed": True}
    return {
        "number": item.number,
        "member": member.number,
        "name": member.name if names and not member.hidden else "",
        "hidden": bool(member.name) and member.hidden,
        "label": item.label,
        **_picture(item),
        "answers": {name: value for name, value in item.answers.items() if name != EXAMPLE},
    }


def _picture(item: Item) -> dict[str, Any]:
    if item.kind == "hands":
        return {"photo": f"data:image/jpeg;base64,{b64encode(item.content).decode()}"}
    return {"strokes": json.loads(item.content)}
