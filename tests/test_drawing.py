"""From strokes and picture files to the 28×28 image, and what the drawing model makes of it."""

import io
import pickle
import struct
import zlib
from itertools import product

import hands
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tlcore import datasets, sources
from tlcore.errors import DataError
from tlcore.inputs import drawing

DOT = [{"width": 0.1, "points": [[0.5, 0.5]]}]
SEVEN = [{"width": 0.08, "points": [[0.2, 0.2], [0.8, 0.2], [0.4, 0.9]]}]


def file_of(pixels, kind="PNG", **options):
    """Return the bytes of a picture file; ``pixels`` in [0, 1] or a Pillow image."""
    if isinstance(pixels, np.ndarray):
        pixels = Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    stream = io.BytesIO()
    pixels.save(stream, kind, **options)
    return stream.getvalue()


def photograph(ink, seed=0, lines=False, dark_edge=False):
    """Return ink on paper as a phone takes it: uneven light, a hard shadow, noise, specks, at wish ruled paper."""
    rng = np.random.default_rng(seed)
    height, width = ink.shape
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    paper = (0.55 + 0.35 * x - 0.2 * y * y) * np.where(x + 0.3 * y < 0.35, 0.6, 1.0)
    if lines:
        paper[:: height // 18] *= 0.85
    seen = paper * (1 - 0.75 * ink) + rng.normal(0, 0.02, ink.shape)
    for row, column in rng.integers(0, min(height, width) - 4, (4, 2)):
        seen[row : row + 3, column : column + 3] *= 0.5
    if dark_edge:
        seen[:, : width // 30] = 0.15
    return np.clip(seen, 0, 1)


# ------------------------------------------------------------------ strokes

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["width", "points", "x"]), inner),
    max_leaves=20,
)
numbers = st.integers() | st.floats()
nearly = st.lists(
    st.fixed_dictionaries(
        {"width": numbers, "points": st.lists(st.lists(numbers, min_size=2, max_size=2) | anything, max_size=5)}
    ),
    max_size=5,
)


@given(value=anything | nearly)
def test_untrusted_strokes_are_made_safe_or_refused_in_one_sentence(value):
    try:
        strokes = drawing.check_strokes(value)
    except DataError as error:
        assert str(error).startswith("This drawing cannot be read: ")
        return
    for stroke in strokes:
        assert drawing.WIDTHS[0] <= stroke["width"] <= drawing.WIDTHS[1]
        assert stroke["points"]
        assert all(drawing.REACH[0] <= part <= drawing.REACH[1] for point in stroke["points"] for part in point)
    image = drawing.render(strokes, size=28)
    assert image.shape == (28, 28)
    assert drawing.check_strokes(strokes) == strokes


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "not a list of strokes"),
        ("strokes", "not a list of strokes"),
        ([{"width": 0.1}], "a stroke has no points"),
        ([[0, 1]], "a stroke has no points"),
        ([{"points": [[0, 0]]}], "not a number"),
        ([{"width": "wide", "points": [[0, 0]]}], "not a number"),
        ([{"width": 0.1, "points": [[0, True]]}], "not a number"),
        ([{"width": 0.1, "points": [[0, 0, 0]]}], "not a pair"),
        ([{"width": 0.1, "points": [[0, float("nan")]]}], "without bounds"),
        ([{"width": 0.1, "points": [[0, 10**400]]}], "without bounds"),
        (DOT * 201, "more than 200 strokes"),
        ([{"width": 0.1, "points": [[0, 0]] * 2501}] * 2, "more than 5,000 points"),
    ],
)
def test_a_bad_drawing_says_what_is_wrong(value, reason):
    with pytest.raises(DataError, match=reason):
        drawing.check_strokes(value)


def test_strokes_as_the_pad_sends_them_pass_unchanged():
    assert drawing.check_strokes(SEVEN) == SEVEN
    assert drawing.check_strokes([]) == []
    assert drawing.check_strokes([{"width": 0.1, "points": []}]) == []


def test_one_point_is_a_round_dot():
    image = drawing.render(DOT, size=200)
    assert image.dtype == np.float32
    assert image[100, 100] == 1
    assert image.sum() == pytest.approx(np.pi * 10**2, rel=0.03)  # a tenth of the side wide: 20 pixels
    assert np.array_equal(image > 0.5, (image > 0.5).T)


def test_a_line_has_its_width_and_round_ends():
    image = drawing.render([{"width": 0.1, "points": [[0.25, 0.5], [0.75, 0.5]]}], size=200)
    assert image[:, 100].sum() == pytest.approx(20, abs=0.6)
    assert image.sum() == pytest.approx(100 * 20 + np.pi * 10**2, rel=0.02)
    assert ((image > 0) & (image < 1)).sum() > 0  # its rim is antialiased


