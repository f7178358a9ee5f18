"""Make a network from a checked description and foreign weights. Runs in a process of its own that may do little else.

Keras' loader is not used: the layers are built from settings that were checked one by one, and only their numbers come
from the file.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.errors import DataError
from tlcore.machine.processes import begin_child

from .config import Layer, Network, refuse

if TYPE_CHECKING:
    import h5py
    import keras

WEIGHTS, MODEL = "model.weights.h5", "model.keras"
MOST_MEMORY = 2 * 2**30  # beyond what the process has after importing Keras
MOST_CPU_S = 60
MOST_OBJECTS = 5_000  # groups and datasets of a weights file
MOST_NUMBERS = 4  # times the network's weights: an optimizer keeps two more for each
FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system", "os.exec", "os.fork",
             "os.posix_spawn", "os.spawn", "pty.spawn", "ctypes.dlopen")  # fmt: skip


def begin() -> None:
    """First thing in the process: import Keras, and then give away what reading a model does not need."""
    begin_child()
    import h5py  # noqa: F401
    import keras  # noqa: F401
    import tensorflow as tf

    tf.zeros(1)  # TensorFlow starts its threads now, before memory is counted
    _limit()
    sys.addaudithook(_refuse)


def _limit() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit of the caller is all there is
        return
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, used + MOST_MEMORY))
    until = int(sum(os.times()[:2])) + MOST_CPU_S
    resource.setrlimit(resource.RLIMIT_CPU, (until, until))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _refuse(event: str, _arguments: tuple[Any, ...]) -> None:
    if event.startswith(FORBIDDEN):
        raise PermissionError(f"{event} in the process that reads foreign models")


def rebuild(network: Network, folder: str) -> list[dict[str, Any]]:
    """Build ``network``, read ``model.weights.h5`` of ``folder`` into it, and save it there as ``model.keras``.

    Returns
    -------
    list of dict
        The rows of the layers, as ``LayerInfo`` takes them.

    Raises
    ------
    DataError
        The weights are not those of the network, or are no finite numbers.
    """
    from tlcore.sources import describe

    path = Path(folder) / WEIGHTS
    check_weights(path, network)
    model = build(network)
    try:
        model.load_weights(path)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise refuse("its weights are not those of its layers") from error
    if model.count_params() != network.n_weights or not all(np.isfinite(w).all() for w in model.get_weights()):
        raise refuse("its weights are not those of its layers, or are no numbers")
    answers = np.asarray(model(np.stack([np.zeros((28, 28, 1), np.float32), np.ones((28, 28, 1), np.float32)])))
    if answers.shape != (2, network.n_classes) or not np.allclose(answers.sum(axis=1), 1, atol=1e-3):
        raise refuse("its answers to a black and a white image are no probabilities")
    model.save(Path(folder) / MODEL)
    return [asdict(layer) for layer in describe(model)]


def check_weights(path: Path, network: Network) -> None:
    """Look through an HDF5 file without reading a number of it.

    Raises
    ------
    DataError
        It is damaged, leads to another file, or holds more than the network can need.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _look_through(file, MOST_NUMBERS * network.n_weights + MOST_OBJECTS)
    except DataError:
        raise
    except Exception as error:  # h5py raises whatever it comes upon in a damaged file
        raise refuse("its weights file is damaged") from error


def _look_through(file: "h5py.File", most: int) -> None:
    import h5py

    todo: list[h5py.Group] = [file]
    n_objects = n_numbers = 0
    seen: set[int] = set()
    while todo:
        group = todo.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:  # a hard link back to a group above
            raise refuse("its weights file contains itself")
        seen.add(address)
        for name in group:
            n_objects += 1
            if n_objects > MOST_OBJECTS:
                raise refuse(f"its weights file has more than {MOST_OBJECTS:,} parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise refuse("its weights file has links, which may lead to other files")
            found = group[name]
            if isinstance(found, h5py.Group):
                todo.append(found)
                continue
            _check_dataset(found)
            n_numbers += found.size
            if n_numbers > most:
                raise refuse("its weights file announces more numbers than the network has weights")


def _check_dataset(found: Any) -> None:
    import h5py

    if not isinstance(found, h5py.Dataset) or found.shape is None or found.dtype.kind not in "fiub":
        raise refuse("its weights file holds something that is no array of numbers")
    if found.external or found.is_virtual:
        raise refuse("its weights lie in other files")
    filters = found.id.get_create_plist()
    if any(filters.get_filter(i)[0] > h5py.h5z.FILTER_FLETCHER32 for i in range(filters.get_nfilters())):
        raise refuse("its weights are packed in a way that the app does not unpack")


def build(network: Network) -> "keras.Model":
    """Return the untrained network, fed with (28, 28, 1) images whatever shape it was made for."""
    import keras

    x = image = keras.Input((28, 28, 1), name="image")
    if network.input_shape != (28, 28, 1):
        name = _free_name("as_" + "x".join(map(str, network.input_shape)), network.layers)
        x = keras.layers.Reshape(network.input_shape, name=name)(x)
    for layer in network.layers:
        x = getattr(keras.layers, layer.type)(**layer.settings, name=layer.name)(x)
    return keras.Model(image, x, name="uploaded")


def _free_name(name: str, layers: Sequence[Layer]) -> str:
    while any(layer.name == name for layer in layers):
        name += "_"
    return name
