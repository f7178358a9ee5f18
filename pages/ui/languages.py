"""The menu of languages: an entry for each, which stands in the bar and leads back to where one was."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.ui.session import state
from pages.ui.words.text import choose
from tlcore.translation import offered, translate

TITLE = "EN · 中文"  # is read whatever one reads
ADDRESS = "language-"  # server/page.js keeps what is chosen in a cookie, and such an address out of the history


def entries() -> list[StreamlitPage]:
    """Return an entry for each language; its title is the language's own name, as its catalogue has it."""
    return [
        st.Page(_nothing, title=translate("English", tag), url_path=f"{ADDRESS}{tag}")  # in the words of that language
        for tag in offered()
    ]


def _nothing() -> None:
    """An entry shows nothing: ``turn`` has led on before."""


def turn(page: StreamlitPage, pages: list[StreamlitPage]) -> None:
    """Where an entry was chosen, change the language and go back; else remember which page is shown."""
    if page.url_path.startswith(ADDRESS):
        choose(page.url_path.removeprefix(ADDRESS))
        before, asked = state.get("shown_page") or ("", {})
        st.switch_page(next((each for each in pages if each.url_path == before), pages[0]), query_params=asked)
    state.put(shown_page=(page.url_path, st.query_params.to_dict()))
