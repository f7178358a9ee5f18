"""Sources as picture cards: what each learned from, how well, and which is chosen."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from pages.ui.inputs.pictures import address
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import percent
from pages.ui.words.text import PERCENT, _, plain, shown, titled
from tlcore import datasets, inputs, sources
from tlcore.spec import SourceInfo

from . import own_model

N_PICTURES = 5


def choose(cards: Sequence[SourceInfo]) -> None:
    """Show a card for each source; its button makes it the one that is used."""
    chosen = next(iter(sources.sizes(state.get("source")).values()), state.get("source"))
    with st.container(horizontal=True, key="source_cards"):
        for card in cards:
            if card.name not in list(sources.sizes(card.name).values() or [card.name])[:1]:
                continue  # another one at another size: chosen below
            with st.container(border=True, width=168, key=f"card_{card.name}"):
                st.html(strip(card))
                st.button(
                    plain(titled(card.title)),
                    key=f"use_{card.name}",
                    type="primary" if card.name == chosen else "secondary",
                    icon=":material/check:" if card.name == chosen else None,
                    width="stretch",
                    on_click=state.use_source,
                    args=(card.name,),
                )
                st.caption(plain(_worth(card)))


def strip(card: SourceInfo) -> str:
    """Return some of the images that a network learned from, side by side; of the same height where there are none."""
    items = pictures(card)
    if not items:
        words = _("Has learned nothing yet") if not card.trained else _("Training images not included")
        return f'<div class="learned-from none">{escape(words)}</div>'
    shown = "".join(f'<img src="{picture}" alt="">' for picture in items)
    words = _("Some of the images it learned from")
    return f'<div class="learned-from" role="img" aria-label="{escape(words)}">{shown}</div>'


@st.cache_data(max_entries=100, show_spinner=False)
def _addresses(name: str, sha256: str) -> tuple[str, ...]:
    card = sources.info(name)
    previews = inputs.modality(card.form.modality).previews(sources.get(name).examples(N_PICTURES))
    return tuple(address(preview) for preview in previews)


def pictures(card: SourceInfo) -> tuple[str, ...]:
    """Return addresses of some of the images that a network learned from; none where they are not at hand."""
    return _addresses(card.name, card.sha256) if card.trained else ()


def _worth(card: SourceInfo) -> str:
    if not card.trained:
        return _("Untrained: the control")
    if card.accuracy is None and card.n_train:
        return _("Learned from {n:,} images").format(n=card.n_train)
    if card.accuracy is None:
        return _("Your own model") if sources.is_uploaded(card.name) else titled(card.note)
    return _("{accuracy} on its own test images").format(accuracy=percent(card.accuracy))


def size(card: SourceInfo) -> None:
    """Show at which sizes the chosen network can read its photographs, where there are several."""
    names_of = sources.sizes(card.name)
    if len(names_of) < 2:
        return
    at = next(side for side, name in names_of.items() if name == card.name)
    st.segmented_control(
        _("Reads photographs at"),
        list(names_of),
        format_func=lambda side: f"{side} × {side}",
        default=at,
        required=True,
        key=f"size_{card.name}",
        help=_("Larger is more accurate and slower: 128 takes about twice as long, 224 about five times."),
        on_change=lambda: state.use_source(names_of[state.get(f"size_{card.name}")]),
        wrap=True,
    )


def absent() -> None:
    """Show the networks that are not on this computer, each with what brings it."""
    missing = sources.absent()
    if not missing:
        return
    with st.expander(_("More networks for photographs ({n})").format(n=len(missing)), icon=":material/download:"):
        for name, reason in missing.items():
            card = sources.info(name)
            st.markdown(f"**{plain(titled(card.title))}** · " + _("{n:,} weights").format(n=card.n_weights))
            st.caption(shown(reason))


def _reads(card: SourceInfo) -> None:
    """Say what a source of another kind reads, and what the target is now."""
    if card.form.modality != datasets.catalogue()[0].form.modality:
        words = _("Reads: {kind}, {form}. The target is now {target}.")
        values = {
            "kind": names.kind(card.form),
            "form": card.form,
            "target": titled(datasets.info(state.get("target")).title),
        }
        st.caption(words.format(**values))


def _trained_here(card: SourceInfo) -> None:
    """Show what a network learned here, one task after the other, and lead to the run that trained it last."""
    _reads(card)
    words = _("Learned {dataset} from {n:,} images, {accuracy} on its {n_test:,} test images.")
    values = {"dataset": plain(titled(card.dataset)), "n": card.n_train, "n_test": card.n_test}
    st.caption(f"{words.format(accuracy=percent(card.accuracy or 0.0), **values)} {titled(card.note)}")
    chain = " → ".join(plain(each.title) for each in sources.lineage(card.name))
    st.caption(_("Where it comes from: {chain}").format(chain=chain))
    if st.button(_("Open its run"), key="source_run", icon=":material/open_in_new:"):
        state.watch("run", card.run)
        st.switch_page("runs.py")


def details(card: SourceInfo) -> None:
    """Show where the chosen source comes from."""
    if card.accuracy is None:
        _reads(card)
        st.caption(titled(card.note) or _("Random weights: the control that has learned nothing yet."))
        own_model.findings(card)
        return
    if card.run:
        _trained_here(card)
        return
    words = _("Trained on {dataset}: {n:,} images, seed {seed}; {accuracy} on its own {n_test:,} test images.").format(
        dataset=titled(card.dataset),
        n=card.n_train,
        seed=card.seed,
        accuracy=percent(card.accuracy),
        n_test=card.n_test,
    )
    st.caption(f"{words} {titled(card.note)}".strip())
    with st.popover(_("How it was made")):
        st.write(_("This command trains it again:"))
        st.code(card.rebuild, language="bash")
        st.caption(f"sha256 {card.sha256}")
        if card.measures:
            st.dataframe(
                [{_("measured on"): name, _("accuracy"): 100 * value} for name, value in card.measures.items()],
                column_config={_("accuracy"): st.column_config.NumberColumn(format=PERCENT)},
                hide_index=True,
            )