def test_nothing_drawn_is_blank_and_a_dot_is_not():
    assert drawing.is_blank(drawing.render([]))
    assert drawing.is_blank(np.zeros((0, 0), np.float32))
    assert not drawing.is_blank(drawing.render(DOT))
    assert not drawing.normalise(drawing.render([])).any()


# ------------------------------------------------------------------ 28×28


def test_normalising_leaves_mnist_as_it_is():
    images = datasets.samples("mnist", 300)[0][..., 0]
    moved = np.abs(np.stack([drawing.normalise(image) for image in images]) - images).max(axis=(1, 2))
    assert (moved == 0).mean() > 0.7  # to the bit
    assert (moved < 0.11).mean() > 0.98  # the rest lose a rim too faint to be ink


@pytest.mark.parametrize("size", [56, 280, 512])
@pytest.mark.parametrize("move", [(0, 0), (-0.25, 0.2), (0.3, -0.28)])
@pytest.mark.parametrize("scale", [0.25, 0.5])
def test_a_normalised_digit_is_20_pixels_and_centred_wherever_it_was_drawn(size, move, scale):
    strokes = hands.strokes(hands.HANDS[4][0], width=0.1 * scale, move=move, scale=scale)
    image = drawing.normalise(drawing.render(strokes, size))
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert image.max() == 1
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = image / image.sum()
    assert mass.sum(axis=1) @ np.arange(28) == pytest.approx(14, abs=0.5)
    assert mass.sum(axis=0) @ np.arange(28) == pytest.approx(14, abs=0.5)


def test_shrinking_keeps_place_and_size():
    image = drawing.shrink(drawing.render([{"width": 0.1, "points": [[0.25, 0.25]]}]))
    assert image.shape == (28, 28)
    assert np.unravel_index(image.argmax(), image.shape) in {(r, c) for r in (6, 7) for c in (6, 7)}
    assert (image > 0.5).sum() < 12
    assert drawing.shrink(np.ones((10, 40), np.float32))[[0, 14, 27], 14].tolist() == [0, 1, 0]


@given(height=st.integers(1, 60), width=st.integers(1, 60), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_any_image_can_be_normalised(height, width, share, seed):
    rng = np.random.default_rng(seed)
    image = (rng.random((height, width)) * (rng.random((height, width)) < share)).astype(np.float32)
    for result in (drawing.normalise(image), drawing.shrink(image)):
        assert result.shape == (28, 28)
        assert np.isfinite(result).all()
        assert 0 <= result.min() <= result.max() <= 1


# ------------------------------------------------------------------ picture files


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_white_on_black_and_black_on_white_read_the_same(kind):
    image = drawing.render(SEVEN)
    options = {"lossless": True} if kind == "WEBP" else {}
    upright, inverted = (drawing.read_image(file_of(pixels, kind, **options)) for pixels in (image, 1 - image))
    assert upright.dtype == np.float32
    assert upright.shape == image.shape
    assert np.abs(upright - image).mean() < 0.01
    assert np.abs(inverted - image).mean() < 0.01


def test_an_mnist_image_is_read_to_the_bit():
    image = datasets.samples("mnist", 1)[0][0, ..., 0]
    assert np.array_equal(drawing.read_image(file_of(image)), image)


@pytest.mark.parametrize("ink", ["black", "white", "red"])
def test_a_transparent_ground_is_paper(ink):
    image = drawing.render(SEVEN)
    picture = Image.new("RGBA", (280, 280), ink)
    picture.putalpha(Image.fromarray(np.round(image * 255).astype(np.uint8)))
    read = drawing.read_image(file_of(picture))
    assert np.abs(drawing.normalise(read) - drawing.normalise(image)).mean() < 0.02


def test_a_picture_is_turned_as_its_camera_was():
    image = drawing.render(SEVEN)
    lying = Image.fromarray(np.round((1 - image) * 255).astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to see it upright"
    read = drawing.read_image(file_of(lying, "JPEG", exif=exif))
    assert np.abs(read - image).mean() < 0.02


def test_sixteen_bits_a_pixel_are_read_whole():
    image = drawing.render(SEVEN)
    deep = Image.fromarray(np.round(image * 65535).astype(np.uint16))
    assert np.abs(drawing.read_image(file_of(deep)) - image).max() < 0.01


def test_a_large_photograph_is_made_smaller():
    read = drawing.read_image(file_of(np.zeros((1500, 3000)), "JPEG"))
    assert read.shape == (500, 1000)
    assert drawing.is_blank(read)


@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("dark_edge", [False, True])
def test_a_photographed_digit_loses_its_paper(lines, dark_edge):
    ink = drawing.render(hands.strokes(hands.HANDS[5][0], width=0.05, scale=0.6), size=480)
    seen = photograph(ink, lines=lines, dark_edge=dark_edge)
    read = drawing.read_image(file_of(seen, "JPEG", quality=80))
    assert np.abs(drawing.normalise(read) - drawing.normalise(ink)).mean() < 0.02
    chalk = drawing.read_image(file_of(1 - seen, "JPEG", quality=80))
    assert np.abs(drawing.normalise(chalk) - drawing.normalise(ink)).mean() < 0.02


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.03])
@pytest.mark.parametrize("level", [0.2, 0.5, 0.7])
def test_a_photograph_of_empty_paper_is_blank(noise, level):
    light = level + 0.25 * np.linspace(0, 1, 400) + np.random.default_rng(0).normal(0, noise, (300, 400))
    assert drawing.is_blank(drawing.read_image(file_of(np.clip(light, 0, 1), "JPEG")))


