"""Two to four settings live on shared axes, with what each layer, the source task and twelve images go through."""

from collections.abc import Sequence

import streamlit as st

from pages.ui import frame
from pages.ui.components import live_chart
from pages.ui.components.film import film, largest_drift
from pages.ui.components.live_chart import COLOURS
from pages.ui.runs import lanes, raced, view_of
from pages.ui.runs.lanes import Lane
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.recipes import race
from tlcore.spec import FineTuneSpec

SLOTS = tuple(f"lane{number}" for number in range(1, race.MOST + 1))
TITLES = {
    "nothing": _("Nothing frozen"),
    "convolutions": _("Convolutions frozen"),
    "all_but_head": _("All but the head frozen"),
    "scratch": _("From scratch"),
    "draft": _("My settings"),
}

frame.heading(
    _("Race"),
    _(
        "Two to four settings on the same images with the same seed. Watch who learns faster, who learns better, "
        "and what each of them forgets."
    ),
)


def field() -> dict[str, FineTuneSpec]:
    """Show the choice of lanes; return what each would run, nothing when they cannot race."""
    st.pills(
        _("Lanes"),
        race.LANES,
        format_func=TITLES.__getitem__,
        selection_mode="multi",
        help=_("Everything else is as on the Train page: source, target, labels, epochs, learning rate, seed."),
        wrap=True,
        **state.keyed("race_lanes"),
    )
    if state.get("recipe") == "article":
        st.info(_("The article's recipe takes minutes and involves no transfer: pick another recipe to race."))
        st.button(_("Take one phase"), key="one_phase", on_click=state.put, kwargs={"recipe": "default"})
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
            state.watch(slots[name], state.start(specs[name], _("Race: {lane}").format(lane=TITLES[name])).id)
    except LabError as error:
        state.put(start_error=tell(error))


def films(shown: Sequence[Lane]) -> None:
    """Show every lane's film, all on one scale of drift."""
    top = largest_drift([lane.run for lane in shown])
    wide = st.columns(len(shown) if len(shown) < 4 else 2) * 2
    for column, lane, colour in zip(wide, shown, COLOURS, strict=False):
        with column, st.container(border=True):
            film(lane.run, f"film_{lane.run.id}", title=lane.label, colour=colour, drift_top=top)


def watched() -> list[Lane]:
    try:
        runs = [run for slot in SLOTS if (run := state.watched(slot, FineTuneSpec.kind))]
    except LabError as error:
        st.warning(tell(error))
        return []
    return [Lane(view_of(run.spec).lane(run.spec), run) for run in runs]


specs = field()
with st.container(horizontal=True, vertical_alignment="center"):
    st.button(
        _("Start the race"),
        key="start_race",
        type="primary",
        icon=":material/flag:",
        disabled=not specs,
        on_click=start,
        args=(specs, int(state.get("seed"))),
    )
    st.page_link("train.py", label=_("Edit shared settings"), icon=":material/tune:")
if len(specs) > (at_a_time := state.lab().engine.status().n_workers):
    words = _("This server trains {n} at a time: the other lanes wait their turn, in random order.")
    st.caption(words.format(n=at_a_time))
if message := state.take("start_error"):
    st.error(message)
with st.container(key="raced"):
    is_comparison = raced.opened()
shown = [] if is_comparison else watched()
if not shown and not is_comparison:
    st.info(
        _(
            "The lanes appear here, all on the same axes. Below them, epoch by epoch: how far each layer moves, how "
            "much of the source task is forgotten, and what it answers for twelve test images."
        )
    )
elif shown:
    lanes.show(shown, "race", _("Loss and accuracy of every lane"))
    over = all(lane.run.final for lane in shown)
    if over:
        lanes.results(shown)
    st.subheader(_("Inside each lane"), anchor=False)
    (films if over else st.fragment(films, run_every=1.0))(shown)
live_chart.prepare()
frame.next_page("heads.py", _("Next: compare heads"))
