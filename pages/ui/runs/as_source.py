"""The button that makes the network of a run a source for the next run."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.prediction import as_source
from tlcore.sources import uploads
from tlcore.store import Run


def button(run: Run) -> None:
    """Show it where a run left a network and is this person's or nobody's; the source is theirs."""
    if as_source.why_not(run) or not (state.person().owns(run) or not run.owner):
        return
    st.button(
        _("Use as source"),
        key="as_source",
        icon=":material/fork_right:",
        help=_("The next run starts from this network. It stays under Layers until you remove it."),
        on_click=_use,
        args=(run,),
    )


def said() -> None:
    """Say what was made a source, with the way on and the way back; or why nothing was."""
    if error := state.take("as_source_error"):
        st.error(error, icon=":material/error:")
    name = state.get("made_source")
    if not name:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="made_source_line"):
        st.success(_("{title} is the source of the next run.").format(title=plain(sources.info(name).title)))
        if st.button(_("See its layers"), key="to_layers", icon=":material/layers:"):
            st.switch_page("layers.py")
        if st.button(_("Train from it"), key="to_train", type="primary", icon=":material/play_arrow:"):
            st.switch_page("train.py")
        st.button(_("Undo"), key="undo_source", icon=":material/undo:", on_click=_undo, args=(name,))


def _use(run: Run) -> None:
    try:
        card = as_source.keep(run, state.lab().folder, owner=state.person().id)
        state.put(made_source=card.name)
        state.use_source(card.name)
    except LabError as error:
        state.put(as_source_error=tell(error))


def _undo(name: str) -> None:
    uploads.remove(name)
    state.put(made_source=None)
    state.use_source(state.DEFAULTS["source"])
