"""Hyperparameters of heads by hand: a folded field for each knob that a head declares."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, plain, shown
from tlcore import heads
from tlcore.heads import HEADS, Knob
from tlcore.spec import ByHand


def by_hand(chosen: Sequence[str]) -> tuple[ByHand, ...]:
    """Show a popover for each head that has something to set; return what differs from the defaults."""
    with_knobs = [name for name in HEADS if name in chosen and HEADS[name].knobs]
    settings: list[ByHand] = []
    if not with_knobs:
        return ()
    with st.container(horizontal=True, vertical_alignment="center", key="by_hand"):
        st.markdown(_("By hand:"), width="content")
        for name in with_knobs:
            with st.popover(names.head(name), key=f"by_hand_{name}"):
                settings += [ByHand(name, knob.name, _field(name, knob)) for knob in HEADS[name].knobs]
                st.button(_("Back to the defaults"), key=f"reset_{name}", on_click=_reset, args=(name,))
    differing = heads.not_default(settings)
    if differing:
        changed = dict.fromkeys(each.head for each in differing)
        words = "; ".join(names.head(name, differing) for name in changed)
        st.caption(plain(_("Set by hand: {settings}.").format(settings=words)))
    return differing


def _key(head: str, knob: Knob) -> str:
    return f"knob_{head}_{knob.name}"


def _reset(head: str) -> None:
    state.put(**{_key(head, knob): knob.default for knob in HEADS[head].knobs})


def _field(head: str, knob: Knob) -> float | str | None:
    """Show one knob; a value out of its range is refused at the field, which then keeps the last one."""
    key = _key(head, knob)
    state.begin(key, knob.default)
    words = shown(knob.help)
    if knob.choices is not None:
        titles = {name: shown(title) for name, title in knob.choices.items()}
        return st.selectbox(
            shown(knob.title),
            list(titles),
            format_func=titles.__getitem__,
            help=words,
            key=key,
            persist_state="session",
        )
    usual = shown(knob.words(knob.default))
    kind, step = (int, 1) if knob.whole else (float, 0.1)
    value = st.number_input(
        shown(knob.title),
        kind(knob.low),
        kind(knob.high),
        value=None,
        step=step,
        format=None if knob.whole else "%g",
        placeholder=shown(knob.blank) if knob.blank else usual,
        help=words,
        key=key,
        persist_state="session",
    )
    st.caption(_("{range}; usually {default}").format(range=shown(knob.range).capitalize(), default=usual))
    return knob.default if value is None and knob.blank is None else value
