"""Presenting: large type, settings out of sight, a way on by pointer, key or remote, and one back to the first seed."""

from collections.abc import Sequence
from html import escape

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from pages.ui.components.copy_link import copy_link
from pages.ui.components.presenter_keys import presenter_keys
from pages.ui.components.tour import tour
from pages.ui.session import presented, state
from pages.ui.words.text import _
from tlcore.lessons import TOURS
from tlcore.people.presenting import LOOKS, Presentation

# A full load, so that everything is as it was at first: the seed, the choices, the picture. The address keeps the mode.
RESET = '<a class="reset" href="{address}" target="_self">{words}</a>'
# By which the style sheet knows what to enlarge and to hide.
LOOK = '<span class="presented {looks}"></span>'


def look(presentation: Presentation | None) -> None:
    """Have a page look as it is presented from its first element on."""
    if presentation is not None:
        looks = " ".join(look for look in LOOKS if look in presentation.looks)
        with st.container(key="presented_look"):
            st.html(LOOK.format(looks=looks))


def name_of(page: StreamlitPage) -> str:
    """Return what a page is called in the address of a presentation."""
    return page.url_path or "home"


def controls(page: StreamlitPage, order: Sequence[StreamlitPage], presentation: Presentation | None) -> None:
    """Show what a presenter needs, at the foot of every page: the way to begin, or the bar with the way on.

    Parameters
    ----------
    order : every page, one after the other
    presentation : what was chosen; None while nobody presents
    """
    if presentation is None:
        with st.container(horizontal=True, key="present_row", vertical_alignment="center"):
            begin([(name_of(one), one.title) for one in order])
            tour(name_of(page), TOURS.get(name_of(page), ()))
        return
    by_name = {name_of(one): one for one in order}
    turned = [by_name[name] for name in presentation.order(list(by_name))]
    at = next((i for i, one in enumerate(turned) if one.url_path == page.url_path), -1)
    with st.container(horizontal=True, vertical_alignment="center", key="presenting"):
        _turn(_("Back"), "present_back", turned[at - 1] if at > 0 else None)
        _turn(_("Next"), "present_next", turned[at + 1] if at + 1 < len(turned) else None)
        words = _("{page}, {n} of {total}") if at >= 0 else _("{page}, not one of the {total} chosen pages")
        st.caption(words.format(page=page.title, n=at + 1, total=len(turned)))
        address = escape(presented.first_link(presentation) or "./")
        st.html(RESET.format(words=escape(_("Reset")), address=address))
        st.button(_("End"), key="present_end", type="tertiary", on_click=presented.begin, args=(False,))
    presenter_keys(back="present_back", on="present_next")


def _turn(words: str, key: str, page: StreamlitPage | None) -> None:
    if st.button(words, key=key, type="primary", disabled=page is None) and page is not None:
        st.switch_page(page)


def begin(pages: Sequence[tuple[str, str]]) -> None:
    """Show the switch, and beside it what makes a link for a presentation of one's own."""
    st.button(
        _("Present"),
        key="present",
        type="tertiary",
        icon=":material/slideshow:",
        help=_("Large type, settings hidden, one page after the other with Page Down and Page Up, B for black."),
        on_click=presented.begin,
    )
    panel(pages)


@st.fragment(key="presenter_panel")
def panel(pages: Sequence[tuple[str, str]]) -> None:
    """Show the choices of a presentation and the link that sets them, once it is opened."""
    place = st.popover(
        _("Presenter link"), icon=":material/link:", type="tertiary", key="presenter_link", on_change="rerun"
    )
    if not place.open:
        return
    with place:
        presentation = chosen(pages)
        about = _("Whoever opens it sees this page with these settings, presented so. Data is never part of a link.")
        copy_link(presented.presenter_link(presentation), key="copy_presenter_link", about=about)
        if st.button(_("Start presenting"), key="present_so", type="primary", icon=":material/slideshow:"):
            presented.begin(True, presentation)
            st.rerun()
        st.caption(_("Keys: Page Down for the next page, Page Up for the one before, B for a black screen."))


def chosen(pages: Sequence[tuple[str, str]]) -> Presentation:
    """Show what can be chosen of a presentation; return it."""
    looks = {"large": _("Large type"), "contrast": _("High contrast"), "plain": _("Hide settings and the menu")}
    state.begin("presenter_looks", list(looks))
    look = st.pills(
        _("Look"), list(looks), format_func=looks.__getitem__, selection_mode="multi", key="presenter_looks", wrap=True
    )
    titles = dict(pages)
    shown = st.multiselect(
        _("Pages, in this order"),
        list(titles),
        format_func=titles.__getitem__,
        key="presenter_pages",
        placeholder=_("All pages"),
        help=_("The others are left out of the menu and of Next and Back."),
    )
    return Presentation(frozenset(look or ()), tuple(shown))
