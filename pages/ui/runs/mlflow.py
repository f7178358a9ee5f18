"""A run sent to the MLflow server that the lab knows."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore.errors import LabError, SpecError
from tlcore.exports import mlflow
from tlcore.store import Run


def send(run: Run) -> None:
    """Offer it to who owns the run, where the lab knows a server; the host is told how it comes to know one."""
    person = state.person()
    if not (person.owns(run) or not run.owner):
        return
    try:
        to = mlflow.address()
    except SpecError as error:
        if person.host:
            st.caption(tell(error))
        return
    if st.button(_("Send to MLflow"), key=f"mlflow_{run.id}", icon=":material/send:"):
        try:
            with st.spinner(_("Sending settings, curves and files."), show_time=True):
                page = mlflow.send(run, state.lab().store, to)
        except LabError as error:
            st.warning(tell(error))
            return
        st.success(_("Sent. [Open it in MLflow]({page})").format(page=page))
