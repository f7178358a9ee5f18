"""A few curves as one SVG file, readable on light and dark ground; no library draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10
from pathlib import Path

WIDTH, HEIGHT = 450, 260  # of one panel
LEFT, RIGHT, TOP, BOTTOM = 62, 30, 40, 44
COLOURS = ("#0072B2", "#D55E00")
GREY = "#7a8691"

Curve = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Curves over one axis each way, both logarithmic; ``limit`` is a dashed line."""

    title: str
    x_title: str
    y_title: str
    curves: Mapping[str, Curve]
    limit: float | None = None


def write(path: Path, panels: Sequence[Panel], words: str) -> None:
    """Write panels two in a row; ``words`` stand below: machine and date."""
    rows = ceil(len(panels) / 2)
    width, height = 2 * WIDTH, rows * HEIGHT + 24
    parts = [_panel(panel, (i % 2) * WIDTH, (i // 2) * HEIGHT) for i, panel in enumerate(panels)]
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{GREY}">\n' + "\n".join(parts) + f'\n<text x="8" y="{height - 8}">{escape(words)}</text>'
        "\n</svg>\n",
        encoding="utf-8",
    )


def _panel(panel: Panel, x0: float, y0: float) -> str:
    points = [point for curve in panel.curves.values() for point in curve]
    x_range = _decades([x for x, _ in points])
    y_range = _decades([y for _, y in points] + ([panel.limit] if panel.limit else []))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        across = (log10(x) - x_range[0]) / (x_range[1] - x_range[0])
        up = (log10(y) - y_range[0]) / (y_range[1] - y_range[0])
        return LEFT + across * (right - LEFT), bottom - up * (bottom - TOP)

    parts = [f'<g transform="translate({x0} {y0})">']
    parts.append(f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{escape(panel.title)}</text>')
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(panel.x_title)}</text>')
    parts.append(f'<text x="{LEFT}" y="33">{escape(panel.y_title)}</text>')
    for power in range(x_range[0], x_range[1] + 1):
        x, _ = at(10.0**power, 10.0 ** y_range[0])
        parts.append(
            _line(x, TOP, x, bottom) + f'<text x="{x}" y="{bottom + 16}" text-anchor="middle">{_short(power)}</text>'
        )
    for power in range(y_range[0], y_range[1] + 1):
        _, y = at(10.0 ** x_range[0], 10.0**power)
        parts.append(
            _line(LEFT, y, right, y) + f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{_short(power)}</text>'
        )
    if panel.limit:
        _, y = at(10.0 ** x_range[0], panel.limit)
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{right}" y2="{y}" stroke="{GREY}" stroke-dasharray="6 4"/>')
        parts.append(f'<text x="{right}" y="{y - 4}" text-anchor="end">wanted: at most {panel.limit:g}</text>')
    for (name, curve), colour in zip(panel.curves.items(), COLOURS, strict=False):
        places = [at(x, y) for x, y in sorted(curve)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
        x, y = places[-1]
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="end" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</g>"])


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{GREY}" stroke-opacity=".25"/>'


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = floor(log10(min(values))), ceil(log10(max(values)))
    return low, max(high, low + 1)


def _short(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
