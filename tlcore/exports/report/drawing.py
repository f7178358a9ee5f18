"""Curves and bars as SVG, of plain numbers."""

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from tlcore.evaluation.calibration import Bin

Curve = Sequence[tuple[float, float]]  # (x, y) in order
WIDTH, HEIGHT = 460, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 96, 14, 40
MOST_POINTS = 1000
DASHES = {"train": "5 4", "validation": "", "test": "1 3"}


def curves(lines: Mapping[str, tuple[str, Curve]], x_title: str, y_title: str, percent: bool = False) -> str:
    """Return lines with their labels at their ends; points that are not finite are left out.

    Empty where no line has two points: a number needs no drawing.

    Parameters
    ----------
    lines : by part of the images ("train", "validation", "test"): what it is called, and its points
    percent : whether y is a share of one, shown as a percentage
    """
    drawn = {part: (label, _thinned(curve)) for part, (label, curve) in lines.items()}
    drawn = {part: (label, curve) for part, (label, curve) in drawn.items() if curve}
    if all(len(curve) < 2 for _label, curve in drawn.values()):
        return ""
    points = [point for _label, curve in drawn.values() for point in curve]
    x_low, x_high = _range([x for x, _y in points])
    steps = _ticks(*_range([y for _x, y in points]))
    steps = [step for step in steps if step <= 1] if percent else steps
    y_low, y_high = min(steps), max(steps)
    place = _Place(x_low, x_high, y_low, y_high)
    marks = [f"{100 * y:g} %" if percent else f"{y:g}" for y in steps]
    parts = [place.axes([x for x in _ticks(x_low, x_high) if x_low <= x <= x_high], steps, marks)]
    heights = _apart([place.y(curve[-1][1]) for _label, curve in drawn.values()])
    for (part, (label, curve)), height in zip(drawn.items(), heights, strict=True):
        way = " ".join(f"{place.x(x):.1f},{place.y(y):.1f}" for x, y in curve)
        parts.append(f'<polyline class="curve" points="{way}" stroke-dasharray="{DASHES.get(part, "")}"/>')
        if len(curve) == 1:
            parts.append(f'<circle cx="{place.x(curve[0][0]):.1f}" cy="{place.y(curve[0][1]):.1f}" r="3"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 6}" y="{height + 4:.1f}">{escape(label)}</text>')
    return _svg(parts, x_title, y_title)


def reliability(bins: Sequence[Bin], x_title: str, y_title: str) -> str:
    """Return the accuracy of the answers by how sure the model was, beside the line of one that is as right as sure."""
    place, ticks = _Place(0, 1, 0, 1), [0, 0.25, 0.5, 0.75, 1]
    marks = [f"{100 * tick:g} %" for tick in ticks]
    parts = [place.axes(ticks, ticks, marks, marks)]
    for each in bins:
        if each.accuracy is None:
            continue
        left, right, top = place.x(each.low), place.x(each.high), place.y(each.accuracy)
        parts.append(f'<rect class="bar" x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" '
                     f'height="{place.y(0) - top:.1f}"/>')  # fmt: skip
        parts.append(f'<text class="count" x="{(left + right) / 2:.1f}" y="{max(top - 3, 8):.1f}">{each.n}</text>')
    parts.append(f'<line class="ideal" x1="{place.x(0)}" y1="{place.y(0)}" x2="{place.x(1)}" y2="{place.y(1)}"/>')
    return _svg(parts, x_title, y_title)


class _Place:
    """From numbers to places on the drawing."""

    def __init__(self, x_low: float, x_high: float, y_low: float, y_high: float):
        self.x_low, self.x_high, self.y_low, self.y_high = x_low, x_high, y_low, y_high

    def x(self, value: float) -> float:
        return LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self.y_low) / (self.y_high - self.y_low) * (HEIGHT - TOP - BOTTOM)

    def axes(
        self, xs: Sequence[float], ys: Sequence[float], y_marks: Sequence[str], x_marks: Sequence[str] = ()
    ) -> str:
        """Return grid lines with what they stand for."""
        right, foot = WIDTH - RIGHT, HEIGHT - BOTTOM
        rows = (f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{self.y(y):.1f}" y2="{self.y(y):.1f}"/>'
                f'<text class="left" x="{LEFT - 6}" y="{self.y(y) + 4:.1f}">{mark}</text>'
                for y, mark in zip(ys, y_marks, strict=True))  # fmt: skip
        marks = x_marks or [f"{x:g}" for x in xs]
        columns = (f'<text class="count" x="{self.x(x):.1f}" y="{foot + 16}">{mark}</text>'
                   for x, mark in zip(xs, marks, strict=True))  # fmt: skip
        return "".join((*rows, *columns))


def _svg(parts: Sequence[str], x_title: str, y_title: str) -> str:
    x, y = escape(x_title), escape(y_title)
    titles = (
        f'<text class="count" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}">{x}</text>'
        f'<text class="count" transform="translate(12 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">{y}</text>'
    )
    label = escape(f"{y_title}: {x_title}")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}{titles}</svg>'


def _thinned(curve: Curve) -> Curve:
    """Return at most ``MOST_POINTS`` finite points, the last among them."""
    points = sorted(point for point in curve if np.isfinite(point).all())
    if len(points) <= MOST_POINTS:
        return points
    return [points[i] for i in np.linspace(0, len(points) - 1, MOST_POINTS).round().astype(int)]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers, from at or below ``low`` to at or above ``high``.

    Examples
    --------
    >>> _ticks(0.62, 0.97), _ticks(0, 30)
    ([0.6, 0.7, 0.8, 0.9, 1.0], [0.0, 10.0, 20.0, 30.0])
    """
    rough = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough * 0.999)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return [float(round(i * step, 10)) for i in range(first, last + 1)]


def _apart(heights: Sequence[float], least: float = 14) -> list[float]:
    """Return where labels stand that want these heights, none over another."""
    places = list(heights)
    order = sorted(range(len(places)), key=places.__getitem__)
    for upper, lower in zip(order, order[1:], strict=False):
        places[lower] = max(places[lower], places[upper] + least)
    return places
