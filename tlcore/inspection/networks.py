"""Why a model answers as it does: where it looks, which training images are nearest, what every layer sees.

Everything here needs Keras and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets, features, inputs, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.sources.making import RECIPES
from tlcore.spec import PIXELS, DataSpec, InputForm
from tlcore.store import Store

if TYPE_CHECKING:
    import keras

MOST_TRAINING = 2000  # images among which the nearest are looked for
N_NEAREST = 8


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
class Nearest:
    """The training images whose features are nearest: pictures of them, their class names and distances.

    ``typical`` is the median distance of the image to all ``n`` training images that were searched.
    """

    images: np.ndarray
    labels: tuple[str, ...]
    distances: np.ndarray
    typical: float
    layer: str
    n: int


@dataclass(frozen=True, eq=False)
class Explanation:
    """What a model says of one image, and why.

    Attributes
    ----------
    activations : (layer, float16 array (h, w, channels) or (units,)) for every layer that was run, in order
    heat : None where the model is no network with a convolution
    nearest : or one sentence that says why there are none
    """

    class_names: tuple[str, ...]
    probabilities: np.ndarray
    activations: tuple[tuple[str, np.ndarray], ...]
    heat: HeatMap | None
    nearest: Nearest | str


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
    opened = _opened(name, folder)
    x = inputs.check_item(item, opened.form)[None]
    heat, outputs = None, ()
    probabilities = opened.predict_proba(x)[0]
    if opened.network is not None:
        look = opened.network
        values, gradient = look.run(x, int(probabilities.argmax()))
        pictures = (value[:, :, None] if value.ndim == 3 else value for value in values)  # of lines: one pixel wide
        outputs = tuple((layer, one[0].astype(np.float16)) for layer, one in zip(look.layers, pictures, strict=True))
        if gradient is not None and not opened.head:
            position = look.layers.index(look.convolution)
            cam = grad_cam(values[position][0], gradient[0])
            placed = placed_on(cam, *look.geometry, item.shape[:2])
            heat = HeatMap(placed, look.convolution, int(probabilities.argmax()), float(cam.max()))
    return Explanation(opened.class_names, probabilities, outputs, heat, _nearest(name, x, folder))


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


def placed_on(cam: np.ndarray, start: float, step: float, shape: Sequence[int]) -> np.ndarray:
    """Return a map over the image, of its ``shape`` (h, w): each cell lies at the centre of what it sees.

    Cell i is centred on pixel ``start + i * step``; between cells the map is linear, beyond the outermost constant.
    """
    rows, columns = (np.arange(n) for n in shape)
    down, across = (start + step * np.arange(n) for n in cam.shape)
    wide = np.stack([np.interp(columns, across, row) for row in cam])
    return np.stack([np.interp(rows, down, column) for column in wide.T], axis=1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class _Network:
    """A network that gives all its activations at once, and the gradient of a class's score."""

    model: "keras.Model"
    layers: tuple[str, ...]
    convolution: str  # the last one; "" when there is none
    geometry: tuple[float, float]
    run: Callable[[np.ndarray, int], tuple[list[np.ndarray], np.ndarray | None]]


@dataclass(frozen=True, eq=False)
class _Opened:
    class_names: tuple[str, ...]
    form: InputForm
    predict_proba: Callable[[np.ndarray], np.ndarray]
    network: _Network | None  # None: the model sees pixels
    layer: str  # whose activations the nearest images are looked for in
    head: bool
    training: DataSpec | None  # None: not known


@lru_cache(maxsize=8)
def _opened(name: str, folder: str) -> _Opened:
    kind, _, rest = name.partition(":")
    if kind == "source":
        model = sources.load(rest)
        data = DataSpec(RECIPES[rest].target, per_class=None) if rest in RECIPES else None
        card = sources.info(rest)
        return _of_network(card.class_names, card.form, model, data)
    run_id, _, file = rest.partition("/")
    run = Store(Path(folder)).get(run_id) if kind in ("run", "head") else None
    if run is None or kind == "run" and not run.result.network:
        raise SpecError("There is no model {name!r}. Pick one from the list.", name=name)
    names, data = run.result.class_names, replace(run.spec.data, seed=run.spec.seed)
    form = prediction.form_of(run)
    if kind == "run":
        return _of_network(names, form, prediction.load_model(run, Path(folder)), run.spec.data)
    predict = prediction.predictor(name, Path(folder)).predict_proba
    row = next(row for row in run.result.heads if row.file == f"heads/{file}")
    if row.input == PIXELS:
        return _Opened(names, form, predict, None, PIXELS, True, data)
    source = sources.load(run.spec.source, seed=run.spec.seed, scale=run.spec.data.scale)
    part = features.submodel(source, run.result.layer)
    return _Opened(names, form, predict, _network(part), run.result.layer, True, data)


def _of_network(names: tuple[str, ...], form: InputForm, model: "keras.Model", data: DataSpec | None) -> _Opened:
    network = _network(model)
    layer = network.layers[-2] if len(network.layers) > 1 else PIXELS
    return _Opened(names, form, features.compiled(model), network, layer, False, data)


