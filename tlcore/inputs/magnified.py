"""Pictures of few pixels, and such pictures magnified: 8×8 digits at any size. Pixels are float32, shape (h, w, c)."""

import numpy as np
from PIL import Image

from .filters import box_mean, each, reduced

LEAST_CELLS, MOST_CELLS = 6, 64  # a side; with fewer no digit can be told, more is no magnified small picture
JUMP = 0.12  # of the greatest: smaller steps between rows are a JPEG's
FEW = 28  # pixels a side: each is part of the digit or of its ground
FEW_DETAILS = 48  # and of a picture that was enlarged smoothly
HALF_A_PANEL = 0.5  # of a row, or of all of it
SHORT = 16  # an ink this long is enlarged smoothly before it is cropped, else it loses its faint rim
ENLARGED = 40


def unmagnified(pixels: np.ndarray) -> np.ndarray:
    """Undo a magnification that made blocks of pixels, whatever its factor and place."""
    vertical, horizontal = (_grid(np.abs(np.diff(pixels, axis=axis)).mean(axis=(1 - axis, 2))) for axis in (0, 1))
    if vertical is None or horizontal is None:
        return pixels
    (down, top), (across, left) = vertical, horizontal
    down, across = down or across, across or down  # too few jumps to tell: as in the other direction
    if not down or abs(down - across) > 0.04 * down:
        return pixels
    rows, columns = (_centres(*grid) for grid in ((down, top, pixels.shape[0]), (across, left, pixels.shape[1])))
    if max(len(rows), len(columns)) > MOST_CELLS or min(len(rows), len(columns)) < LEAST_CELLS:
        return pixels
    cells = each(lambda plane: box_mean(plane, int(down / 4)), pixels)[rows][:, columns].astype(np.float32)
    row, column = _cell(rows, pixels.shape[0]), _cell(columns, pixels.shape[1])
    off = np.abs(cells[row][:, column] - pixels).max(axis=-1) > 0.15 * np.ptp(pixels)
    inner_rows = np.abs(np.arange(len(row)) - rows[row]) < 0.3 * down  # at its edges a JPEG's cell is anything
    inner_columns = np.abs(np.arange(len(column)) - columns[column]) < 0.3 * across
    few_greys = len(np.unique(np.round(cells * 50))) <= 3  # drawn in large pixels on purpose
    return pixels if few_greys or off[inner_rows][:, inner_columns].mean() > 0.001 else cells


def _grid(steps: np.ndarray) -> tuple[float, float] | None:
    """Return the period (0: unknown) and the first line of evenly spaced jumps; None when they are not even."""
    greatest = float(steps.max(initial=0))
    if greatest == 0:
        return 0.0, 0.0
    framed = np.pad(steps, 1)
    lines = np.flatnonzero((steps > JUMP * greatest) & (steps >= framed[:-2]) & (steps > framed[2:])) + 1
    if len(lines) < 3:
        return 0.0, float(lines[0])
    apart = np.diff(lines)
    period = float(apart.min())
    for _ in range(3):
        period = float(apart.sum() / np.maximum(1, np.round(apart / period)).sum())
    off = lines - lines[0] - period * np.round((lines - lines[0]) / period)
    return None if period < 2 or np.ptp(off) > 2.01 else (period, float(lines[0] + off.mean()))


def _centres(period: float, first: float, size: int) -> np.ndarray:
    at = np.arange(first % period - period / 2, size, period)
    return at[(at > 0) & (at < size)].astype(int)


def _cell(centres: np.ndarray, size: int) -> np.ndarray:
    return np.searchsorted((centres[1:] + centres[:-1]) / 2, np.arange(size) + 0.5)


def undetailed(pixels: np.ndarray) -> np.ndarray:
    """Make a picture that was enlarged smoothly as small as its detail allows, if that is small indeed."""
    result = pixels
    for side in (256, 128, 64, 48, 32, 24):
        if max(result.shape[:2]) < 1.3 * side:
            continue
        smaller = reduced(result, side)
        back = each(lambda plane: _enlarge(plane, *result.shape[:2]), smaller)  # noqa: B023
        off, range_ = np.abs(back - result).max(axis=(0, 1)), np.ptp(result, axis=(0, 1))
        if (off > 0.15 * np.maximum(range_, 0.02)).any():
            break
        result = smaller
    return result if max(result.shape[:2]) <= FEW_DETAILS else pixels


