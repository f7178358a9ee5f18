"""The pictures of How it works, from plain numbers."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui.words.text import _
from tlcore.inspection.formulas import cost
from tlcore.inspection.lesson import SVM, LayerStep

from .palette import COLOURS, FROZEN, GREY, MARK, TRAINABLE
from .plots import MARGIN


def costs(shares: Sequence[float], mean: float) -> go.Figure:
    """Return −log p as a curve with the images of a batch on it; the line is their mean, the objective."""
    curve = np.geomspace(min(0.01, *shares), 1, 200)
    figure = go.Figure(
        go.Scatter(
            x=curve, y=[cost(p) for p in curve], mode="lines", line={"color": COLOURS[0], "width": 3}, hoverinfo="skip"
        )
    )
    figure.add_scatter(
        x=list(shares),
        y=[cost(p) for p in shares],
        mode="markers",
        marker={"size": 12, "color": MARK, "opacity": 0.8, "line": {"width": 1, "color": "white"}},
        hovertemplate=_("share %{x:.2f}, costs %{y:.2f}") + "<extra></extra>",
    )
    figure.add_hline(
        y=mean,
        line={"color": GREY, "dash": "dash"},
        annotation_text=_("the mean: J = {loss:.2f}").format(loss=mean),
        annotation_position="top right",
    )
    figure.update_xaxes(title=_("share of the true class, p"), range=[-0.03, 1.03])
    figure.update_yaxes(title=_("what it costs, −log p"), rangemode="tozero")
    figure.update_layout(height=300, margin=MARGIN, showlegend=False)
    return figure


def frozen_step(layers: Sequence[LayerStep], place: int) -> go.Figure:
    """Return for every layer how long its gradient is, and how far a step moves it: frozen ones not at all."""
    names = [one.layer for one in layers]
    figure = go.Figure(
        go.Bar(
            y=names,
            x=[one.gradient for one in layers],
            orientation="h",
            name=_("gradient"),
            marker={"color": GREY},
            hovertemplate="%{x:.3f}<extra></extra>",
            xaxis="x",
        )
    )
    figure.add_bar(
        y=names,
        x=[one.moved[place] for one in layers],
        orientation="h",
        name=_("step"),
        marker={"color": [FROZEN if one.frozen else TRAINABLE for one in layers]},
        text=["0" if one.frozen else f"{one.moved[place]:.3g}" for one in layers],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x:.4f}<extra></extra>",
        xaxis="x2",
    )
    figure.update_layout(
        height=80 + 42 * len(names),
        margin={"l": 10, "r": 40, "t": 10, "b": 10},
        showlegend=False,
        xaxis={"domain": [0, 0.45], "rangemode": "tozero", "showgrid": False, "title": _("its gradient")},
        xaxis2={
            "domain": [0.55, 0.93],
            "rangemode": "tozero",
            "showgrid": False,
            "anchor": "y",
            "title": _("how far it moves"),
        },
        yaxis={"autorange": "reversed"},
    )
    return figure


def table(rows: Sequence[Sequence[float]], names: Sequence[str]) -> go.Figure:
    """Return a corner of the matrix: a row for each image, darker where an activation is larger."""
    labels = [f"{i}: {name}" for i, name in enumerate(names, start=1)]
    figure = go.Figure(
        go.Heatmap(
            z=rows,
            name=_("activation"),
            y=labels,
            colorscale=[[0, "#EDF5F1"], [0.3, "#8CCBB4"], [1, "#00664B"]],
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate=_("image %{y}, column %{x}: %{z:.2f}") + "<extra></extra>",
        )
    )
    figure.update_xaxes(title=_("features (the first ones that are not all 0)"), showticklabels=False, showgrid=False)
    figure.update_yaxes(title=_("image: class"), autorange="reversed", showgrid=False)
    figure.update_layout(height=90 + 22 * len(rows), margin=MARGIN)
    return figure


def margin(machine: SVM) -> go.Figure:
    """Return where the machine puts its training images: support vectors filled, the larger the more they count."""
    figure = go.Figure()
    for side, name, colour in ((1, machine.pair[0], COLOURS[0]), (-1, machine.pair[1], COLOURS[1])):
        images = [i for i, each in enumerate(machine.sides) if each == side]
        alphas = [machine.alphas[i] for i in images]
        figure.add_scatter(
            x=[machine.decisions[i] for i in images],
            y=[name] * len(images),
            mode="markers",
            marker={
                "size": [10 + 10 * alpha / machine.C for alpha in alphas],
                "color": colour,
                "opacity": 0.75,
                "symbol": ["circle" if alpha > 0 else "circle-open" for alpha in alphas],
                "line": {"width": 1.5, "color": colour},
            },
            customdata=alphas,
            hovertemplate=_("decides %{x:.2f}, α = %{customdata:.2f}") + "<extra></extra>",
        )
    for x, dash in ((-1, "dot"), (0, "solid"), (1, "dot")):
        figure.add_vline(x=x, line={"color": GREY, "dash": dash})
    figure.update_xaxes(title=_("the machine's answer: above 0 means {name}").format(name=machine.pair[0]))
    figure.update_yaxes(type="category", showgrid=False)
    figure.update_layout(height=230, margin=MARGIN, showlegend=False)
    return figure
