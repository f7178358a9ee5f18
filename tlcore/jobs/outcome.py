"""What the results of several kinds of runs have in common: batches of answers, hashes of files, the device."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from tlcore.spec import File

CACHE = "cache"  # the folder of kept activations inside the data folder


def device() -> str:
    """Return what TensorFlow computes on, in words."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        details = tf.config.experimental.get_device_details(gpus[0])
        return f"GPU ({details.get('device_name', 'unnamed')})"
    return f"CPU ({os.cpu_count()} cores)"


def in_batches(answer: Callable[[np.ndarray], np.ndarray], x: np.ndarray, size: int = 1000) -> np.ndarray:
    """Return the answers to all of ``x``, computed for that many at a time."""
    return np.concatenate([answer(x[first : first + size]) for first in range(0, len(x), size)])


def files(paths: Iterable[Path], prefix: str = "") -> dict[str, File]:
    """Return the hash and the size of each file, by its name after ``prefix``."""
    contents = {prefix + path.name: path.read_bytes() for path in paths}
    return {name: File(hashlib.sha256(content).hexdigest(), len(content)) for name, content in contents.items()}
