"""The sets that were added: train with them, take them along, delete them."""

import streamlit as st

from pages.ui import frame
from pages.ui.session import sets, state
from pages.ui.words import names
from pages.ui.words.text import _, ngettext, plain, tell
from server.address import base_path
from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Card
from tlcore.errors import LabError

from . import cleaning, report

N_PICTURES = 8
MOST = 50


def just_added() -> None:
    """Show what was added last in this session, first of all."""
    if card := _just_added():
        words = _("{title} is ready: {pictures} in {n} classes")
        frame.finding(words.format(title=card.title, pictures=n_pictures(card), n=len(card.class_names)))
        with st.container(border=True, key="just_added"):
            line(card, newest=True)


def _just_added() -> Card | None:
    return next((card for card in sets.kept() if card.name == state.get("added_set")), None)


def show() -> None:
    """Show every other set that this person sees, and the way back for the one that was just deleted."""
    if error := state.take("set_error"):
        st.error(error, icon=":material/error:")
    removed, added = state.get("removed_set"), _just_added()
    cards = [card for card in sets.kept() if card != added]
    if not cards and not removed:
        return
    st.header(_("All sets") if state.person().host else _("My sets"), anchor=False)
    if removed:
        with st.container(horizontal=True, vertical_alignment="center"):
            words = _("{title} was deleted. Its runs stay, and can no longer be repeated.")
            st.info(words.format(title=plain(own_sets.card(removed).title)))
            st.button(_("Undo"), key="undo_set", icon=":material/undo:", on_click=_remove, args=(removed, False))
    for at, card in enumerate(cards[:MOST]):
        with st.container(border=True, key=f"kept_{at}"):
            line(card)


def line(card: Card, newest: bool = False) -> None:
    """Show one set with what can be done with it."""
    if not newest:
        st.markdown(f"**{plain(card.title)}**")
    st.html(report.pictures(report.of_set(card.name, N_PICTURES), _("Some of its pictures")))
    st.caption(plain(about(card)))
    with st.container(horizontal=True, key=f"use_{card.name}"):
        if st.button(
            _("Train with it"),
            key=f"train_{card.name}",
            type="primary" if newest else "secondary",
            icon=":material/play_arrow:",
        ):
            sets.use(card.name)
            st.switch_page("train.py")
        if st.button(_("See its layers"), key=f"layers_{card.name}", icon=":material/layers:"):
            sets.use(card.name)
            st.switch_page("layers.py")
        if sets.may_change(card):
            address = f"{base_path()}/api/sets/{card.name}.zip"
            st.link_button(_("Download as ZIP"), sets.signed(address), icon=":material/download:")
            with st.popover(_("Rename"), icon=":material/edit:"):
                key = f"rename_{card.name}"
                state.begin(key, card.title)
                st.text_input(_("Name of the set"), key=key, max_chars=60, on_change=_rename, args=(card.name,))
            st.button(
                _("Delete"), key=f"delete_{card.name}", icon=":material/delete:", on_click=_remove, args=(card.name,)
            )
    if cleaning.may_clean(card.name):
        cleaning.of_set(card)


def about(card: Card) -> str:
    """Return what a set holds."""
    words = _("{classes}. {pictures}, {n:,} to test; {form} ({kind}); {mb:.1f} MB.")
    return words.format(
        classes=names.some(card.class_names, 6),
        pictures=n_pictures(card),
        n=sum(card.test_sizes),
        form=card.form,
        kind=names.colouring(card.form),
        mb=card.n_bytes / 2**20,
    )


def n_pictures(card: Card) -> str:
    return ngettext("{n:,} picture", "{n:,} pictures", card.n).format(n=card.n)


def _rename(name: str) -> None:
    try:
        if sets.may_change(own_sets.card(name)) and (title := str(state.get(f"rename_{name}")).strip()):
            own_sets.rename(name, title)
    except LabError as error:
        state.put(set_error=tell(error))


def _remove(name: str, removed: bool = True) -> None:
    try:
        if sets.may_change(own_sets.card(name)):
            own_sets.remove(name, removed)
    except LabError as error:
        state.put(set_error=tell(error))
        return
    if removed and state.get("target") == name:
        sets.use(state.DEFAULTS["target"])
    state.put(removed_set=name if removed else None)
