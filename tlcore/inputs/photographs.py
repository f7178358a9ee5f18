"""Find the ink in a picture: which way round it is, and what is only paper, shadow or speck.

Images are float32, shape (h, w), values in [0, 1]. NumPy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageFilter

EVEN = 0.02  # brightness by which the border of a screen's or a scanner's picture may vary ...
EVEN_SHARE = 0.75  # ... in so much of it: a stroke may run into the edge
SMALL = 64  # pixels; nobody photographs so little
LEAST_CONTRAST = 0.15  # of ink as a part of its paper's brightness, and ...
LEAST_DIFFERENCE = 0.1  # ... in brightness; below either it is noise, and the paper is empty
COARSE = 128  # longest side, in pixels, at which paper and specks are looked for
STROKE = 16  # coarse pixels: wider than half of any stroke, so that the paper is seen past it
SPECK = 0.08  # a spot with less ink than this part of the largest one's is dirt


def find_ink(grey: np.ndarray) -> np.ndarray:
    """Return the ink as white on black.

    With an even border (drawn on a screen, or MNIST's own images) nothing but the direction is settled. Else it is a
    photograph: its paper's brightness is estimated and divided out, what is fainter than half of the ink fades, and
    specks and dark edges of the frame are dropped.
    """
    if min(grey.shape) < 3:
        return np.zeros_like(grey)
    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    ground = float(np.median(border))
    even = max(grey.shape) < SMALL or float((np.abs(border - ground) < EVEN).mean()) > EVEN_SHARE
    paper = np.full_like(grey, ground) if even else _surface(grey)
    rest = grey - paper
    dark_ink = -np.quantile(rest, 0.01) > np.quantile(rest, 0.99)
    if even:
        return _stretched(grey, ground, dark_ink)
    return _from_photograph(1 - grey if not dark_ink else grey)


def _stretched(grey: np.ndarray, ground: float, dark_ink: bool) -> np.ndarray:
    """Count ink from the ground up: 0 at the ground, 1 at black (or, for light ink, at white)."""
    span = max(ground, 1e-6) if dark_ink else max(1 - ground, 1e-6)
    ink = (ground - grey if dark_ink else grey - ground) / span
    return np.clip(ink, 0, 1).astype(np.float32)


def _from_photograph(grey: np.ndarray) -> np.ndarray:
    """Return the ink of dark strokes on unevenly lit paper."""
    smooth = _filtered(grey, ImageFilter.MedianFilter(3))
    paper = _paper(smooth)
    ink = np.clip(1 - smooth / np.maximum(paper, 0.05), 0, 1)
    full = float(np.quantile(ink, 0.995))
    if full < LEAST_CONTRAST or float(np.quantile(paper - smooth, 0.995)) < LEAST_DIFFERENCE:
        return np.zeros_like(grey)
    # A ramp and not a step: the half-covered pixels at a stroke's edge keep their part.
    ink = np.clip((ink / full - 0.35) / 0.4, 0, 1)
    return (ink * _main_parts(ink)).astype(np.float32)


def _surface(grey: np.ndarray) -> np.ndarray:
    """Fit a quadratic surface to the border: the light on the ground, guessed where the digit hides it."""
    height, width = grey.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], -1)
    edge = np.ones(grey.shape, bool)
    edge[1:-1, 1:-1] = False
    weights, *_ = np.linalg.lstsq(terms[edge], grey[edge], rcond=None)
    return terms @ weights


def _paper(grey: np.ndarray) -> np.ndarray:
    """Return the brightness of the paper at each pixel: strokes closed over, then smoothed."""
    n = STROKE // 2  # each filter of 5×5 reaches two pixels
    closing = [ImageFilter.MaxFilter(5)] * n + [ImageFilter.MinFilter(5)] * n
    return _resized(_filtered(_coarse(grey), *closing, ImageFilter.GaussianBlur(STROKE / 4)), grey.shape)


def _main_parts(ink: np.ndarray) -> np.ndarray:
    """Return a mask, 1 at the strokes: large connected spots, those inside the frame before those at its edge."""
    spots = _connected(_coarse(ink) > 0.25)
    labels, place = np.unique(spots, return_inverse=True)
    mass = np.bincount(place.ravel(), weights=_coarse(ink).ravel())
    mass[labels == 0] = 0
    if not mass.any():
        return np.zeros_like(ink)
    edge = np.unique(np.concatenate([spots[0], spots[-1], spots[:, 0], spots[:, -1]]))
    inside = mass * ~np.isin(labels, edge)
    if inside.max() > SPECK * mass.max():
        mass = inside
    kept = np.isin(spots, labels[mass > SPECK * mass.max()])
    grown = _filtered(kept.astype(np.float32), ImageFilter.MaxFilter(3))
    return _resized(grown, ink.shape)


def _connected(mask: np.ndarray) -> np.ndarray:
    """Number the connected spots (eight neighbours) of a small mask; 0 outside.

    Every pixel takes the greatest number among its neighbours until nothing changes.
    """
    numbers = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        framed = np.pad(numbers, 1)
        rows = np.maximum(np.maximum(framed[:-2], framed[1:-1]), framed[2:])
        spread = np.where(mask, np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:]), 0)
        if np.array_equal(spread, numbers):
            return numbers
        numbers = spread


def _coarse(image: np.ndarray) -> np.ndarray:
    scale = COARSE / max(image.shape)
    return _resized(image, tuple(max(3, round(side * scale)) for side in image.shape)) if scale < 1 else image


def _resized(image: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR), np.float32)


def _filtered(image: np.ndarray, *filters: ImageFilter.Filter) -> np.ndarray:
    picture = Image.fromarray(np.round(np.clip(image, 0, 1) * 255).astype(np.uint8))  # Pillow's filters take 8 bits
    for each in filters:
        picture = picture.filter(each)
    return np.asarray(picture, np.float32) / 255
