"""Make a network from a checked description and foreign weights. Runs in a process of its own that may do little else.

Keras' loader is not used: the layers are built from settings that were checked one by one, and only their numbers come
from the file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.machine import begin_child, confinement

from . import reading
from .archive import WEIGHTS
from .digits import Known, Trial, Way, chosen, tried
from .network import SIDE, UNIT, Layer, Network, Pixels
from .refusals import refuse
from .weights import check_weights, read_weights

if TYPE_CHECKING:
    import keras

MODEL = "model.keras"
MOST_MEMORY = 2 * 2**30  # beyond what the process has after importing Keras
MOST_CPU_S = 60
MOST_TRIED = 5_000_000_000  # multiply-adds of one way to give it the digits: half a second
AT_ONCE = 10  # images through the network; a layer may put out two million numbers for each


def begin() -> None:
    """First thing in the process: import Keras, and then give away what reading a model does not need."""
    begin_child()
    import h5py  # noqa: F401
    import keras  # noqa: F401
    import tensorflow as tf

    tf.zeros(1)  # TensorFlow starts its threads now, before memory is counted
    confinement.limit(MOST_MEMORY, MOST_CPU_S)
    confinement.forbid("foreign models", "ctypes.dlopen")


def rebuild(network: Network, folder: str, known: Known, pixels: Pixels | None = None) -> dict[str, Any]:
    """Build ``network``, read ``model.weights.h5`` of ``folder`` into it, and save it there as ``model.keras``.

    What is saved takes (28, 28, 1) images with values from 0 to 1: it begins with layers that make of these what the
    network was made for.

    Parameters
    ----------
    known : digits on which the ways to give it an image are tried
    pixels : what a black and a white pixel are to the network; None: what its first layer says, or reads most digits

    Returns
    -------
    dict
        ``layers``: the rows of the layers, as ``LayerInfo`` takes them; the rest as ``OwnModel`` takes it.

    Raises
    ------
    DataError
        The weights are not those of the network, or are not finite numbers.
    """
    from tlcore.sources import describe

    path = Path(folder) / WEIGHTS
    check_weights(path, network.n_weights)
    weights = read_weights(path, network)
    network, weights = with_fixed_statistics(network, weights)
    core = build(network, weights)
    known = known.first(MOST_TRIED // max(network.multiply_adds, 1))
    way, trials = find_way(network, core, known, pixels)
    model = build(network, weights, way)
    _check_answers(model, network.n_classes)
    model.save(Path(folder) / MODEL)
    expected = next(iter(trials)).pixels
    return {
        "layers": [asdict(layer) for layer in describe(model)],
        "pixels": way.pixels,
        "expected": expected,
        "n_digits": len(known.outputs),
        "n_right": trials[way].n_right,
        "n_right_as_expected": max(trial.n_right for other, trial in trials.items() if other.pixels == expected),
        "changes": network.changes,
    }


Weights = Mapping[str, list[np.ndarray]]  # by layer name, as Keras orders them


def with_fixed_statistics(network: Network, weights: Weights) -> tuple[Network, Weights]:
    """Return the network with the means and variances that a Normalization layer learned as settings of that layer.

    They are no weights that training could change. The first layer may now say which values it expects.
    """
    layers, rest = [], dict(weights)
    for layer in network.layers:
        if layer.type == "Normalization" and layer.weights:
            mean, variance, _count = rest.pop(layer.name)
            settings = {**layer.settings, "mean": mean.tolist(), "variance": variance.tolist()}
            layer = replace(layer, settings=settings, weights=())
        layers.append(layer)
    pixels = network.pixels or reading.expected(layers)
    return replace(network, layers=tuple(layers), pixels=pixels), rest


def build(network: Network, weights: Weights, way: Way | None = None) -> "keras.Model":
    """Return the network with its weights; with a ``way`` it takes (28, 28, 1) images with values from 0 to 1."""
    import keras

    x = image = keras.Input(network.input_shape if way is None else (SIDE, SIDE, 1), name="image")
    for layer in () if way is None else front(network, way):
        x = layer(x)
    for layer in network.layers:
        x = getattr(keras.layers, layer.type)(**layer.settings, name=layer.name)(x)
    model = keras.Model(image, x, name="uploaded")
    for name, arrays in weights.items():
        model.get_layer(name).set_weights(arrays)
    return model


def front(network: Network, way: Way) -> "list[keras.Layer]":
    """Return fresh layers that make of (28, 28, 1) images with values from 0 to 1 what ``network`` was made for."""
    from keras import layers

    (height, width), (black, white) = network.side, way.pixels

    def name(words: str) -> str:
        return _free_name(f"input_{words}", network.layers)

    made: list[keras.Layer] = []
    if way.padded:
        top, left = (height - SIDE) // 2, (width - SIDE) // 2
        margins = ((top, height - SIDE - top), (left, width - SIDE - left))
        made.append(layers.ZeroPadding2D(margins, name=name("padding")))
    elif network.side != (SIDE, SIDE):
        made.append(layers.Resizing(height, width, name=name("size")))
    if way.pixels != UNIT:
        made.append(layers.Rescaling(white - black, offset=black, name=name("values")))
    if network.channels == 3:  # the same grey three times
        made.append(layers.Reshape((height * width, 1, 1), name=name("row")))
        made.append(layers.UpSampling2D((1, 3), name=name("channels")))
    if len(network.input_shape) == 1 and len(network.layers) == 1:  # else there would be no place to cut it
        made.append(layers.Flatten(name=name("shape")))
    elif network.input_shape != (height, width, 1):
        made.append(layers.Reshape(network.input_shape, name=name("shape")))
    return made


def find_way(
    network: Network, core: "keras.Model", known: Known, pixels: Pixels | None
) -> tuple[Way, Mapping[Way, Trial]]:
    """Return the way to give ``core`` its images that reads most of the known digits, and all that were tried."""
    n, images = len(known.outputs), known.images.astype(np.float32)[..., None] / 255  # (n, 28, 28, 1)

    def score(way: Way) -> Trial:
        before = front(network, way)
        answers = np.concatenate([_answers(core, before, part) for part in _parts(images)])
        right = np.maximum(answers[np.arange(len(images)), known.outputs], 1e-6)
        return Trial(int((answers.argmax(axis=1) == known.outputs).sum()), float(np.log(right).mean()) if n else 0.0)

    larger = min(network.side) >= SIDE and network.side != (SIDE, SIDE)
    fits = (False, True) if larger and n else (False,)
    if pixels is not None:
        trials = {way: score(way) for way in (Way(pixels, padded) for padded in fits)}
    else:
        trials = tried(score, n, network.pixels, fits)
    return chosen(trials, n, network.n_classes), trials


def _parts(images: np.ndarray) -> list[np.ndarray]:
    return [images[first : first + AT_ONCE] for first in range(0, len(images), AT_ONCE)] or [images]


def _answers(core: "keras.Model", before: "list[keras.Layer]", images: np.ndarray) -> np.ndarray:
    x: Any = images
    for layer in before:
        x = layer(x)
    return np.asarray(core(x, training=False)) if len(images) else np.empty((0, core.output_shape[1]))


def _check_answers(model: "keras.Model", n_classes: int) -> None:
    """Raise a DataError when a black and a white image get no probabilities."""
    images = np.stack([np.zeros((SIDE, SIDE, 1), np.float32), np.ones((SIDE, SIDE, 1), np.float32)])
    # Without ``training`` a Resizing layer would set it to True for the layers after it.
    answers = np.asarray(model(images, training=False))
    if answers.shape != (2, n_classes) or not np.allclose(answers.sum(axis=1), 1, atol=1e-3):
        raise refuse(
            "its answers to a black and a white image are not numbers that add up to 1: its weights are too large or "
            "too small. Train it again with a lower learning rate"
        )


def _free_name(name: str, layers: Sequence[Layer]) -> str:
    while any(layer.name == name for layer in layers):
        name += "_"
    return name
