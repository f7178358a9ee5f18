"""What a run left, as files to take along."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import shown, tell
from tlcore import exports
from tlcore.errors import LabError
from tlcore.store import Run

from . import view_of


def downloads(run: Run) -> None:
    """Offer everything a run left that its result does not offer itself."""
    with st.container(horizontal=True):
        for name, parts in exports.offers(run, state.lab().store).items():
            if name not in view_of(run.spec).offers:
                _buttons(run, parts)


def download(run: Run, exporter: str) -> None:
    """Offer one form of a run, where it has that."""
    _buttons(run, exports.EXPORTERS[exporter].parts(run, state.lab().store))


def _buttons(run: Run, parts: tuple[exports.Part, ...]) -> None:
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
            key=f"download_{run.id}{part.suffix}",
            icon=":material/download:",
            on_click="ignore",
        )
