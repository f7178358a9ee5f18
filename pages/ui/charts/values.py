"""The numbers behind a figure, as CSV: a row for each point, a column for each axis."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui.words.text import _

# ``meta`` of a trace that only helps to see another: a band around a line, a ring around chosen points.
ASIDE = "aside"
_FORMULA = re.compile(r"[=+\-@\t\r]")  # how a text begins that a spreadsheet would compute
_TAG = re.compile(r"<[^>]*>")


def csv_of(figure: go.Figure) -> str:
    """Return the numbers of a figure as CSV with a header line; a missing one is an empty cell.

    Examples
    --------
    >>> figure = go.Figure(go.Scatter(name="SVM", x=[1, 5], y=[70.5, None]))
    >>> figure = figure.update_xaxes(title="labels").update_yaxes(title="accuracy")
    >>> print(csv_of(figure), end="")
    series,labels,accuracy
    SVM,1,70.5
    SVM,5,
    """
    rows = [row for trace in figure.data if trace.meta != ASIDE for row in _rows(figure, trace)]
    titles = list(dict.fromkeys(title for row in rows for title in row))
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([_cell(title) for title in titles])
    writer.writerows([_cell(row.get(title)) for title in titles] for row in rows)
    return text.getvalue()


def _rows(figure: go.Figure, trace: Any) -> Iterator[Mapping[str, object]]:
    if trace.type == "heatmap":
        yield from _cells(figure, trace)
        return
    named = {_("series"): trace.name} if trace.name or len(figure.data) > 1 else {}
    values = {_title(figure, trace, axis): _list(getattr(trace, axis)) for axis in "xy"}
    for axis in "xy":
        values |= _interval(trace, axis)
    values |= trace.meta or {}
    for i in range(max(map(len, values.values()), default=0)):
        yield named | {title: column[i] for title, column in values.items() if i < len(column)}


def _cells(figure: go.Figure, trace: Any) -> Iterator[Mapping[str, object]]:
    """Yield a row for each cell of a matrix: where it stands, what is written in it, else its value."""
    written = trace.text if trace.text is not None else trace.z
    x, y = _list(trace.x), _list(trace.y)
    row_title, column_title = _title(figure, trace, "y"), _title(figure, trace, "x")  # Plotly takes long to tell each
    value_title = trace.name or _("value")
    for i, row in enumerate(written):
        for j, value in enumerate(row):
            yield {
                row_title: y[i] if y else i + 1,
                column_title: x[j] if x else j + 1,
                value_title: value,
            }


def _title(figure: go.Figure, trace: Any, axis: str) -> str:
    """Return what an axis of a trace is called; its letter where that has no words."""
    number = (getattr(trace, f"{axis}axis") or axis)[1:]
    return figure.layout[f"{axis}axis{number}"].title.text or axis


def _interval(trace: Any, axis: str) -> dict[str, list[object]]:
    """Return the ends of a trace's error bars, which have two lengths each."""
    bars = getattr(trace, f"error_{axis}", None)
    if bars is None or bars.array is None:
        return {}
    ends = zip(_list(getattr(trace, axis)), _list(bars.arrayminus), _list(bars.array), strict=True)
    lows, highs = zip(*((value - minus, value + plus) for value, minus, plus in ends), strict=True)
    return interval(lows, highs)


def interval(lows: Iterable[float], highs: Iterable[float]) -> dict[str, list[object]]:
    """Return the columns of 95 % intervals."""
    return {_("95 % interval from"): list(lows), _("95 % interval to"): list(highs)}


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _cell(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str):
        text = _TAG.sub("", value.replace("<br>", ", "))
        return f"'{text}" if _FORMULA.match(text) else text
    return value