def png_that_claims(width, height):
    """Return a PNG whose header claims a size that its few bytes do not hold."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("error::PIL.Image.DecompressionBombWarning")  # pytest lays its own filters over ours
@pytest.mark.parametrize("side", [5_001, 10_000, 30_000, 2**31 - 1])
def test_a_giant_picture_is_refused_before_it_is_unpacked(side):
    with pytest.raises(DataError, match="more than 25 million pixels|damaged"):
        drawing.read_image(png_that_claims(side, side))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", pickle.dumps({"not": "a picture"}), b"%PDF-1.7\n", b"PK\x03\x04" + bytes(50), b"II*\0" + bytes(50)],
    ids=["empty", "text", "pickle named .png", "pdf", "zip", "tiff"],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(DataError, match="not a picture the app can read. Give a PNG"):
        drawing.read_image(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_picture_is_refused(kind):
    whole = file_of(np.random.default_rng(0).random((200, 200)), kind)
    with pytest.raises(DataError, match="damaged"):
        drawing.read_image(whole[: len(whole) // 2])


@given(
    at=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    value=st.integers(0, 255),
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]),
)
def test_a_spoilt_picture_is_read_or_refused_but_never_breaks(at, value, kind):
    content = bytearray(file_of(drawing.render(SEVEN, 40), kind))
    for place in at:
        content[place % len(content)] = value
    try:
        image = drawing.read_image(bytes(content))
    except DataError:
        return
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


# ------------------------------------------------------------------ the drawing model

EVERY_HAND = [(digit, hand) for digit, ways in hands.HANDS.items() for hand in ways]


@pytest.fixture(scope="module")
def read_digits():
    """The shipped drawing model: 28×28 images -> digits."""
    model = sources.load("digits")
    return lambda images: model.predict(np.stack(images)[..., None], verbose=0).argmax(axis=1).tolist()


@pytest.mark.keras
@pytest.mark.parametrize("width", [0.04, 0.07, 0.11])
@pytest.mark.parametrize(("scale", "move"), [(1, (0, 0)), (0.5, (-0.2, -0.2)), (0.45, (0.25, 0.2)), (1.15, (0, 0))])
def test_a_drawn_digit_is_read_wherever_and_however_thick_it_is_drawn(read_digits, width, scale, move):
    images = [
        drawing.normalise(drawing.render(hands.strokes(hand, width * max(scale, 0.7), move, scale)))
        for _, hand in EVERY_HAND
    ]
    wrong = [(digit, read) for (digit, _), read in zip(EVERY_HAND, read_digits(images), strict=True) if digit != read]
    assert wrong == []


@pytest.mark.keras
def test_slanted_and_turned_digits_are_read(read_digits):
    changes = list(product((-0.25, 0, 0.3), (-10, 0, 10)))
    rows = [
        (digit, hands.strokes(hand, slant=slant, turn=turn)) for digit, hand in EVERY_HAND for slant, turn in changes
    ]
    read = read_digits([drawing.normalise(drawing.render(strokes)) for _, strokes in rows])
    right = np.mean([digit == found for (digit, _), found in zip(rows, read, strict=True)])
    assert right > 0.98


@pytest.mark.keras
def test_a_digit_that_fills_the_pad_is_read_without_normalising(read_digits):
    images = [drawing.shrink(drawing.render(hands.strokes(hand))) for _, hand in EVERY_HAND]
    right = np.mean([digit == found for (digit, _), found in zip(EVERY_HAND, read_digits(images), strict=True)])
    assert right > 0.97


@pytest.mark.keras
def test_photographed_digits_are_read(read_digits):
    inks = [drawing.render(hands.strokes(hand, width=0.05, scale=0.6), size=320) for _, hand in EVERY_HAND]
    seen = [photograph(ink, seed, lines=seed % 2 == 0) for seed, ink in enumerate(inks)]
    read = read_digits([drawing.normalise(drawing.read_image(file_of(each, "JPEG"))) for each in seen])
    wrong = [(digit, found) for (digit, _), found in zip(EVERY_HAND, read, strict=True) if digit != found]
    assert len(wrong) <= 1
