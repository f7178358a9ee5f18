"""One image through an SVM and a forest side by side: support vectors and their sum, trees and their votes."""

import numpy as np
import streamlit as st

from pages.ui.inputs.answers import gallery
from pages.ui.session import state
from pages.ui.words.names import head_on
from pages.ui.words.text import _, plain, tell
from tlcore import inputs, prediction
from tlcore.errors import LabError
from tlcore.heads import HEADS
from tlcore.inspection import together
from tlcore.inspection.together import Candidates
from tlcore.spec import HeadRow
from tlcore.store import Run

from . import open_heads
from .inside import asked

DRAWING = -1


@st.fragment
def one_image(run: Run) -> None:
    """Show what an SVM and a forest of a run make of one image, folded; nothing where it has not both."""
    pair = _pair(run)
    if pair is None:
        return
    words = _("One image through SVM and forest")
    box = st.expander(words, key=f"together_{run.id}", icon=":material/compare_arrows:", on_change="rerun")
    if box.open:
        with box:
            try:
                _opened(run, *pair)
            except LabError as error:
                st.warning(tell(error))


def _pair(run: Run) -> tuple[HeadRow, HeadRow] | None:
    """Return an SVM and a forest that were fitted on the same input, on features where there are such."""
    rows = [row for row in run.result.heads if row.head in HEADS]
    for name in ("features", "pixels"):
        kinds = {HEADS[row.head].opens: row for row in reversed(rows) if row.input == name}
        if {"svm", "forest"} <= kinds.keys():
            return kinds["svm"], kinds["forest"]
    return None


def _opened(run: Run, svm: HeadRow, forest: HeadRow) -> None:
    names, hand, folder = run.result.class_names, getattr(run.spec, "by_hand", ()), str(state.lab().folder)
    known: Candidates = asked(together.candidates, run.id, svm.file, forest.file, folder)
    item = _picked(run, known)
    both = asked(together.together, run.id, svm.file, forest.file, item, folder)
    left, right = st.columns(2, gap="large")
    with left, st.container(key=f"together_svm_{run.id}"):
        answer = plain(names[both.pair[0]])
        st.subheader(f"{head_on(svm.head, svm.input, hand)}: {answer}", anchor=False)
        st.caption(
            _(
                "{first} is its answer, {second} its second choice. This is the machine that tells the two apart."
            ).format(first=answer, second=plain(names[both.pair[1]]))
        )
        open_heads.which_machine(both.svm)
        first, second = both.pair
        open_heads.svm_sum(both.svm, names, first, second, f"formula_together_{run.id}", most=8)
    with right, st.container(key=f"together_forest_{run.id}"):
        answer = plain(names[both.forest_label])
        st.subheader(f"{head_on(forest.head, forest.input, hand)}: {answer}", anchor=False)
        open_heads.forest_votes(both.forest, names, f"together_{run.id}")


def _picked(run: Run, known: Candidates) -> np.ndarray:
    """Let a person pick a test image, or what they drew last; return it as the heads take it."""
    names, form, drawn = run.result.class_names, prediction.form_of(run), state.get("on_easel")
    captions = [
        _("{n} · {label}: {svm} | {forest}").format(n=n, label=names[label], svm=names[one], forest=names[other])
        for n, (label, one, other) in enumerate(zip(known.labels, known.svm, known.forest, strict=True), 1)
    ]
    st.html(gallery(known.images, captions))
    st.caption(
        _(
            "Test images with their class, then the answers of SVM | forest. The first are in their usual order; the "
            "rest are images on which the two differ, if there are any."
        )
    )
    options = {i: f"{i + 1}" for i in range(len(known.items))}
    if drawn is not None and drawn.shape == form.shape and drawn.dtype == form.dtype:
        options |= {DRAWING: _("Your drawing")}
    number = st.pills(
        _("Which image"),
        list(options),
        format_func=options.__getitem__,
        default=0,
        required=True,
        key=f"together_image_{run.id}",
        wrap=True,
    )
    item = drawn if number == DRAWING and drawn is not None else known.items[number]
    st.html(gallery([inputs.modality(form.modality).preview(item)], [options[number]]))
    return item
