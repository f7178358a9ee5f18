"""Pictures of one digit as people make them, at random: ink, paper, light, frames, desks, screens, magnified files.

Each of ``KINDS`` takes a generator and returns the pixels, float in [0, 1], shape (h, w, 3), and the digit; each of
``REFUSED`` what must be said instead. ``as_file`` makes PNG or JPEG of it. Nothing here was looked at when the reading
of pictures was made: the digits are hands of ``hands``, shaken, and test images of MNIST.
"""

import io
from functools import lru_cache

import hands
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tlcore import datasets
from tlcore.inputs.drawing import render

INKS = ((0.08, 0.08, 0.09), (0.1, 0.12, 0.45), (0.75, 0.1, 0.1), (0.25, 0.25, 0.27), (0.05, 0.35, 0.12))
LUMA = np.array([0.299, 0.587, 0.114])


@lru_cache(maxsize=1)
def _written():
    return datasets.samples("mnist", 2_000)


# -- a digit, and what lies under it ---------------------------------------------------------------------------------


def digit(rng, size, pen=None):
    """Return a digit cropped to its ink, its longest side ``size`` pixels: (h, w) in [0, 1], and which it is.

    With ``pen``, a part of the size, it is drawn; else half of them are MNIST's.
    """
    if pen is None and rng.random() < 0.5:
        images, labels = _written()
        at = int(rng.integers(len(images)))
        found, ink = int(labels[at]), images[at][..., 0]
    else:
        found = int(rng.integers(10))
        hand = hands.HANDS[found][rng.integers(len(hands.HANDS[found]))]
        shaken = [[p if p == "~" else tuple(rng.normal(p, 1.8)) for p in stroke] for stroke in hand]
        width = pen or rng.uniform(0.05, 0.13)
        ink = 255 * render(hands.strokes(shaken, width, slant=rng.uniform(-0.2, 0.3), turn=rng.uniform(-10, 10)), 560)
    rows, columns = (np.flatnonzero((ink > 40).any(axis=axis)) for axis in (1, 0))
    ink = Image.fromarray(np.uint8(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))
    scale = size / max(ink.size)
    shape = [max(2, round(side * scale)) for side in ink.size]
    larger = np.asarray(ink.resize(shape, Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.HAMMING)) / 255
    return (np.clip((larger - 0.5) * min(scale, 6) + 0.5, 0, 1) if scale > 2 else larger), found


def placed(rng, shape, part=(0.35, 0.8), pen=None, middle=False):
    """Return a mask of that shape with a digit somewhere on it, and the digit."""
    ink, found = digit(rng, min(shape) * rng.uniform(*part), pen)
    free = np.subtract(shape, ink.shape)
    top, left = free // 2 + rng.integers(-3, 4, 2) if middle else [rng.integers(0, room + 1) for room in free]
    mask = np.zeros(shape)
    mask[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return mask, found


def canvas(rng, least, most):
    side, ratio = rng.integers(least, most), rng.choice([1, 4 / 3, 3 / 4, 16 / 9])
    return int(side), int(side * ratio)


def mixed(ground, colour, mask):
    ground = np.broadcast_to(np.asarray(ground, float), (*mask.shape, 3))
    return ground + (np.asarray(colour, float) - ground) * mask[..., None]


def paper(rng, shape):
    tint = [(1, 1, 1), (1, 0.97, 0.9), (1, 0.93, 0.55), (0.8, 0.95, 1)][rng.integers(4)]
    return np.broadcast_to(rng.uniform(0.78, 1) * np.array(tint), (*shape, 3))


def ink(rng):
    return INKS[rng.integers(len(INKS))]


def grain(rng, pixels, most):
    return pixels + rng.normal(0, rng.uniform(0, most), (*pixels.shape[:2], 1))


def light(rng, shape, strength=0.35):
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] / np.array(shape)[:, None, None]
    angle = rng.uniform(0, 2 * np.pi)
    across = np.cos(angle) * (x - rng.uniform(0.2, 0.8)) + np.sin(angle) * (y - rng.uniform(0.2, 0.8))
    match rng.choice(["even", "round", "hard shadow", "soft shadow"]):
        case "even":
            shade = across / 2 + 0.5
        case "round":
            shade = 1.2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
        case "hard shadow":
            shade = 1 / (1 + np.exp(-np.clip(across / 0.004, -50, 50)))
        case _:
            shade = 1 / (1 + np.exp(-across / rng.uniform(0.03, 0.15)))
    return 1 - strength * shade[..., None]


