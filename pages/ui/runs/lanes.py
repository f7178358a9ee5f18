"""Several fine-tunings on shared axes: one chart, and what each of them reached side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages.ui.charts import palette
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, parted, plain, shown
from tlcore import jobs
from tlcore.evidence import Entrant
from tlcore.spec import Spec, methods
from tlcore.store import Run

from . import contest, view_of
from .chart import chart, live, steps_per_epoch
from .view import Chart
from .words import beside, measure


@dataclass(frozen=True)
class Lane:
    """One run of several, and what it is called beside the others."""

    label: str
    run: Run
    way: str = ""  # by which it has its colour; what it trains, where that is not said
    told: str = ""  # what its label leaves out


def show(lanes: Sequence[Lane], slot: str, label: str, together: bool = False) -> None:
    """Show the curves of all lanes on one chart, with a Stop for those that still go; the end reruns the page.

    Parameters
    ----------
    together : whether they race, drawn from a common start; their Stop stands elsewhere then
    """
    if not together:
        stop(lanes, slot)
    epochs = [jobs.of(lane.run.spec).epochs(lane.run.spec) for lane in lanes]
    steps = {steps_per_epoch(lane.run.spec) for lane in lanes}
    chart(
        slot,
        [live(lane.run, lane.label, colour) for lane, colour in zip(lanes, colours(lanes), strict=True)],
        label,
        Chart(x_max=float(max(epochs, default=1)), steps=steps.pop() if len(steps) == 1 else 0.0, together=together),
    )


def colours(lanes: Sequence[Lane]) -> list[str]:
    """Return each lane's colour, the one that its way to learn has everywhere."""
    return palette.of_ways([lane.way or _way(lane.run.spec) for lane in lanes])


def _way(spec: Spec) -> str:
    trained = methods(spec)
    return trained[0] if len(trained) == 1 else ""


def stop(lanes: Sequence[Lane], slot: str) -> None:
    """Show a Stop for the lanes of this person's that still go."""
    open_ = [lane.run for lane in lanes if not lane.run.final and state.person().owns(lane.run)]
    if open_ and st.button(_("Stop all"), key=f"stop_{slot}", icon=":material/stop:", shortcut="Alt+S"):
        for run in open_:
            state.access().stop(run.id)
        st.toast(view_of(open_[0].spec).stopping())


def results(lanes: Sequence[Lane]) -> None:
    """Show what every lane reached, and whether the lead of the best is more than noise."""
    metrics(lanes)
    if all(lane.run.final for lane in lanes):
        contest.show([Entrant(lane.label, lane.run) for lane in lanes], "lanes")


def metrics(lanes: Sequence[Lane], costs: Sequence[str] = ()) -> None:
    """Show each lane's test accuracy, interval, time and weights side by side.

    Parameters
    ----------
    costs : what each lane took, where that is not what its result says
    """
    told = costs or [view_of(lane.run.spec).cost(lane.run.result) for lane in lanes]
    for column, lane, cost in zip(st.columns(len(lanes)), lanes, told, strict=True):
        with column:
            _result(lane, cost)


def _result(lane: Lane, cost: str) -> None:
    run, result, label = lane.run, lane.run.result, plain(parted(lane.label))
    if result.test is None:
        st.metric(label, "–", border=True)
        # Of a run that goes on the chart says the state: this stands still until the page runs again.
        words = names.states()[run.state].capitalize() if run.final else _("No result yet.")
        st.caption(plain(shown(run.error)) or words)
        return
    test = result.test
    st.metric(label, percent(test.headline), border=True, **beside(test))
    interval = _("{low} to {high} (95 %).").format(low=percent(test.interval[0]), high=percent(test.interval[1]))
    st.caption(f"{interval} {cost} {measure(test, result.class_names)}".strip())
