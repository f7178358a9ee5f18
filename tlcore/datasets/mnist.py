"""MNIST, and its two halves: shipped whole in one file, built from the four published ones."""

import hashlib
import io
import json
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from tlcore.spec import InputForm

from .assets import ASSETS, read_asset, read_card
from .idx import read_idx
from .source import DatasetInfo, DataSource, Raw

FORM = InputForm("image", (28, 28, 1))
DIGITS = tuple("0123456789")
SIZES = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
TEST_SIZES = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
ATTRIBUTION = "MNIST by Yann LeCun and Corinna Cortes, CC BY-SA 3.0"
COMPRESSION = 9  # of the shipped file: slow to write, quick to read

MD5 = {  # of the four raw (unzipped) IDX files, as published
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


class Mnist(DataSource):
    """The digits from ``first`` to before ``end``, numbered from 0."""

    def __init__(self, name: str, title: str, shares: tuple[str, ...], first: int = 0, end: int = 10):
        self.part = slice(first, end)
        n_test = sum(TEST_SIZES[self.part])
        self.info = DatasetInfo(
            name, title, DIGITS[self.part], FORM, SIZES[self.part], n_test, True, ATTRIBUTION, shares=shares
        )

    def read(self) -> Raw:
        raw, part = _read(ASSETS / "mnist.npz", _sha256()), self.part
        if part == slice(0, 10):
            return raw
        train, test = ((y >= part.start) & (y < part.stop) for y in (raw.y_train, raw.y_test))
        return Raw(raw.x_train[train], raw.y_train[train] - part.start, raw.x_test[test], raw.y_test[test] - part.start)

    def check_shipped(self) -> None:
        read_asset(ASSETS / "mnist.npz", _sha256())

    def build(self, folder: Path) -> Path:
        return build(folder)


TASKS = (
    Mnist("mnist", "MNIST digits 0-9", ("mnist_0_4", "mnist_5_9")),
    Mnist("mnist_0_4", "MNIST digits 0-4", ("mnist",), 0, 5),
    Mnist("mnist_5_9", "MNIST digits 5-9", ("mnist",), 5, 10),
)


def _sha256() -> str:
    return str(read_card(ASSETS / "mnist.json").get("sha256"))


@lru_cache(maxsize=1)  # 55 MB with which every later load of this process begins: a quarter of a second less
def _read(path: Path, sha256: str) -> Raw:
    with np.load(io.BytesIO(read_asset(path, sha256))) as arrays:
        x_train, x_test = arrays["x_train"][..., None], arrays["x_test"][..., None]  # uint8 (n, 28, 28, 1)
        return Raw(x_train, arrays["y_train"].astype(np.int64), x_test, arrays["y_test"].astype(np.int64))


def build(folder: Path) -> Path:
    """Write ``mnist.npz`` and its card into the assets folder from the four published files.

    The same files give the same bytes with the same version of zlib; the card notes the sum of what was written.
    """
    target = ASSETS / "mnist.npz"
    arrays = read_idx(folder, MD5)
    with zipfile.ZipFile(target, "w") as archive:
        for name, array in arrays.items():
            stream = io.BytesIO()
            np.lib.format.write_array(stream, array)
            member = zipfile.ZipInfo(f"{name}.npy")  # its fixed date of 1980 keeps the bytes the same
            archive.writestr(member, stream.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION)
    content = target.read_bytes()
    card = {
        "file": target.name,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "n_train": len(arrays["y_train"]),
        "n_test": len(arrays["y_test"]),
        "attribution": ATTRIBUTION,
        "rebuild": "python -m tlcore.datasets build FOLDER",
    }
    (ASSETS / "mnist.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return target
