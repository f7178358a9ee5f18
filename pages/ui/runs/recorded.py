"""The comparison that ships, in the place of one's own: labelled as recorded, and replayed on demand."""

from dataclasses import asdict

import streamlit as st

from pages.ui.components.live_chart import LiveRun
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import NO_BREAK, _, plain, shown, tell
from tlcore import datasets
from tlcore.errors import LabError
from tlcore.evidence import recorded_comparison
from tlcore.evidence.recorded_comparison import RecordedComparison

from . import view_of
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
        st.header(plain(shown(card.headline)), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(plain(_numbers(card)), width="content")
            with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
                st.markdown(_provenance(card))
    of_another_task(card.spec.data.target)
    points = [asdict(point) for point in card.points]
    run = LiveRun("recorded", "", state="done", recorded=points)
    chart("recorded", [run], _("Error of the recorded comparison"), view_of(card.spec).chart(card.spec))  # type: ignore[arg-type]


def of_another_task(target: str) -> None:
    """Say on what something was recorded, where that is not the task that is chosen now."""
    if target != state.get("target"):
        st.caption(_("Recorded on {target}, not on what is chosen now.").format(target=datasets.info(target).title))


def _numbers(card: RecordedComparison) -> str:
    words = _("{name} {accuracy} ({low} to {high})")
    return " · ".join(
        words.format(name=way_name(name), accuracy=percent(accuracy), low=percent(low), high=percent(high)).replace(
            " ", NO_BREAK
        )
        for name, (accuracy, low, high) in sorted(card.tests.items(), key=lambda item: -item[1][0])
    )


def _provenance(card: RecordedComparison) -> str:
    return _(
        "A comparison with the usual settings, measured on {date} ({machine}) by `{command}`. "
        "**Run the comparison** measures your own, with times."
    ).format(date=card.date, machine=card.machine, command=card.command)
