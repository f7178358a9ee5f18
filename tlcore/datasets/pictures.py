"""Pictures of one size and in grey, from whatever a set brings."""

import numpy as np


def in_grey(pixels: np.ndarray, side: int) -> np.ndarray:
    """Turn uint8 (n, h, w) or (n, h, w, 3) into uint8 (n, side, side, 1); colours by their brightness (ITU-R 601)."""
    if pixels.ndim == 4:
        pixels = np.round(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)
    return (pixels if pixels.shape[1:] == (side, side) else resize(pixels, side))[..., None]


def resize(pixels: np.ndarray, side: int) -> np.ndarray:
    """Turn uint8 (n, h, w) into uint8 (n, side, side)."""
    from PIL import Image

    resized = [Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC) for image in pixels]
    return np.stack([np.asarray(image) for image in resized])