def _network(model: "keras.Model") -> _Network:
    """Trace a model once: a call gives every layer's output and the score's gradient at the last convolution."""
    import keras
    import tensorflow as tf

    proper, before = sources.proper(model), [layer for layer in model.layers if layer.name in sources.front(model)]
    prepared = features.submodel(model, before[-1].name) if before else lambda items, **_: tf.cast(items, tf.float32)
    tensors = sources.tensors(proper)
    layers = [layer for layer in proper.layers if layer.name in tensors]
    names = tuple(layer.name for layer in layers)
    last = next((layer for layer in reversed(layers) if type(layer).__name__ == "Conv2D"), None)
    whole = keras.Model(proper.inputs, [tensors[name] for name in names])
    signature = [tf.TensorSpec((1, *model.input_shape[1:]), model.inputs[0].dtype), tf.TensorSpec((), tf.int32)]

    @tf.function(input_signature=signature)
    def run(item: Any, label: Any) -> tuple[Any, Any]:
        x = prepared(item, training=False)
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = whole(x, training=False)
            outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
            # The softmax's own derivative vanishes where the network is sure: the score is what goes into it.
            score = _scores(layers, outputs)[0, label] if _ends_in_softmax(layers) else tf.constant(0.0)
        found = None if last is None else tape.gradient(score, outputs[names.index(last.name)])
        return outputs, tf.zeros(0) if found is None else found

    def plain(item: np.ndarray, label: int) -> tuple[list[np.ndarray], np.ndarray | None]:
        outputs, gradient = run(tf.constant(item), tf.constant(label, tf.int32))
        return [value.numpy() for value in outputs], gradient.numpy() if tf.size(gradient) else None

    return _Network(model, names, last.name if last else "", _geometry([*before, *layers], last), plain)


def _ends_in_softmax(layers: list[Any]) -> bool:
    last = layers[-1]
    return len(layers) > 1 and type(last).__name__ == "Dense" and last.activation.__name__ == "softmax"


def _scores(layers: Sequence[Any], outputs: Sequence[Any]) -> Any:
    """The last layer without its softmax."""
    import tensorflow as tf

    scores = tf.matmul(outputs[-2], layers[-1].kernel)
    return scores + layers[-1].bias if layers[-1].use_bias else scores


def _geometry(layers: list[Any], last: Any) -> tuple[float, float]:
    """Return the pixel that the first cell of ``last`` is centred on, and how many pixels lie between two cells."""
    start, step = 0.0, 1.0
    for layer in layers[: layers.index(last) + 1] if last is not None else ():
        kind, height = type(layer).__name__, layer.output.shape[1]
        if kind in ("Resizing", "UpSampling2D"):
            factor = layer.input.shape[1] / height
            start, step = start + step * (factor - 1) / 2, step * factor
        if kind in ("ZeroPadding2D", "Cropping2D", "CenterCrop"):
            start += step * _first_row(layer, kind)
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if size is None:
            continue
        if layer.padding == "valid":
            start += step * (size[0] - 1) / 2
        step *= layer.strides[0]
    return start, step


def _first_row(layer: Any, kind: str) -> int:
    """Return which row of its input the first row of a layer's output is; a row of padding lies before the first."""
    if kind == "CenterCrop":
        return (layer.input.shape[1] - layer.output.shape[1]) // 2
    return -layer.padding[0][0] if kind == "ZeroPadding2D" else layer.cropping[0][0]


def _nearest(name: str, x: np.ndarray, folder: str) -> Nearest | str:
    try:
        images, labels, known = _training(name, folder)
    except DataError as error:  # a set that is not on this computer: the rest of the answer stands
        return str(error)
    opened = _opened(name, folder)
    distances = np.linalg.norm(known - _feature_rows(opened, x), axis=1)
    first = np.argsort(distances, kind="stable")[:N_NEAREST]
    names = tuple(opened.class_names[labels[row]] for row in first)
    return Nearest(images[first], names, distances[first], float(np.median(distances)), opened.layer, len(distances))


@lru_cache(maxsize=8)
def _training(name: str, folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pictures of training images of a model, with their labels and features."""
    opened = _opened(name, folder)
    spec = opened.training
    if spec is None:
        raise DataError("It is not known which images this model was trained on, so none can be compared.")
    most = min(MOST_TRAINING // len(opened.class_names), datasets.max_per_class(spec.target, spec.split))
    # The first n of a class are the same for every n: these are images that the model did learn from.
    data = datasets.load(replace(spec, per_class=min(spec.per_class or most, most)))
    pictures = inputs.modality(data.form.modality).previews(data.x_train)
    return pictures, data.y_train, _feature_rows(opened, data.x_train)


def _feature_rows(opened: _Opened, x: np.ndarray) -> np.ndarray:
    if opened.network is None or opened.layer == PIXELS:
        return inputs.modality(opened.form.modality).flat(x)
    return _extract(opened)(x).reshape(len(x), -1)


@lru_cache(maxsize=8)
def _extract(opened: _Opened) -> Callable[[np.ndarray], np.ndarray]:
    assert opened.network is not None
    return features.compiled(features.submodel(opened.network.model, opened.layer))


def filters(source: str, layer: str) -> np.ndarray:
    """Return the filters of a shipped model's convolution: float32, shape (n, h, w).

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
