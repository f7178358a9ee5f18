"""The ink of a picture is what stands on its ground: by what surrounds it and by colour, whatever else is there.

A fixed small sample of pictures, drawn here; the ink that is found is held against the ink that was drawn.
"""

import io

import hands
import numpy as np
import pytest
from hostile.pictures import honest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tlcore import datasets
from tlcore.errors import DataError
from tlcore.inputs import magnified, photographs
from tlcore.inputs.digits import is_blank, normalise
from tlcore.inputs.drawing import render
from tlcore.inputs.filters import box_mean, covers
from tlcore.inputs.pictures import read_image

DIGITS = [0, 2, 4, 6, 8]
CLOSE = 0.05  # mean difference of 28×28 pixels; another digit differs by 0.15


def ink_of(digit, size=400, width=0.07, scale=0.6, move=(0.0, 0.0)):
    return render(hands.strokes(hands.HANDS[digit][0], width=width * scale, scale=scale, move=move), size)


def mixed(ground, colour, ink):
    """Return (h, w, 3): the ink in its colour over the ground, a colour or a picture."""
    ground = np.broadcast_to(np.asarray(ground, float), (*ink.shape, 3))
    return ground + (np.asarray(colour, float) - ground) * ink[..., None]


def read(pixels, kind="PNG", **options):
    stream, options = io.BytesIO(), {"compress_level": 1} | options  # soon made; no other kind looks at it
    Image.fromarray(np.uint8(np.round(np.clip(pixels, 0, 1) * 255))).save(stream, kind, **options)
    return read_image(stream.getvalue())


def difference(image, ink):
    return np.abs(normalise(image, 28) - normalise(ink, 28)).mean()


@pytest.mark.parametrize("reach", [0, 1, 4, 30])
def test_a_mean_and_a_cover_are_those_of_the_square_around_each_pixel(reach):
    image = np.random.default_rng(0).random((19, 26), np.float32)
    mask, size = (image > 0.97).astype(np.float32), 2 * reach + 1
    around = [np.lib.stride_tricks.sliding_window_view(np.pad(each, reach), (size, size)) for each in (image, mask)]
    np.testing.assert_allclose(box_mean(image, reach), around[0].mean(axis=(2, 3), dtype=float), atol=1e-12)
    np.testing.assert_array_equal(covers(mask, reach), around[1].any(axis=(2, 3)))


@pytest.mark.grid(3)
@pytest.mark.parametrize(
    ("ground", "colour"),
    [
        ((1, 1, 1), (1, 0.9, 0.1)),  # yellow on white
        ((0, 0, 0), (0.1, 0.1, 0.9)),
        ((0.35, 0.6, 0.2), (0.95, 0.35, 0.15)),  # of one brightness
        ((0.6, 0.6, 0.6), (0.5, 0.55, 1)),
        ((0.1, 0.2, 0.5), (0.55, 0.1, 0.2)),
    ],
)
@pytest.mark.parametrize("digit", DIGITS)
def test_coloured_ink_is_found_at_any_brightness(digit, ground, colour):
    ink = ink_of(digit)
    assert difference(read(mixed(ground, colour, ink)), ink) < CLOSE


@pytest.mark.grid(4)
@pytest.mark.parametrize("noise", [0, 0.015])
@pytest.mark.parametrize("level", [0.7, 0.82, 0.86])
@pytest.mark.parametrize("digit", DIGITS)
def test_faint_pencil_is_found(digit, level, noise):
    ink = ink_of(digit)
    grain = np.random.default_rng(digit).normal(0, noise, (*ink.shape, 1))
    assert difference(read(mixed((1, 1, 1), [level] * 3, ink) + grain - noise), ink) < CLOSE


def framed(kind, ink, pen):
    frame = Image.new("L", ink.shape[::-1])
    draw, last = ImageDraw.Draw(frame), len(ink) - 1
    match kind:
        case "at the edge":
            draw.rectangle((0, 0, last, last), outline=255, width=pen)
        case "inset":
            draw.rectangle((30, 30, last - 30, last - 30), outline=255, width=pen)
        case "three sides":
            draw.line((0, last, 0, 0, last, 0, last, last), fill=255, width=2 * pen)
        case "round":
            draw.ellipse((10, 10, last - 10, last - 10), outline=255, width=pen)
        case "cell of a table":
            for at in (20, last - 20):
                draw.line((at, 0, at, last), fill=255, width=pen)
                draw.line((0, at, last, at), fill=255, width=pen)
        case "line below":
            draw.line((0, last - 25, last, last - 25), fill=255, width=pen)
    return np.asarray(frame, np.float32) / 255


