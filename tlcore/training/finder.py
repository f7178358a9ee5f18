"""A test of learning rates: some steps, each at a higher rate, and where the loss falls fastest."""

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from tlcore.datasets import Data
from tlcore.features import prefix, tensor
from tlcore.features.freezing import Freezing
from tlcore.sources import describe
from tlcore.spec import FineTuneSpec

from . import augmentation, class_weights
from .loop import Loop

if TYPE_CHECKING:
    import keras

LOWEST, HIGHEST, N_STEPS = 1e-5, 1.0, 80
SMOOTHING = 0.9  # of the running average of the loss
SETTLED = 10  # steps after which the average counts about as many losses as it ever will
DIVERGED = 4.0  # times the lowest averaged loss, where the test ends


@dataclass(frozen=True)
class RateTest:
    """The smoothed training loss step by step, each at its rate; ``best`` is where it falls fastest, or None."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    best: float | None


def find(model: "keras.Model", data: Data, spec: FineTuneSpec) -> RateTest:
    """Train ``model`` in place at rates that rise from step to step, with the first phase's frozen layers.

    References
    ----------
    Smith (2017), "Cyclical learning rates for training neural networks", section 3.3: the range test.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(spec.seed)
    size = min(spec.batch_size, len(data.x_train))
    Freezing(describe(model), spec.phases[0].frozen, spec.source).apply(model)
    tail, x, y, rows = _inputs(model, data, spec, size)
    ratio = HIGHEST / LOWEST
    loop = Loop(
        tail,
        tensor(x),
        tf.constant(y),
        size,
        spec.optimizer,
        1.0,
        lambda step: LOWEST * tf.pow(ratio, step / (N_STEPS - 1)),
        weights=class_weights.balanced(data.y_train, len(data.class_names)) if spec.class_weight else None,
    )
    order, losses = tf.constant(rows), []
    for step in range(N_STEPS):
        losses.append(float(loop.run(order, step, step + 1)[0]) / size)
        averages = smoothed(losses)
        if not isfinite(losses[-1]) or averages[-1] > DIVERGED * min(averages):
            break
    return of_losses(losses)


def _inputs(
    model: "keras.Model", data: Data, spec: FineTuneSpec, size: int
) -> tuple["keras.Model", np.ndarray, np.ndarray, np.ndarray]:
    """Return what trains, on which inputs with which labels, and the rows of them that the steps take in turn."""
    draws, n = np.random.default_rng(spec.seed), len(data.x_train)
    passes = [draws.permutation(n) for _ in range(-(-N_STEPS * size // n))]
    rows = np.concatenate(passes)
    if spec.augment:  # each pass sees copies of its own
        taken = rows[: N_STEPS * size]
        x = np.empty((len(taken), *data.x_train.shape[1:]), data.x_train.dtype)  # in the order of the steps
        for epoch, order in enumerate(passes):
            part = x[epoch * n : (epoch + 1) * n]
            copies = augmentation.images(data, spec, epoch)
            assert copies is not None
            part[:] = copies[order[: len(part)]]
        return model, x, data.y_train[taken], np.arange(len(taken))
    inputs = prefix.inputs(model, data, spec.phases[0], None, lambda: False)
    return inputs.tail, inputs.x_train, data.y_train, rows


def of_losses(losses: list[float]) -> RateTest:
    """Return the test that these losses make, one a step."""
    known = [loss for loss in losses if isfinite(loss)]
    rates = [LOWEST * (HIGHEST / LOWEST) ** (step / (N_STEPS - 1)) for step in range(len(known))]
    smooth = smoothed(known)
    lowest = int(np.argmin(smooth)) if smooth else 0
    falls = np.gradient(smooth)[SETTLED : lowest + 1] if lowest > SETTLED else np.zeros(1)
    best = rates[SETTLED + int(np.argmin(falls))] if falls.min() < 0 else None
    return RateTest(tuple(rates), tuple(smooth), best and float(f"{best:.1g}"))


def smoothed(losses: list[float]) -> list[float]:
    """Return the running average of losses, its start corrected as Adam corrects its moments.

    Examples
    --------
    >>> [round(value, 6) for value in smoothed([2.0, 2.0, 1.0])]
    [2.0, 2.0, 1.630996]
    """
    average, result = 0.0, []
    for step, loss in enumerate(losses, start=1):
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        result.append(average / (1 - SMOOTHING**step))
    return result
