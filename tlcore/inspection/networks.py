"""Inside a network: what every layer makes of an item, where a convolution looks, and what its filters are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import features, sources
from tlcore.errors import SpecError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import LayerInfo

from . import geometry
from .geometry import Grid

if TYPE_CHECKING:
    import keras

ACTIVATIONS = ("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU")
NO_CONVOLUTION = Sentence("A heat map needs a convolution whose places lie on the image; this network has none.")
NO_SOFTMAX = Sentence("A heat map needs a network that ends in a softmax; this one does not.")


@dataclass(frozen=True, eq=False)
class Traced:
    """A network whose layers and whose gradient come out in one call.

    Attributes
    ----------
    layers : the layers whose outputs ``run`` gives, in order: all at which the network can be cut
    looks : the layer that a heat map is made of, "" where there is none
    grid : where that layer's cells lie on the image
    why_not : a heat map cannot be made, "" where it can
    run : (items of one, class) -> the outputs of ``layers`` and the gradient of the class's score by that of ``looks``
    """

    layers: tuple[str, ...]
    looks: str
    grid: Grid | None
    why_not: Sentence
    run: Callable[[np.ndarray, int], tuple[list[np.ndarray], np.ndarray | None]]


def traced(model: "keras.Model") -> Traced:
    """Trace a network once, from its own input on: what only prepares an item has no gradient."""
    import tensorflow as tf

    layers, grids, proper = sources.describe(model), geometry.grids(model), sources.proper(model)
    looks, ending = looks_at(layers, grids), _ending(proper)
    why_not = NO_SOFTMAX if ending is None else NOTHING if looks else NO_CONVOLUTION
    names = [layer.name for layer in layers if layer.cut]
    prepare, whole = _prepare(model), _outputs(proper, names, ending)
    item, label = tf.TensorSpec((1, *model.input_shape[1:]), model.inputs[0].dtype), tf.TensorSpec((), tf.int32)

    @tf.function(autograph=False, input_signature=[item, label])
    def run(item: Any, label: Any) -> tuple[Any, Any]:
        x = prepare(item, training=False)
        with tf.GradientTape() as tape:
            tape.watch(x)
            *values, before = whole(x, training=False)
            score = ending.scores(before)[0, label] if ending else tf.constant(0.0)
        gradient = None if why_not else tape.gradient(score, values[names.index(looks)])
        return values, tf.zeros(0) if gradient is None else gradient

    def plain(item: np.ndarray, label: int) -> tuple[list[np.ndarray], np.ndarray | None]:
        values, gradient = run(tf.constant(item), tf.constant(label, tf.int32))
        return [value.numpy() for value in values], gradient.numpy() if tf.size(gradient) else None

    return Traced(tuple(names), looks, grids.get(looks), why_not, plain)


def _prepare(model: "keras.Model") -> Callable[..., Any]:
    """Return what stands before the network proper; where nothing does, its numbers as floats."""
    import tensorflow as tf

    front = sources.front(model)
    return features.submodel(model, front[-1]) if front else lambda items, training: tf.cast(items, tf.float32)


def _outputs(model: "keras.Model", names: Sequence[str], ending: "_Ending | None") -> "keras.Model":
    """Return a model of the outputs of those layers, and of what its softmax begins with (or its answers again)."""
    import keras

    tensors = sources.tensors(model)
    return keras.Model(
        model.inputs[0], [*(tensors[name] for name in names), ending.tensor if ending else model.outputs[0]]
    )


def looks_at(layers: Sequence[LayerInfo], on_image: Any) -> str:
    """Return the layer that a heat map is made of: the last convolution, or the end of the block that it is part of.

    A normalisation and an activation of its own right after it belong to it: before them a value below zero may speak
    for a class or be cut off, and a map of such values says nothing.

    Parameters
    ----------
    on_image : the names of the layers whose cells lie on the image
    """
    places = [i for i, layer in enumerate(layers) if "Conv" in layer.type and layer.name in on_image]
    whole = [layer for layer in layers[places[-1] :] if layer.cut and layer.name in on_image] if places else []
    after = list(takewhile(lambda layer: "Normalization" in layer.type or layer.type in ACTIVATIONS, whole[1:]))
    return [*whole[:1], *after][-1].name if whole else ""


@dataclass(frozen=True)
class _Ending:
    """A tensor before the softmax, and what makes the classes' scores of its values.

    The softmax's own derivative vanishes where the network is sure: the score is what goes into it.
    """

    tensor: Any
    scores: Callable[[Any], Any]


def _ending(model: "keras.Model") -> _Ending | None:
    """Return how a network ends in a softmax; None where it does not."""
    import tensorflow as tf

    last = sources.calls(model)[-1]
    layer, before = last.operation, last.input_tensors[0]
    is_softmax = getattr(getattr(layer, "activation", None), "__name__", "") == "softmax"
    if type(layer).__name__ == "Softmax" or type(layer).__name__ == "Activation" and is_softmax:
        return _Ending(before, lambda scores: scores)
    if type(layer).__name__ != "Dense" or not is_softmax:
        return None

    def scores(values: Any) -> Any:
        products = tf.matmul(values, layer.kernel)
        return products + layer.bias if layer.use_bias else products

    return _Ending(before, scores)


def grad_cam(activations: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return what each place of a convolution's output adds to a class's score, what speaks against it left out.

    Parameters
    ----------
    activations : float array, shape (h, w, channels)
    gradient : of the class's score before the softmax, by each of ``activations``

    Returns
    -------
    float32 array, shape (h, w), 0 and more

    References
    ----------
    Selvaraju et al. (2017), "Grad-CAM: visual explanations from deep networks via gradient-based localization",
    equations 1 and 2.

    Examples
    --------
    >>> grad_cam(np.array([[[1.0, 2.0]]]), np.array([[[3.0, -1.0]]])).tolist()
    [[1.0]]
    """
    weights = gradient.mean(axis=(0, 1))  # (channels,)
    return np.maximum(activations @ weights, 0.0).astype(np.float32)


def filters(source: str, layer: str) -> np.ndarray:
    """Return the filters of a source's convolution: float32, shape (n, h, w).

    Where a filter looks at several channels, the one with the most weight is taken.

    Raises
    ------
    SpecError
        There is no such source, or no such convolution in it.
    """
    model = sources.load(source)
    found = next((one for one in model.layers if one.name == layer and type(one).__name__ == "Conv2D"), None)
    if found is None:
        raise SpecError("{source} has no convolution {layer!r}. Pick another layer.", source=source, layer=layer)
    kernel = np.moveaxis(found.get_weights()[0], -1, 0)  # (n, h, w, channels)
    strongest = (kernel**2).sum(axis=(1, 2)).argmax(axis=1)
    return kernel[np.arange(len(kernel)), :, :, strongest]
