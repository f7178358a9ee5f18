"""Activations of a frozen prefix: computed once, kept on disk, shared by every run and person."""

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import SpecError
from .spec import PIXELS

if TYPE_CHECKING:
    import keras

BATCH = 512


@dataclass(frozen=True)
class Features:
    """A feature matrix with what it cost: ``x`` is float32, shape (n, d)."""

    x: np.ndarray
    seconds: float
    from_cache: bool

    @property
    def megabytes(self) -> float:
        return self.x.nbytes / 2**20


def submodel(model: "keras.Model", layer: str) -> "keras.Model":
    """Return the part of ``model`` from its input to the output of ``layer``; the weights are shared.

    Raises
    ------
    SpecError
        ``model`` has no layer of that name.
    """
    import keras

    names = [candidate.name for candidate in model.layers]
    if layer not in names:
        raise SpecError(
            "There is no layer {layer!r}: {model!r} has the layers {known}. Pick one of them.",
            layer=layer,
            model=model.name,
            known=", ".join(names),
        )
    return keras.Model(model.inputs, model.get_layer(layer).output)


def activations(
    prefix: "keras.Model", images: np.ndarray, *, should_stop: Callable[[], bool] = lambda: False
) -> np.ndarray:
    """Return what ``prefix`` makes of ``images``: float32, shape (n, ...), in inference mode.

    Stopped half-way, the rest is zeros.
    """
    import tensorflow as tf

    run = tf.function(lambda batch: prefix(batch, training=False), reduce_retracing=True)
    out = np.zeros((len(images), *prefix.output_shape[1:]), np.float32)
    for first in range(0, len(images), BATCH):
        if should_stop():
            break
        out[first : first + BATCH] = run(tf.constant(images[first : first + BATCH])).numpy()
    return out


def extract(model: "keras.Model", images: np.ndarray, layer: str) -> np.ndarray:
    """Return the activations of one layer as a feature matrix.

    Parameters
    ----------
    images : float32 array, shape (n, 28, 28, 1), values in [0, 1]
    layer : name of a layer of ``model``, or ``pixels`` for the images themselves

    Returns
    -------
    float32 array, shape (n, d)
        Row i belongs to ``images[i]``; spatial axes are flattened, channel last.

    Raises
    ------
    SpecError
        ``model`` has no layer of that name.

    References
    ----------
    Yosinski et al. (2014), "How transferable are features in deep neural networks?"
    """
    found = images if layer == PIXELS else activations(submodel(model, layer), images)
    return found.reshape(len(images), -1)


def cached_extract(model: "keras.Model", images: np.ndarray, layer: str, folder: Path) -> Features:
    """Return ``extract``'s matrix as a read-only memory map of a file in ``folder``, made when it is missing.

    The file is named by content: the prefix's architecture and weights, the layer, the images. Two workers that
    make the same one at once both write a whole file; the later replaces the equal earlier one.
    """
    began = time.perf_counter()
    path = Path(folder) / f"{_key(model, images, layer)}.npy"
    found = _open(path, len(images))
    if found is not None:
        os.utime(path)  # the oldest unused goes first when the folder is full
        return Features(found, time.perf_counter() - began, from_cache=True)
    x = extract(model, images, layer)
    _save(path, x)
    return Features(x, time.perf_counter() - began, from_cache=False)


def _key(model: "keras.Model", images: np.ndarray, layer: str) -> str:
    part = model if layer == PIXELS else submodel(model, layer)
    weights = () if layer == PIXELS else part.get_weights()
    shapes = [] if layer == PIXELS else [[type(step).__name__, str(step.output.shape)] for step in part.layers]
    return _digest([json.dumps([layer, shapes]).encode(), *weights, np.ascontiguousarray(images)])


def _digest(parts: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).data)
    return digest.hexdigest()[:32]


def _open(path: Path, n: int) -> np.ndarray | None:
    """Return the stored matrix, or None when there is none or its file is damaged."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        return None
    except (ValueError, OSError, EOFError):
        path.unlink(missing_ok=True)
        return None
    return found if found.ndim == 2 and len(found) == n and found.dtype == np.float32 else None


def _save(path: Path, x: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, x, allow_pickle=False)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
