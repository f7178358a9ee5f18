"""Pure Plotly figures from plain numbers; a page only shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from pages.ui.text import _

# Okabe-Ito: told apart with every common colour blindness. One colour a run or a head, everywhere.
PALETTE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#8C8C8C", "#B8A500")
MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}
FROZEN, TRAINABLE = "#0072B2", "#D55E00"


def color(index: int) -> str:
    return PALETTE[index % len(PALETTE)]


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str], title: str = "") -> go.Figure:
    """Return the confusion matrix: rows are true classes, columns answers; every cell shows its count."""
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(names),
            y=list(names),
            text=[[str(count) for count in row] for row in counts],
            texttemplate="%{text}",
            # Opaque, so that Plotly picks a text colour that stands out from the cell, in both themes.
            colorscale=[[0, "#EEF4F9"], [0.3, "#8FBFDF"], [1, "#0072B2"]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=2,
            ygap=2,
            hovertemplate=_("true %{y}, answered %{x}: %{text} images") + "<extra></extra>",
        )
    )
    figure.update_xaxes(title=_("answered"), type="category", side="bottom", constrain="domain", showgrid=False)
    figure.update_yaxes(title=_("true class"), type="category", autorange="reversed", scaleanchor="x", showgrid=False)
    size = 90 + 34 * len(names)
    figure.update_layout(
        height=max(260, min(460, size)), margin={"l": 10, "r": 10, "t": 30 if title else 10, "b": 10}, title=title
    )
    return figure


def head_bars(rows: Sequence[dict[str, Any]], titles: dict[str, str]) -> go.Figure:
    """Return mean test accuracy per head, features beside pixels, with the sd over seeds as error bars.

    ``rows`` hold head, input, mean, sd; the axis always runs from 0 to 100 %.
    """
    figure = go.Figure()
    for index, name in enumerate(dict.fromkeys(row["input"] for row in rows)):
        part = [row for row in rows if row["input"] == name]
        figure.add_bar(
            name=_("on features") if name == "features" else _("on raw pixels"),
            x=[titles[row["head"]] for row in part],
            y=[row["mean"] for row in part],
            error_y={"type": "data", "array": [row["sd"] or 0 for row in part], "color": PALETTE[1]},
            marker_color=(PALETTE[0], PALETTE[6])[index % 2],
            text=[f"{row['mean']:.1%}" for row in part],
            textposition="inside",
            insidetextanchor="start",
        )
    figure.update_yaxes(title=_("test accuracy, 0 to 100 %"), tickformat=".0%", range=[0, 1])
    figure.update_layout(barmode="group", height=360, margin=MARGIN, legend={"orientation": "h", "y": 1.12})
    return figure


def cuts(found: Mapping[str, Mapping[int, float]], names: Sequence[str], titles: Mapping[str, str]) -> go.Figure:
    """Return test accuracy against the boundary, a line per tail: ``found[tail][cut]``; the axis runs to 100 %."""
    figure = go.Figure()
    for index, (tail, points) in enumerate(found.items()):
        at = sorted(points)
        figure.add_scatter(
            name=titles[tail],
            x=[names[cut] for cut in at],
            y=[points[cut] for cut in at],
            mode="lines+markers",
            line={"color": PALETTE[index], "width": 2},
            marker={"size": 9, "symbol": ("circle", "diamond")[index % 2]},
            hovertemplate="%{x}: %{y:.1%}<extra></extra>",
        )
    low = min((value for points in found.values() for value in points.values()), default=0.0)
    bottom = max(0.0, (low * 10 // 1) / 10 - 0.1)
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=list(names), range=[-0.4, len(names) - 0.6]
    )
    figure.update_yaxes(
        title=_("test accuracy, {low:.0%} to 100 %").format(low=bottom), tickformat=".0%", range=[bottom, 1.005]
    )
    figure.update_layout(height=320, margin=MARGIN, legend={"orientation": "h", "y": -0.2}, showlegend=True)
    return figure
