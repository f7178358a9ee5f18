"""Filters on images of float32, shape (h, w). NumPy and Pillow only: the server process holds no SciPy."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter


def box_mean(image: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean over the square of 2·reach + 1 pixels around each pixel; outside the image is 0."""
    (height, width), size = image.shape, 2 * reach + 1
    sums = np.zeros((height + size, width))
    np.cumsum(image, axis=0, dtype=np.float64, out=sums[reach + 1 : reach + 1 + height])
    sums[reach + 1 + height :] = sums[reach + height]
    rows = (sums[size:] - sums[:-size]) / size
    sums = np.zeros((height, width + size))
    np.cumsum(rows, axis=1, out=sums[:, reach + 1 : reach + 1 + width])
    sums[:, reach + 1 + width :] = sums[:, reach + width, None]
    return (sums[:, size:] - sums[:, :-size]) / size


def covers(mask: np.ndarray, reach: int) -> np.ndarray:
    """Return the mask, of 0 and 1, grown by ``reach`` pixels to all sides: True and False."""
    grown, size = mask > 0, 2 * reach + 1
    for _ in "rows", "columns":
        rows = np.zeros((len(grown) + 2 * reach, grown.shape[1]), bool)
        rows[reach : reach + len(grown)] = grown
        grown = _chosen(rows, size, np.logical_or).T
    return grown


def _chosen(rows: np.ndarray, size: int, choose: Callable) -> np.ndarray:
    """Return what is chosen of each ``size`` rows that follow each other, in steps that double."""
    n = 1
    while n < size:
        step = min(n, size - n)
        rows = choose(rows[: len(rows) - step], rows[step:])
        n += step
    return rows


def extreme(image: np.ndarray, reach: int, choose: Callable = np.maximum) -> np.ndarray:
    """Return the maximum (or minimum) over the square around each pixel."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        rows = np.pad(image, ((reach, reach), (0, 0)), mode="edge")
        image = np.moveaxis(_chosen(rows, 2 * reach + 1, choose), 0, axis)
    return image


def closed(image: np.ndarray, reach: int) -> np.ndarray:
    """Return the image with everything dark closed over that is narrower than 2·reach + 1 pixels."""
    return extreme(extreme(image, reach), reach, np.minimum)


def resized(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)


def reduced(pixels: np.ndarray, longest: int) -> np.ndarray:
    """Return (h, w, c) with no side longer than ``longest``."""
    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    shape = tuple(max(3, round(side * scale)) for side in pixels.shape[:2])
    return each(lambda plane: resized(plane, shape), pixels)


def each(change: Callable[[np.ndarray], np.ndarray], pixels: np.ndarray) -> np.ndarray:
    """Apply a filter to every channel of (h, w, c)."""
    return np.stack([change(pixels[..., channel]) for channel in range(pixels.shape[-1])], axis=-1)


def median(image: np.ndarray) -> np.ndarray:
    """Return the median of 3×3 pixels, which takes away specks and leaves edges."""
    picture = Image.fromarray(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))  # Pillow's filters take 8 bits
    return np.asarray(picture.filter(ImageFilter.MedianFilter(3)), np.float32) / 255
