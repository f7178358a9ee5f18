"""A stranger's weights file: looked through before a number of it is read, then read number by number."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.errors import DataError

from .network import Network
from .refusals import refuse

if TYPE_CHECKING:
    import h5py

MOST_OBJECTS = 5_000  # groups and datasets of a weights file
MOST_NUMBERS = 8  # times the network's weights: an optimizer keeps several for each


def check_weights(path: Path, n_weights: int) -> None:
    """Look through an HDF5 file, of a network with so many weights, without reading a number of it.

    Raises
    ------
    DataError
        It is damaged, leads to another file, or holds more than the network can need.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _look_through(file, MOST_NUMBERS * n_weights + MOST_OBJECTS)
    except DataError:
        raise
    except Exception as error:  # h5py raises whatever it comes upon in a damaged file
        raise refuse("its weights are damaged. Save or download the model again") from error


def _look_through(file: "h5py.File", most: int) -> None:
    import h5py

    todo: list[h5py.Group] = [file]
    n_objects = n_numbers = 0
    seen: set[int] = set()
    while todo:
        group = todo.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:  # a hard link back to a group above
            raise _not_from_keras("contains itself")
        seen.add(address)
        for name in group:
            n_objects += 1
            if n_objects > MOST_OBJECTS:
                raise _not_from_keras(f"has more than {MOST_OBJECTS:,} parts")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _not_from_keras("has links, which may lead to other files")
            found = group[name]
            if isinstance(found, h5py.Group):
                todo.append(found)
                continue
            _check_dataset(found)
            n_numbers += found.size
            if n_numbers > most:
                raise _not_from_keras("announces more numbers than the network has weights")


def _check_dataset(found: Any) -> None:
    import h5py

    if not isinstance(found, h5py.Dataset) or found.shape is None or not _is_of_numbers(found.dtype):
        raise _not_from_keras("holds something that is not an array of numbers")
    if found.external or found.is_virtual:
        raise _not_from_keras("has its numbers in other files")
    filters = found.id.get_create_plist()
    if any(filters.get_filter(i)[0] > h5py.h5z.FILTER_FLETCHER32 for i in range(filters.get_nfilters())):
        raise _not_from_keras("is packed in a way that is not unpacked here")


def _is_of_numbers(dtype: np.dtype) -> bool:
    bfloat16 = dtype.kind == "V" and dtype.itemsize == 2 and dtype.names is None and dtype.subdtype is None
    return dtype.kind in "fiub" or bfloat16


def _not_from_keras(what: str) -> DataError:
    return refuse(
        "its weights file {what}, as Keras does not write it. Save the model again with model.save", what=what
    )


def read_weights(path: Path, network: Network) -> dict[str, list[np.ndarray]]:
    """Return the float32 weights of every layer of ``network`` from a file that was looked through.

    What an optimizer keeps is not read.

    Raises
    ------
    DataError
        A weight is missing, has another shape than its layer needs, or is not finite.
    """
    import h5py

    found = {}
    with h5py.File(path, "r") as file:
        for layer in network.layers:
            found[layer.name] = [numbers(file, f"{layer.path}/vars/{i}", s) for i, s in enumerate(layer.weights)]
    for name, arrays in found.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise refuse(
                "the weights of its layer {name} are not finite numbers: its training diverged. Train it again with a "
                "lower learning rate",
                name=name,
            )
    return found


def numbers(file: "h5py.File", place: str, shape: Sequence[int]) -> np.ndarray:
    """Return one array of a file that was looked through, as float32; a DataError where it has another shape."""
    import h5py

    try:
        found = file.get(place)
        if not isinstance(found, h5py.Dataset) or found.shape != tuple(shape):
            raise ValueError
        read = np.asarray(found)
    except Exception as error:  # h5py raises whatever it comes upon in a damaged file
        raise refuse("its weights are not those of its layers. Save the model again with model.save") from error
    if read.dtype.kind == "V":  # bfloat16: the upper half of a float32
        read = (read.view(np.uint16).astype(np.uint32) << 16).view(np.float32).reshape(shape)
    with np.errstate(over="ignore"):
        return read.astype(np.float32)
