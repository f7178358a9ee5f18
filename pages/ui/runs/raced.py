"""A comparison on the Race page: its lanes on one chart, opened by link or by choice."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore.errors import LabError
from tlcore.evidence import ways
from tlcore.spec import ComparisonSpec, FineTuneSpec
from tlcore.store import Run

from . import comparison as comparison_view
from . import run as run_view
from .lanes import Lane
from .race import films
from .words import title, when

SLOT = "compared_ways"
MOST = 50  # comparisons that can be chosen


def chosen() -> Run | None:
    """Show the choice of a comparison; return the one that was opened here, None where there is none."""
    try:
        run = state.watched(SLOT, ComparisonSpec.kind)
    except LabError as error:
        st.warning(tell(error))
        run = None
    _choice(run)
    return run


def show(run: Run) -> None:
    """Show a comparison: its verdict, its lanes on one chart, and films."""
    if run.final:
        with st.container(key="verdict"):
            comparison_view.verdict(run, run.result)  # type: ignore[arg-type]
    run_view.show(run, SLOT)
    if run.final:
        comparison_view.reached(run, run.result)  # type: ignore[arg-type]
        _films(run)


def _choice(run: Run | None) -> None:
    """Offer this person's comparisons; the one that is shown is among them, whoever started it."""
    runs = {each.id: each for each in state.access().runs(kind=ComparisonSpec.kind, limit=MOST) if each.final}
    if run:
        runs.setdefault(run.id, run)
    if not runs:
        return
    key = "race_comparison"
    state.put(**{key: run.id if run else None})
    st.selectbox(
        _("Show the lanes of a comparison"),
        list(runs),
        index=None,
        format_func=lambda run_id: f"{title(runs[run_id])} ({when(runs[run_id].created)})",
        placeholder=_("None: show a race"),
        key=key,
        on_change=lambda: state.watch(SLOT, state.get(key)),
    )


def _films(run: Run) -> None:
    """Show the films of its networks, where they were filmed."""
    trained = ways.trained(run.result, state.lab().store)  # type: ignore[arg-type]
    filmed = [each for each in trained if isinstance(each.run.spec, FineTuneSpec) and each.run.spec.film]
    if filmed:
        lanes = [Lane(comparison_view.way_name(each.way.name), each.run) for each in filmed]
        films(lanes, [comparison_view.colours()[each.way.name] for each in filmed])
