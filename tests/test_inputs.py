"""Kinds of input: what a person gives becomes an item of the form that models read."""

import io
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tlcore import inputs
from tlcore.datasets.own_sets.decoding import fitted
from tlcore.errors import DataError, SpecError
from tlcore.inputs import digits, drawing
from tlcore.inputs.images import as_pixels
from tlcore.spec import InputForm

GREY, COLOURS = InputForm("image", (28, 28, 1)), InputForm("image", (40, 64, 3))
STROKES = [{"width": 0.1, "points": [[0.3, 0.2], [0.7, 0.2], [0.4, 0.9]]}]
images = inputs.modality("image")


def png(pixels):
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


@pytest.mark.parametrize(("centred", "bring"), [(True, digits.normalise), (False, digits.shrink)])
def test_a_drawing_becomes_the_pixels_that_training_saw(centred, bring):
    item = images.accept(STROKES, GREY, centred=centred)
    assert item.dtype == np.uint8 and item.shape == GREY.shape
    np.testing.assert_array_equal(item[..., 0], as_pixels(bring(drawing.render(STROKES), 28)))


def test_a_picture_file_and_the_item_it_was_made_of_are_the_same():
    item = images.accept(STROKES, GREY)
    np.testing.assert_array_equal(images.accept(png(item[..., 0]), GREY, centred=False), item)
    assert images.accept(item, GREY) is item


def test_a_picture_that_is_no_ink_is_read_as_sets_of_own_pictures_are():
    y, x = np.mgrid[:40, :56]
    grey = (60 + 2 * y + x).astype(np.uint8)  # ink on a ground would lose its shading
    item = images.accept(png(grey), GREY, whole=True)
    np.testing.assert_array_equal(item, fitted(grey, "image"))
    coloured = np.stack([grey, grey // 2, grey // 3], axis=-1)
    read = images.accept(Image.fromarray(coloured), GREY, whole=True)
    assert np.abs(read.astype(int) - fitted(coloured, "image")).max() <= 1


def test_what_is_drawn_fills_any_form():
    item = images.accept(STROKES, COLOURS)
    assert item.shape == COLOURS.shape and (item == item[..., :1]).all()
    assert item.any() and not item[:, :12].any() and not item[:, -12:].any()  # in the middle of the long side


def test_a_pad_on_which_nothing_is_drawn_is_none():
    assert images.accept([], GREY) is None


BLANK, DOT = png(np.full((9, 9), 255, np.uint8)), [{"width": 0.3, "points": [[0.5, 0.5]]}]


BAD = [BLANK, DOT, b"no picture", "strokes", None, 7, [{"points": "x"}], np.zeros((28, 28)), np.zeros(3)]


@pytest.mark.parametrize("raw", BAD)
def test_what_is_no_picture_is_refused_in_one_sentence(raw):
    with pytest.raises(DataError):
        images.accept(raw, GREY)


@pytest.mark.parametrize("form", [GREY, COLOURS, InputForm("image", (8, 6, 2)), InputForm("image", (5,), "float32")])
def test_noise_takes_every_value_of_its_form_and_is_the_same_for_a_seed(form):
    noise = images.noise(form, 500, seed=3)
    assert noise.shape == (500, *form.shape) and noise.dtype == form.dtype
    np.testing.assert_array_equal(noise, images.noise(form, 500, seed=3))
    largest = 1 if form.dtype == "float32" else 255
    assert noise.min() < 0.02 * largest and noise.max() > 0.98 * largest
    assert noise.mean() == pytest.approx(largest / 2, rel=0.05)


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_flat_is_a_row_of_shares_for_each_item(n, side, seed):
    items = np.random.default_rng(seed).integers(0, 256, (n, side, side, 2)).astype(np.uint8)
    flat = images.flat(items)
    assert flat.shape == (n, side * side * 2) and flat.dtype == np.float32
    np.testing.assert_array_equal(np.round(flat * 255), items.reshape(n, -1))


def test_a_preview_has_the_colours_of_the_item_and_grey_for_others():
    colours = images.noise(COLOURS, 1)[0]
    np.testing.assert_array_equal(images.preview(colours), colours)
    grey = images.noise(GREY, 2)
    np.testing.assert_array_equal(images.previews(grey), grey[..., 0])


def test_a_kind_registers_once_and_an_unknown_one_is_refused_with_the_names(monkeypatch):
    monkeypatch.setattr(sys.modules["tlcore.inputs.modality"], "MODALITIES", dict(inputs.MODALITIES))

    class Grids(inputs.Modality):
        name = "grid"

        def preview(self, item):
            return item[..., 0]

    inputs.register(Grids())
    form = InputForm("grid", (8, 6, 2))
    item = inputs.modality("grid").accept(np.ones(form.shape, np.uint8), form)
    assert inputs.modality("grid").preview(item).shape == (8, 6)
    with pytest.raises(SpecError, match="Two kinds of input are called 'grid'"):
        inputs.register(Grids())
    with pytest.raises(SpecError, match="no kind of input 'smell'. Pick one of: image, photo, grid"):
        inputs.modality("smell")
