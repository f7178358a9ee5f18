"""Photographs as a kind of input: what a person uploads becomes an item that a network of photographs reads."""

import io

import numpy as np
import pytest
from PIL import Image

from tlcore import inputs
from tlcore.errors import DataError
from tlcore.spec import InputForm

FORM = InputForm("photo", (96, 96, 3))
photos = inputs.modality("photo")


def saved(picture, kind="PNG", **options):
    content = io.BytesIO()
    picture.save(content, kind, **options)
    return content.getvalue()


def halves(width=200, height=100):
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", (width, height), (200, 0, 0))
    picture.paste((0, 0, 200), (width // 2, 0, width, height))
    return picture


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP"])
def test_the_middle_square_of_a_picture_is_what_the_network_reads(kind):
    item = photos.accept(saved(halves(), kind), FORM)
    assert item.shape == FORM.shape and item.dtype == np.uint8
    np.testing.assert_allclose(item[48, 10], (200, 0, 0), atol=8)
    np.testing.assert_allclose(item[48, 85], (0, 0, 200), atol=8)
    wide = Image.new("RGB", (400, 100), "white")
    wide.paste(halves(100), (150, 0))  # only the middle of it is read
    np.testing.assert_allclose(photos.accept(saved(wide), FORM)[48, [5, 90]], [(200, 0, 0), (0, 0, 200)], atol=8)


def test_a_picture_that_a_phone_took_on_its_side_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees clockwise to be upright
    item = photos.accept(saved(halves(100), "JPEG", exif=exif), FORM)
    np.testing.assert_allclose(item[[5, 90], 48], [(200, 0, 0), (0, 0, 200)], atol=8)


def test_what_is_transparent_is_white_and_what_is_grey_has_three_channels():
    clear = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    assert (photos.accept(saved(clear), FORM) == 255).all()
    grey = photos.accept(saved(Image.new("L", (50, 50), 90)), FORM)
    assert grey.shape == FORM.shape and (grey == 90).all()
    deep = Image.fromarray(np.full((50, 50), 32768, np.uint16))
    assert set(np.unique(photos.accept(saved(deep), FORM))) <= {127, 128}


@pytest.mark.parametrize("raw", [b"", b"no picture", saved(halves())[:60], None, 7, "strokes", {"cells": []}])
def test_what_is_not_a_picture_is_refused_in_one_sentence(raw):
    with pytest.raises(DataError):
        photos.accept(raw, FORM)


def test_an_item_stays_as_it_is_and_is_its_own_picture():
    item = np.random.default_rng(0).integers(0, 256, FORM.shape).astype(np.uint8)
    assert photos.accept(item, FORM) is item and photos.preview(item) is item
    with pytest.raises(DataError):
        photos.accept(item[:50], FORM)


def test_a_photograph_is_picked_uploaded_or_shown_to_the_camera_and_never_drawn():
    assert photos.ways == ("sample", "upload", "camera") and not photos.centres and not photos.placed
    assert inputs.modality("image").placed
