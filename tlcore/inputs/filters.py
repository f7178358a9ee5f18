"""Filters on images of float32, shape (h, w). NumPy and Pillow only: the server process holds no SciPy."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter


def box_mean(image: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean over the square of 2·reach + 1 pixels around each pixel; outside the image is 0."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        sums = np.cumsum(np.pad(image, ((reach + 1, reach), (0, 0))), axis=0, dtype=np.float64)
        image = np.moveaxis((sums[2 * reach + 1 :] - sums[: -2 * reach - 1]) / (2 * reach + 1), 0, axis)
    return image


def covers(mask: np.ndarray, reach: int) -> np.ndarray:
    """Return the mask grown by ``reach`` pixels to all sides."""
    return box_mean(mask, reach) > 1e-6


def extreme(image: np.ndarray, reach: int, choose: Callable = np.maximum) -> np.ndarray:
    """Return the maximum (or minimum) over the square around each pixel, in steps that double."""
    for axis in (0, 1):
        image = np.moveaxis(image, axis, 0)
        rows = np.pad(image, ((reach, reach), (0, 0)), mode="edge")
        n, size = 1, 2 * reach + 1
        while n < size:
            step = min(n, size - n)
            rows = choose(rows[: len(rows) - step], rows[step:])
            n += step
        image = np.moveaxis(rows, 0, axis)
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