def smooth(rng, shape, cell):
    rough = rng.random((int(shape[0] / cell) + 2, int(shape[1] / cell) + 2)).astype(np.float32)
    return np.asarray(Image.fromarray(rough).resize(shape[::-1], Image.Resampling.BICUBIC))


def perceived(colour):
    """Return a colour in CIELAB, in which distances are as seen (D65)."""
    linear = np.where(
        np.asarray(colour) <= 0.04045, np.asarray(colour) / 12.92, ((np.asarray(colour) + 0.055) / 1.055) ** 2.4
    )
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = to_xyz @ linear / (0.9505, 1, 1.089)
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def two_colours(rng, apart):
    while True:
        one, other = rng.random(3), rng.random(3)
        if (chance := rng.random()) < 0.3:
            one = np.full(3, round(chance / 0.3))
        elif chance < 0.55:  # of one brightness
            other = other - LUMA * (LUMA @ other - LUMA @ one) / (LUMA @ LUMA)
        if other.min() >= 0 and other.max() <= 1 and np.linalg.norm(perceived(one) - perceived(other)) >= apart:
            return one, other


# -- the kinds -------------------------------------------------------------------------------------------------------


def coloured(rng):
    mask, found = placed(rng, canvas(rng, 200, 700))
    ground, colour = two_colours(rng, 22)
    return mixed(ground, colour, mask), found


def pencil(rng):
    mask, found = placed(rng, canvas(rng, 200, 700), pen=rng.uniform(0.03, 0.07))
    white, darker = rng.uniform(0.88, 1), rng.uniform(0.12, 0.3)
    return grain(rng, mixed([white] * 3, [white * (1 - darker)] * 3, mask), darker / 6), found


def framed(rng):
    shape = canvas(rng, 240, 600)
    mask, found = placed(rng, shape, (0.3, 0.55), middle=True)
    frame = Image.new("L", shape[::-1])
    draw, pen = ImageDraw.Draw(frame), max(1, round(rng.uniform(0.006, 0.05) * min(shape)))
    inset = round(rng.choice([0, rng.uniform(0.02, 0.1)]) * min(shape))
    box = (inset, inset, shape[1] - 1 - inset, shape[0] - 1 - inset)
    match rng.choice(["box", "rounded", "two sides", "line below", "cell"]):
        case "box":
            draw.rectangle(box, outline=255, width=pen)
        case "rounded":
            draw.rounded_rectangle(box, 0.15 * min(shape), outline=255, width=pen)
        case "two sides":
            draw.line((box[0], box[3], box[0], box[1], box[2], box[1]), fill=255, width=pen)
        case "line below":
            draw.line((box[0], 0.92 * shape[0], box[2], 0.92 * shape[0]), fill=255, width=pen)
        case _:
            near = inset + 0.06 * min(shape)
            for at in (near, shape[1] - near):
                draw.line((at, 0, at, shape[0]), fill=255, width=pen)
            for at in (near, shape[0] - near):
                draw.line((0, at, shape[1], at), fill=255, width=pen)
    pixels = mixed(mixed(paper(rng, shape), ink(rng), np.asarray(frame) / 255), ink(rng), mask)
    return (1 - pixels if rng.random() < 0.25 else pixels), found


