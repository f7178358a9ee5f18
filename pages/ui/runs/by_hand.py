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
    if not with_knobs:
        return ()
    with st.container(horizontal=True, vertical_alignment="center", key="by_hand"):
        st.markdown(_("By hand:"), width="content")
        for name in with_knobs:
            with st.popover(names.head(name), key=f"by_hand_{name}"):
                for knob in HEADS[name].knobs:
                    _field(name, knob)
                st.button(_("Back to the defaults"), key=f"reset_{name}", on_click=_reset, args=(name,))
    differing = tuple(each for each in state.get("by_hand") if each.head in with_knobs)
    if differing:
        changed = dict.fromkeys(each.head for each in differing)
        words = "; ".join(names.head(name, differing) for name in changed)
        st.caption(plain(_("Set by hand: {settings}.").format(settings=words)))
    return differing


def _key(head: str, knob: Knob) -> str:
    return f"knob_{head}_{knob.name}"


def _reset(head: str) -> None:
    state.put(**{_key(head, knob): knob.default for knob in HEADS[head].knobs})
    state.put(by_hand=tuple(each for each in state.get("by_hand") if each.head != head))


def _set(head: str, knob: Knob) -> None:
    """Take what a field says into the draft, and so into the address."""
    value = state.get(_key(head, knob))
    value = knob.default if value is None and knob.blank is None else value
    others = [each for each in state.get("by_hand") if (each.head, each.name) != (head, knob.name)]
    settings = {(each.head, each.name): each for each in heads.not_default([*others, ByHand(head, knob.name, value)])}
    order = ((name, each.name) for name, card in HEADS.items() for each in card.knobs)
    state.put(by_hand=tuple(settings[place] for place in order if place in settings))


def _begin(head: str, knob: Knob) -> float | str | None:
    """Return what a field shows at first: what the draft says, else its default."""
    draft = {(each.head, each.name): each.value for each in state.get("by_hand")}
    value = draft.get((head, knob.name), knob.default)
    return float(value) if isinstance(value, int) and not knob.whole else value


def _field(head: str, knob: Knob) -> None:
    """Show one knob; a value out of its range is refused at the field, which then keeps the last one."""
    key = _key(head, knob)
    state.begin(key, _begin(head, knob))
    words = shown(knob.help)
    if knob.choices is not None:
        titles = {name: shown(title) for name, title in knob.choices.items()}
        st.selectbox(
            shown(knob.title),
            list(titles),
            format_func=titles.__getitem__,
            help=words,
            key=key,
            persist_state="session",
            on_change=_set,
            args=(head, knob),
        )
        return
    usual = shown(knob.words(knob.default))
    kind, step = (int, 1) if knob.whole else (float, 0.1)
    st.number_input(
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
        on_change=_set,
        args=(head, knob),
    )
    st.caption(_("{range}; usually {default}").format(range=shown(knob.range).capitalize(), default=usual))
