"""How a session presents: kept through page changes and in the address, and made into links."""

import streamlit as st

from tlcore.people import presenting
from tlcore.people.presenting import Presentation

from . import state


def now() -> Presentation | None:
    """Return how this session presents, None while it does not; the address keeps it, through page changes too."""
    if "presenting" not in st.session_state:
        asked = presenting.read(st.query_params.to_dict())
        state.put(presenting=asked is not None, presentation=asked)
    if not st.session_state["presenting"]:
        return None
    found: Presentation = state.get("presentation") or Presentation()
    for name, value in presenting.written(found).items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    return found


def begin(on: bool = True, presentation: Presentation | None = None) -> None:
    """Begin or end presenting."""
    state.put(presenting=on, presentation=presentation)
    if not on:
        for name in (presenting.LOOK, presenting.PAGES):
            st.query_params.pop(name, None)


def presenter_link(presentation: Presentation) -> str:
    """Return the address of this page with the draft, presented so."""
    return state.here(state.draft_parameters() | presenting.written(presentation))


def first_link(presentation: Presentation) -> str:
    """Return the address of this page with the settings that this session began with, presented so.

    Opened as a whole it has the first seed, the first picture and no run of one's own.
    """
    return state.here({**state.get("address_at_first", {}), **presenting.written(presentation)})
