"""The four IDX files in which MNIST and sets after its pattern are published."""

import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tlcore.errors import DataError


def read_idx(folder: Path, md5: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Return the four arrays of a folder of IDX files (``.gz`` or not) after checking their sums.

    Returns
    -------
    dict with x_train, x_test: uint8 (n, h, w); y_train, y_test: uint8 (n,)

    References
    ----------
    The IDX format: LeCun, Cortes and Burges, "The MNIST database of handwritten digits".
    """
    arrays = {}
    for (file, expected), name in zip(md5.items(), ("x_train", "y_train", "x_test", "y_test"), strict=True):
        raw = _unzipped(folder, file)
        if hashlib.md5(raw, usedforsecurity=False).hexdigest() != expected:
            raise DataError("{file} is not the published file (its MD5 differs). Download it again.", file=file)
        shape = np.frombuffer(raw, ">i4", raw[3], offset=4)  # after two zeros, the type 8 (uint8) and the axes
        arrays[name] = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)
    return arrays


def _unzipped(folder: Path, file: str) -> bytes:
    for path in (folder / f"{file}.gz", folder / file):
        if path.is_file():
            try:
                return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            except (OSError, EOFError) as error:
                raise DataError("{file} is damaged. Download it again.", file=path.name) from error
    raise DataError("{folder} has no file {file} or {file}.gz. Give the folder of the four.", folder=folder, file=file)
