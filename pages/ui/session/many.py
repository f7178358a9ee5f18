"""Pictures without labels in a session: what is on its way, and the batch whose answers are shown."""

from contextlib import suppress

import streamlit as st

from tlcore.datasets import arriving
from tlcore.datasets.looks import Look
from tlcore.errors import LabError
from tlcore.prediction import PredictorInfo, many
from tlcore.prediction.many import Answered

from . import state

BATCH = "answers"  # parameter of the address: a reload shows the same answers
_SENDING, _SHOWN = "many_sending", "many_batch"


def arrived(sending: str, info: PredictorInfo, title: str, centred: bool, whole: bool = False) -> None:
    """Have pictures that have arrived read, and a model asked about each.

    Raises
    ------
    LabError
        They are not this browser's, or not whole.
    """
    state.lab().batches.start(
        arriving.get(state.person().id, sending),
        state.person().id,
        name=info.name,
        model=title,
        class_names=info.class_names,
        form=info.form,
        centred=centred,
        whole=whole,
    )
    st.session_state[_SENDING] = sending


def looking() -> Look | None:
    """Return what goes on, or has failed; where it is done its batch is shown from now on."""
    sending = st.session_state.get(_SENDING, "")
    look = state.lab().batches.find(sending, state.person().id) if sending else None
    if look is not None and look.report:
        show(look.report)
    if look is None or look.report:
        st.session_state[_SENDING] = ""
        return None
    return look


def cancel(look: Look) -> None:
    """End what goes on, and show where files go."""
    state.lab().batches.cancel(look)
    st.session_state[_SENDING] = ""


def show(batch: str) -> None:
    """Show this batch from now on; "" none."""
    st.session_state[_SHOWN] = batch
    if batch:
        st.query_params[BATCH] = batch
    elif BATCH in st.query_params:
        del st.query_params[BATCH]


def shown() -> Answered | None:
    """Return the batch that is shown, with its answers: the session's, else the address's; None when there is none."""
    kept = st.session_state.get(_SHOWN)
    batch = st.query_params.get(BATCH, "") if kept is None else kept
    if not batch:
        return None
    try:
        found = many.answered(batch, state.person().id)
    except LabError:
        show("")
        raise
    show(batch)
    return found


def is_open() -> bool:
    """Whether there is something to see at once: pictures on their way, or a batch."""
    with suppress(KeyError):
        return bool(st.session_state[_SENDING] or st.session_state[_SHOWN])
    return bool(st.query_params.get(BATCH))
