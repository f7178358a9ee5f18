"""What of a person's own is under way, in the bar of every page: how far it is, the way to it, and Stop."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, ngettext, plain
from tlcore.errors import LabError
from tlcore.store import Run

from .words import title

GOING = ("queued", "running")
MOST = 50  # runs that are looked for
EVERY_S = 2.0


def chip() -> None:
    """Show it while something of this person's is under way; nothing asks the server while nothing is."""
    if going():
        _follow()


def going() -> list[Run]:
    """Return this person's own runs that wait or run, the running ones first, without the parts of a comparison."""
    mine = state.person().id
    runs = [run for run in state.access().runs(states=GOING, limit=MOST) if run.owner == mine and not run.parent]
    return sorted(runs, key=lambda run: (run.state != "running", run.created))


@st.fragment(run_every=EVERY_S)
def _follow() -> None:
    try:
        runs = going()
    except LabError:  # the page says it where it needs the lab
        return
    if not runs:
        st.rerun()  # without this: the page says that it ended
    first, n_more = runs[0], len(runs) - 1
    with st.container(key="chip", horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False):
        words = share(first)
        if n_more:
            words += " " + ngettext("+ {n} more", "+ {n} more", n_more).format(n=n_more)
        if st.button(words, key="chip_open", help=plain(title(first)), icon=":material/hourglass_top:"):
            state.watch("run", first.id)
            st.switch_page("runs.py")
        if st.button(_("Stop"), key="chip_stop", help=_("Stop it; what was learned so far is kept.")):
            state.access().stop(first.id)
            st.toast(_("Stopping."))


def share(run: Run) -> str:
    """Return how far a run is, in a word or two."""
    if run.state == "queued":
        return _("Waiting")
    now = run.progress
    return _("Running {share}").format(share=percent(min(1.0, now.step / max(now.n_steps, 1)), 0))
