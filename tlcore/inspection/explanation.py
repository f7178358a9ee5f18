"""Why a model answers as it does: where it looks, what is nearest, what every layer makes of the item.

Needs Keras and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tlcore import inputs
from tlcore.sentences import Sentence

from . import geometry
from .models import opened
from .nearest import Nearest, nearest
from .networks import Traced, grad_cam, traced

ONLY_A_HEAD = Sentence(
    "A heat map needs a whole network; this model is a classifier on what a network makes of an image."
)


@dataclass(frozen=True, eq=False)
class HeatMap:
    """Where a network looks.

    ``heat``: float32, shape (h, w) of the image, 0 and more; ``highest`` is its largest value, in units of the class's
    score before the softmax. All zero: no place speaks for the class.
    """

    heat: np.ndarray
    layer: str
    label: int
    highest: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model says of one item, and why.

    Attributes
    ----------
    activations : (layer, float16 array (h, w, channels) or (units,)) for every layer where the network can be cut
    heat, nearest : or one sentence that says why there is none
    """

    class_names: tuple[str, ...]
    probabilities: np.ndarray
    activations: tuple[tuple[str, np.ndarray], ...]
    heat: HeatMap | Sentence
    nearest: Nearest | Sentence


@dataclass(frozen=True, eq=False)
class Seen:
    """What a network says of one item, and what its layers make of it; fields as in ``Explanation``."""

    class_names: tuple[str, ...]
    probabilities: np.ndarray
    activations: tuple[tuple[str, np.ndarray], ...]


def seen(name: str, item: np.ndarray, folder: str) -> Seen:
    """Return what the layers of a network make of an item: ``explain`` without the reasons, which take longer."""
    model = opened(name, folder)
    x = inputs.check_item(item, model.form)[None]
    probabilities = model.predict_proba(x)[0]
    activations: tuple[tuple[str, np.ndarray], ...] = ()
    if model.network is not None:
        look = _traced(name, folder)
        values, _gradient = look.run(x, int(probabilities.argmax()))
        activations = tuple(zip(look.layers, map(_picture, values), strict=True))
    return Seen(model.class_names, probabilities, activations)


def explain(name: str, item: np.ndarray, folder: str) -> Explanation:
    """Say why a model answers as it does.

    Parameters
    ----------
    name : predictor as in ``prediction.predictor``
    item : as the model reads it: an array of its form

    Raises
    ------
    SpecError, DataError
        There is no such model, a file of it is missing or damaged, or ``item`` is not of its form.
    """
    model = opened(name, folder)
    x = inputs.check_item(item, model.form)[None]
    probabilities = model.predict_proba(x)[0]
    activations, heat = (), ONLY_A_HEAD
    if model.network is not None:
        look, label = _traced(name, folder), int(probabilities.argmax())
        values, gradient = look.run(x, label)
        activations = tuple(zip(look.layers, map(_picture, values), strict=True))
        heat = ONLY_A_HEAD if model.is_head else _heat(look, values, gradient, label, item.shape)
    return Explanation(model.class_names, probabilities, activations, heat, nearest(name, x, folder))


@lru_cache(maxsize=8)
def _traced(name: str, folder: str) -> Traced:
    network = opened(name, folder).network
    assert network is not None
    return traced(network)


def _picture(value: np.ndarray) -> np.ndarray:
    """Return one item's activations as they are drawn; those of lines are one pixel wide."""
    return (value[:, :, None] if value.ndim == 3 else value)[0].astype(np.float16)


def _heat(
    look: Traced, values: list[np.ndarray], gradient: np.ndarray | None, label: int, shape: tuple[int, ...]
) -> HeatMap | Sentence:
    if gradient is None or look.grid is None:
        return look.why_not
    cam = grad_cam(values[look.layers.index(look.looks)][0], gradient[0])
    return HeatMap(geometry.placed_on(cam, look.grid, shape[:2]), look.looks, label, float(cam.max()))
