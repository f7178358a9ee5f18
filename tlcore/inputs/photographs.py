"""Find the ink of one digit in a picture: by what surrounds it and by colour, whatever else is in the picture.

Pixels are float32, shape (h, w, c), values in [0, 1]: brightness or red, green and blue, and opacity where it varies.
"""

import numpy as np

from tlcore.errors import DataError

from .filters import box_mean, covers, each, extreme, median, reduced, resized
from .magnified import SHORT, enlarged, has_few_pixels, ink_of_few_pixels, undetailed, unmagnified, without_margin
from .marks import HALF, LEAST, Layer, Mark, local_noise, planes
from .spots import connected

FINE = 500  # longest side, in pixels, at which marks are looked for
LEAST_SCORE = 0.05  # below it nothing in the picture is ink
LARGE = 40  # pixels of ink; a smaller digit loses nothing as it is scaled to 20
THIN, THICKENED = 0.06, 0.075  # of the digit's longest side: thinner strokes are made so thick, as MNIST's are


def find_ink(pixels: np.ndarray) -> np.ndarray:
    """Return the ink of the picture's digit as white on black, float32 (h, w); all 0 where there is none.

    Raises
    ------
    DataError
        There are several digits.
    """
    if min(pixels.shape[:2]) < 3:
        return np.zeros(pixels.shape[:2], np.float32)
    whole, pixels = pixels, undetailed(unmagnified(pixels))
    pixels = without_margin(pixels) if pixels is not whole else pixels
    if has_few_pixels(pixels, was_magnified=pixels is not whole):
        return ink_of_few_pixels(pixels, LEAST)
    fine = reduced(pixels, FINE)
    layers: list[Layer] = []
    for plane in planes(fine):
        noise = local_noise(plane)
        layers += [Layer(plane, noise, len(layers)), Layer(1 - plane, noise, len(layers) + 1)]
    marks = [mark for layer in layers for mark in layer.marks()]
    score(marks, fine.shape[:2])
    opacity = len(layers) - 2 if fine.shape[-1] in (2, 4) else len(layers)  # at a tie it has the ink whole
    best = max(marks, key=lambda mark: mark.score * (1.01 if mark.layer >= opacity else 1.0), default=None)
    if best is None or best.score < LEAST_SCORE:
        return np.zeros(whole.shape[:2], np.float32)
    layer = layers[best.layer]
    return ink_of(pixels, fine, layer, best, gather(layer, best, marks))


# -- which mark is the digit ------------------------------------------------------------------------------------------


def score(marks: list[Mark], shape: tuple[int, ...]) -> None:
    """Give every mark its score: how much it looks like a digit on its ground."""
    for mark in marks:
        mark.score = mark.surround**4 * min(1.0, mark.strength / 0.25) ** 0.5 * (mark.long / max(shape)) ** 0.5
        mark.score *= min(1.0, max(0.0, (mark.crisp - 0.15) / 0.25))
        if mark.width > 0.38 * mark.long or (mark.fill > 0.68 and mark.aspect < 2):
            mark.parts.add("blot")
            mark.score *= 0.15
        if mark.n_edges:
            mark.score *= 0.3 * (1 - mark.border) ** 2
        thin, length = min(mark.height, mark.across), shape[0] if mark.height > mark.across else shape[1]
        if mark.border > 0.5 or (mark.n_edges >= 2 and mark.long == length and thin < 0.25 * min(shape)):
            mark.parts.add("edge")
            mark.score = 0.0
        elif thin < 0.07 * mark.long and mark.long > 0.6 * length:
            mark.parts.add("line")
            mark.score *= 0.2
    for outer in marks:
        for inner in marks:
            if outer is not inner and outer.spans(inner):
                _tell_apart(outer, inner)
    for mark in marks:
        if mark.parts & {"frame", "card", "counter"}:
            mark.score *= 0.1


