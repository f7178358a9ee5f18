"""Find the marks of a picture: spots that are darker, lighter or of another colour than the ground around them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from .filters import box_mean, closed, covers, median, resized
from .spots import Spots, connected, filled

REACH = 0.125  # of the longest side: half of the widest stroke, so that the ground is seen past it
LEAST = 0.015  # a difference of brightness, of full white, that is seen at all: four of 255
LEAST_COLOUR = 0.04
NOISES = 4.5  # standard deviations of the noise that a mark rises above its ground
PEELS = 5  # how often what was found is taken away, to look for what is fainter
MOST_MARKS = 14  # of one peel
HALF, HALO = 0.5, 0.35  # of the strongest ink: a mark has some above the first and all above the second


@dataclass
class Mark:
    """A connected spot that stands out from its ground.

    ``strength`` is its difference from the ground, ``width`` that of its strokes in pixels, ``surround`` the share of
    what lies just around it that is ground, ``crisp`` how much of its strength is a step at its edge, ``border`` the
    share of the picture's border that it holds. ``part`` says what it is if it is no digit.
    """

    layer: int
    peel: int
    top: int
    bottom: int
    left: int
    right: int
    mask: np.ndarray  # of its box
    strength: float
    width: float
    surround: float
    crisp: float
    n_edges: int
    border: float
    score: float = 0.0
    parts: set[str] = field(default_factory=set)

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def across(self) -> int:
        return self.right - self.left

    @property
    def long(self) -> int:
        return max(self.height, self.across)

    @property
    def box(self) -> int:
        return self.height * self.across

    @property
    def where(self) -> tuple[slice, slice]:
        return np.s_[self.top : self.bottom, self.left : self.right]

    @cached_property
    def area(self) -> int:
        return int(self.mask.sum())

    @cached_property
    def solid(self) -> np.ndarray:
        """The mask with its holes filled."""
        return filled(self.mask)

    @cached_property
    def rectangle(self) -> tuple[float, float]:
        """The area of the smallest rectangle around it, turned any way, and how many times as long as wide it is."""
        first, last = self.solid.argmax(axis=1), self.across - self.solid[:, ::-1].argmax(axis=1)
        rows = np.arange(self.height)
        x, y = np.concatenate([first, last] * 2), np.concatenate([rows, rows, rows + 1, rows + 1])
        angles = np.radians(np.arange(0, 90, 3))
        u = np.ptp(np.outer(np.cos(angles), x) + np.outer(np.sin(angles), y), axis=1)
        v = np.ptp(np.outer(np.cos(angles), y) - np.outer(np.sin(angles), x), axis=1)
        best = (u * v).argmin()
        return float(u[best] * v[best]), float(max(u[best], v[best]) / max(1, min(u[best], v[best])))

    @property
    def fill(self) -> float:
        return self.area / self.rectangle[0]

    @property
    def aspect(self) -> float:
        return self.rectangle[1]

    @property
    def rectangular(self) -> float:
        return float(self.solid.sum()) / self.rectangle[0]

    def spans(self, other: "Mark") -> bool:
        """Say whether the other's box lies in this one's."""
        inside = self.top <= other.top and self.left <= other.left
        return inside and self.bottom >= other.bottom and self.right >= other.right

    def holds(self, other: "Mark", share: float = 0.8) -> bool:
        """Say whether more than that share of the other lies in this one's holes."""
        box = np.s_[other.top - self.top : other.bottom - self.top, other.left - self.left : other.right - self.left]
        return self.spans(other) and float((self.solid[box] & ~self.mask[box])[other.mask].mean()) > share


