"""What a run left, as files to take along."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import prediction
from tlcore.errors import LabError
from tlcore.exports import export
from tlcore.store import Run


def download(run: Run, file: str, label: str, key: str = "") -> None:
    """Offer one of a run's files, checked against the hash the run stored; a damaged one is said, and nothing else."""
    if file not in run.result.files:
        return
    try:
        path = prediction.checked_file(run, file, state.lab().folder)
    except LabError as error:
        st.warning(tell(error))
        return
    st.download_button(
        label,
        path.read_bytes,
        file_name=f"{run.id[:6]}-{path.name}",
        key=f"download_{key or run.id}_{file}",
        icon=":material/download:",
        on_click="ignore",
    )


def downloads(run: Run) -> None:
    """Offer everything a run left: model, heads, metrics, settings."""
    with st.container(horizontal=True):
        for file in run.result.files:
            if file != run.result.network:
                download(run, file, _("Download {file}").format(file=file.removeprefix("heads/")), key=f"all_{run.id}")
        st.download_button(
            _("Metrics (CSV)"),
            lambda: export.metrics_csv(state.lab().store.points(run.id)),
            file_name=f"{run.id[:6]}-metrics.csv",
            mime="text/csv",
            key=f"csv_{run.id}",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            _("Settings and result (JSON)"),
            lambda: export.run_json(run),
            file_name=f"{run.id[:6]}.json",
            mime="application/json",
            key=f"json_{run.id}",
            icon=":material/download:",
            on_click="ignore",
        )
