"""A bet: everybody votes in secret which lane wins, then the lanes train, and who bet on the best has won."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tlcore.errors import LabError, RightsError, SpecError
from tlcore.evidence import Entrant
from tlcore.evidence.contest import contest
from tlcore.recipes import race
from tlcore.store import Member, Room, Run, Store

from .activity import Activity

VOTE = "vote"  # the kind of item


def vote(store: Store, room: Room, member: Member, lane: object, round: object = None) -> None:
    """Keep a member's bet in place of the one of before.

    Parameters
    ----------
    round : what the member saw when they bet; of another round than the room's it is a bet on something else

    Raises
    ------
    SpecError
        The room does not bet, or not on that, or not any more.
    RightsError
        The race has begun.
    """
    activity = Activity.of(room.activity)
    nothing = SpecError("This is nothing to bet on just now. Choose one of those on the page.")
    if activity.kind != "bet" or lane not in activity.lanes or round not in (None, room.round):
        raise nothing
    if activity.runs:
        raise RightsError("The race has begun: no more bets.")
    if votes(store, room, member).get(member.number) != lane and not store.rooms.replace(
        room, member.number, VOTE, str(lane)
    ):
        raise nothing


def votes(store: Store, room: Room, member: Member | None = None) -> dict[int, str]:
    """Return by member's number what they bet on, of all or of one."""
    number = member.number if member else None
    kept = store.rooms.items(room.id, round=room.round, kind=VOTE, member=number, removed=False)
    return {item.member: item.label for item in kept}


def begin(store: Store, room: Room, run_ids: Sequence[str]) -> None:
    """Close the bets: the lanes train.

    Parameters
    ----------
    run_ids : of the lanes, in their order

    Raises
    ------
    SpecError
        The room does not bet any more, or its race has begun.
    """
    now = store.rooms.get(room.id)
    activity = Activity.of(now.activity) if now else Activity()
    fits = activity.kind == "bet" and not activity.runs and len(run_ids) == len(activity.lanes)
    begun = replace(activity, runs=tuple(run_ids)) if fits else activity
    if not (now and fits and store.rooms.amend(now, replace(begun, at_rest=_at_rest(store, begun)).stored())):
        raise SpecError("This room takes no bets just now. Reload the page.")


def _at_rest(store: Store, activity: Activity) -> bool:
    """Return whether BatchNormalization stays frozen in the lane of nothing: the source may be another by now."""
    run = lanes(store, activity).get("nothing")
    return run is not None and race.at_rest(run.spec.source)  # type: ignore[union-attr]


def settle(store: Store, room: Room) -> Room:
    """Return the room; once all lanes have ended, with the winners."""
    activity = Activity.of(room.activity)
    if activity.kind != "bet" or activity.over or not activity.runs:
        return room
    runs = lanes(store, activity)
    if not all(run.final for run in runs.values()):
        return room
    found = contest([Entrant(lane, run) for lane, run in runs.items()], store.folder)
    winners = found.ranking.ties if found else ()
    store.rooms.amend(room, replace(activity, over=True, winners=tuple(winners)).stored())
    return store.rooms.get(room.id) or room


def lanes(store: Store, activity: Activity) -> dict[str, Run]:
    """Return the run of each lane, without those that were removed for good."""
    found = {}
    for lane, run_id in zip(activity.lanes, activity.runs, strict=False):
        try:
            found[lane] = store.get(run_id)
        except LabError:
            continue
    return found


def on_wall(store: Store, room: Room) -> dict[str, Any]:
    """Return what the wall shows of a bet; what anybody bet on only from the start of the race on.

    ``lanes`` has for each how many bet on it, how far it is and its test accuracy; ``won`` the nicknames of the
    winners that the wall may show, ``n_won`` how many there are.
    """
    activity, placed = Activity.of(room.activity), votes(store, room)
    if not activity.runs:
        return {"voted": len(placed), "lanes": {lane: {} for lane in activity.lanes}}
    counts, runs = Counter(placed.values()), lanes(store, activity)
    winners = [number for number, lane in placed.items() if lane in activity.winners]
    return {
        "voted": len(placed),
        "lanes": {lane: {"votes": counts[lane], **_lane(runs.get(lane))} for lane in activity.lanes},
        "n_won": len(winners),
        "won": _names(store, room, winners),
    }


def _lane(run: Run | None) -> dict[str, Any]:
    if run is None:
        return {"state": "failed", "done": 0.0, "accuracy": None}
    done = run.progress.step / run.progress.n_steps if run.progress.n_steps else 0.0
    return {
        "state": run.state,
        "done": 1.0 if run.state == "done" else round(min(done, 1.0), 3),
        "accuracy": run.accuracy,
    }


def _names(store: Store, room: Room, numbers: Sequence[int]) -> list[str]:
    people = {one.number: one for one in store.rooms.members(room.id)} if room.names else {}
    shown = [people[number] for number in numbers if number in people]
    return [one.name for one in shown if one.name and not one.hidden and one.removed is None]
