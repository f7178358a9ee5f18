"""A run as code: read on the page, or taken along."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, shown
from tlcore import exports
from tlcore.evidence import ways
from tlcore.exports.code.variants import VARIANTS, writes
from tlcore.spec import ComparisonResult
from tlcore.store import Run

from . import downloads


def code(run: Run) -> None:
    """Show how a run is trained again in a program of one's own, where its kind can be written as code.

    Of a comparison that is all of it, or one of its ways, which the reader chooses.
    """
    if not writes(run):
        return
    box = st.expander(_("Show code"), key=f"shown_code_{run.id}", icon=":material/code:", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "The same training in a program of your own: read it, change it, run it. It reaches the same accuracy "
                "within a point."
            )
        )
        _written(_chosen(run))


def _chosen(run: Run) -> Run:
    """Return the run whose code is shown: of a comparison the whole, or the run of one way."""
    if not isinstance(run.result, ComparisonResult):
        return run
    trained = {each.run.id: each for each in ways.trained(run.result, state.lab().store) if writes(each.run)}
    titles = {run.id: _("All ways, one after the other")}
    titles |= {id: shown(ways.title(each.way.name)) for id, each in trained.items()}
    chosen = st.selectbox(_("Way"), list(titles), format_func=titles.__getitem__, key=f"code_way_{run.id}")
    return trained[chosen].run if chosen in trained else run


def _written(run: Run) -> None:
    titles = {variant.name: shown(variant.title) for variant in VARIANTS}
    chosen = st.segmented_control(
        _("Written"),
        list(titles),
        default=VARIANTS[-1].name,
        required=True,
        format_func=titles.__getitem__,
        key=f"code_{run.id}",
        wrap=True,
    )
    variant = next(each for each in VARIANTS if each.name == chosen)
    if reason := variant.not_had(run):
        st.info(shown(reason))
        return
    downloads.code(run, f"-{variant.name}.")
    text = next(text for each, text in exports.texts(run) if each is variant)
    st.code(text, language="python", height=400)
