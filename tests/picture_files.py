"""Files of pictures, made small: what people bring as own pictures, and what hostile ones look like."""

import csv
import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tlcore.datasets.own_sets import Given

COLOURS = {"cat": (200, 60, 40), "dog": (40, 80, 200), "owl": (60, 200, 80)}


def scene(name: str, number: int, size: tuple[int, int] = (60, 50)) -> Image.Image:
    """Return a picture of a class: coloured noise of its own, and the same at every call."""
    rng = np.random.default_rng([sum(map(ord, name)), number])
    coarse = rng.integers(0, 256, (6, 6, 3)) * 0.6 + np.array(COLOURS.get(name, (128, 128, 128))) * 0.4
    return Image.fromarray(coarse.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)


def encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format, **options)
    return stream.getvalue()


def sideways(picture: Image.Image, orientation: int = 6) -> bytes:
    """Return a JPEG whose EXIF says that it lies on its side."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, "JPEG", exif=exif, quality=95)


def pets(n: int = 5, classes: tuple[str, ...] = ("cat", "dog")) -> dict[str, bytes]:
    """Return a ZIP's files: class folders of ``n`` pictures each."""
    return {f"{name}/{i}.png": encoded(scene(name, i)) for name in classes for i in range(n)}


def zipped(path: Path, files: dict[str, bytes]) -> Given:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return Given(path, path.name)


def written(path: Path, content: bytes, label: str = "") -> Given:
    path.write_bytes(content)
    return Given(path, path.name, label)


def idx(array: np.ndarray, shape: tuple[int, ...] | None = None) -> bytes:
    """Return an array of uint8 as an IDX file; its head may tell another shape."""
    shape = array.shape if shape is None else shape
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + array.tobytes()


def npz(path: Path, **arrays: np.ndarray) -> Given:
    np.savez(path, **arrays)
    return Given(path, path.name)


def pixel_csv(images: np.ndarray, labels: "list[object]", header: bool = True) -> bytes:
    stream = io.StringIO()
    rows = csv.writer(stream)
    flat = images.reshape(len(images), -1)
    if header:
        rows.writerow(["label", *(f"pixel{i}" for i in range(flat.shape[1]))])
    rows.writerows([label, *values.tolist()] for label, values in zip(labels, flat, strict=True))
    return stream.getvalue().encode()


def digits(n: int, side: int = 28, seed: int = 0) -> np.ndarray:
    """Return light blobs on black: uint8, shape (n, side, side)."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, side, side), np.uint8)
    inner = slice(side // 4, 3 * side // 4)
    images[:, inner, inner] = rng.integers(0, 256, images[:, inner, inner].shape)
    return images


def packed(content: bytes) -> bytes:
    return gzip.compress(content)
