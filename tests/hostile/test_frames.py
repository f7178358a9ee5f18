"""Hostile camera frames: what is no small JPEG is refused in one sentence, and nothing costs much."""

import io
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hostile import pictures
from hostile.asked import refusal
from hostile.tried import count
from PIL import Image

from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError
from tlcore.inputs import frames
from tlcore.spec import InputForm

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

PHOTO = InputForm("photo", (96, 96, 3))
FORMS = (PHOTO, FORM)


def read(content: bytes, form: InputForm = PHOTO) -> np.ndarray | None:
    """Read a frame as the routes do; None when it was refused in one sentence."""
    try:
        item = frames.read(content, form)
    except DataError as error:
        assert refusal(error)
        return None
    assert item.shape == form.shape and item.dtype == np.uint8
    return item


def jpeg(width: int = 224, height: int = 224, mode: str = "RGB", **options) -> bytes:
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(content, "JPEG", **options)
    return content.getvalue()


def claiming(width: int, height: int) -> bytes:
    """Return a small JPEG whose header claims another size."""
    whole = bytearray(jpeg(16, 16))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(whole)


def test_what_is_no_jpeg_is_refused_whatever_it_is():
    found = {**dict(pictures.foreign()), **{kind: pictures.honest(kind) for kind in pictures.KINDS if kind != "JPEG"}}
    found |= {"nothing": b"", "text": b"{}", "a page": b"<script>alert(1)</script>" * 9, "zeros": bytes(9000)}
    found |= {f"marker {n}": frames.JPEG + bytes([n]) * 400 for n in range(0, 256, 16)}
    assert [name for name, content in found.items() if read(content) is not None] == []
    count("camera frame", len(found))


@pytest.mark.grid(1, sample=4)
@pytest.mark.parametrize("part", range(12))
def test_a_jpeg_cut_off_or_spoilt_anywhere_is_read_or_refused(part):
    whole, draws = jpeg(), np.random.default_rng(0)
    cut = [whole[:n] for n in range(0, len(whole), max(1, len(whole) // 60))]
    spoilt = []
    for _ in range(60):
        content = bytearray(whole)
        for at in draws.integers(3, len(content), 8):
            content[at] = draws.integers(256)
        spoilt.append(bytes(content))
    assert read(whole) is not None and read(cut[1]) is None
    contents = [*cut, *spoilt][part::12]
    for content in contents:
        for form in FORMS:
            read(content, form)
    count("camera frame", 2 * len(contents))


@pytest.mark.parametrize("size", [(65535, 65535), (641, 10), (10, 641), (0, 0), (65535, 1), (30_000, 30_000)])
def test_a_size_that_only_the_header_claims_costs_nothing(size):
    tracemalloc.start()
    began = time.process_time()
    assert read(claiming(*size)) is None
    assert time.process_time() - began < 1 and tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    count("camera frame")


@pytest.mark.parametrize("mode", ["L", "CMYK", "YCbCr"])
def test_a_jpeg_of_any_colours_is_read(mode):
    assert read(jpeg(mode=mode)) is not None
    assert read(jpeg(64, 48, mode=mode, progressive=True)) is not None
    count("camera frame", 2)


def test_what_hangs_behind_or_inside_a_jpeg_is_not_looked_at():
    evil = b"PK\x03\x04" + b"<?php system($_GET['x']); ?>" + b"\x80\x04cos\nsystem\n"
    found = [jpeg() + evil, jpeg(comment=evil), jpeg(exif=b"Exif\x00\x00" + evil)]
    found += [content for _name, content in pictures.polyglots() if content[:3] == frames.JPEG]
    for content in found:
        read(content)
    np.testing.assert_array_equal(read(jpeg() + evil), read(jpeg()))
    count("camera frame", len(found))


def test_a_frame_of_one_colour_is_read_as_a_photograph_and_is_blank_as_a_drawing():
    content = io.BytesIO()
    Image.new("RGB", (224, 224), "white").save(content, "JPEG")
    assert read(content.getvalue(), PHOTO) is not None and read(content.getvalue(), FORM) is None
    count("camera frame", 2)


def test_a_frame_of_too_many_bytes_is_refused_before_it_is_decoded():
    assert read(jpeg() + bytes(frames.MOST_BYTES)) is None
    count("camera frame")
