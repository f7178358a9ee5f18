"""History: find, open, name, compare, delete with undo. A person sees their own runs; the host sees everybody's."""

import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.closer import evaluate, new_data, open_heads
from pages.ui.inputs import program
from pages.ui.runs import again, as_source, bring_in, code, downloads, history_list, settings_table, side_by_side
from pages.ui.runs import run as run_view
from pages.ui.runs.workers import show as show_workers
from pages.ui.session import listing, state
from pages.ui.words.text import _, tell
from tlcore import prediction
from tlcore.errors import LabError
from tlcore.store import Entry, Run

frame.heading(_("Runs"), _("Everything you have trained here, with its settings, seed, versions and result."))


@st.fragment(run_every=1.5)
def follow(states: dict[str, str], everyone: bool) -> None:
    """Run the page again when a run that waits or goes on is no longer in the state that the list says."""
    now = state.access().under_way(everyone)
    if any(now.get(run_id) != seen for run_id, seen in states.items()):
        st.rerun()


def delete(run_id: str) -> None:
    state.access().delete(run_id)
    state.put(undo=(*state.get("undo", ()), run_id))
    state.watch("run", None)


def restore() -> None:
    *rest, last = state.get("undo")
    state.access().restore(last)
    state.put(undo=tuple(rest))
    state.watch("run", last)


def opened(run: Run) -> None:
    """Show one run whole."""
    with st.container(horizontal=True, key="run_tools"):
        label = _("Back to the comparison") if listing.compared() else _("All runs")
        st.button(label, key="close", icon=":material/arrow_back:", on_click=state.watch, args=("run", None))
        if run.parent:
            words = _("The comparison it belongs to")
            st.button(words, key="whole", on_click=state.watch, args=("run", run.parent))
        if run.final:
            downloads.menu(run)
            as_source.button(run)
            again.button(run)
        if state.person().owns(run):
            st.button(_("Delete"), key="delete", icon=":material/delete:", on_click=delete, args=(run.id,))
    as_source.said()
    bring_in.origin(run)
    again.told(run)
    run_view.show(run, "run")
    if run.final:
        run_view.show_result(run)
        evaluate.evaluation_of(run)
        new_data.offer(run)
        open_heads.open_heads(run)
    code.code(run)
    if run.final:
        program.use_from_program(prediction.of_run(run))
    settings_table.settings(run)


def compared(ids: tuple[str, ...]) -> None:
    """Show runs side by side."""
    back = _("All runs")
    st.button(back, key="close", icon=":material/arrow_back:", on_click=listing.compare, args=((),))
    side_by_side.show(ids)


def everybodys() -> bool:
    """Return whether the runs of everybody are shown, which a host chooses."""
    return state.person().host and st.toggle(
        _("Everybody's runs"),
        value=True,
        key="everyone",
        persist_state="session",
        help=_(
            "You are the host: you can see, stop and delete all runs. Off: only your own runs and those without an "
            "owner. To stop being the host, open the address /host?leave=1."
        ),
    )


def listed() -> None:
    """Show the list, or what would stand in it."""
    bring_in.said()
    everyone = everybodys()
    with at_a_glance.comparison():
        if st.button(_("Open Train"), key="open_train", type="primary", icon=":material/play_arrow:"):
            st.switch_page("train.py")
    entries = state.access().listing(everyone)
    if not entries:
        st.info(_("No runs yet: what you train appears here and stays after a restart."))
        bring_in.offer()
        return
    going: list[Entry] = history_list.show(entries, everyone)
    downloads.report_of_today(entries)
    if going:
        follow({run.id: run.state for run in going}, everyone)
    show_workers()
    bring_in.offer()


if undo := state.get("undo", ()):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.info(_("The run was deleted.") if len(undo) == 1 else _("{n} runs were deleted.").format(n=len(undo)))
        st.button(_("Undo"), key="undo_delete", icon=":material/undo:", on_click=restore)

run = None
try:
    run = state.watched("run")
    if run is not None:
        opened(run)
except LabError as error:
    st.error(tell(error))
if run is None:
    if ids := listing.compared():
        compared(ids)
    else:
        listed()
