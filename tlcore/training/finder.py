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
    phase, n = spec.phases[0], len(data.x_train)
    Freezing(describe(model), phase.frozen, spec.source).apply(model)
    inputs = prefix.inputs(model, data, phase, None, lambda: False)
    ratio = HIGHEST / LOWEST
    loop = Loop(
        inputs.tail,
        tensor(inputs.x_train),
        tf.constant(data.y_train),
        min(spec.batch_size, n),
        spec.optimizer,
        1.0,
        lambda step: LOWEST * tf.pow(ratio, step / (N_STEPS - 1)),
    )
    draws, size = np.random.default_rng(spec.seed), loop.size
    rows = np.concatenate([draws.permutation(n) for _ in range(-(-N_STEPS * size // n))])
    order, losses = tf.constant(rows[: N_STEPS * size]), []
    for step in range(N_STEPS):
        losses.append(float(loop.run(order, step, step + 1)[0]) / size)
        averages = smoothed(losses)
        if not isfinite(losses[-1]) or averages[-1] > DIVERGED * min(averages):
            break
    return of_losses(losses)


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
