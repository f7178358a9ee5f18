"""A run trained again: the button that starts it, and in one line whether the result is the same."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import archives
from tlcore.archives import Again, repeating
from tlcore.errors import LabError
from tlcore.store import Run

from .words import title

BADGES = {"same": st.success, "close": st.success, "other": st.warning}
KEPT = 50  # comparisons


def button(run: Run) -> None:
    """Show it where a run has a whole result to compare with; of one that failed, the button that starts it again."""
    if run.state == "failed" and not run.parent:
        st.button(
            _("Start it again"),
            key="start_again",
            icon=":material/replay:",
            type="primary",
            help=_("Starts a new run with the same settings."),
            on_click=_start,
            args=(run, ""),
        )
        return
    try:
        repeating.check(run)
    except LabError:
        return
    st.button(
        _("Reproduce"),
        key="reproduce",
        icon=":material/replay:",
        help=_("Trains the same settings again, as a new run, and says whether the result is the same."),
        on_click=_start,
        args=(run, run.id),
    )


def _start(run: Run, repeats: str) -> None:
    try:
        state.watch("run", state.start(run.spec, run.name, repeats=repeats).id)
    except LabError as error:
        state.put(start_error=tell(error))


def told(run: Run) -> None:
    """Say of a run that repeats another whether it reached the same, and lead to that one."""
    if error := state.take("start_error"):
        st.error(error, icon=":material/error:")
    if not run.provenance.repeats:
        return
    try:
        first = state.lab().store.get(run.provenance.repeats)
        if run.state == "done":
            found = _compared(first.id, run.id)
            BADGES[found.state](plain(shown(found.sentence)))
        elif not run.final:
            st.caption(
                _("Repeats {title}. When it is done, this page says whether the result is the same.").format(
                    title=plain(title(first))
                )
            )
    except LabError as error:  # the first was removed for good
        st.caption(tell(error))
        return
    words = _("The run that it repeats")
    st.button(words, key="repeated", icon=":material/arrow_back:", on_click=state.watch, args=("run", first.id))


@st.cache_data(max_entries=KEPT, show_spinner=False)
def _compared(first: str, again: str) -> Again:
    """Return what a repetition gave; neither run changes any more."""
    store = state.lab().store
    return archives.compare(*(archives.of_store(store.get(each), store) for each in (first, again)))
