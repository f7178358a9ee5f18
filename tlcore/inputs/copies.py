"""Copies of images, each moved a little and still what it was: light augmentation. NumPy and Pillow only."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

SHIFT = 1 / 14  # of a side, each axis, both ways: 2 pixels of MNIST's 28
TURN = 10.0  # degrees, both ways
ZOOM = 1.1  # times larger or smaller, evenly in the logarithm
AROUND = 1 / 4  # of a side: how far the outermost pixels go on beyond the edge, where a copy may look


def moved(images: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
    """Return each image shifted, turned and zoomed about its centre by amounts of its own.

    Never mirrored: no digit's mirror image is a digit.

    Parameters
    ----------
    images : uint8, shape (n, h, w, channels); so are the copies, whose channels move together
    """
    height, width = images.shape[1:3]
    around = int(np.ceil(AROUND * max(height, width)))
    framed = np.pad(images, ((0, 0), (around, around), (around, around), (0, 0)), mode="edge")
    ways = _ways(len(images), (height, width), around, seed)
    planes = [slice(0, 3)] if images.shape[3] == 3 else range(images.shape[3])  # Pillow takes colours at once
    copies = np.empty_like(images)
    for copy, image, way in zip(copies, framed, ways, strict=True):
        for plane in planes:
            picture = Image.fromarray(np.ascontiguousarray(image[..., plane]))
            found = picture.transform((width, height), Image.Transform.AFFINE, way, Image.Resampling.BILINEAR)
            copy[..., plane] = found
    return copies


def _ways(n: int, size: tuple[int, int], around: int, seed: int | Sequence[int]) -> list[tuple[float, ...]]:
    """Return where a pixel of each copy comes from, as Pillow takes it: (a, b, c, d, e, f), x = a·x' + b·y' + c."""
    rng = np.random.default_rng(seed)
    turn = np.radians(rng.uniform(-TURN, TURN, n))
    zoom = ZOOM ** rng.uniform(-1, 1, n)
    shift = SHIFT * max(size) * rng.uniform(-1, 1, (n, 2))
    centre = np.array([size[1], size[0]]) / 2
    cos, sin = np.cos(turn) / zoom, np.sin(turn) / zoom
    back = np.stack([cos, sin, -sin, cos], -1).reshape(n, 2, 2)
    offset = centre + around - np.einsum("nij,nj->ni", back, centre + shift)
    return [tuple(way) for way in np.concatenate([back, offset[..., None]], axis=2).reshape(n, 6).tolist()]