class Layer:
    """One plane of a picture, seen as dark ink on light ground; the ground is what closes over all strokes."""

    def __init__(self, plane: np.ndarray, noise: np.ndarray, number: int) -> None:
        self.plane, self.noise, self.number = plane, noise, number
        self.noisy = bool(noise.max() > 0)
        reach = max(1, round(REACH * max(plane.shape)))
        self.ground = closed(median(plane) if self.noisy else plane, reach)
        self.rest = self.ground - plane
        if self.noisy:  # the ground follows the brightest of the noise
            self.rest = self.rest - max(0.0, float(np.quantile(self.rest, 0.25)))
        self.threshold = np.maximum(LEAST, NOISES * noise)

    def marks(self) -> list[Mark]:
        """Return the marks, strongest first; fainter ones only where nothing stronger looks like a digit."""
        found: list[Mark] = []
        active = np.where(self.rest < self.threshold, 0, self.rest)
        side = max(active.shape)
        for peel in range(PEELS):
            full = float(np.quantile(active[active > 0], 0.99)) if (active > 0).any() else 0.0
            if full <= LEAST:
                break
            low = active > HALO * full
            found += self._peeled(connected(low), active, full, peel)
            if any(mark.peel == peel and _may_be_a_digit(mark, side) for mark in found):
                break
            active[covers(low.astype(np.float32), max(2, round(0.008 * side)))] = 0
        return found

    def _peeled(self, spots: Spots, active: np.ndarray, full: float, peel: int) -> list[Mark]:
        side = max(active.shape)
        smallest = max(3, 0.02 * side) if side > 64 else 1
        strong = np.bincount(spots.labels[active > HALF * full], minlength=spots.n + 1)[1:]
        mass = np.bincount(spots.labels.ravel(), weights=active.ravel(), minlength=spots.n + 1)[1:]
        long = np.maximum(spots.bottom - spots.top, spots.right - spots.left)
        kept = np.flatnonzero((strong > 0) & (long >= smallest))
        kept = kept[np.argsort(-mass[kept])][:MOST_MARKS]
        return [self._mark(spots, int(i), float(mass[i] / spots.area[i]), peel) for i in kept]

    def _mark(self, spots: Spots, i: int, strength: float, peel: int) -> Mark:
        height, width = self.plane.shape
        top, bottom, left, right = (int(v[i]) for v in (spots.top, spots.bottom, spots.left, spots.right))
        mask = spots.labels[top:bottom, left:right] == i + 1
        stroke = _stroke_width(mask)
        skip = 2 if self.noisy else 1  # the half-covered pixels at its edge are neither ink nor ground
        out = skip + max(2, round(stroke))
        window = np.s_[max(0, top - out) : bottom + out, max(0, left - out) : right + out]
        ink = np.zeros(self.plane[window].shape, np.float32)
        at = np.s_[top - window[0].start :, left - window[1].start :]
        ink[at][: bottom - top, : right - left] = mask
        edges = {"top": top == 0, "bottom": bottom == height, "left": left == 0, "right": right == width}
        sides = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
        held = sum(int(line.sum()) for line, touches in zip(sides, edges.values(), strict=True) if touches)
        surround, crisp = self._around(ink, window, strength, (skip, out), any(edges.values()))
        return Mark(
            self.number, peel, top, bottom, left, right, mask, strength, stroke, surround, crisp,
            n_edges=sum(edges.values()), border=held / (2 * (height + width)),
        )  # fmt: skip

    def _around(
        self, ink: np.ndarray, window: tuple[slice, slice], strength: float, ring: tuple[int, int], at_edge: bool
    ) -> tuple[float, float]:
        """Return the share of ground around a mark, and how much of its strength is a step at its edge."""
        skip, out = ring
        plane, noise = self.plane[window], self.noise[window]
        weight = box_mean(ink, out)
        level = box_mean(ink * self.ground[window], out) / np.maximum(weight, 1e-9)
        beyond = ~covers(ink, skip)
        wide, narrow = (weight > 1e-6) & beyond, covers(ink, skip + 3) & beyond
        rim = (ink > 0.5) & covers(np.pad(ink < 0.5, 2, constant_values=True), 2)[2:-2, 2:-2]
        if not wide.any() or not narrow.any() or not rim.any():
            return 0.0, 0.0
        surround = float((np.abs(plane - level) < HALO * strength + 2 * noise)[wide].mean())
        crisp = float(plane[narrow].mean() - plane[rim].mean()) / strength
        if crisp < 0.4 and not at_edge:  # out of focus; shades reach the picture's edge
            crisp = max(crisp, float(plane[wide].mean() - plane[ink > 0.5].mean()) / strength - 0.1)
        return surround, crisp


def _may_be_a_digit(mark: Mark, side: int) -> bool:
    return mark.surround > 0.8 and not mark.n_edges and mark.long > 0.08 * side and mark.width < 0.35 * mark.long


def _stroke_width(mask: np.ndarray) -> float:
    """Return twice the area to the rim's length: what a long stroke is wide."""
    framed = np.pad(mask, 1)
    inner = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:] & mask
    return max(1.0, 2 * float(mask.sum()) / max(1, int(mask.sum() - inner.sum())) - 1)


def planes(pixels: np.ndarray) -> list[np.ndarray]:
    """Return brightness, two planes of colour where the picture has any, and opacity where there is one."""
    if pixels.shape[-1] in (2, 4):
        return [*planes(pixels[..., :-1]), pixels[..., -1]]
    if pixels.shape[-1] == 1:
        return [pixels[..., 0]]
    red, green, blue = np.moveaxis(pixels, -1, 0)
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    colours = ((blue - bright) * 0.564 + 0.5, (red - bright) * 0.713 + 0.5)
    return [bright, *(plane for plane in colours if np.ptp(plane) > LEAST_COLOUR)]


def local_noise(plane: np.ndarray, n: int = 12) -> np.ndarray:
    """Return the noise's standard deviation at each pixel: of second differences, so that slopes count for nothing."""
    n = min(n, min(plane.shape) // 16)
    if max(plane.shape) < 64 or n < 1:
        return np.zeros(plane.shape, np.float32)
    across, down = np.abs(np.diff(plane, 2, axis=1))[1:-1], np.abs(np.diff(plane, 2, axis=0))[:, 1:-1]
    rough = np.maximum(across, down)
    height, width = rough.shape[0] // n, rough.shape[1] // n
    blocks = rough[: height * n, : width * n].reshape(n, height, n, width).transpose(0, 2, 1, 3).reshape(n, n, -1)
    return resized(np.median(blocks, axis=-1) / 2.5, plane.shape)
