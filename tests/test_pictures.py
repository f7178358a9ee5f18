"""From picture files to white ink on black, and what the drawing model makes of it."""

import io
import pickle
import struct
import subprocess
import sys
import zlib

import hands
import numpy as np
import pytest
from hostile import pictures
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tlcore import datasets
from tlcore.errors import DataError
from tlcore.inputs import decoding
from tlcore.inputs.digits import is_blank, normalise
from tlcore.inputs.drawing import render
from tlcore.inputs.pictures import read_image

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


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_white_on_black_and_black_on_white_read_the_same(kind):
    image = render(SEVEN)
    options = {"lossless": True} if kind == "WEBP" else {}
    upright, inverted = (read_image(file_of(pixels, kind, **options)) for pixels in (image, 1 - image))
    assert upright.dtype == np.float32
    assert upright.shape == image.shape
    assert np.abs(upright - image).mean() < 0.01
    assert np.abs(inverted - image).mean() < 0.01


def test_an_mnist_image_is_read_to_the_bit():
    image = datasets.samples("mnist", 1)[0][0, ..., 0] / np.float32(255)
    assert np.array_equal(read_image(file_of(image)), image)


@pytest.mark.parametrize("ink", ["black", "white", "red"])
def test_a_transparent_ground_is_paper(ink):
    image = render(SEVEN)
    picture = Image.new("RGBA", (280, 280), ink)
    picture.putalpha(Image.fromarray(np.round(image * 255).astype(np.uint8)))
    read = read_image(file_of(picture))
    assert np.abs(normalise(read, 28) - normalise(image, 28)).mean() < 0.02


def test_a_picture_is_turned_as_its_camera_was():
    image = render(SEVEN)
    lying = Image.fromarray(np.round((1 - image) * 255).astype(np.uint8)).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # "turn by 90 degrees clockwise to see it upright"
    read = read_image(file_of(lying, "JPEG", exif=exif))
    assert np.abs(read - image).mean() < 0.02


def test_sixteen_bits_a_pixel_are_read_whole():
    image = render(SEVEN)
    deep = Image.fromarray(np.round(image * 65535).astype(np.uint16))
    assert np.abs(read_image(file_of(deep)) - image).max() < 0.01


def test_a_large_photograph_is_made_smaller():
    read = read_image(file_of(np.zeros((1500, 3000)), "JPEG"))
    assert read.shape == (500, 1000)
    assert is_blank(read)


@pytest.mark.grid(1)
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("dark_edge", [False, True])
def test_a_photographed_digit_loses_its_paper(lines, dark_edge):
    ink = render(hands.strokes(hands.HANDS[5][0], width=0.05, scale=0.6), size=480)
    seen = photograph(ink, lines=lines, dark_edge=dark_edge)
    read = read_image(file_of(seen, "JPEG", quality=80))
    assert np.abs(normalise(read, 28) - normalise(ink, 28)).mean() < 0.02
    chalk = read_image(file_of(1 - seen, "JPEG", quality=80))
    assert np.abs(normalise(chalk, 28) - normalise(ink, 28)).mean() < 0.02


@pytest.mark.grid(3)
@pytest.mark.parametrize("noise", [0.005, 0.02, 0.03])
@pytest.mark.parametrize("level", [0.2, 0.5, 0.7])
def test_a_photograph_of_empty_paper_is_blank(noise, level):
    light = level + 0.25 * np.linspace(0, 1, 400) + np.random.default_rng(0).normal(0, noise, (300, 400))
    assert is_blank(read_image(file_of(np.clip(light, 0, 1), "JPEG")))


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
        read_image(png_that_claims(side, side))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", pickle.dumps({"not": "a picture"}), b"%PDF-1.7\n", b"PK\x03\x04" + bytes(50)],
    ids=["empty", "text", "pickle named .png", "pdf", "zip"],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(DataError, match="not a picture the app can read. Give a PNG, JPEG, HEIC"):
        read_image(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_a_truncated_picture_is_refused(kind):
    whole = file_of(np.random.default_rng(0).random((200, 200)), kind)
    with pytest.raises(DataError, match="damaged"):
        read_image(whole[: len(whole) // 2])


@pytest.mark.slow
@given(
    at=st.lists(st.integers(0, 10**6), min_size=1, max_size=20),
    value=st.integers(0, 255),
    kind=st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "WEBP"]),
)
def test_a_spoilt_picture_is_read_or_refused_but_never_breaks(at, value, kind):
    content = bytearray(file_of(render(SEVEN, 40), kind))
    for place in at:
        content[place % len(content)] = value
    try:
        image = read_image(bytes(content))
    except DataError:
        return
    assert image.dtype == np.float32
    assert 0 <= image.min() <= image.max() <= 1


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "HEIC"])
def test_what_a_phone_or_a_scanner_saves_is_read(kind):
    ink = normalise(read_image(pictures.honest("PNG")), 28)
    assert np.abs(normalise(read_image(pictures.apart(kind)), 28) - ink).mean() < 0.06