def without_margin(pixels: np.ndarray) -> np.ndarray:
    """Cut the margin off a panel of another colour, as plots and slides put around a small picture."""
    if not _has_even_border(pixels):
        return pixels
    seen = 0.5 * float(np.ptp(pixels))
    off = np.abs(pixels - np.median(border(pixels), axis=0)).max(axis=-1) > seen
    rows, columns = np.flatnonzero(off.mean(axis=1) > HALF_A_PANEL), np.flatnonzero(off.mean(axis=0) > HALF_A_PANEL)
    if min(len(rows), len(columns)) < LEAST_CELLS:
        return pixels
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    panel, rim = pixels[box], border(pixels[box])
    ground = np.median(rim, axis=0)
    alone = off[box].sum() > 0.98 * off.sum()  # else it is a stroke of a bold digit
    even = (np.abs(rim - ground).max(axis=-1) < seen).mean() > 0.97
    full = (np.abs(panel - ground).max(axis=-1) < seen).mean() > HALF_A_PANEL
    return panel if alone and even and full else pixels


def has_few_pixels(pixels: np.ndarray, was_magnified: bool) -> bool:
    """Say whether there is no room for anything but a digit on its ground."""
    side = max(pixels.shape[:2])
    return side < 12 or ((side < FEW or (was_magnified and side <= FEW_DETAILS)) and _has_even_border(pixels))


def _has_even_border(pixels: np.ndarray) -> bool:
    off = np.abs(border(pixels) - np.median(border(pixels), axis=0)).max(axis=-1)
    return float((off < 0.06 * np.ptp(pixels)).mean()) > 0.55


def border(pixels: np.ndarray) -> np.ndarray:
    return np.concatenate([pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1]])


def ink_of_few_pixels(pixels: np.ndarray, least: float) -> np.ndarray:
    """Return all that differs from the border's colour as ink, float32 (h, w), enlarged; 0 if less than ``least``."""
    rest = pixels - np.median(border(pixels), axis=0)
    distance = np.linalg.norm(rest, axis=-1)
    if distance.max() < least:
        return np.zeros(distance.shape, np.float32)
    colour = rest[distance > 0.7 * distance.max()].mean(axis=0)
    ink = np.clip(rest @ colour / (colour @ colour), 0, 1).astype(np.float32)
    return np.zeros_like(ink) if _is_light(ink > 0.5) else enlarged(ink)


def _is_light(spot: np.ndarray) -> bool:
    """Say whether the spot is a shadow or a lamp's light on an empty page: large or in a corner, and without a stroke.

    A straight digit 1 has as little shape, but is narrow or, cut out tightly, runs from corner to corner.
    """
    sides = np.sort([spot.any(axis=axis).sum() for axis in (0, 1)])
    if max(spot.shape) > 2 * min(spot.shape) or not _is_in_one_piece_each_way(spot):
        return False
    above, below = spot[0, [0, -1]], spot[-1, [0, -1]]
    across = (above[0] and below[1]) or (above[1] and below[0])
    return not across and bool(above.any() or below.any() or (spot.mean() > 0.3 and sides[1] < 1.9 * sides[0]))


def _is_in_one_piece_each_way(spot: np.ndarray) -> bool:
    """Say whether no row and no column of it has a gap."""
    starts = (np.diff(spot.astype(np.int8), axis=axis, prepend=0) == 1 for axis in (0, 1))
    return all((begun.sum(axis=axis) <= 1).all() for axis, begun in enumerate(starts))


def enlarged(ink: np.ndarray, long: float = 0) -> np.ndarray:
    """Enlarge smoothly so that the ink, ``long`` pixels of it, has 40 pixels or more."""
    factor = int(np.ceil(ENLARGED / (long or max(ink.shape))))
    framed = np.pad(ink, 1)
    return np.clip(_enlarge(framed, framed.shape[0] * factor, framed.shape[1] * factor), 0, 1)


def _enlarge(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(picture.resize((width, height), Image.Resampling.BICUBIC), np.float32)