@pytest.mark.grid(7)
@pytest.mark.parametrize("kind", ["at the edge", "inset", "three sides", "round", "cell of a table", "line below"])
@pytest.mark.parametrize("pen", [3, 12])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_frame_is_neither_ground_nor_ink(digit, kind, pen):
    ink = ink_of(digit, scale=0.5)
    frame = framed(kind, ink, pen)
    assert difference(read(mixed((1, 1, 1), (0, 0, 0), np.maximum(ink, frame))), ink) < CLOSE
    assert difference(read(mixed((0.1, 0.1, 0.15), (0.9, 0.95, 1), np.maximum(ink, frame))), ink) < CLOSE


@pytest.mark.grid(3)
@pytest.mark.parametrize("ground", ["black", "wood", "stripes"])
@pytest.mark.parametrize("turn", [0, 9])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_paper_on_a_desk_is_found(digit, ground, turn):
    ink = ink_of(digit, size=260)
    card = Image.fromarray(np.uint8(255 * mixed((0.95, 0.94, 0.9), (0.15, 0.15, 0.4), ink))).convert("RGBA")
    y, x = np.mgrid[0:500, 0:640]
    brown = np.array([0.5, 0.33, 0.2])
    shade = {"black": 0 * x, "wood": 0.8 + 0.15 * np.sin(x / 9 + np.sin(y / 70)), "stripes": 0.5 + 0.5 * (x // 40 % 2)}
    desk = Image.fromarray(np.uint8(255 * brown * shade[ground][..., None]))
    card = card.rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    desk.paste(card, (170, 90), card)
    turned = Image.fromarray(np.uint8(255 * ink)).rotate(turn, expand=True, resample=Image.Resampling.BICUBIC)
    assert difference(read(np.asarray(desk) / 255, "JPEG"), np.asarray(turned, np.float32) / 255) < CLOSE


@pytest.mark.grid(3)
@pytest.mark.parametrize("margin", [14, 60])
@pytest.mark.parametrize("factor", [2, 9])
@pytest.mark.parametrize("digit", DIGITS)
def test_a_small_dark_picture_with_a_white_margin_is_read_as_without_it(digit, factor, margin):
    """As plots and slides show an image of MNIST."""
    image = np.pad(ink_of(digit, size=200, width=0.12, scale=0.95).reshape(20, 10, 20, 10).mean(axis=(1, 3)), 4)
    panel = np.kron(image, np.ones((factor, factor), np.float32))
    assert difference(read(np.pad(panel, margin, constant_values=1)), image) < 2 * CLOSE


def test_the_foot_of_a_digit_that_fills_its_picture_is_no_panel():
    one = np.zeros((24, 24, 1), np.float32)
    one[:, 8:14], one[18:, 8:21] = 1, 1
    assert magnified.without_margin(one) is one


@pytest.mark.parametrize("digit", ["2", "4", "5", "7"])
def test_a_bold_printed_digit_on_a_card_is_found(digit):
    card = Image.new("L", (250, 240), 240)
    font = ImageFont.load_default(150)
    ImageDraw.Draw(card).text((125, 120), digit, fill=60, font=font, anchor="mm", stroke_width=7, stroke_fill=60)
    table = Image.new("L", (400, 400), 8)
    table.paste(card, (75, 80))
    ink = (240 - np.asarray(card, np.float32)) / 180
    assert difference(read(np.asarray(table) / 255), ink) < 2 * CLOSE


@pytest.mark.parametrize("digit", DIGITS)
def test_of_white_ink_with_a_dark_rim_on_nothing_the_whole_stroke_is_the_ink(digit):
    ink = ink_of(digit)
    wide = Image.fromarray(np.uint8(255 * ink)).filter(ImageFilter.MaxFilter(7))
    seen = np.dstack([np.repeat(255 * ink[..., None], 3, axis=2), np.asarray(wide)])
    stream = io.BytesIO()
    Image.fromarray(np.uint8(seen)).save(stream, "PNG", compress_level=1)
    assert difference(read_image(stream.getvalue()), np.asarray(wide, np.float32) / 255) < CLOSE


@pytest.mark.grid(2)
@pytest.mark.parametrize("noise", [0, 0.01])
@pytest.mark.parametrize("digit", DIGITS)
def test_thin_ink_on_a_large_page_is_found(digit, noise):
    ink = ink_of(digit, size=900, width=0.05, scale=0.12, move=(0.2, -0.1))
    assert (ink > 0.5).mean() < 0.002
    page = mixed((1, 1, 1), (0.2, 0.2, 0.2), ink) + np.random.default_rng(0).normal(0, noise, (900, 900, 1))
    assert difference(read(page), ink) < 2 * CLOSE  # a thin pen's strokes come out thicker


@pytest.mark.parametrize("long", [1, 4, 15])
def test_a_tiny_ink_is_enlarged_without_its_large_page(long):
    ink = np.zeros((1000, 1000), np.float32)
    ink[500, 300 : 300 + long] = 1
    assert photographs._thickened(ink, width=1).size < 2000 * 2000


@pytest.mark.parametrize("factor", [1, 3, 10, 12.5])
@pytest.mark.parametrize("inverted", [False, True])
def test_an_8x8_digit_reads_the_same_at_any_magnification(factor, inverted):
    small = ink_of(2, size=64, width=0.15, scale=0.95).reshape(8, 8, 8, 8).mean(axis=(1, 3))
    side = round(8 * factor)
    large = np.asarray(Image.fromarray(np.uint8(255 * small)).resize((side, side), Image.Resampling.NEAREST)) / 255
    assert difference(read(1 - large if inverted else large), read(small)) < 0.02


def test_most_images_of_mnist_are_read_to_the_bit_and_the_others_nearly():
    images = datasets.samples("mnist", 200)[0][..., 0] / np.float32(255)
    changed = [difference(found, image) for image in images if not np.array_equal(found := read(image), image)]
    assert len(changed) < 0.15 * len(images)
    assert np.median(changed) < CLOSE


@pytest.mark.parametrize("numbers", ["77", "10", "42", "123"])
@pytest.mark.parametrize("ground", [(1, 1, 1), (0.1, 0.1, 0.1)])
def test_several_digits_are_said_to_be_several(numbers, ground):
    inks = [ink_of(int(digit), size=200, scale=0.8) for digit in numbers]
    with pytest.raises(DataError, match="several digits in this picture. Crop it to one"):
        read(mixed(ground, 1 - np.array(ground), np.concatenate(inks, axis=1)))


@pytest.mark.parametrize("kind", ["shade", "noise", "ruled", "frame", "card"])
def test_a_page_without_ink_is_blank(kind):
    y, x = np.mgrid[0:300, 0:400]
    page = {
        "shade": 0.9 - 0.4 * ((x / 400 - 0.5) ** 2 + (y / 300 - 0.5) ** 2),
        "noise": 0.9 + np.random.default_rng(0).normal(0, 0.03, x.shape),
        "ruled": np.where(y % 24 == 10, 0.7, 0.95),
        "frame": np.where((x < 6) | (x > 393) | (y < 6) | (y > 293), 0.1, 0.95),
        "card": np.where((x > 100) & (x < 300) & (y > 60) & (y < 240), 0.95, 0.1),
    }[kind]
    try:
        assert is_blank(read(page.astype(np.float32), "JPEG", quality=90)) or kind == "card"
    except DataError as error:
        raise AssertionError(kind) from error


def test_a_blurred_photograph_and_a_clean_file_of_one_digit_agree():
    clean = Image.open(io.BytesIO(honest("PNG"))).resize((480, 480), Image.Resampling.BICUBIC)
    blurred = np.asarray(clean.filter(ImageFilter.GaussianBlur(4))) / 255
    assert difference(read(blurred * np.linspace(0.6, 1, 480)), 1 - np.asarray(clean, np.float32) / 255) < 2 * CLOSE