def _tell_apart(outer: Mark, inner: Mark) -> None:
    """Say what two marks are, one in the box of the other: a frame, a card, or the space between a digit's strokes."""
    bold = inner.surround > 0.75 and inner.width < 0.3 * inner.long and inner.long > 0.2 * outer.long
    bold = bold and not inner.n_edges and (inner.fill < 0.72 or inner.aspect > 3)
    strokes = bold and (inner.fill < 0.62 or inner.aspect > 3)
    alike = HALF < inner.strength / outer.strength < 1 / HALF
    tiny = inner.long < 0.1 * outer.long  # a gap where strokes cross is narrow, and so is fainter
    if outer.layer == inner.layer:
        if strokes and outer.area < 0.5 * outer.box and outer.box > 1.5 * inner.box:
            outer.parts.add("frame")
    elif outer.layer // 2 == inner.layer // 2 and (alike or tiny):  # one darker, one lighter than its ground
        sheet = bold and inner.surround > 0.85 and outer.rectangular > 0.9 and _is_card(outer, inner, 0.5)
        apart = strokes and inner.surround > 0.93 and (outer.surround < 0.9 or _is_card(outer, inner))
        if sheet or apart:
            outer.parts.add("card")
        elif "edge" not in outer.parts:
            inner.parts.add("counter")
    elif strokes and inner.strength > 0.35 * outer.strength and outer.holds(inner):
        outer.parts.add("frame")


def _is_card(outer: Mark, inner: Mark, share: float = 0.8) -> bool:
    """Say whether the outer mark is a sheet with the inner on it, and not a bold zero around its hole."""
    shape = outer.rectangular > 0.88 or (0.85 < outer.across / outer.height < 1.18 and outer.rectangular > 0.75)
    gaps = inner.top - outer.top, inner.left - outer.left, outer.bottom - inner.bottom, outer.right - inner.right
    return shape and min(gaps) > 0.5 * inner.width and inner.box < 0.8 * outer.box and outer.holds(inner, share)


def gather(layer: Layer, best: Mark, marks: list[Mark]) -> list[Mark]:
    """Return the digit's marks: the best one and what is broken off it.

    Raises
    ------
    DataError
        Another digit stands beside, above or below it.
    """
    group = [best]
    for mark in marks:
        if mark is best or (mark.layer, mark.peel) != (best.layer, best.peel) or mark.parts & {"frame", "line", "edge"}:
            continue
        if (mark.n_edges and not best.n_edges) or mark.strength < HALF * best.strength or mark.surround < 0.6:
            continue
        over_x = min(mark.right, best.right) - max(mark.left, best.left)
        over_y = min(mark.bottom, best.bottom) - max(mark.top, best.top)
        apart = over_x < 0.25 * min(mark.across, best.across) or over_y < 0.25 * min(mark.height, best.height)
        digit = mark.height > 0.5 * best.height and mark.surround > 0.7 and "blot" not in mark.parts
        if apart and digit and not _joined(layer, mark, best):
            raise DataError("There are several digits in this picture. Crop it to one of them, or draw one digit.")
        if max(-over_x, -over_y) < 0.1 * best.long and mark.area > 0.01 * best.area:
            group.append(mark)
    return group


def _joined(layer: Layer, one: Mark, other: Mark) -> bool:
    """Say whether two marks are one stroke that only grew faint in between."""
    top, left = min(one.top, other.top), min(one.left, other.left)
    bottom, right = max(one.bottom, other.bottom), max(one.right, other.right)
    box = np.s_[top:bottom, left:right]
    faint = np.maximum(0.15 * min(one.strength, other.strength), 0.7 * layer.threshold[box])
    whole = np.zeros(layer.plane.shape, np.int32)
    whole[box] = connected(layer.rest[box] > faint).labels
    common = np.intersect1d(whole[one.where][one.mask], whole[other.where][other.mask])
    return bool((common > 0).any()) and right - left < 1.1 * (bottom - top)


# -- its ink ----------------------------------------------------------------------------------------------------------


