"""Hostile picture files: what is no picture is refused in one sentence, what is one is read, nothing costs much."""

import subprocess
import sys

import numpy as np
import pytest
from hostile import pictures
from hostile.asked import ROOT, refusal
from hostile.tried import count
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tlcore.errors import DataError
from tlcore.inputs import decoding
from tlcore.inputs.decoding import LONGEST
from tlcore.inputs.pictures import read_image

# The warnings that Pillow gives about broken EXIF are no news here.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")


def read(content: bytes) -> np.ndarray | None:
    """Read a picture as the Draw page does; None when it was refused in one sentence."""
    try:
        image = read_image(content)
    except DataError as error:
        assert refusal(error)
        return None
    assert image.dtype == np.float32 and image.ndim == 2 and max(image.shape) <= LONGEST
    assert 0 <= image.min() <= image.max() <= 1
    return image


def test_what_is_no_picture_is_refused():
    found = dict(pictures.foreign())
    assert [name for name, content in found.items() if read(content) is not None] == []
    count("picture", len(found))


def test_of_a_polyglot_only_the_picture_is_read():
    found = dict(pictures.polyglots())
    assert [name for name, content in found.items() if read(content) is None] == []
    count("picture", len(found))


def test_a_picture_cut_off_anywhere_is_read_or_refused():
    found = dict(pictures.cut(40))
    assert len(found) > 200 and any(read(content) is None for content in found.values())
    count("picture", len(found))


@pytest.mark.grid(1)
@pytest.mark.parametrize("kind", pictures.APART)
def test_a_picture_decoded_apart_is_read_whole_and_refused_cut_or_spoilt(kind):
    whole = pictures.apart(kind)
    assert read(whole) is not None
    cut = [whole[: len(whole) * n // 5] for n in range(1, 5)]
    spoilt = [whole[:at] + b"\xff" * 40 + whole[at + 40 :] for at in (12, len(whole) // 3, len(whole) // 2)]
    refused = [content for content in cut + spoilt if read(content) is None]
    assert cut[0] in refused
    count("picture", len(cut + spoilt))


def test_a_picture_decoded_apart_cannot_take_more_memory_or_time_than_it_may(monkeypatch):
    content = pictures.apart("AVIF")
    monkeypatch.setattr(decoding, "SECONDS", 0.01)
    assert read(content) is None
    monkeypatch.undo()
    assert read(content) is not None


def test_a_png_that_breaks_its_format_is_read_or_refused():
    found = dict(pictures.wrong_chunks())
    assert any(read(content) is None for content in found.values())
    count("picture", len(found))


@pytest.mark.slow
@given(
    kind=st.sampled_from(pictures.KINDS),
    at=st.integers(0, 10**6),
    inserted=st.binary(max_size=64),
    dropped=st.integers(0, 64),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_picture_with_other_bytes_inside_is_read_or_refused(kind, at, inserted, dropped):
    whole = pictures.honest(kind)
    at %= len(whole)
    read(whole[:at] + inserted + whole[at + dropped :])
    count("picture")


# Every bomb in a process that may not take more than so much beyond what it has after its imports.
IN_A_CHILD = """
import resource, sys, time
sys.path.insert(0, "tests")
from hostile import pictures
from tlcore.inputs.pictures import read_image
from tlcore.errors import DataError

bombs = dict(pictures.bombs())
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {mb} * 2**20,) * 2)
resource.setrlimit(resource.RLIMIT_CPU, ({cpu_s}, {cpu_s}))
for name, content in bombs.items():
    try:
        read_image(content)
        print("read", name)
    except DataError as error:
        print("refused", name, "->", error)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's limits are Linux'")
def test_no_bomb_takes_much_memory_or_time():
    code = IN_A_CHILD.format(mb=500, cpu_s=60)
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    count("picture", len(lines))
    refused = {line.split(" ", 1)[1].split(" -> ")[0] for line in lines if line.startswith("refused")}
    assert len(lines) == len(list(pictures.bombs()))
    assert {"jpeg of 25 million pixels and 20,000 scans", "png of one column", "avif of 36 million pixels"} <= refused
    assert "png of 25 million pixels" not in refused  # a large honest picture is no bomb
    # Nothing was refused for want of memory: that would be a refusal of the limit, not of the check.
    assert "jpeg of 25 million pixels and 12 scans" not in refused
