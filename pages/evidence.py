"""Whether transfer works, and why: labels saved, claims with verdicts, and a grid of one's own."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from pages.ui import frame
from pages.ui.evidence import claims as claims_view
from pages.ui.evidence import hands as hands_view
from pages.ui.evidence import meter as meter_view
from pages.ui.evidence import savings as savings_view
from pages.ui.evidence import sweep as sweep_view
from pages.ui.runs import run as run_view
from pages.ui.runs import view_of
from pages.ui.runs.example import tasks
from pages.ui.runs.words import when
from pages.ui.session import state
from pages.ui.words.text import _, shown, tell
from tlcore.errors import LabError
from tlcore.evidence import Recorded, claims, recorded
from tlcore.evidence.once import together
from tlcore.evidence.sweeps import Conditions
from tlcore.spec import Cell, ExampleSpec, SweepSpec
from tlcore.store import Run

frame.heading(
    _("Evidence"), _("Does transfer work, how much does it save, and when does it fail? Measured, with intervals.")
)
MEASURED = {"digits": _("Digits"), "hands": _("Photographs of hands")}
WHOSE = {"mine": _("Yours"), "recorded": _("Recorded")}


def watched(slot: str, kind: str = SweepSpec.kind) -> Run | None:
    """Return the run of that kind that this slot shows; None when there is none."""
    try:
        return state.watched(slot, kind)
    except LabError as error:
        st.warning(tell(error))
        return None


def whose(key: str, default: str = "mine") -> str:
    return st.segmented_control(
        _("Show results from"),
        list(WHOSE),
        format_func=WHOSE.__getitem__,
        default=default,
        key=key,
        required=True,
        wrap=True,
    )


def my_experiments(mine: dict[Conditions, tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """Return this person's experiments that were measured alike; where there are several kinds, a person picks."""
    groups = list(mine)
    group = groups[0]
    if len(groups) > 1:
        titles = {one: f"{shown(one.words)} ({len(mine[one]):,})" for one in groups}
        group = st.selectbox(_("Measured with"), groups, format_func=titles.__getitem__, key="claims_conditions")
    words = _("{n:,} experiments from your sweeps, all with {conditions}.")
    st.caption(words.format(n=len(mine[group]), conditions=shown(group.words)))
    return mine[group]


def savings_cells(run: Run | None) -> tuple[tuple[Cell, ...], Recorded | None]:
    """Return the experiments that the curve is drawn from, and the recorded study where they are of one."""
    if run is None or whose("savings_whose") == "recorded":
        found = recorded.load(savings_view.STUDY)
        return found.cells, found
    return state.lab().store.cells(run.id), None


def follow(run: Run, slot: str) -> None:
    """Show how far a sweep is, and how it ended; its figures are drawn elsewhere."""
    run_view.show(run, slot)
    if run.final:
        view_of(run.spec).outcome(run, run.result)
    else:
        sweep_view.so_far(run.id)


def labels_saved() -> None:
    """Show how many labels transfer saves, on drawn digits or on photographs."""
    if not recorded.is_recorded(hands_view.STUDY):
        digits_saved()
        return
    chosen = st.segmented_control(
        _("Measured on"),
        list(MEASURED),
        format_func=MEASURED.__getitem__,
        default="digits",
        key="savings_of",
        required=True,
        label_visibility="collapsed",
        wrap=True,
    )
    if chosen == "hands":
        hands_view.show()
    else:
        digits_saved()


