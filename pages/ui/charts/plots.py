"""Pure Plotly figures from plain numbers; a page only shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore.evaluation.calibration import Bin
from tlcore.spec import Evaluation, HeadMean

from .palette import COLOURS, GREY, MARK
from .values import ASIDE

# On every chart: Plotly's own default offers to send the data to a server of theirs.
CONFIG = {"displayModeBar": False, "displaylogo": False, "showSendToCloud": False}
MARGIN = {"l": 10, "r": 10, "t": 40, "b": 10}


def color(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str], title: str = "") -> go.Figure:
    """Return the confusion matrix: rows are true classes, columns answers; every cell shows its count."""
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(names),
            y=list(names),
            name=_("images"),
            text=[[str(count) for count in row] for row in counts],
            texttemplate="%{text}",
            # Opaque, so that Plotly picks a text colour that stands out from the cell, in both themes.
            colorscale=[[0, "#EDF5F1"], [0.3, "#8CCBB4"], [1, "#00664B"]],
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


def clickable(figure: go.Figure, names: Sequence[str], at: tuple[int, int]) -> go.Figure:
    """Lay a point over every cell of a confusion matrix, for Plotly selects points only; frame the cell ``at``."""
    rows, columns = zip(*((i, j) for i in range(len(names)) for j in range(len(names))), strict=True)
    figure.add_scatter(
        x=[names[j] for j in columns],
        y=[names[i] for i in rows],
        customdata=[[i, j] for i, j in zip(rows, columns, strict=True)],
        mode="markers",
        marker={"symbol": "square", "size": 24, "color": "rgba(0,0,0,0)"},
        meta=ASIDE,
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hoverinfo="none",  # not "skip": what cannot be hovered cannot be clicked
        showlegend=False,
    )
    i, j = at
    frame = {"x0": j - 0.48, "x1": j + 0.48, "y0": i - 0.48, "y1": i + 0.48}
    figure.add_shape(type="rect", line={"color": MARK, "width": 3}, **frame)
    return figure


def reliability(bins: Sequence[Bin]) -> go.Figure:
    """Return how often answers of each certainty are right, beside the line of a model that can be believed."""
    found = [b for b in bins if b.n]
    figure = go.Figure()
    figure.add_bar(
        name=_("this model"),
        x=[50 * (b.low + b.high) for b in found],
        y=[100 * (b.accuracy or 0) for b in found],
        width=[95 * (b.high - b.low) for b in found],
        marker_color=COLOURS[0],
        text=[f"{b.n:,}" for b in found],
        textposition="outside",
        cliponaxis=False,
        customdata=[100 * (b.confidence or 0) for b in found],
        meta={
            _("how sure on average, %"): [100 * (b.confidence or 0) for b in found],
            _("images"): [b.n for b in found],
        },
        hovertemplate=_("sure of %{customdata:.1f} %, right %{y:.1f} % of the time, %{text} images")
        + "<extra></extra>",
    )
    figure.add_scatter(
        name=_("as right as it is sure"),
        x=[0, 100],
        y=[0, 100],
        mode="lines",
        line={"color": GREY, "dash": "dash", "width": 2},
        hoverinfo="skip",
    )
    figure.update_xaxes(title=_("how sure, 0 to 100 %"), ticksuffix=" %", range=[0, 100])
    figure.update_yaxes(title=_("how often right, 0 to 100 %"), ticksuffix=" %", range=[0, 112], dtick=25)
    figure.update_layout(height=340, margin=MARGIN, legend={"orientation": "h", "y": 1.14})
    return figure


def shares(values: Sequence[float], names: Sequence[str], guess: float) -> go.Figure:
    """Return how often each class was answered, with a line where guessing would put every bar."""
    figure = go.Figure()
    figure.add_bar(
        x=list(names),
        y=[100 * value for value in values],
        marker_color=COLOURS[0],
        text=[percent(value, 0) for value in values],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
    )
    figure.add_hline(y=100 * guess, line={"color": GREY, "dash": "dash", "width": 2})
    figure.update_xaxes(type="category", title=_("answered"))
    figure.update_yaxes(title=_("share of the images, 0 to 100 %"), ticksuffix=" %", range=[0, 112], dtick=25)
    figure.update_layout(height=300, margin=MARGIN, showlegend=False)
    return figure


def head_dots(lines: Sequence[HeadMean], titles: Mapping[str, str], inputs: Mapping[str, str]) -> go.Figure:
    """Return each head's mean test error, features beside pixels on one row, with the 95 % interval of the mean.

    ``lines`` are in the order from above; ``titles`` and ``inputs`` say what their names are called. The axis begins
    at 0: the nearer, the better.
    """
    figure = go.Figure()
    heads = list(dict.fromkeys(titles.get(line.head, line.head) for line in lines))
    for name in dict.fromkeys(line.input for line in lines):
        part = [line for line in lines if line.input == name]
        colour, symbol, at = (GREY, "diamond", "bottom") if name == "pixels" else (COLOURS[0], "circle", "top")
        low_to_high = [(1 - line.mean, 1 - line.interval[1], 1 - line.interval[0]) for line in part]
        figure.add_scatter(
            name=_("on {input}").format(input=inputs[name]),
            x=[100 * (1 - line.mean) for line in part],
            y=[titles.get(line.head, line.head) for line in part],
            error_x=_error_bars(low_to_high) | {"color": colour},
            mode="markers+text",
            marker={"size": 12, "symbol": symbol, "color": colour},
            text=[percent(1 - line.mean) for line in part],
            textposition=f"{at} center",  # two near one another would write over each other
        )
    top = max(1 - line.interval[0] for line in lines)
    figure.update_xaxes(title=_("test error: less is better"), ticksuffix=" %", range=[0, 105 * top])
    figure.update_yaxes(categoryorder="array", categoryarray=heads[::-1], automargin=True)
    height = 130 + 52 * len(heads)
    figure.update_layout(height=height, margin=MARGIN, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"})
    return figure


def _error_bars(values: Sequence[tuple[float, float, float]]) -> dict[str, Any]:
    """Return Plotly's error bars of shares of one, each with the two ends of its interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [100 * (high - value) for value, _low, high in values],
        "arrayminus": [100 * (value - low) for value, low, _high in values],
    }


