"""Photographs of hands that sign the digits 0 to 9, by some 200 people: those who test are in no other part."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore.errors import DataError
from tlcore.spec import InputForm

from .assets import ASSETS, read_asset, read_card
from .source import DatasetInfo, DataSource, Raw

SIDE = 96
FORM = InputForm("photo", (SIDE, SIDE, 3))
SIGNS = tuple(map(str, range(10)))
SIZES = (148, 149, 148, 149, 149, 149, 149, 148, 150, 147)
N_TEST = 576
TEST_SHARE = 0.28  # of the people
QUALITY = 85  # of the JPEGs that ship
SEED = 0
ATTRIBUTION = "Sign Language Digits Dataset, Ayrancı Anadolu High School, Ankara (A. Mavi 2020), Apache-2.0"

_PHOTOGRAPH = re.compile(r"(\d)/IMG_(\d+)\.JPG")


class Hands(DataSource):
    """Read from JPEGs when somebody asks; decoded once in a process, or only those that are asked for."""

    info = DatasetInfo(
        "hands", "Hands 0-9 (photographs)", SIGNS, FORM, SIZES, N_TEST, True, ATTRIBUTION,
        "Signs for 0 to 9; 3 and 6 to 9 are no finger counts. The people of the test photographs are in no other part.",
    )  # fmt: skip

    def read(self) -> Raw:
        train, test = (self.labels(part) for part in ("train", "test"))
        pixels = {part: _decoded(part, _sha256()) for part in ("train", "test")}
        return Raw(pixels["train"], train, pixels["test"], test)

    def labels(self, part: str) -> np.ndarray:
        packed = _packed(_sha256())
        return packed["y"][_rows(packed, part)].astype(np.int64)

    def items(self, part: str, rows: np.ndarray) -> np.ndarray:
        packed = _packed(_sha256())
        return _pixels(packed, _rows(packed, part)[rows])

    def check_shipped(self) -> None:
        read_asset(ASSETS / "hands.npz", _sha256())

    def build(self, folder: Path) -> Path:
        return build(folder)


def _sha256() -> str:
    return str(read_card(ASSETS / "hands.json").get("sha256"))


@lru_cache(maxsize=1)
def _packed(sha256: str) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(read_asset(ASSETS / "hands.npz", sha256))) as file:
        return {name: file[name] for name in file.files}


def _rows(packed: dict[str, np.ndarray], part: str) -> np.ndarray:
    return np.flatnonzero(packed["test"] == (part == "test"))


@lru_cache(maxsize=2)  # 57 MB both
def _decoded(part: str, sha256: str) -> np.ndarray:
    packed = _packed(sha256)
    pixels = _pixels(packed, _rows(packed, part))
    pixels.flags.writeable = False
    return pixels


def _pixels(packed: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """Return photographs as uint8, shape (n, 96, 96, 3)."""
    content, ends = packed["jpeg"], packed["ends"]
    starts = np.concatenate([[0], ends[:-1]])
    out = np.empty((len(rows), *FORM.shape), np.uint8)
    for i, row in enumerate(rows):
        with Image.open(io.BytesIO(content[starts[row] : ends[row]].tobytes()), formats=("JPEG",)) as picture:
            out[i] = np.asarray(picture)
    return out


# -- building --------------------------------------------------------------------------------------------------------


def people(labels: Sequence[int]) -> list[int]:
    """Return whose each photograph is, in the order in which they were taken: the numbers of people, from 0.

    Everybody signs 0 to 9 before the next does, so somebody else begins where the digit does not grow. Where digits are
    missing or out of order the cut is not sure: neighbours that are not whole then count as one, so that nobody is ever
    divided.

    Examples
    --------
    >>> people([*range(10), *range(10), 5, 0, 1, 2]) == [0] * 10 + [1] * 10 + [2] * 4
    True
    """
    runs: list[list[int]] = []
    for label in labels:
        if not runs or label <= runs[-1][-1]:
            runs.append([])
        runs[-1].append(label)
    found, number = [], -1
    for before, run in zip([None, *runs], runs, strict=False):
        whole = len(run) == len(SIGNS) or before is None or len(before) == len(SIGNS)
        number += whole
        found += [number] * len(run)
    return found


def build(path: Path) -> Path:
    """Write ``hands.npz`` and its card from the published photographs, a ZIP of class folders; return its path.

    Made 96 × 96, and JPEGs of quality 85. Of the people a share ``TEST_SHARE``, drawn with seed 0, tests.

    Raises
    ------
    DataError
        The file is not that ZIP.
    """
    taken = _taken(path)
    whose = np.array(people([label for _number, label, _content in taken]))
    drawn = np.random.default_rng(SEED).permutation(whose.max() + 1)
    test = np.isin(whose, drawn[: round(TEST_SHARE * len(drawn))])
    jpegs = [_small(content) for _number, _label, content in taken]
    target = ASSETS / "hands.npz"
    arrays = {
        "jpeg": np.frombuffer(b"".join(jpegs), np.uint8),
        "ends": np.cumsum([len(jpeg) for jpeg in jpegs]),
        "y": np.array([label for _number, label, _content in taken], np.uint8),
        "person": whose.astype(np.uint16),
        "test": test,
    }
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), stream.getvalue())  # its fixed date keeps the bytes equal
    content = target.read_bytes()
    card = {
        "file": target.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_train": int((~test).sum()),
        "n_test": int(test.sum()),
        "n_people": len(drawn),
        "n_people_test": round(TEST_SHARE * len(drawn)),
        "attribution": ATTRIBUTION,
        "rebuild": "python -m tlcore.datasets hands FILE.zip",
    }
    target.with_suffix(".json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _taken(path: Path) -> list[tuple[int, int, bytes]]:
    """Return (number, digit, file) of every photograph, in the order in which they were taken."""
    try:
        with zipfile.ZipFile(path) as archive:
            named = [(match, name) for name in archive.namelist() if (match := _PHOTOGRAPH.fullmatch(name))]
            rows = [(int(match[2]), int(match[1]), archive.read(name)) for match, name in named]
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError("{file} cannot be read as a ZIP. Download it again.", file=path.name) from error
    if not rows:
        raise DataError("{file} holds no photographs named like 0/IMG_1118.JPG.", file=path.name)
    return sorted(rows)


def _small(content: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
        small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    small.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()
