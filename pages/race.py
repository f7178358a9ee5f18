"""Two to four settings live on shared axes, with what each layer, the source task and twelve images go through."""

import streamlit as st

from pages.ui import frame
from pages.ui.components import live_chart
from pages.ui.runs import race as race_view
from pages.ui.runs import raced, recorded
from pages.ui.runs.lanes import Lane
from pages.ui.session import state
from pages.ui.words.text import _, ngettext, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.recipes import race
from tlcore.spec import FineTuneSpec

SLOTS = tuple(f"lane{number}" for number in range(1, race.MOST + 1))
frame.heading(
    _("Race"),
    _(
        "Two to four settings on the same images with the same seed. Watch who learns faster, who learns better, "
        "and what each of them forgets."
    ),
)


def called(name: str) -> str:
    """Return what a lane is called for the source that is chosen."""
    return shown(race.title(name, state.get("source")))


def field() -> dict[str, FineTuneSpec]:
    """Show the choice of lanes; return what each would run, nothing when they cannot race."""
    names = race.offered(state.get("source"))
    state.put(race_lanes=[name for name in state.get("race_lanes") if name in names])
    st.pills(
        _("Lanes"),
        names,
        format_func=called,
        selection_mode="multi",
        help=_("Everything else is as on the Train page: source, target, labels, epochs, learning rate, seed."),
        wrap=True,
        **state.keyed("race_lanes"),
    )
    if state.get("recipe") == "article":
        st.info(_("The article's recipe takes minutes and involves no transfer: pick another recipe to race."))
        st.button(_("Use the one-phase recipe"), key="one_phase", on_click=state.put, kwargs={"recipe": "default"})
        return {}
    draft = state.draft()
    try:
        return race.lanes(draft, sources.info(draft.source).layers, state.get("race_lanes"))
    except LabError as error:
        st.caption(tell(error))
        return {}


def start(specs: dict[str, FineTuneSpec], seed: int) -> None:
    """Start every lane, in an order drawn by the seed; the lanes are shown in the order of the choice."""
    try:
        for slot in (*SLOTS, raced.SLOT):
            state.watch(slot, None)
        slots = dict(zip(specs, SLOTS, strict=False))
        for name in race.start_order(list(specs), seed):
            title = _("Race: {lane}").format(lane=called(name))
            state.watch(slots[name], state.start(specs[name], title).id)
    except LabError as error:
        state.put(start_error=tell(error))


def common_start(n_lanes: int, at_a_time: int) -> str:
    """Return when the lanes start, and who waits where the server cannot train them all at once."""
    words = _("All lanes start level: each counts from its own first step.")
    if (n := n_lanes - at_a_time) <= 0:
        return words
    wait = ngettext(
        "This server trains {at_a_time} at a time: {n} lane, drawn by lot, waits for another to end.",
        "This server trains {at_a_time} at a time: {n} lanes, drawn by lot, wait for others to end.",
        n,
    )
    return f"{words} {wait.format(at_a_time=at_a_time, n=n)}"


def watched() -> list[Lane]:
    try:
        runs = [run for slot in SLOTS if (run := state.watched(slot, FineTuneSpec.kind))]
    except LabError as error:
        st.warning(tell(error))
        return []
    return race_view.of(runs)


controls, picture = st.columns([1, 2.7], gap="medium")
with controls.container(key="race_start"):
    specs = field()
    st.button(
        _("Start the race"),
        key="start_race",
        type="primary",
        icon=":material/flag:",
        width="stretch",
        disabled=not specs,
        on_click=start,
        args=(specs, int(state.get("seed"))),
    )
    if message := state.take("start_error"):
        st.error(message)
    if specs:
        st.caption(common_start(len(specs), state.lab().engine.status().n_workers))
    st.page_link("train.py", label=_("Edit shared settings"), icon=":material/tune:")
    compared = raced.chosen()
    running = [] if compared else watched()
    recorded.instead([lane.run for lane in running], SLOTS)
if compared:
    with picture.container(key="raced"):
        raced.show(compared)
else:
    race_view.show(running, picture) if running else race_view.recorded(picture)
live_chart.prepare()
frame.next_page("heads.py", _("Next: compare heads"))
