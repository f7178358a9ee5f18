"""Distort images of digits the way hands, pens and frames do. NumPy only; everything by seed."""

from dataclasses import dataclass

import numpy as np

CHUNK = 2000  # images warped at once: their coordinates then stay in the processor's cache


@dataclass(frozen=True)
class Distortion:
    """How far the images of one recipe are changed; every amount is drawn per image, evenly within its limits."""

    shift: float = 0.0  # pixels, each axis, both ways
    scale: tuple[float, float] = (1.0, 1.0)  # evenly in the logarithm
    aspect: float = 0.0  # width against height: exp(±aspect)
    rotation: float = 0.0  # degrees, both ways
    slant: float = 0.0  # tangent of the slant, both ways
    elastic: float = 0.0  # pixels, standard deviation of a smooth displacement
    weight: tuple[float, float] = (0.0, 0.0)  # stroke: -1 one pixel thinner, 1 one fatter, 2 two fatter
    contrast: float = 0.0  # gain: exp(±contrast)
    flip: bool = False  # left and right exchanged in half of the images


def distort(images: np.ndarray, how: Distortion, rng: np.random.Generator) -> np.ndarray:
    """Return distorted copies.

    Parameters
    ----------
    images : float32 array, shape (n, h, w), values in [0, 1], black around

    Returns
    -------
    float32 array, shape (n, h, w), values in [0, 1]

    References
    ----------
    Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks": elastic distortion.
    """
    return np.concatenate([_distort(images[i : i + CHUNK], how, rng) for i in range(0, len(images), CHUNK)])


def _distort(images: np.ndarray, how: Distortion, rng: np.random.Generator) -> np.ndarray:
    n, height, width = images.shape
    scale = np.exp(rng.uniform(np.log(how.scale[0]), np.log(how.scale[1]), n))
    aspect = np.exp(rng.uniform(-how.aspect, how.aspect, n) / 2)
    angle = np.radians(rng.uniform(-how.rotation, how.rotation, n))
    slant = rng.uniform(-how.slant, how.slant, n)
    shift = rng.uniform(-how.shift, how.shift, (n, 2))
    if how.flip:
        images = np.where(rng.random(n)[:, None, None] < 0.5, images[:, :, ::-1], images)
    images = blur(images, np.clip(1 / scale - 1, 0, 1))  # before shrinking, else thin strokes fall between the pixels
    maps = affine(scale * aspect, scale / aspect, angle, slant)
    field = _smooth_field(rng, n, height, width) * np.float32(how.elastic)
    images = warp(images, maps, shift, field)
    amount = rng.uniform(*how.weight, n)
    # A small digit's strokes are thin already: thinning them by a whole pixel would leave nothing.
    amount = np.where(amount < 0, amount * np.clip(2 * scale - 1, 0, 1), amount)
    images = stroke_weight(images, amount)
    gain = np.exp(rng.uniform(-how.contrast, how.contrast, n)).astype(np.float32)
    return np.clip(images * gain[:, None, None], 0, 1)


def affine(scale_x: np.ndarray, scale_y: np.ndarray, angle: np.ndarray, slant: np.ndarray) -> np.ndarray:
    """Return (n, 2, 2) matrices on (x, y): slanted first, then scaled, then turned."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2)
    shear = np.stack([scale_x, scale_x * slant, 0 * slant, scale_y], -1).reshape(-1, 2, 2)
    return turn @ shear


def warp(images: np.ndarray, maps: np.ndarray, shift: np.ndarray, field: np.ndarray | None = None) -> np.ndarray:
    """Move every image by its matrix about the centre, then by ``shift``; bilinear, black from outside.

    Parameters
    ----------
    images : float32 array, shape (n, h, w)
    maps : array, shape (n, 2, 2), on (x, y) in pixels
    shift : array, shape (n, 2), pixels
    field : float32 array, shape (n, 2, h, w), added to the places that are looked up; None for no displacement
    """
    n, height, width = images.shape
    back = np.linalg.inv(maps).astype(np.float32)
    centre = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2).astype(np.float32)
    places = (grid - centre)[None] - shift[:, None].astype(np.float32)  # (n, h·w, 2)
    places = places @ back.transpose(0, 2, 1) + centre + 1  # + 1: the black border added below
    if field is not None:
        places += field.reshape(n, 2, -1).transpose(0, 2, 1)
    framed = np.pad(images, ((0, 0), (1, 2), (1, 2)))
    x = np.clip(places[..., 0], 0, width + 1)
    y = np.clip(places[..., 1], 0, height + 1)
    left, top = x.astype(np.int32), y.astype(np.int32)
    x -= left
    y -= top
    stride = width + 3
    at = top * stride + left + (np.arange(n, dtype=np.int32) * (height + 3) * stride)[:, None]
    flat = framed.ravel()
    upper = flat[at] * (1 - x) + flat[at + 1] * x
    lower = flat[at + stride] * (1 - x) + flat[at + stride + 1] * x
    return (upper * (1 - y) + lower * y).reshape(n, height, width)


def stroke_weight(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Make strokes fatter (amount > 0, in pixels) or thinner (< 0); between whole pixels the two are mixed.

    ``amount`` lies within [-1, 2]. Dilation and erosion over the four neighbours, white ink on black.
    """
    part = np.abs(amount).astype(np.float32)[:, None, None]
    first, second = np.clip(part, 0, 1), np.clip(part - 1, 0, 1)
    thin = amount < 0
    result = images.copy()
    result[thin] += (_neighbours(images[thin], np.minimum) - images[thin]) * first[thin]
    once = _neighbours(images[~thin], np.maximum)
    result[~thin] += (once - images[~thin]) * first[~thin]
    result[~thin] += (_neighbours(once, np.maximum) - once) * second[~thin]
    return result


def _neighbours(images: np.ndarray, choose: np.ufunc) -> np.ndarray:
    """Return at each pixel the least or greatest of it and its four neighbours."""
    result = images.copy()
    choose(result[:, 1:], images[:, :-1], out=result[:, 1:])
    choose(result[:, :-1], images[:, 1:], out=result[:, :-1])
    choose(result[:, :, 1:], images[:, :, :-1], out=result[:, :, 1:])
    choose(result[:, :, :-1], images[:, :, 1:], out=result[:, :, :-1])
    return result


def blur(images: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Smooth by (a, 1 - 2a, a) along both axes with a = amount / 4; 0 leaves an image as it is."""
    a = (amount / 4).astype(np.float32)[:, None, None]
    for axis in (1, 2):
        pad = [(0, 0), (0, 0), (0, 0)]
        pad[axis] = (1, 1)
        framed = np.pad(images, pad)
        n = images.shape[axis]
        before, after = np.take(framed, range(n), axis), np.take(framed, range(2, n + 2), axis)
        images = images * (1 - 2 * a) + (before + after) * a
    return images


def _smooth_field(rng: np.random.Generator, n: int, height: int, width: int) -> np.ndarray:
    """Return displacements (n, 2, h, w) of standard deviation about 1: noise on a coarse grid, blended smoothly."""
    coarse = rng.standard_normal((n, 2, 5, 5), dtype=np.float32)
    rows, columns = _blend(height), _blend(width)
    return rows @ coarse @ columns.T


def _blend(n: int) -> np.ndarray:
    """Return (n, 5): how much each of five knots counts at each pixel, unit variance in the middle."""
    knots = np.linspace(0, n - 1, 5)
    weights = np.exp(-(((np.arange(n)[:, None] - knots) / (n / 5)) ** 2))
    return (weights / np.linalg.norm(weights, axis=1, keepdims=True)).astype(np.float32)
