"""Figures of the Evidence page: curves over labels with bands, and a score of cuts beside the truth."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from pages.ui.words.numbers import percent
from pages.ui.words.text import _
from tlcore.evidence import Band

from .palette import GREY, MARK, of_ways
from .plots import MARGIN
from .values import ASIDE, interval


def label_curves(
    lines: Mapping[str, Sequence[Band]],
    mark: tuple[float, float, float, str] | None = None,
    ways: Sequence[str] = (),
) -> go.Figure:
    """Return test accuracy against labels per class on a logarithmic axis, each line with its band over seeds.

    Parameters
    ----------
    mark : an accuracy, the labels of two lines that reach it, and words for the way between them
    ways : what each line trains, by which it has its colour
    """
    figure = go.Figure()
    colours = of_ways(ways or [""] * len(lines))
    for index, (name, bands) in enumerate(lines.items()):
        at = [band.x for band in bands]
        figure.add_scatter(
            x=[*at, *reversed(at)],
            y=[*(min(100 * band.high, 100) for band in bands), *(100 * band.low for band in reversed(bands))],
            meta=ASIDE,
            fill="toself",
            fillcolor=colours[index],
            opacity=0.18,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
        figure.add_scatter(
            name=name,
            x=at,
            y=[100 * band.mean for band in bands],
            mode="lines+markers",
            line={"color": colours[index], "width": 2, "dash": ("solid", "dot", "dash")[index % 3]},
            marker={"size": 8, "symbol": ("circle", "diamond", "square")[index % 3]},
            customdata=[[100 * band.low, 100 * band.high, band.n_seeds] for band in bands],
            meta=interval((100 * band.low for band in bands), (100 * band.high for band in bands))
            | {_("Seeds"): [band.n_seeds for band in bands]},
            hovertemplate=_("%{x} labels: %{y:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f} %)")
            + "<extra></extra>",
        )
    if mark:
        accuracy, first, second, words = mark
        figure.add_scatter(
            x=[first, second],
            y=[100 * accuracy, 100 * accuracy],
            mode="lines+markers",
            line={"color": MARK, "width": 3},
            marker={"symbol": "line-ns-open", "size": 12, "color": MARK},
            name=words,
            hoverinfo="name",
        )
    every = sorted({band.x for bands in lines.values() for band in bands})
    low = min((band.mean for bands in lines.values() for band in bands), default=0.0)
    bottom = max(0.0, (low * 10 // 1) / 10 - 0.1)
    figure.update_xaxes(
        title=_("labels per class, logarithmic"), type="log", tickvals=every, ticktext=[f"{n:g}" for n in every]
    )
    title = _("test accuracy, {low} to 100 %").format(low=percent(bottom, 0))
    figure.update_yaxes(title=title, ticksuffix=" %", range=[100 * bottom, 100.5])
    figure.update_layout(height=420, margin=MARGIN, legend={"orientation": "h", "y": -0.22}, hovermode="closest")
    return figure


def meter(scores: Mapping[str, float], truth: Mapping[str, float], title: str) -> go.Figure:
    """Return a score of every cut as bars with the accuracy that came out as a line on an axis of its own.

    The cuts stand in the order of ``truth``; below each is its accuracy, with a star at the best.
    """
    best = max(truth.values(), default=1.0)
    low = max(0.0, (min(truth.values(), default=0.0) * 10 // 1) / 10 - 0.1)
    names = [f"{cut}<br>{percent(value)}{' ★' if value == best else ''}" for cut, value in truth.items()]
    figure = go.Figure()
    figure.add_bar(name=title, x=names, y=[scores[cut] for cut in truth], marker_color=GREY, opacity=0.75)
    figure.add_scatter(
        name=_("test accuracy afterwards"),
        x=names,
        y=[100 * accuracy for accuracy in truth.values()],
        yaxis="y2",
        mode="lines+markers",
        line={"color": MARK, "width": 2},
        marker={"size": 9},
        hovertemplate="%{y:.1f} %<extra></extra>",
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(title=title)
    figure.update_layout(
        height=380,
        margin=MARGIN,
        legend={"orientation": "h", "y": -0.25},
        yaxis2={
            "title": _("test accuracy, {low} to 100 %").format(low=percent(low, 0)),
            "overlaying": "y",
            "side": "right",
            "ticksuffix": " %",
            "tickformat": ".0f",
            "tickvals": [100 * (low + step * (1 - low) / 4) for step in range(5)],
            "range": [100 * low, 102],
            "showgrid": False,
        },
    )
    return figure
