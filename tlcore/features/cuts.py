"""Where a network is cut in two: at a layer whose output alone separates what comes before it from what comes after."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tlcore.errors import SpecError
from tlcore.sources import describe, tensors
from tlcore.spec import LayerInfo

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class CutPoint:
    """A place between two parts of a network: after ``layer``, the last of ``position`` layers."""

    layer: str
    position: int
    shape: tuple[int, ...]  # of what crosses the cut, without the batch axis


def cut_points(layers: Sequence[LayerInfo]) -> tuple[CutPoint, ...]:
    """Return the places where a network can be cut, from its input to its output: of a chain, after every layer.

    Examples
    --------
    >>> rows = [LayerInfo(0, "side", "Conv2D", (4,), 9, cut=False), LayerInfo(1, "add", "Add", (4,), 0)]
    >>> cut_points(rows)
    (CutPoint(layer='add', position=2, shape=(4,)),)
    """
    return tuple(
        CutPoint(layer.name, position, layer.output_shape)
        for position, layer in enumerate(layers, start=1)
        if layer.cut
    )


def last_hidden(layers: Sequence[LayerInfo]) -> CutPoint:
    """Return the last cut with something after it: what comes after it is the head.

    Raises
    ------
    SpecError
        The network comes apart nowhere.
    """
    points = cut_points(layers)
    if len(points) < 2:
        raise SpecError("This network cannot be cut in two: branches run from its first layer to its last.")
    return points[-2]


def first_vector(layers: Sequence[LayerInfo]) -> str:
    """Return the first cut at which an input has become one row of numbers: where heads read their features by default.

    Before the first layer with weights these are still the pixels. The last hidden cut in a network that has no row of
    numbers before its head.

    Examples
    --------
    >>> first_vector([LayerInfo(0, "flat", "Flatten", (784,), 0), LayerInfo(1, "hidden", "Dense", (64,), 9), \
LayerInfo(2, "answer", "Dense", (2,), 9)])
    'hidden'
    """
    last, learned = last_hidden(layers), _n_before_weights(layers)
    rows = (p.layer for p in cut_points(layers) if len(p.shape) == 1 and learned < p.position <= last.position)
    return next(rows, last.layer)


def feature_cut(layers: Sequence[LayerInfo], wanted: str) -> str:
    """Return ``wanted`` where it is a cut behind a layer with weights, else where heads read their features."""
    learned = _n_before_weights(layers)
    named = any(point.layer == wanted and point.position > learned for point in cut_points(layers))
    return wanted if named else first_vector(layers)


def _n_before_weights(layers: Sequence[LayerInfo]) -> int:
    return next((i for i, layer in enumerate(layers) if layer.can_freeze), 0)


def submodel(model: "keras.Model", layer: str) -> "keras.Model":
    """Return the part of ``model`` from its input to the output of ``layer``; the weights are shared.

    Raises
    ------
    SpecError
        ``model`` has no layer of that name.
    """
    import keras

    outputs = tensors(model)
    if layer not in outputs:
        raise SpecError(
            "There is no layer {layer!r}: {model!r} has the layers {known}. Pick one of them.",
            layer=layer,
            model=model.name,
            known=", ".join(outputs),
        )
    return keras.Model(model.inputs[0], outputs[layer])


def split(model: "keras.Model", cut: str | None) -> "tuple[keras.Model | None, keras.Model]":
    """Return the parts of ``model`` before and after a cut; their layers, and so their weights, are those of ``model``.

    What prepares the input (``Rescaling`` and the like in front) belongs to the prefix.

    Parameters
    ----------
    cut : name of the last layer of the prefix; None: there is no prefix, and the tail is ``model`` itself

    Raises
    ------
    SpecError
        ``model`` cannot be cut there: no such layer, a branch runs past it, or nothing comes after it.
    """
    import keras

    if cut is None:
        return None, model
    known = [point.layer for point in cut_points(describe(model))[:-1]]
    if cut not in known:
        raise SpecError(
            "{model!r} cannot be cut after {cut}: it comes apart after {known}. Pick one of them.",
            model=model.name,
            cut=cut,
            known=", ".join(known),
        )
    tensor = tensors(model)[cut]
    return keras.Model(model.inputs[0], tensor), keras.Model(tensor, model.outputs[0])
