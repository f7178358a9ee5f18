"""Light augmentation: each epoch trains on copies of the training items, each changed a little and anew."""

from collections.abc import Callable

import numpy as np

from tlcore import datasets, inputs
from tlcore.datasets import Data
from tlcore.spec import FineTuneSpec, InputForm

AT_ONCE = 4000  # items between two looks at the stop flag
STREAM = 2  # of the random numbers: another than that of the order of the items


def check(spec: FineTuneSpec, form: InputForm) -> None:
    """Raise a SpecError in one sentence when ``spec`` augments items of a kind that has no augmentation."""
    kind = inputs.modality(form.modality)
    if spec.augment and not kind.augments:
        kind.augment(np.zeros((0, *form.shape), form.dtype), 0)


def images(
    data: Data, spec: FineTuneSpec, epoch: int, should_stop: Callable[[], bool] = lambda: False
) -> np.ndarray | None:
    """Return the copies of the training items that an epoch, counted from 0, trains on; None once it should stop.

    They follow from the seed and the epoch's number alone, so that whoever goes on in the middle of it has the same.

    Returns
    -------
    array of the shape and dtype of ``data.x_train``, in its order
    """
    kind, copies = inputs.modality(data.form.modality), np.empty_like(data.x_train)
    for first in range(0, len(copies), AT_ONCE):
        if first and should_stop():
            return None
        seed = (spec.seed, epoch, STREAM, first)
        copies[first : first + AT_ONCE] = kind.augment(data.x_train[first : first + AT_ONCE], seed)
    return copies


def examples(target: str, n: int, seed: int) -> np.ndarray:
    """Return a training item of a task and ``n`` copies as a training might see them: (1 + n, *form.shape), as stored.

    None at all where the task's items do not ship.
    """
    info = datasets.info(target)
    if not info.offline:
        return np.zeros((0, *info.form.shape), info.form.dtype)
    item = datasets.samples(target, 1, seed, part="train")[0]
    copies = inputs.modality(info.form.modality).augment(np.repeat(item, n, axis=0), (seed, STREAM))
    return np.concatenate([item, copies])
