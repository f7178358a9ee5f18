"""A person's strokes on the pad: checked, and drawn as an image, white ink on black. NumPy and Pillow only."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from tlcore.errors import DataError

MOST_STROKES = 200
MOST_POINTS = 5000
REACH = (-1.0, 2.0)  # a captured pen may leave the pad; what lies beyond this is moved to the limit
WIDTHS = (0.004, 0.5)  # of the pad's side
OVERSAMPLED = 4  # each pixel of a rendering is the mean of 4×4


def check_strokes(value: object) -> list[dict[str, Any]]:
    """Return the strokes that came from a browser, checked: ``[{"width": w, "points": [[x, y], ...]}, ...]``.

    Widths and coordinates are in units of the pad's side and are moved into their limits; a stroke without points is
    left out; other keys are dropped.

    Raises
    ------
    DataError
        Not a list of such strokes, a number that is not finite, or more than 200 strokes or 5,000 points.
    """
    if not isinstance(value, list | tuple):
        raise _unreadable("it is not a list of strokes")
    if len(value) > MOST_STROKES:
        raise _unreadable(f"it has more than {MOST_STROKES} strokes")
    checked, n_points = [], 0
    for stroke in value:
        if not isinstance(stroke, Mapping) or not isinstance(stroke.get("points"), list | tuple):
            raise _unreadable("a stroke has no points")
        n_points += len(stroke["points"])
        if n_points > MOST_POINTS:
            raise _unreadable(f"it has more than {MOST_POINTS:,} points")
        width = min(max(_number(stroke.get("width")), WIDTHS[0]), WIDTHS[1])
        if stroke["points"]:
            checked.append({"width": width, "points": [_point(point) for point in stroke["points"]]})
    return checked


def _point(value: object) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _unreadable("a point is not a pair of numbers")
    return [min(max(_number(part), REACH[0]), REACH[1]) for part in value]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unreadable("it holds something that is not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise _unreadable("it holds a number without bounds") from error
    if not math.isfinite(number):
        raise _unreadable("it holds a number without bounds")
    return number


def _unreadable(reason: str) -> DataError:
    return DataError("This drawing cannot be read: {reason}. Clear the pad and draw again.", reason=reason)


def render(strokes: Sequence[Mapping[str, Any]], size: int = 280) -> np.ndarray:
    """Draw strokes with round ends and joins, antialiased; a stroke of one point is a dot.

    Parameters
    ----------
    strokes : as ``check_strokes`` returns them
    size : pixels of each side

    Returns
    -------
    float32 array, shape (size, size), values in [0, 1]
    """
    fine = size * OVERSAMPLED
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        radius = max(stroke["width"] * fine / 2, 0.5)
        points = _thinned([(x * fine, y * fine) for x, y in stroke["points"]], radius / 4)
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        for (x, y), (x_next, y_next) in zip(points, points[1:], strict=False):
            length = math.hypot(x_next - x, y_next - y)
            across, down = (y - y_next) / length * radius, (x_next - x) / length * radius
            corners = [(x + across, y + down), (x_next + across, y_next + down)]
            pen.polygon([*corners, (x_next - across, y_next - down), (x - across, y - down)], fill=255)
    return np.asarray(canvas.reduce(OVERSAMPLED), np.float32) / 255


def _thinned(points: list[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Leave out points closer to the last kept one than ``step``: a pen reports many, the eye sees none of it."""
    kept = points[:1]
    for point in points[1:]:
        if math.dist(point, kept[-1]) >= step:
            kept.append(point)
    if len(points) > 1 and points[-1] != kept[-1]:
        kept.append(points[-1])
    return kept
