"""A bet in a room: the host chooses what races, starts it, and the lanes train live under the wall."""

from contextlib import suppress

import streamlit as st

from pages.ui import frame
from pages.ui.runs import contest, lanes
from pages.ui.runs.lanes import Lane
from pages.ui.session import room as session
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.evidence import Entrant
from tlcore.recipes import race
from tlcore.rooms import Activity, bets
from tlcore.store import Room, Run

USUAL = ("nothing", "convolutions", "scratch")


def choice(room: Room, activity: Activity) -> None:
    """Let the host choose the lanes, and take bets on them."""
    names = race.offered(state.get("source"))
    state.begin("room_lanes", list(activity.lanes or USUAL))
    state.put(room_lanes=[name for name in state.get("room_lanes") if name in names])
    st.pills(
        _("What races"),
        names,
        format_func=lambda name: shown(race.title(name, state.get("source"))),
        selection_mode="multi",
        help=_("Everything else is as on the Train page: source, target, labels, epochs, learning rate, seed."),
        wrap=True,
        width="content",
        key="room_lanes",
    )
    racing = activity.kind == "bet" and not activity.over  # then the next step is the race, or to watch it
    st.button(
        _("Take new bets") if racing else _("Take bets"),
        key="room_bet",
        type="secondary" if racing else "primary",
        on_click=take,
        args=(room,),
    )


def take(room: Room) -> None:
    """Begin a bet on the chosen lanes, if they can race."""

    def begin() -> None:
        lanes = tuple(name for name in race.LANES if name in state.get("room_lanes"))
        activity = Activity("bet", "", lanes=lanes, at_rest=race.at_rest(state.draft().source))
        _specs(activity)
        session.rooms().begin(room, activity)

    session.do(begin)


def _specs(activity: Activity) -> dict:
    draft = state.draft()
    return race.lanes(draft, sources.info(draft.source).layers, activity.lanes)


def race_of(room: Room, activity: Activity) -> None:
    """Show the button that starts the race; from then on the lanes on one chart, and in the end who is better."""
    if not activity.runs:
        if room.closed is None:
            st.button(
                _("Close the bets and start the race"),
                key="room_race",
                type="primary",
                icon=":material/flag:",
                on_click=session.do,
                args=(start, room, activity),
            )
        return
    running = [Lane(_called(name, run), run) for name, run in bets.lanes(state.lab().store, activity).items()]
    if not running:
        return
    over = all(lane.run.final for lane in running)
    entrants = [Entrant(lane.label, lane.run) for lane in running]
    try:
        if over and (found := contest.find(entrants)):
            frame.finding(shown(found.headline), shown(found.tested))
        lanes.show(running, "room_race", _("Loss and accuracy of every lane"), together=True)
        if over:
            lanes.metrics(running)
            if found:
                st.caption(plain(shown(found.scope)))
        else:
            lanes.stop(running, "room_race")
    except LabError as error:
        st.warning(tell(error))


def start(room: Room, activity: Activity) -> None:
    """Start every lane, in an order drawn by the seed, and close the bets."""
    specs, run_ids = _specs(activity), {}
    for name in race.start_order(list(specs), int(state.get("seed"))):
        title = _("Race: {lane}").format(lane=shown(race.title(name, specs[name].source)))
        run_ids[name] = state.start(specs[name], title).id
    bets.begin(state.lab().store, room, [run_ids[name] for name in activity.lanes])


def _called(name: str, run: Run) -> str:
    """Return what a lane is called; by its short name where its source was removed meanwhile."""
    with suppress(LabError):
        return shown(race.title(name, run.spec.source))  # type: ignore[union-attr]
    return shown(race.TITLES[name])