@pytest.mark.grid(2)
@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "F"])
def test_a_scan_is_read_at_any_depth(mode):
    image = render(SEVEN)
    values = {"I;16": np.uint16(image * 65535), "F": np.float32(image * 65535)}.get(mode, np.uint8(image * 255))
    picture = Image.fromarray(values)
    stream = io.BytesIO()
    (picture if picture.mode == mode else picture.convert(mode)).save(stream, "TIFF")
    assert np.abs(normalise(read_image(stream.getvalue()), 28) - normalise(image, 28)).mean() < 0.02


def test_of_a_tiff_the_first_page_is_read():
    first, second = (Image.fromarray(np.uint8(255 * render(strokes))) for strokes in (SEVEN, SEVEN[:0]))
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=[second])
    assert np.abs(read_image(stream.getvalue()) - render(SEVEN)).mean() < 0.01


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("order", ["drawn", "drawn, then erased", "all at once, then erased"])
def test_of_an_animation_the_finished_drawing_is_read(kind, order):
    points = SEVEN[0]["points"]
    steps = [render([{"width": 0.08, "points": points[:n]}]) for n in (0, 1, 2, 3, 3)]
    steps = {"drawn": steps, "drawn, then erased": [*steps, steps[0]], "all at once, then erased": steps[:2:-1]}[order]
    first, *rest = [Image.fromarray(np.uint8(255 - 255 * step)) for step in steps]
    stream = io.BytesIO()
    options = {"lossless": True} if kind == "WEBP" else {}
    first.save(stream, kind, save_all=True, append_images=rest, duration=100, **options)
    assert np.abs(read_image(stream.getvalue()) - render(SEVEN)).mean() < 0.01


def test_an_endless_animation_is_said_to_be_too_long():
    frames = [Image.new("L", (28, 28), 40 * (n % 2)) for n in range(300)]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match="too long to look through. Save the finished drawing"):
        read_image(stream.getvalue())


def test_a_missing_heic_decoder_is_one_sentence(patch_inside):
    done = subprocess.CompletedProcess([], decoding.NOT_INSTALLED, b"", b"")
    patch_inside(decoding, "subprocess", run=lambda *_, **__: done)
    with pytest.raises(DataError, match="pip install pi-heif"):
        read_image(pictures.apart("HEIC"))


@pytest.mark.parametrize(
    "written", [b"", b"RGB 3 3\n", b"RGB 3 3\n" + bytes(28), b"RGB -1 -1\nxxx", b"XYZ 1 1\n1", b"\xff"]
)
def test_only_the_pixels_that_were_announced_are_taken_from_the_child(patch_inside, written):
    done = subprocess.CompletedProcess([], 0, written, b"")
    patch_inside(decoding, "subprocess", run=lambda *_, **__: done)
    with pytest.raises(DataError, match="damaged"):
        read_image(pictures.apart("HEIC"))


def test_the_heic_decoder_is_never_loaded_in_this_process():
    read_image(pictures.apart("HEIC"))
    assert not {"pi_heif", "_pi_heif"} & set(sys.modules)


# ------------------------------------------------------------------ the drawing model


@pytest.mark.keras
def test_photographed_digits_are_read(read_digits):
    inks = [render(hands.strokes(hand, width=0.05, scale=0.6), size=320) for _, hand in hands.EVERY]
    seen = [photograph(ink, seed, lines=seed % 2 == 0) for seed, ink in enumerate(inks)]
    read = read_digits([normalise(read_image(file_of(each, "JPEG")), 28) for each in seen])
    wrong = [(digit, found) for (digit, _), found in zip(hands.EVERY, read, strict=True) if digit != found]
    assert len(wrong) <= 1
