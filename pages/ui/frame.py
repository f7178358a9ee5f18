"""What every page has in common: the strip of current choices, the way on, and empty states."""

from pathlib import Path

import streamlit as st

from pages.ui import state
from pages.ui.text import _
from tlcore import datasets, freezing, sources

STYLE = f"<style>{Path(__file__).with_suffix('.css').read_text(encoding='utf-8')}</style>"


def strip() -> None:
    """Say in one line what would run: source, frozen layers, target, labels, seed, last accuracy."""
    st.html(STYLE)
    spec = state.draft()
    source, frozen = sources.info(spec.source), spec.phases[-1].frozen
    cost = freezing.cost(source.layers, frozen)
    per_class = _("all") if spec.data.per_class is None else f"{spec.data.per_class}"
    parts = [
        _("**{source}**").format(source=source.title),
        _("{n} of {total} layers frozen ({share:.0%} of weights train)").format(
            n=sum(layer.can_freeze and layer.name in frozen for layer in source.layers),
            total=sum(layer.can_freeze for layer in source.layers),
            share=cost.n_trainable / cost.n_weights,
        ),
        _("{target}, {n} per class").format(target=datasets.info(spec.data.target).title, n=per_class),
        _("seed {seed}").format(seed=spec.seed),
    ]
    last = state.last_accuracy()
    if last is not None:
        parts.append(_("last accuracy {accuracy:.1%}").format(accuracy=last))
    st.container(key="strip").caption(" · ".join(parts))


def heading(title: str, lead: str) -> None:
    """Show a page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.markdown(lead)


def next_page(page: str, label: str) -> None:
    """Show the button that leads on."""
    st.divider()
    if st.button(label, key="next", type="secondary", icon=":material/arrow_forward:", icon_position="right"):
        st.switch_page(page)
