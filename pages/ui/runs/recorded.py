"""The comparison that ships, in the place of one's own: labelled as recorded, and replayed on demand."""

from collections.abc import Sequence
from dataclasses import asdict

import streamlit as st

from pages.ui.components.live_chart import LiveRun
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, plain, shown, tell, whole, whole_words
from tlcore.errors import LabError
from tlcore.evidence import recorded_comparison
from tlcore.evidence.recorded_comparison import RecordedComparison
from tlcore.store import Run

from . import view_of
from .another_task import of_another_task
from .chart import chart
from .comparison import way_name


def show() -> None:
    """Show its verdict and its chart, and where they come from."""
    try:
        card = recorded_comparison.load(recorded_comparison.file_for(state.get("target")))
    except LabError as error:
        st.warning(tell(error))
        return
    with st.container(key="verdict"):
        st.header(plain(whole_words(shown(card.headline))), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(numbers(card)), width="content")
            with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
                st.markdown(provenance(card))
    of_another_task(card.spec.data.target)
    points = [asdict(point) for point in card.points]
    run = LiveRun("recorded", "", state="done", recorded=points, told=True)
    chart("recorded", [run], _("Error of the recorded comparison"), view_of(card.spec).chart(card.spec))  # type: ignore[arg-type]


def instead(runs: Sequence[Run], slots: Sequence[str]) -> None:
    """Offer the recorded result in the place of runs that wait, go on or failed; these stay, and are found on Runs.

    Parameters
    ----------
    slots : of the page, in which the runs are shown
    """
    if runs and any(run.state in ("queued", "running", "failed") for run in runs):
        st.button(
            _("Show the recorded one"),
            key=f"instead_{slots[0]}",
            icon=":material/replay:",
            help=_("Your own goes on, and is on the page Runs."),
            on_click=_leave,
            args=(tuple(slots),),
        )


def _leave(slots: Sequence[str]) -> None:
    for slot in slots:
        state.watch(slot, None)


def numbers(card: RecordedComparison) -> str:
    """Return what each way reached, the best first; no line breaks within one."""
    words = _("{name} {accuracy} ({low} to {high})")
    parts = [
        words.format(name=way_name(name), accuracy=percent(accuracy), low=percent(low), high=percent(high))
        for name, (accuracy, low, high) in sorted(card.tests.items(), key=lambda item: -item[1][0])
    ]
    return " · ".join(whole(part) for part in parts)


def provenance(card: RecordedComparison) -> str:
    return _(
        "A comparison with the usual settings, measured on {date} ({machine}) by `{command}`. "
        "**Run the comparison** measures your own, with times."
    ).format(date=card.date, machine=card.machine, command=card.command)
