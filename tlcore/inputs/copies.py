"""Copies of images, each moved a little and still what it was: light augmentation. NumPy and Pillow only."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

SHIFT = 2.0  # pixels, each axis, both ways
TURN = 10.0  # degrees, both ways
ZOOM = 1.1  # times larger or smaller, evenly in the logarithm


def moved(images: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """Return each image shifted, turned and zoomed about its centre by amounts of its own; black comes in from outside.

    Never mirrored: no digit's mirror image is a digit.

    Parameters
    ----------
    images : uint8, shape (n, h, w, channels); so are the copies, whose channels move together
    """
    copies = np.empty_like(images)
    for copy, image, way in zip(copies, images, _ways(len(images), images.shape[1:3], seed), strict=True):
        size = image.shape[1], image.shape[0]
        for channel in range(image.shape[2]):
            plane = Image.fromarray(np.ascontiguousarray(image[..., channel]))
            copy[..., channel] = plane.transform(size, Image.Transform.AFFINE, way, Image.Resampling.BILINEAR)
    return copies


def _ways(n: int, size: tuple[int, int], seed: int | Sequence[int]) -> list[tuple[float, ...]]:
    """Return where a pixel of each copy comes from, as Pillow takes it: (a, b, c, d, e, f), x = a·x' + b·y' + c."""
    rng = np.random.default_rng(seed)
    turn = np.radians(rng.uniform(-TURN, TURN, n))
    zoom = ZOOM ** rng.uniform(-1, 1, n)
    shift = rng.uniform(-SHIFT, SHIFT, (n, 2))
    centre = np.array([size[1], size[0]]) / 2
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    back = np.stack([cos, sin, -sin, cos], -1).reshape(n, 2, 2)
    offset = centre - np.einsum("nij,nj->ni", back, centre + shift)
    return [tuple(way) for way in np.concatenate([back, offset[..., None]], axis=2).reshape(n, 6).tolist()]
