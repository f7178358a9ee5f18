"""A drawing in a few hundred bytes: strokes on a grid, as the wall draws them and the networks read them."""

import json
from collections.abc import Sequence
from typing import Any

from tlcore.inputs.drawing import check_strokes

GRID = 200  # steps of the pad's side; the networks read 28
NEAR = 3  # steps: points nearer than this add nothing to the shape
MOST_KEPT = 600  # points of a drawing


def packed(value: object) -> bytes:
    """Return strokes that came from a browser as they are kept: JSON of ``[[width, x, y, x, y, ...], ...]``.

    Raises
    ------
    DataError
        They are no strokes, or more than a pad holds.

    Examples
    --------
    >>> packed([{"width": 0.085, "points": [[0.25, 0.25], [0.252, 0.25], [0.7, 0.25]]}])
    b'[[17,50,50,140,50]]'
    """
    rows, left = [], MOST_KEPT
    for stroke in check_strokes(value):
        points = _thinned([(round(x * GRID), round(y * GRID)) for x, y in stroke["points"]])[:left]
        left -= len(points)
        if points:
            rows.append([max(1, round(stroke["width"] * GRID)), *(part for point in points for part in point)])
    return json.dumps(rows, separators=(",", ":")).encode()


def unpacked(content: bytes) -> list[dict[str, Any]]:
    """Return kept strokes as a pad's, in units of its side.

    Examples
    --------
    >>> unpacked(b"[[17,50,50,140,50]]")
    [{'width': 0.085, 'points': [[0.25, 0.25], [0.7, 0.25]]}]
    """
    return [
        {"width": width / GRID, "points": [[x / GRID, y / GRID] for x, y in zip(at[::2], at[1::2], strict=True)]}
        for width, *at in json.loads(content)
    ]


def _thinned(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    kept = list(points[:1])
    for point in points[1:]:
        if max(abs(point[0] - kept[-1][0]), abs(point[1] - kept[-1][1])) >= NEAR:
            kept.append(point)
    if len(points) > 1 and points[-1] != kept[-1]:
        kept.append(points[-1])
    return kept
