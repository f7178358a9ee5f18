"""The features of test images on a plane, before and after fine-tuning, with the images behind the points."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from pages.ui.charts import plots
from pages.ui.charts.figure import show_figure
from pages.ui.inputs.answers import gallery
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, ngettext
from tlcore import sources
from tlcore.inspection import BeforeAndAfter, Plane, maps
from tlcore.store import Run

from .inside import asked

MOST_IMAGES = 40


def feature_map(run: Run) -> None:
    """Show one layer's features of the source and of the fine-tuned network, side by side.

    Raises
    ------
    LabError
        The run's model is missing or damaged, or the process did not answer.
    """
    layers = sources.info(run.spec.source).cut_names[:-1]  # the last is made anew by the run
    a, b = st.columns(2)
    layer = a.selectbox(_("Layer"), layers, index=len(layers) - 1, key=f"map_layer_{run.id}")
    methods = {"pca": _("PCA: the two directions of most variance"), "tsne": _("t-SNE: keeps neighbours together")}
    method = b.selectbox(_("Drawn by"), list(methods), format_func=methods.__getitem__, key=f"map_method_{run.id}")
    found: BeforeAndAfter = asked(maps.before_and_after, run.id, layer, method, str(state.lab().folder))
    names, key = run.result.class_names, f"{run.id}_{layer}_{method}"
    if found.same:
        st.info(_("Everything up to {layer} was frozen: before and after are the same.").format(layer=layer))
    chosen: list[int] = []
    planes = {"before": (_("Before: the source"), found.before), "after": (_("After fine-tuning"), found.after)}
    columns = st.columns(2, gap="medium")
    for name in planes:
        chosen += _selected(state.get(f"map_{name}_{key}", {}))
    chosen = list(dict.fromkeys(chosen))[:MOST_IMAGES]
    for column, (name, (words, plane)) in zip(columns, planes.items(), strict=True):
        with column:
            st.markdown(f"**{words}**")
            st.caption(_sentence(plane, found.labels))
            show_figure(
                plots.scatter(plane.points, found.labels.tolist(), names, chosen),
                key=f"map_{name}_{key}",
                on_select="rerun",
                selection_mode=("points", "box"),
                alt=words,
            )
    _images(found, chosen, names)


def _selected(event: Any) -> list[int]:
    points = event.get("selection", {}).get("points", ()) if event else ()
    return [int(np.ravel(point["customdata"])[0]) for point in points if "customdata" in point]


def _sentence(plane: Plane, labels: np.ndarray) -> str:
    near = float((plane.neighbours == labels).mean())
    words = _("For **{near}** of the images the nearest other image, in all dimensions, has the same class.")
    shown = (
        _("The two axes show {kept} of the variance.").format(kept=percent(plane.kept, 0))
        if plane.kept is not None
        else _("Only which points lie close together has a meaning here, not how far apart the groups are.")
    )
    return f"{words.format(near=percent(near))} {shown}"


def _images(found: BeforeAndAfter, chosen: Sequence[int], names: Sequence[str]) -> None:
    """The images of the chosen points; while none is, those whose neighbours are of another class afterwards."""
    rows = list(chosen)
    if rows:
        words = ngettext("**{n} chosen image**", "**{n} chosen images**", len(rows)).format(n=len(rows))
    else:
        rows = np.flatnonzero(found.after.neighbours != found.labels)[:MOST_IMAGES].tolist()
        words = _("**Images whose nearest neighbour is of another class after fine-tuning**")
        st.caption(_("Click a point, or draw a box around some, to see the images behind them in both maps."))
    st.markdown(words)
    if rows:
        captions = [f"{names[found.labels[row]]} · {names[found.after.neighbours[row]]}" for row in rows]
        st.html(gallery(found.images[rows], captions))
        st.caption(_("Under each image: its class · the class of its nearest neighbour after fine-tuning."))
    else:
        st.caption(_("There are none."))
