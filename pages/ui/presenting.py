"""Presenting: large type, settings out of sight, a way on by pointer, key or remote, and one back to the first seed."""

from collections.abc import Sequence

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.ui.session import state
from pages.ui.words.text import _

# A full load, so that everything is as it was at first: the seed, the choices, the drawing. The address keeps the mode.
RESET = '<a class="reset" href="./?present=1" target="_self">{words}</a>'


def controls(page: StreamlitPage, order: Sequence[StreamlitPage]) -> None:
    """Show what a presenter needs, at the foot of every page: the switch, or the bar with the way on.

    Parameters
    ----------
    order : the pages as they are presented, one after the other
    """
    if not state.presenting():
        st.button(
            _("Present"),
            key="present",
            type="tertiary",
            icon=":material/slideshow:",
            help=_("Large type, settings hidden, one page after the other with Page Down and Page Up."),
            on_click=state.present,
        )
        return
    at = next((i for i, one in enumerate(order) if one.url_path == page.url_path), 0)
    with st.container(horizontal=True, vertical_alignment="center", key="presenting"):
        _turn(_("Back"), "present_back", "PageUp", order[at - 1] if at else None)
        _turn(_("Next"), "present_next", "PageDown", order[at + 1] if at + 1 < len(order) else None)
        words = _("{page}, {n} of {total}").format(page=page.title, n=at + 1, total=len(order))
        st.caption(words)
        st.html(RESET.format(words=_("Reset")))
        st.button(_("End"), key="present_end", type="tertiary", on_click=state.present, args=(False,))


def _turn(words: str, key: str, shortcut: str, page: StreamlitPage | None) -> None:
    if st.button(words, key=key, type="primary", shortcut=shortcut, disabled=page is None) and page is not None:
        st.switch_page(page)
