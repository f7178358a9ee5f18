"""What a run's models said of every test image and of noise, kept beside the run, so that a page can look closer.

The probabilities lie in the run's folder; the test images are the same for many runs and lie once in the data folder,
named by their content. Reading either needs no Keras.
"""

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tlcore import inputs
from tlcore.datasets import Data
from tlcore.errors import DataError
from tlcore.machine import scratch
from tlcore.spec import InputForm

FILE = "outputs.npz"
SHARED = "test_images"  # the folder of test images inside the data folder
N_NOISE = 200  # images of each kind

Said = tuple[np.ndarray, np.ndarray]  # probabilities of the test images (n, k), and of the noise (2 * N_NOISE, k)


@dataclass(frozen=True, eq=False)
class Outputs:
    """One model's probabilities.

    Attributes
    ----------
    labels : int64, shape (n,): the true classes, 0..k-1
    probabilities : float32, shape (n, k); kept with eleven significant bits
    predicted : int64, shape (n,): the answers, from the probabilities before they were shortened
    noise : float32, shape (2 * N_NOISE, k): to ``noise``'s images
    images : names the test images; equal names mean equal images with equal labels
    """

    labels: np.ndarray
    probabilities: np.ndarray
    predicted: np.ndarray
    noise: np.ndarray
    images: str


def noise(items: np.ndarray, form: InputForm) -> np.ndarray:
    """Return items that show nothing, shape (2 * N_NOISE, *form.shape), the same ones at every call.

    The first half is even noise, every number anything that it can be; the second are ``items`` with their numbers
    shuffled, so that the amount of ink is right and only the shape is gone.
    """
    rng = np.random.default_rng(0)
    even = inputs.modality(form.modality).noise(form, N_NOISE, rng)
    flat = items[np.arange(N_NOISE) % len(items)].reshape(N_NOISE, -1)
    return np.concatenate([even, rng.permuted(flat, axis=1).reshape(even.shape)])


def save(
    run_folder: Path,
    folder: Path,
    data: Data,
    said: Mapping[str, Said],
    move: Callable[[Path, Path], object] = os.replace,
    add: bool = False,
) -> Path:
    """Write what each model of a run said; return the path of the run's file.

    Parameters
    ----------
    run_folder, folder : the run's own folder, and the data folder that all runs share
    said : by model: "model" for a network, the name of its file without ending for a head
    move : puts the finished file into its place
    add : keep what other models said, where the file is there already
    """
    path = run_folder / FILE
    arrays: dict[str, np.ndarray] = {
        "labels": data.y_test.astype(np.int16),
        "images": np.array(keep_images(data, folder)),
    }
    for name, (test, other) in said.items():
        arrays[f"{name}/test"] = test.astype(np.float16)
        arrays[f"{name}/predicted"] = test.argmax(axis=1).astype(np.int16)
        arrays[f"{name}/noise"] = other.astype(np.float16)
    if add and path.exists():
        with _opened(path) as kept:
            arrays = {name: kept[name] for name in kept.files} | arrays
    _write(path, arrays, move)
    return path


def models(path: Path) -> tuple[str, ...]:
    """Return the names of the models whose answers a file holds."""
    with _opened(path) as arrays:
        return tuple(name.removesuffix("/test") for name in arrays.files if name.endswith("/test"))


def load(path: Path, model: str) -> Outputs:
    """Read what one model said.

    Raises
    ------
    DataError
        The file cannot be read, or holds nothing of that model.
    """
    with _opened(path) as arrays:
        if f"{model}/test" not in arrays.files:
            raise DataError("The answers of {model} were not kept with this run. Train it again.", model=model)
        return Outputs(
            arrays["labels"].astype(np.int64),
            arrays[f"{model}/test"].astype(np.float32),
            arrays[f"{model}/predicted"].astype(np.int64),
            arrays[f"{model}/noise"].astype(np.float32),
            str(arrays["images"]),
        )


@lru_cache(maxsize=4)
def test_images(name: str, folder: Path, form: InputForm) -> np.ndarray:
    """Return the test items of that name as stored, shape (n, *form.shape), read-only.

    Raises
    ------
    DataError
        The file is missing or damaged.
    """
    path = _images_path(folder, name)
    with _opened(path) as arrays:
        pixels, labels = arrays["pixels"], arrays["labels"]
    if _name(pixels, labels) != name:
        raise DataError("The test images kept in {file} are damaged. Start any run on them again.", file=path.name)
    items = pixels.reshape(len(pixels), *form.shape)
    items.setflags(write=False)
    return items


def keep_images(data: Data, folder: Path) -> str:
    """Keep the test images of a task in the data folder; return the name that tells them from others."""
    pixels, labels = data.x_test, data.y_test.astype(np.int64)
    if pixels.ndim == 4 and pixels.shape[-1] == 1:  # as before there were others: equal images keep their name
        pixels = pixels[..., 0]
    name = _name(pixels, labels)
    path = _images_path(folder, name)
    if not path.exists():
        _write(path, {"pixels": pixels, "labels": labels})
    return name


def _images_path(folder: Path, name: str) -> Path:
    return folder / SHARED / f"{name}.npz"


def _name(pixels: np.ndarray, labels: np.ndarray) -> str:
    digest = hashlib.sha256(f"{pixels.shape}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    digest.update(np.ascontiguousarray(labels).data)
    return digest.hexdigest()[:32]


def _write(path: Path, arrays: Mapping[str, np.ndarray], move: Callable[[Path, Path], object] = os.replace) -> None:
    """Write a whole file or none: two runs may keep the same images at once."""

    def write(temporary: Path) -> None:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)

    scratch.write_whole(path, write, move)


def _opened(path: Path) -> "np.lib.npyio.NpzFile":
    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError("The file {file} is missing or damaged. Train the run again.", file=path.name) from error
