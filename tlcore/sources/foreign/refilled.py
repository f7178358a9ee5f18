"""The numbers of a stranger's file in a network that this lab makes: what a run of another lab trained.

The network is made as the run made it, so nothing of the file's own description is read. Runs in a process of its own.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .archive import WEIGHTS, look_through, unpack_weights
from .rebuild import MODEL
from .refusals import refuse
from .weights import check_weights, numbers

if TYPE_CHECKING:
    import h5py
    import keras

PATTERN = "pattern.weights.h5"


def refill(content: bytes, source: str, n_classes: int, seed: int, scale: bool, folder: Path) -> Path:
    """Make the network of a run, put the weights of a ``.keras`` file into it, and save it in ``folder``.

    Parameters
    ----------
    source, n_classes, seed, scale : as ``sources.load`` takes them

    Raises
    ------
    DataError
        The file is not a ``.keras`` archive, or its weights are not those of that network.
    """
    from tlcore import sources

    look_through(content)
    unpack_weights(content, folder / WEIGHTS)
    model = sources.load(source, n_classes=n_classes, seed=seed, scale=scale)
    check_weights(folder / WEIGHTS, model.count_params())
    _fill(model, folder)
    model.save(folder / MODEL)
    return folder / MODEL


def _fill(model: "keras.Model", folder: Path) -> None:
    """Put the numbers of the file where Keras itself keeps those of ``model``."""
    import h5py

    model.save_weights(folder / PATTERN)
    with h5py.File(folder / PATTERN, "r+") as ours, h5py.File(folder / WEIGHTS, "r") as theirs:
        for place in _arrays(ours):
            array = ours[place]
            if array.dtype.kind != "f":  # the state of a random generator, which no answer depends on
                continue
            read = numbers(theirs, place, array.shape)
            if not np.isfinite(read).all():
                raise refuse(
                    "its weights are not finite numbers: its training diverged. Train it again with a lower learning "
                    "rate"
                )
            array[...] = read
    model.load_weights(folder / PATTERN)


def _arrays(file: "h5py.File") -> list[str]:
    import h5py

    places: list[str] = []
    file.visititems(lambda place, found: places.append(place) if isinstance(found, h5py.Dataset) else None)
    return places