def card_on_a_desk(rng):
    shape = canvas(rng, 450, 900)
    mask, found = placed(rng, (420, int(rng.choice([300, 420, 560]))), (0.45, 0.8), middle=True)
    card = mixed(paper(rng, mask.shape), ink(rng), mask)
    x = np.arange(shape[1])
    dark = rng.random(3) * 0.45
    waves = smooth(rng, shape, 40)[..., None]
    desk = {"plain": dark, "wood": dark * (0.7 + 0.6 * waves), "stripes": dark * (1 + 0.6 * (x // 30 % 2))[:, None]}
    ground = np.broadcast_to(desk[str(rng.choice(list(desk)))], (*shape, 3))
    size = rng.uniform(0.5, 0.85) * min(shape) / max(card.shape)
    small = Image.fromarray(np.uint8(255 * np.clip(card, 0, 1))).convert("RGBA")
    small = small.resize([round(side * size) for side in small.size], Image.Resampling.LANCZOS)
    small = small.rotate(rng.choice([0, rng.uniform(-12, 12)]), expand=True, resample=Image.Resampling.BICUBIC)
    whole = Image.fromarray(np.uint8(255 * np.clip(ground, 0, 1)))
    whole.paste(small, [max(0, (whole.size[at] - small.size[at]) // 2) for at in (0, 1)], small)
    return grain(rng, np.asarray(whole) / 255 * light(rng, shape, 0.2), 0.015), found


def thin_pen(rng):
    shape = canvas(rng, 700, 1800)
    part = rng.uniform(0.08, 0.8)
    mask, found = placed(rng, shape, (part, part), pen=max(0.03, 2 / (part * min(shape))))
    return grain(rng, mixed([rng.uniform(0.88, 1)] * 3, [rng.uniform(0, 0.4)] * 3, mask), 0.02), found


def photographed(rng):
    shape = canvas(rng, 400, 900)
    mask, found = placed(rng, shape, (0.3, 0.75))
    page, step = np.array(paper(rng, shape)), max(9, min(shape) // int(rng.integers(10, 22)))
    match rng.choice(["plain", "ruled", "squared", "board"]):
        case "ruled":
            page[step::step] *= (0.75, 0.85, 1)
        case "squared":
            page[step::step] *= (0.75, 0.85, 1)
            page[:, step::step] *= (0.75, 0.85, 1)
        case "board":
            return grain(rng, mixed((0.1, 0.25, 0.15), (0.85, 0.85, 0.8), mask) * light(rng, shape), 0.02), found
    return grain(rng, mixed(page, ink(rng), mask) * light(rng, shape), 0.02), found


def eight_by_eight(rng):
    from sklearn.datasets import load_digits

    data = load_digits()
    at = int(rng.integers(len(data.images)))
    side = 8 * int(rng.integers(1, 60))
    way = rng.choice([Image.Resampling.NEAREST, Image.Resampling.NEAREST, Image.Resampling.BICUBIC])
    pixels = np.asarray(Image.fromarray(np.uint8(255 * data.images[at] / 16)).resize((side, side), int(way))) / 255
    return (1 - pixels if rng.random() < 0.3 else pixels)[..., None].repeat(3, axis=2), int(data.target[at])


def cut_tightly(rng):
    mask, found = digit(rng, rng.uniform(40, 400))
    ground, colour = two_colours(rng, 35)
    return mixed(ground, colour, np.pad(mask, int(rng.choice([0, 1, 3, 6])))), found


def on_a_screen(rng):
    shape = canvas(rng, 250, 800)
    mask, found = placed(rng, shape, (0.35, 0.7))
    colour = rng.random(3) * 0.5 + 0.5
    if rng.random() < 0.5:
        glow = np.asarray(Image.fromarray(np.uint8(255 * mask)).filter(ImageFilter.GaussianBlur(min(shape) / 40))) / 255
        return mixed(mixed((0.03, 0.02, 0.08), colour, glow / 2), np.clip(colour + 0.4, 0, 1), mask), found
    down = np.linspace(1, 0.6, shape[0])[:, None, None]
    return mixed(colour * down * np.ones((1, shape[1], 1)), (0.02, 0.02, 0.1), mask), found


KINDS = (
    coloured,
    pencil,
    framed,
    card_on_a_desk,
    thin_pen,
    photographed,
    eight_by_eight,
    cut_tightly,
    on_a_screen,
)


def several(rng):
    n, height = int(rng.integers(2, 5)), int(rng.integers(200, 400))
    masks = [placed(rng, (height, height), (0.5, 0.8), middle=True)[0] for _ in range(n)]
    return mixed(paper(rng, (height, n * height)), ink(rng), np.hstack(masks))


def empty(rng):
    shape = canvas(rng, 200, 700)
    return grain(rng, paper(rng, shape) * light(rng, shape, rng.choice([0, 0.3])), 0.02)


def a_dot(rng):
    shape = canvas(rng, 100, 500)
    radius = rng.uniform(0.02, 0.15) * min(shape)
    at = [rng.uniform(0.25, 0.75) * side for side in shape[::-1]]
    spot = Image.new("L", shape[::-1])
    ImageDraw.Draw(spot).ellipse([at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius], fill=255)
    return mixed((1, 1, 1), ink(rng), np.asarray(spot) / 255)


REFUSED = (several, empty, a_dot)


def as_file(rng, pixels):
    stream, picture = io.BytesIO(), Image.fromarray(np.uint8(np.round(255 * np.clip(pixels, 0, 1))))
    if rng.random() < 0.5:
        picture.save(stream, "PNG", compress_level=1)
    else:
        picture.save(stream, "JPEG", quality=int(rng.integers(75, 96)))
    return stream.getvalue()
