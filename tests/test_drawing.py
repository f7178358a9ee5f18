"""From strokes to the 28×28 image, and what the drawing model makes of it."""

from itertools import product

import hands
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcore import datasets
from tlcore.errors import DataError
from tlcore.inputs import digits, drawing

DOT = [{"width": 0.1, "points": [[0.5, 0.5]]}]
SEVEN = [{"width": 0.08, "points": [[0.2, 0.2], [0.8, 0.2], [0.4, 0.9]]}]


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
    assert digits.is_blank(drawing.render([]))
    assert digits.is_blank(np.zeros((0, 0), np.float32))
    assert not digits.is_blank(drawing.render(DOT))
    assert not digits.normalise(drawing.render([]), 28).any()


@pytest.mark.parametrize("width", [0.05, 0.1, 0.25, 0.5])
@pytest.mark.parametrize("points", [[[0.5, 0.5]], [[0.3, 0.6], [0.31, 0.61]], [[0.7, 0.5], [0.72, 0.5], [0.7, 0.52]]])
def test_a_lone_dot_is_too_little_to_read(width, points):
    with pytest.raises(DataError, match="A lone dot is too little to read"):
        digits.check_enough(drawing.render([{"width": width, "points": points}]))


def test_no_written_digit_is_taken_for_a_dot():
    for hand in (hand for ways in hands.HANDS.values() for hand in ways):
        for width, scale in ((0.02, 1), (0.07, 1), (0.15, 1), (0.05, 0.2)):
            digits.check_enough(drawing.render(hands.strokes(hand, width, scale=scale)))
    for image in datasets.samples("mnist", 300)[0][..., 0] / np.float32(255):
        digits.check_enough(image)


# ------------------------------------------------------------------ 28×28


def test_normalising_leaves_mnist_as_it_is():
    images = datasets.samples("mnist", 300)[0][..., 0] / np.float32(255)
    moved = np.abs(np.stack([digits.normalise(image, 28) for image in images]) - images).max(axis=(1, 2))
    assert (moved == 0).mean() > 0.7  # to the bit
    assert (moved < 0.11).mean() > 0.98  # the rest lose a rim too faint to be ink


@pytest.mark.parametrize("size", [56, 280, 512])
@pytest.mark.parametrize("move", [(0, 0), (-0.25, 0.2), (0.3, -0.28)])
@pytest.mark.parametrize("scale", [0.25, 0.5])
def test_a_normalised_digit_is_20_pixels_and_centred_wherever_it_was_drawn(size, move, scale):
    strokes = hands.strokes(hands.HANDS[4][0], width=0.1 * scale, move=move, scale=scale)
    image = digits.normalise(drawing.render(strokes, size), 28)
    assert image.shape == (28, 28)
    assert image.dtype == np.float32
    assert image.max() == 1
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    mass = image / image.sum()
    assert mass.sum(axis=1) @ np.arange(28) == pytest.approx(14, abs=0.5)
    assert mass.sum(axis=0) @ np.arange(28) == pytest.approx(14, abs=0.5)


def test_shrinking_keeps_place_and_size():
    image = digits.shrink(drawing.render([{"width": 0.1, "points": [[0.25, 0.25]]}]), 28)
    assert image.shape == (28, 28)
    assert np.unravel_index(image.argmax(), image.shape) in {(r, c) for r in (6, 7) for c in (6, 7)}
    assert (image > 0.5).sum() < 12
    assert digits.shrink(np.ones((10, 40), np.float32), 28)[[0, 14, 27], 14].tolist() == [0, 1, 0]


@given(height=st.integers(1, 60), width=st.integers(1, 60), share=st.floats(0, 1), seed=st.integers(0, 99))
def test_any_image_can_be_normalised(height, width, share, seed):
    rng = np.random.default_rng(seed)
    image = (rng.random((height, width)) * (rng.random((height, width)) < share)).astype(np.float32)
    for result in (digits.normalise(image, 28), digits.shrink(image, 28)):
        assert result.shape == (28, 28)
        assert np.isfinite(result).all()
        assert 0 <= result.min() <= result.max() <= 1


# ------------------------------------------------------------------ the drawing model


@pytest.mark.keras
@pytest.mark.parametrize("width", [0.04, 0.07, 0.11])
@pytest.mark.parametrize(("scale", "move"), [(1, (0, 0)), (0.5, (-0.2, -0.2)), (0.45, (0.25, 0.2)), (1.15, (0, 0))])
def test_a_drawn_digit_is_read_wherever_and_however_thick_it_is_drawn(read_digits, width, scale, move):
    images = [
        digits.normalise(drawing.render(hands.strokes(hand, width * max(scale, 0.7), move, scale)), 28)
        for _, hand in hands.EVERY
    ]
    wrong = [(digit, read) for (digit, _), read in zip(hands.EVERY, read_digits(images), strict=True) if digit != read]
    assert wrong == []


@pytest.mark.keras
def test_slanted_and_turned_digits_are_read(read_digits):
    changes = list(product((-0.25, 0, 0.3), (-10, 0, 10)))
    rows = [
        (digit, hands.strokes(hand, slant=slant, turn=turn)) for digit, hand in hands.EVERY for slant, turn in changes
    ]
    read = read_digits([digits.normalise(drawing.render(strokes), 28) for _, strokes in rows])
    right = np.mean([digit == found for (digit, _), found in zip(rows, read, strict=True)])
    assert right > 0.98


@pytest.mark.keras
def test_a_digit_that_fills_the_pad_is_read_without_normalising(read_digits):
    images = [digits.shrink(drawing.render(hands.strokes(hand)), 28) for _, hand in hands.EVERY]
    right = np.mean([digit == found for (digit, _), found in zip(hands.EVERY, read_digits(images), strict=True)])
    assert right > 0.97
