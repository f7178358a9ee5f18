"""Arrays as small PNGs inside addresses: heat over an image, sheets of activations, filters."""

import numpy as np

from tlcore.inputs.embedded import address

HEAT = np.array([232, 62, 140], np.float32)  # pink: blue and orange mean frozen and trainable
MOST_TILES = 64


def overlay(image: np.ndarray, heat: np.ndarray) -> str:
    """Return a picture, uint8, (h, w) or (h, w, 3), under pink heat, (h, w), opaque where that is largest.

    It is enlarged six times.
    """
    strength = (np.clip(heat / max(float(heat.max()), 1e-12), 0, 1) * 0.85)[..., None]
    colours = np.repeat(image[..., None], 3, axis=2) if image.ndim == 2 else image
    return _rounded(_enlarged(colours * (1 - strength) + HEAT * strength, 6))


def sheet(values: np.ndarray) -> str:
    """Return activations as grey tiles, (h, w, channels), or squares, (units,): black is 0, white the most."""
    grey = np.clip(values.astype(np.float32) / max(float(values.max()), 1e-12), 0, 1) * 255
    if grey.ndim == 1:
        columns = int(np.ceil(np.sqrt(len(grey))))
        cells = np.zeros((-(-len(grey) // columns) * columns, 2), np.float32)  # grey, opacity
        cells[: len(grey)] = np.stack([grey, np.full_like(grey, 255)], axis=1)
        return _rounded(_enlarged(cells.reshape(-1, columns, 2), max(2, 160 // columns)))
    return _rounded(_tiles(np.moveaxis(grey, -1, 0)[:MOST_TILES], 2 if values.shape[0] > 10 else 5))


def kernels(filters: np.ndarray) -> str:
    """Return filters, shape (n, h, w), as tiles: grey is 0, white the largest, black the smallest of its sheet."""
    reach = max(float(np.abs(filters).max()), 1e-12)
    return _rounded(_tiles((filters / reach * 0.5 + 0.5)[:MOST_TILES] * 255, 8))


def _rounded(pixels: np.ndarray) -> str:
    return address(np.clip(np.round(pixels), 0, 255).astype(np.uint8))


def _tiles(images: np.ndarray, times: int) -> np.ndarray:
    """Lay images side by side, eight in a row, with nothing in the gaps between them: (h, w, 2), grey and opacity."""
    images = np.stack([_enlarged(image, times) for image in images])
    n, h, w = images.shape
    columns = min(8, n)
    rows = -(-n // columns)
    out = np.zeros((rows * (h + 2) - 2, columns * (w + 2) - 2, 2), np.float32)
    for i, image in enumerate(images):
        top, left = i // columns * (h + 2), i % columns * (w + 2)
        out[top : top + h, left : left + w, 0] = image
        out[top : top + h, left : left + w, 1] = 255
    return out


def _enlarged(pixels: np.ndarray, times: int) -> np.ndarray:
    return pixels.repeat(times, axis=0).repeat(times, axis=1)
