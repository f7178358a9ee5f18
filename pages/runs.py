"""History: open, name, delete with undo, download. A person sees their own runs; the host sees everybody's."""

import streamlit as st

from pages.ui import frame
from pages.ui.closer import evaluate, open_heads
from pages.ui.runs import downloads
from pages.ui.runs import run as run_view
from pages.ui.runs.words import title, when
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import PERCENT, _, tell
from tlcore.errors import LabError
from tlcore.sentences import between
from tlcore.store import Run

frame.heading(_("Runs"), _("Everything that you trained here, with its settings, seed, versions and result."))
PAGE = 50
MOST_GOING = 1000  # as many as may wait on a server


def rows(runs: tuple[Run, ...]) -> list[dict[str, object]]:
    return [
        {
            _("state"): names.states()[run.state],
            _("accuracy"): None if run.accuracy is None else 100 * run.accuracy,
            _("95 % interval"): between(*run.result.interval) if run.result.interval else None,
            _("what"): title(run),
            _("seconds"): run.took_s,
            _("seed"): run.seed,
            _("created"): when(run.created),
            _("id"): run.id,
        }
        for run in runs
    ]


def history(runs: tuple[Run, ...]) -> None:
    """Show the runs; a click on a row opens it."""
    key = f"history_{state.get('history_rev', 0)}"
    st.dataframe(
        rows(runs),
        hide_index=True,
        on_select=lambda: pick(key, runs),
        selection_mode=("single-row", "single-cell"),  # a click on any of its texts, or on its box
        column_config={
            _("accuracy"): st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100, width=110),
            _("95 % interval"): st.column_config.Column(width=110),
            _("what"): st.column_config.Column(width=330),  # so that the id is in view at 1280 px
            _("seconds"): st.column_config.NumberColumn(format="%.1f", width=70),
            _("seed"): st.column_config.Column(width=55),
        },
        key=key,
        placeholder="–",
        alt=_("All runs, newest first"),
    )


@st.fragment(run_every=1.5)
def follow(states: dict[str, str]) -> None:
    """Run the page again when a run that waits or goes on is no longer in the state that the list says."""
    now = {run.id: run.state for run in state.access().runs(everyone, states=("queued", "running"), limit=MOST_GOING)}
    if any(now.get(run_id) != seen for run_id, seen in states.items()):
        st.rerun()


def pick(key: str, runs: tuple[Run, ...]) -> None:
    """Open the row that was clicked; only the click opens, so that a list which moves on changes nothing."""
    selection = state.get(key)["selection"]
    (row, *_more) = [*selection["rows"], *(row for row, _column in selection["cells"]), len(runs)]
    state.watch("run", runs[row].id if row < len(runs) else None)


def show(run_id: str | None) -> None:
    """Open a run, or none, with no row ticked."""
    state.put(history_rev=state.get("history_rev", 0) + 1)
    state.watch("run", run_id)


def delete(run_id: str) -> None:
    state.access().delete(run_id)
    state.put(undo=(*state.get("undo", ()), run_id))
    show(None)


def restore() -> None:
    *rest, last = state.get("undo")
    state.access().restore(last)
    state.put(undo=tuple(rest))
    show(last)


def opened(run: Run) -> None:
    """Show one run whole."""
    st.divider()
    run_view.show(run, "run")
    if run.final:
        run_view.show_result(run)
        evaluate.evaluation_of(run)
        open_heads.open_heads(run)
        downloads.downloads(run)
    run_view.settings(run)
    with st.container(horizontal=True):
        if state.person().owns(run):
            st.button(_("Delete"), key="delete", icon=":material/delete:", on_click=delete, args=(run.id,))
        st.button(_("Close"), key="close", on_click=show, args=(None,))


if undo := state.get("undo", ()):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(_("The run was deleted.") if len(undo) == 1 else _("{n} runs were deleted.").format(n=len(undo)))
        st.button(_("Undo"), key="undo_delete", icon=":material/undo:", on_click=restore)

access, everyone = state.access(), False
if state.person().host:
    everyone = st.toggle(
        _("Runs of everybody"),
        value=True,
        key="everyone",
        persist_state="session",
        help=_(
            "You are the host: you see, stop and delete all runs. Off: only your own, and those nobody owns. "
            "To give this up, open the address /host?leave=1."
        ),
    )
total = access.count(everyone)
if not total:
    st.info(_("No runs yet: what you train appears here and stays after a restart."))
    st.page_link("train.py", label=_("Open Train"), icon=":material/play_arrow:")
else:
    number = st.pagination(-(-total // PAGE), key="history_page") if total > PAGE else 1
    listed = access.runs(everyone, limit=PAGE, offset=PAGE * (number - 1))
    history(listed)
    if going := {run.id: run.state for run in listed if not run.final}:
        follow(going)
try:
    run = state.watched("run")
    if run is not None:
        opened(run)
    elif total:
        st.caption(_("Click a row to open its run."))
except LabError as error:
    st.error(tell(error))
