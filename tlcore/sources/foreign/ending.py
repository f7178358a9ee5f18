"""Where a network ends: one Dense layer with softmax, the place of a new task's classes."""

from collections.abc import Sequence
from dataclasses import replace

from .layers import Shape
from .network import SOFTMAX, Layer
from .refusals import refuse

SAME_WHEN_ANSWERING = (
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "Identity", "ActivityRegularization"),
)


def ended(layers: Sequence[Layer]) -> tuple[list[Layer], tuple[str, ...]]:
    """Return the layers with one Dense layer with softmax as the last, and what was changed for that.

    A softmax that stands as a layer of its own goes into the Dense layer before it, and a network that ends in raw
    scores is given one: what it answers is the same class.
    """
    place = max((i for i, layer in enumerate(layers) if layer.type == "Dense"), default=-1)
    rest = [layer for layer in layers[place + 1 :] if not _does_nothing(layer, layers[place].output_shape)]
    kinds = [_activation(layer) for layer in rest]
    if place < 0 or any(kind not in ("softmax", "log_softmax") for kind in kinds) or len(rest) > 1:
        last = (rest or list(layers))[-1:]
        raise refuse(
            "it ends in {kind}, and a new task's classes go in the place of a last Dense layer. End it in "
            "Dense(n, activation='softmax'), after a Flatten or GlobalAveragePooling2D layer",
            kind=_said(last[0]) if last else "nothing",
        )
    last = layers[place]
    own = _activation(last)
    if len(last.output_shape) != 1:
        raise refuse("its last layer answers at every place of the image. Put a Flatten layer before it")
    if last.output_shape[0] == 1:
        raise refuse(
            "it answers with a single number, but an answer here is one number for each class. End it in Dense(2, "
            "activation='softmax') or more, and train it again with sparse_categorical_crossentropy"
        )
    if own not in ("linear", "softmax", "log_softmax") or (own != "linear" and kinds == ["log_softmax"]):
        raise refuse(
            "its last layer ends in {own}, but its answers must be probabilities that add up to 1. End it in "
            "Dense({n}, activation='softmax') and train it again",
            own=own,
            n=last.output_shape[0],
        )
    changes = () if own != "linear" or kinds else (SOFTMAX,)
    return [*layers[:place], replace(last, settings={**last.settings, "activation": "softmax"})], changes


def _does_nothing(layer: Layer, shape: Shape) -> bool:
    if layer.type in ("Flatten", "Reshape"):
        return layer.output_shape == shape
    return layer.type in SAME_WHEN_ANSWERING or _activation(layer) == "linear"


def _activation(layer: Layer) -> str:
    return "softmax" if layer.type == "Softmax" else layer.settings.get("activation", "")


def _said(layer: Layer) -> str:
    activation = layer.settings.get("activation", "linear")
    return layer.type if activation == "linear" else f"{layer.type} ({activation})"
