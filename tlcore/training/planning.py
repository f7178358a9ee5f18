"""What each phase of a training asks for, before anything runs."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tlcore.datasets import Data
from tlcore.features import prefix
from tlcore.features.freezing import Freezing
from tlcore.spec import FineTuneSpec, LayerInfo

from .pace import PhasePlan

if TYPE_CHECKING:
    import keras

UPDATE_WORK = 60  # of a step, for each trainable weight: Adam's update takes as long as so many multiply-adds


def plans(
    layers: Sequence[LayerInfo], spec: FineTuneSpec, data: Data, cache: Path | None, use_cache: bool
) -> list[PhasePlan]:
    """Return what every phase of a training asks for, in multiply-adds."""
    n, n_validation = len(data.x_train), len(data.x_validation)
    found = []
    for number, phase in enumerate(spec.phases, start=1):
        frozen = Freezing(layers, spec.compiled(number).frozen, spec.source)
        cached = use_cache and not spec.augment and prefix.place(frozen, n, cache)[0] is not None
        tail = frozen.tail if cached else layers
        computes = cached and phase.recompiled  # else the phase before has computed it
        found.append(
            PhasePlan(
                phase.epochs,
                -(-n // spec.batch_size),
                step_work=min(n, spec.batch_size) * frozen.multiply_adds(without_prefix=cached)
                + UPDATE_WORK * frozen.cost.n_trainable,
                score_work=n_validation * sum(layer.flops for layer in tail),
                prefix_work=(n + n_validation) * sum(layer.flops for layer in frozen.prefix) if computes else 0.0,
                n_layers=len(tail),
            )
        )
    return found


def call_s(model: "keras.Model", x: np.ndarray, layers: Sequence[LayerInfo], n: int = 128) -> float:
    """Return the seconds of one multiply-add when the network is called on a few images, the quickest of three."""
    model(x[:n], training=False)  # the first call makes its kernels ready
    times = []
    for _ in range(3):
        began = time.perf_counter()
        model(x[:n], training=False)
        times.append(time.perf_counter() - began)
    return min(times) / max(len(x[:n]) * sum(layer.flops for layer in layers), 1)