def cuts(
    found: Mapping[str, Mapping[str, Evaluation]], names: Mapping[str, str], titles: Mapping[str, str]
) -> go.Figure:
    """Return test accuracy against the boundary, a line per tail: ``found[tail][cut]``; the axis runs to 100 %.

    Bars are 95 % intervals. ``names`` has the words for every cut, in the network's order.
    """
    figure = go.Figure()
    for index, (tail, points) in enumerate(found.items()):
        at = [cut for cut in names if cut in points]
        figure.add_scatter(
            name=titles[tail],
            x=[names[cut] for cut in at],
            y=[100 * points[cut].headline for cut in at],
            error_y=_error_bars([(points[cut].headline, *points[cut].interval) for cut in at]),
            mode="lines+markers",
            line={"color": COLOURS[index], "width": 2},
            marker={"size": 9, "symbol": ("circle", "diamond")[index % 2]},
            hovertemplate="%{x}: %{y:.1f} %<extra></extra>",
        )
    low = min((test.low for points in found.values() for test in points.values()), default=0.0)
    bottom = max(0.0, (low * 10 // 1) / 10 - 0.1)
    figure.update_xaxes(
        type="category", categoryorder="array", categoryarray=list(names.values()), range=[-0.4, len(names) - 0.6]
    )
    title = _("test accuracy, {low} to 100 %").format(low=percent(bottom, 0))
    figure.update_yaxes(title=title, ticksuffix=" %", range=[100 * bottom, 100.5])
    figure.update_layout(height=320, margin=MARGIN, legend={"orientation": "h", "y": -0.2}, showlegend=True)
    return figure


def running_average(averages: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Return one line per class: the average over the first trees, shape (n_trees, k), against their number."""
    figure = go.Figure()
    trees = list(range(1, len(averages) + 1))
    for index, name in enumerate(names):
        figure.add_scatter(
            name=name,
            x=trees,
            y=[100 * float(value) for value in averages[:, index]],
            mode="lines",
            line={"color": color(index), "width": 2, "dash": "solid" if index < len(COLOURS) else "dot"},
            hovertemplate=f"{name}: %{{y:.1f}} %<extra></extra>",
        )
    figure.update_xaxes(title=_("trees averaged"))
    figure.update_yaxes(title=_("average, 0 to 100 %"), ticksuffix=" %", range=[0, 102])
    figure.update_layout(height=320, margin=MARGIN, legend={"orientation": "h", "y": 1.14})
    return figure


def scatter(points: np.ndarray, labels: Sequence[int], names: Sequence[str], marked: Sequence[int] = ()) -> go.Figure:
    """Return images as points on a plane, a colour and a sign per class; ``marked`` ones have a ring around them.

    Every point's ``customdata`` is its row in ``points``.
    """
    symbols = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star", "hexagon", "pentagon", "hourglass")
    figure = go.Figure()
    if len(marked):
        rows = list(marked)
        figure.add_scatter(
            name=_("chosen"),
            meta=ASIDE,
            x=points[rows, 0],
            y=points[rows, 1],
            mode="markers",
            marker={"symbol": "circle-open", "size": 17, "color": MARK, "line": {"width": 3}},
            hoverinfo="skip",
        )
    for index, name in enumerate(names):
        rows = [row for row, label in enumerate(labels) if label == index]
        figure.add_scatter(
            name=name,
            x=points[rows, 0],
            y=points[rows, 1],
            customdata=rows,
            mode="markers",
            marker={"color": color(index), "symbol": symbols[index % len(symbols)], "size": 7},
            unselected={"marker": {"opacity": 0.35}},
            hovertemplate=f"{name}<extra></extra>",
        )
    figure.update_xaxes(showticklabels=False, title="", zeroline=False)
    figure.update_yaxes(showticklabels=False, title="", zeroline=False)
    figure.update_layout(height=420, margin=MARGIN, legend={"orientation": "h", "y": -0.05})
    return figure


def steps(rates: Sequence[float], losses: Sequence[float], before: float, chosen: int) -> go.Figure:
    """Return the loss after one step against the learning rate, the loss before as a line, the chosen one marked."""
    figure = go.Figure()
    figure.add_scatter(
        x=list(rates),
        y=list(losses),
        mode="lines+markers",
        line={"color": COLOURS[0], "width": 2},
        marker={"size": [15 if place == chosen else 8 for place in range(len(rates))], "color": COLOURS[0]},
        hovertemplate="η = %{x:g}: %{y:.3f}<extra></extra>",
    )
    figure.add_hline(y=before, line={"color": GREY, "dash": "dash"}, annotation_text=_("before the step"))
    figure.update_xaxes(
        title=_("learning rate η"), type="log", tickvals=list(rates), ticktext=[f"{r:g}" for r in rates]
    )
    figure.update_yaxes(title=_("loss of the batch"), rangemode="tozero")
    figure.update_layout(height=300, margin=MARGIN, showlegend=False)
    return figure


def range_test(rates: Sequence[float], losses: Sequence[float], best: float | None) -> go.Figure:
    """Return the loss against rising learning rates, with a line at the suggested one."""
    line = go.Scatter(x=list(rates), y=list(losses), mode="lines", line={"color": COLOURS[0], "width": 2})
    figure = go.Figure(line)
    figure.update_traces(hovertemplate=_("rate %{x:.1e}, loss %{y:.3f}") + "<extra></extra>")
    if best is not None:
        figure.add_vline(x=best, line={"color": GREY, "dash": "dash"})
    figure.update_xaxes(title=_("learning rate"), type="log")
    figure.update_yaxes(title=_("training loss, averaged"))
    figure.update_layout(height=260, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=False)
    return figure
