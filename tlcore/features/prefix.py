"""What a phase trains on: the images, or what the frozen layers before the boundary make of them, computed once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache as once
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.datasets import Data
from tlcore.sentences import NOTHING, Sentence
from tlcore.sources import describe
from tlcore.spec import LayerInfo, Phase

from .cache import Cache
from .cuts import CutPoint, split
from .extraction import BFLOAT16_LAYERS, Features, NoRoom, cached_activations, in_bfloat16
from .freezing import Freezing

if TYPE_CHECKING:
    import keras

MEMORY_BYTES = 512 * 2**20  # largest activations that are kept in memory where there is no disk for them
# Multiply-adds that the prefix must save for each byte of its output. After the first pooling of the shipped network
# it is 9: reading 21 kB an image then takes as long as computing them (bench/cuts.py). After the second it is 378.
WORTH = 20

# Multiply-adds from which bfloat16 pays for the second copy of the layers: 10,000 images through both convolutions.
# 55,000 take 0.5 s in place of 2.0 s where the processor multiplies bfloat16 matrices, and 0.75 s in place of 1.2 s
# where it has only their dot product (bench/frozen_convs.py).
MANY = 24_000_000_000

OFF = Sentence("The cache is off, so every epoch runs the whole network.")
CHANGED = Sentence(
    "Augmentation changes the images each epoch, so nothing can be computed once: every epoch runs the whole network."
)
STOPPED = Sentence("It was stopped while the frozen layers were computed.")


@dataclass(frozen=True)
class Inputs:
    """The layers that a phase runs in every step, and what goes into them."""

    tail: "keras.Model"
    x_train: np.ndarray
    x_validation: np.ndarray
    reason: Sentence  # why these and not the images, or the reverse
    features: tuple[Features, ...] = ()  # where both arrays come from, unless they are the images
    bfloat16: bool = False  # whether the frozen layers rounded what goes from layer to layer


def whole(model: "keras.Model", data: Data, reason: Sentence) -> Inputs:
    """Return the whole network on the images."""
    return Inputs(model, data.x_train, data.x_validation, reason)


def inputs(
    model: "keras.Model", data: Data, phase: Phase, cache: Path | None, should_stop: Callable[[], bool]
) -> Inputs:
    """Compute the frozen prefix once where that pays; what is trained then is the part of ``model`` after it.

    Raises
    ------
    Interrupted
        ``should_stop`` asked for an end.
    """
    frozen = Freezing(describe(model), phase.frozen, model.name)
    cut, reason = place(frozen, len(data.x_train), cache)
    prefix, tail = split(model, cut.layer if cut else None)
    if prefix is None:
        return whole(model, data, reason)
    rounded = rounds(frozen.prefix, len(data.x_train))
    if rounded:
        prefix = in_bfloat16(prefix)
    options: dict[str, Any] = {"should_stop": should_stop, "in_memory": MEMORY_BYTES}
    try:
        train = cached_activations(prefix, data.x_train, cache, **options)
        validation = cached_activations(prefix, data.x_validation, cache, **options)
    except NoRoom:
        return whole(model, data, _too_large(frozen.prefix, len(data.x_train)))
    return Inputs(tail, train.x, validation.x, _done(frozen.prefix, train, rounded), (train, validation), rounded)


def place(frozen: Freezing, n: int, cache: Path | None = None) -> tuple[CutPoint | None, Sentence]:
    """Return the cut up to which ``n`` training images are computed once; when there is none, why.

    The answer follows from sizes alone, never from a clock: the same spec takes the same way every time.
    """
    cut, prefix = frozen.boundary, frozen.prefix
    if cut is None:
        return None, Sentence("No leading layers are frozen, so every epoch runs the whole network.")
    shape = (n, *cut.shape)
    if n * sum(layer.flops for layer in prefix) < WORTH * 4 * prod(shape):
        return None, Sentence(
            "Reading the outputs of {layers} ({size}) takes about as long as computing them, "
            "so every epoch computes them again.",
            layers=_names(prefix),
            size=_megabytes(shape),
        )
    if 4 * prod(shape) > MEMORY_BYTES and not (cache and Cache(cache).takes(shape)):
        return None, _too_large(prefix, n)
    return cut, NOTHING


def rounds(layers: Sequence[LayerInfo], n: int) -> bool:
    """Whether ``layers`` are computed in bfloat16 for ``n`` images: many, and a processor made for it.

    What the trained layers see is then rounded to 8 bits of precision; the weights and the finished model are
    float32, and the test accuracy is the finished model's.
    """
    many = n * sum(layer.flops for layer in layers) >= MANY
    return many and multiplies_bfloat16() and all(layer.type in BFLOAT16_LAYERS for layer in layers)


@once
def multiplies_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16; elsewhere rounding would cost time."""
    info = Path("/proc/cpuinfo")
    return info.exists() and bool({"amx_bf16", "avx512_bf16"} & set(info.read_text().split()))


def _too_large(prefix: Sequence[LayerInfo], n: int) -> Sentence:
    return Sentence(
        "The outputs of {layers} would take {size}, more than there is room for, so every epoch computes them again.",
        layers=_names(prefix),
        size=_megabytes((n, *prefix[-1].output_shape)),
    )


def _done(prefix: Sequence[LayerInfo], features: Features, rounded: bool) -> Sentence:
    size = _megabytes(features.x.shape)
    if rounded:
        size = Sentence("{size}, in bfloat16 arithmetic", size=size)
    if features.from_cache:
        return Sentence(
            "The outputs of the frozen layers {layers} were on disk already ({size}); only the rest was trained.",
            layers=_names(prefix),
            size=size,
        )
    return Sentence(
        "The frozen layers {layers} ran once ({size}); only the rest was trained.", layers=_names(prefix), size=size
    )


def _names(layers: Sequence[LayerInfo]) -> Sentence | str:
    if len(layers) == 1:
        return layers[0].name
    return Sentence("{first} to {last}", first=layers[0].name, last=layers[-1].name)


def _megabytes(shape: Sequence[int]) -> Sentence:
    size = 4 * prod(shape) / 2**20
    return Sentence("{size:,.0f} MB", size=size) if size >= 1 else Sentence("less than 1 MB")
