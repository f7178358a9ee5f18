"""The same hostile inputs in tens of thousands; ``make soak``."""

import json
import random

import pytest
from hostile import archives as run_archives
from hostile import keras_files, pictures
from hostile.asked import refusal
from hostile.tried import count

from tlcore import heads
from tlcore.errors import DataError
from tlcore.exports.record import FILE
from tlcore.inputs.pictures import read_image
from tlcore.sources.foreign import archive, reading

pytestmark = [
    pytest.mark.soak,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:::PIL"),
    pytest.mark.filterwarnings("ignore"),
]


def spoilt(whole: bytes, draw: random.Random) -> bytes:
    """Return ``whole`` with some bytes changed, left out, doubled or put in."""
    content = bytearray(whole)
    for _ in range(draw.randint(1, 6)):
        at, n = draw.randrange(len(content) + 1), draw.randint(0, 40)
        match draw.randrange(4):
            case 0:
                content[at : at + n] = draw.randbytes(n)
            case 1:
                del content[at : at + n]
            case 2:
                content[at:at] = content[at : at + n]
            case _:
                content[at : at + 4] = draw.choice((b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\0\x80"))
    return bytes(content)


def tried(kind: str, read, contents) -> None:
    refusals = n = 0
    for content in contents:
        n += 1
        try:
            read(content)
        except DataError as error:
            assert refusal(error)
            refusals += 1
    count(kind, n)
    assert 0 < refusals <= n


def test_pictures_cut_after_every_byte():
    tried("picture", read_image, (content for _, content in pictures.cut(10**9)))


@pytest.mark.parametrize("kind", pictures.KINDS)
def test_spoilt_pictures(kind):
    draw = random.Random(kind)
    tried("picture", read_image, (spoilt(pictures.honest(kind), draw) for _ in range(10_000)))


def test_spoilt_archives():
    draw, whole = random.Random(0), keras_files.packed()
    head, tail = whole[:7_000], whole[-400:]
    contents = (spoilt(head, draw) + whole[7_000:-400] + tail for _ in range(5_000))
    tried("model file", archive.look_at, contents)
    contents = (whole[:-400] + spoilt(tail, draw) for _ in range(5_000))
    tried("model file", archive.look_at, contents)


def test_spoilt_configs():
    draw, whole = random.Random(0), keras_files.member("config.json")
    tried("model config", reading.read, (spoilt(whole, draw) for _ in range(20_000)))


@pytest.mark.keras
def test_spoilt_heads(tmp_path):
    import numpy as np

    x = np.random.default_rng(0).random((20, 4), np.float32)
    fitted, _ = heads.fit("knn", x, np.arange(20) % 2, (x, np.arange(20) % 2), seed=0)
    heads.save(fitted, tmp_path / "honest.skops")
    draw, whole = random.Random(0), (tmp_path / "honest.skops").read_bytes()

    def read(content: bytes) -> None:
        (tmp_path / "x.skops").write_bytes(content)
        heads.load(tmp_path / "x.skops")

    tried("head file", read, (spoilt(whole, draw) for _ in range(3_000)))


def test_spoilt_archives_of_runs():
    from tlcore import archives as runs

    draw = random.Random(0)
    tried("archive", runs.look_at, (spoilt(run_archives.honest(), draw) for _ in range(5_000)))
    texts = (spoilt(json.dumps(run_archives.record()).encode(), draw) for _ in range(5_000))
    tried("archive", runs.look_at, (run_archives.pack({FILE: text}) for text in texts))