def ink_of(pixels: np.ndarray, fine: np.ndarray, layer: Layer, best: Mark, group: list[Mark]) -> np.ndarray:
    """Return how much of the ink's colour each pixel has over its ground, of the digit's marks alone."""
    mask = np.zeros(fine.shape[:2], np.float32)
    for mark in group:
        mask[mark.where] = np.maximum(mask[mark.where], mark.mask)
    noise = float(layer.noise[mask > 0].mean()) / best.strength
    colour, ground = _colours(fine, mask, layer, best)
    grown = _grown(mask, _share(fine, ground, colour))
    if grown is not mask:
        mask, (colour, ground) = grown, _colours(fine, grown, layer, best)
    shape = pixels.shape[:2]
    seen = each(median, pixels) if noise > 0.01 else pixels
    ink = _share(seen, each(lambda plane: resized(plane, shape), ground), colour)
    low = min(0.3, 6 * noise)  # a ramp and not a step: the half-covered pixels at a stroke's edge keep their part
    ink = np.clip((ink - low) / (1 - 2 * low), 0, 1)
    cover = resized(covers(mask, max(2, round(0.25 * best.width))).astype(np.float32), shape)
    ink = (ink * np.clip(2 * cover, 0, 1)).astype(np.float32)
    return _thickened(ink, best.width * shape[0] / fine.shape[0])


def _thickened(ink: np.ndarray, width: float) -> np.ndarray:
    """Return the ink large enough to be scaled well, and a thin pen's strokes made thicker: both else grow faint."""
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    if not len(rows):
        return ink
    long = max(int(np.ptp(rows)), int(np.ptp(columns))) + 1
    if long < SHORT:  # cut out first: a large page is never enlarged whole
        top, left = max(0, rows[0] - SHORT), max(0, columns[0] - SHORT)
        return enlarged(ink[top : rows[-1] + SHORT, left : columns[-1] + SHORT], long)
    if width >= THIN * long or long < LARGE:
        return ink
    full = max(float(np.quantile(ink[ink > 0.2], 0.9)), 0.2)
    return extreme(np.clip(ink / full, 0, 1), max(1, round((THICKENED * long - width) / 2)))


def _grown(mask: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the mask with what hangs together with it by colour: a stroke too wide to be seen as one."""
    spots = connected(share > 0.4).labels
    seeds = np.unique(spots[(mask > 0) & (share > 0.6)])
    more = np.isin(spots, seeds[seeds > 0])
    return np.maximum(mask, more).astype(np.float32) if mask.sum() < more.sum() < 2 * mask.sum() else mask


def _colours(fine: np.ndarray, mask: np.ndarray, layer: Layer, best: Mark) -> tuple[np.ndarray, np.ndarray]:
    """Return how the ink's colour differs from the ground's, shape (c,), and the ground at each pixel, (h, w, c)."""
    reach = max(2, round(0.7 * best.width)) + max(3, round(best.width))
    ground = _ground_under(fine, mask, reach)
    core = (mask > 0) & (layer.rest >= 0.8 * np.quantile(layer.rest[mask > 0], 0.9))
    colour = (fine - ground)[core].mean(axis=0)
    return colour if layer.noisy else _full(colour, ground[core].mean(axis=0)), ground


def _full(colour: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """Return a strong ink's colour taken on to black, white or the purest there is: ink of half of it is half ink."""
    room = np.where(colour > 0, 1 - ground, ground) / np.maximum(np.abs(colour), 1e-9)
    return colour * room.min() if 1 < room.min() < 2 else colour


def _share(pixels: np.ndarray, ground: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return ((pixels - ground) @ colour) / max(float(colour @ colour), 1e-9)


def _ground_under(pixels: np.ndarray, mask: np.ndarray, reach: int) -> np.ndarray:
    """Return the mean of what is near each pixel and not ink; of all that is not ink where nothing is near."""
    free = (~covers(mask, 2)).astype(np.float32)
    if not free.any():
        free = 1 - mask
    weight, all_free = box_mean(free, reach), max(float(free.sum()), 1.0)
    is_near, weight = weight > 0.02, np.maximum(weight, 1e-6)

    def of_plane(plane: np.ndarray) -> np.ndarray:
        seen = plane * free
        return np.where(is_near, box_mean(seen, reach) / weight, float(seen.sum() / all_free))

    return each(of_plane, pixels)
