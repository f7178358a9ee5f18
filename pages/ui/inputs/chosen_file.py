"""A file that a person has chosen and not yet added."""

from collections.abc import Callable

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import tell
from tlcore.errors import LabError


def is_good(slot: str, file_id: str, content: Callable[[], bytes], look_at: Callable[[bytes], object]) -> bool:
    """Whether a chosen file can be used as far as ``look_at`` sees at once; else say why not and what to do.

    It is looked at once, and its answer kept under ``slot`` of the session.
    """
    if state.get(slot, ("", None))[0] != file_id:
        refusal = None
        try:
            look_at(content())
        except LabError as error:
            refusal = error
        state.put(**{slot: (file_id, refusal)})
    refusal = state.get(slot)[1]
    if refusal is not None:
        st.error(tell(refusal), icon=":material/error:")
    return refusal is None