def digits_saved() -> None:
    """Show the line, the curve, and the button that measures it again."""
    run = watched(savings_view.SLOT)
    cells, study = savings_cells(run)
    key = "recorded" if study or run is None else run.id
    found = savings_view.headline(cells)
    if study:
        sweep_view.provenance(study)
    elif run is not None:
        words = _("Measured here: run {id}, started {when}.")
        st.caption(words.format(id=run.id[:6], when=when(run.started)))
    savings_view.chart(cells, key, found)
    st.segmented_control(
        _("Labels per class for transfer"),
        recorded.LABELS,
        help=_("The number of labels at which the saving is read from the chart."),
        wrap=True,
        **state.keyed("saving_at"),
    )
    sweep_view.live_button([(savings_view.live_spec(), savings_view.SLOT)], "start_savings")
    if run is not None:
        follow(run, savings_view.SLOT)
    if box := sweep_view.for_researchers("savings"):
        with box:
            savings_view.numbers(cells, key, found)


def said() -> None:
    """Show the claims with the verdicts of the recorded experiments, or of this person's own."""
    mine, studies = state.my_cells(), []
    if mine and whose("claims_whose", default="recorded") == "mine":
        cells = my_experiments(mine)
    else:
        studies = [recorded.load(study) for study in claims.STUDIES]
        cells = together(*(one.cells for one in studies))
    claims_view.overview(cells)
    if studies:
        sweep_view.provenance(*studies)
    sweep_view.live_button(claims_view.live_specs(), "start_claims")
    for slot in claims_view.SLOTS:
        if run := watched(slot):
            follow(run, slot)
    if studies:
        claims_view.on_hands(cells)
    example = watched("example", ExampleSpec.kind)
    if box := sweep_view.for_researchers("claims", expanded=example is not None):
        with box:
            claims_view.cards(cells)
            keras_example(example)


def keras_example(run: Run | None) -> None:
    """Show the field's own example with its published numbers, and the button that runs it whole."""
    with st.container(border=True, key="keras_example"):
        st.markdown(_("**Keras' own example, with the network and the settings it was published with**"))
        if run is None or run.result.test is None:
            found = recorded.example()
            tasks(found.result)
            words = _("Recorded {date} on {machine}, seed {seed}. To measure it again: `{command}`")
            st.caption(words.format(date=found.date, machine=found.machine, seed=found.seed, command=found.command))
        st.button(_("Run the whole example"), key="start_example", icon=":material/play_arrow:", on_click=start_example)
        if run is not None:
            run_view.show(run, "example")
            run_view.show_result(run)


def start_example() -> None:
    sweep_view.start(ExampleSpec(seed=int(state.get("seed"))), "example")


def best_cut() -> None:
    """Show how well scores before training pick the cut that turns out best, and score the draft's own cuts."""
    run, study = watched(meter_view.SLOT), None
    if run is not None and whose("meter_whose") == "mine":
        cells = state.lab().store.cells(run.id)
    else:
        study = recorded.load(meter_view.STUDY)
        cells = study.cells
    meter_view.overview(cells)
    if study:
        sweep_view.provenance(study)
    st.markdown(
        _(
            "Which layer's features will serve the new task best? These scores look at a few labelled images and "
            "train nothing. The button scores the cuts of the source, target and labels that you chose on Layers "
            "and Train."
        )
    )
    sweep_view.live_button([(meter_view.live_spec(), meter_view.SLOT)], "start_meter", _("Score my cuts"))
    if run is not None:
        follow(run, meter_view.SLOT)
    if box := sweep_view.for_researchers("meter"):
        with box:
            meter_view.scoreboard(cells)
            meter_view.setting(cells, "recorded" if study else "mine")


def own() -> None:
    sweep_view.own_sweep()
    if run := watched("sweep"):
        run_view.show(run, "sweep")
        if run.final:
            run_view.show_result(run)
        else:
            sweep_view.so_far(run.id)


@contextmanager
def kept() -> Iterator[None]:
    """Show what keeps one part from being shown, and let the others be."""
    try:
        yield
    except LabError as error:
        st.warning(tell(error))


if message := state.take("start_error"):
    st.error(message)
tabs = st.tabs([_("Labels saved"), _("Claims"), _("Best cut"), _("Your own sweep")])
for tab, show in zip(tabs, (labels_saved, said, best_cut, own), strict=True):
    with tab, kept():
        show()
