"""What a run left, as files to take along."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, shown, tell
from tlcore import exports
from tlcore.errors import LabError
from tlcore.store import Run


def menu(run: Run) -> None:
    """Offer everything a run left, in one menu."""
    with st.popover(_("Download"), icon=":material/download:", key=f"menu_{run.id}"):
        for parts in exports.offers(run, state.lab().store).values():
            _buttons(run, parts, "menu_")


def download(run: Run, exporter: str) -> None:
    """Offer one form of a run, where it has that."""
    _buttons(run, exports.EXPORTERS[exporter].parts(run, state.lab().store))


def _buttons(run: Run, parts: tuple[exports.Part, ...], place: str = "") -> None:
    """Offer files; of one that is missing or damaged that is said, and nothing else."""
    for part in parts:
        try:
            part.check()
        except LabError as error:
            st.warning(tell(error))
            continue
        st.download_button(
            shown(part.title),
            part.read,
            file_name=f"{run.id[:6]}{part.suffix}",
            mime=part.mime,
            key=f"{place}download_{run.id}{part.suffix}",
            icon=":material/download:",
            on_click="ignore",
        )
