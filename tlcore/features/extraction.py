"""Activations of a frozen prefix: computed once, kept on disk, shared by every run and person."""

import hashlib
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import inputs
from tlcore.errors import SpecError
from tlcore.sentences import Sentence
from tlcore.sources import front, tensors
from tlcore.spec import PIXELS, InputForm, LayerInfo

from .cache import Cache
from .cuts import submodel

if TYPE_CHECKING:
    import keras

BATCH = 512
BATCH_BYTES = 64 * 2**20  # of the largest activations of a batch; 512 of the shipped network's have 44 MB
AT_ONCE = 2  # batches; a core each does more than both on one
BFLOAT16_LAYERS = ("Conv2D", "MaxPooling2D", "AveragePooling2D", "Flatten", "Dense")
MOST_GB = 1.5  # of one matrix
KEYS = 3  # 1: images were scaled before a network saw them; 2: the processor seconds were not kept
ALIGNMENT = 64  # bytes; TensorFlow takes memory over without a copy only from there on

ShouldStop = Callable[[], bool]


class Interrupted(Exception):
    """A stop was asked for before every image was through."""


class NoRoom(Exception):
    """The activations are too large for memory and could not be kept on disk."""


@dataclass(frozen=True)
class Features:
    """Activations with what they cost: ``x`` is float32, shape (n, ...)."""

    x: np.ndarray
    seconds: float
    cost_s: float  # of computing them, now or when they were kept
    from_cache: bool  # an earlier call had computed them
    on_disk: bool  # a memory map of the shared file; else in this process's own memory
    cost_cpu_s: float = 0.0  # of all its processors together; 0 where an older version kept them

    @property
    def megabytes(self) -> float:
        return self.x.nbytes / 2**20


def check_size(layer: LayerInfo, n: int, advice: Sentence) -> None:
    """Raise a SpecError, with the advice, when features of ``n`` items at ``layer`` are more than a worker holds."""
    gigabytes = 4 * n * prod(layer.output_shape) / 2**30
    if gigabytes > MOST_GB:
        raise SpecError(
            "The features of {layer} for {n:,} images would take {size:.1f} GB; the limit is {most} GB. {advice}",
            layer=layer.name,
            n=n,
            size=gigabytes,
            most=MOST_GB,
            advice=advice,
        )


def in_bfloat16(model: "keras.Model") -> "keras.Model":
    """Return a copy of ``model`` that computes in bfloat16: sums in float32, what goes from layer to layer rounded.

    What prepares the items stays in float32.

    Raises
    ------
    ValueError
        A layer is of a kind for which that has not been tried (``BFLOAT16_LAYERS``).

    References
    ----------
    Kalamkar et al. (2019), "A study of BFLOAT16 for deep learning training", section 2.
    """
    import keras

    prepares = front(model)

    def halved(layer: "keras.Layer") -> "keras.Layer":
        if layer.name in prepares:
            return type(layer).from_config(layer.get_config())
        if type(layer).__name__ not in BFLOAT16_LAYERS:
            raise ValueError(layer.name)
        return type(layer).from_config({**layer.get_config(), "dtype": "mixed_bfloat16"})

    copy = keras.models.clone_model(model, clone_function=halved)
    copy.set_weights(model.get_weights())
    return copy


def activations(prefix: "keras.Model", images: np.ndarray, *, should_stop: ShouldStop = lambda: False) -> np.ndarray:
    """Return what ``prefix`` makes of ``images``: float32, shape (n, ...), in inference mode.

    Raises
    ------
    Interrupted
        ``should_stop`` asked for an end between two batches.
    """
    out, first = _aligned((len(images), *prefix.output_shape[1:])), 0
    for part in _parts(prefix, images, should_stop):
        out[first : first + len(part)] = part
        first += len(part)
    return out


def cached_activations(
    prefix: "keras.Model",
    images: np.ndarray,
    folder: Path | None,
    *,
    should_stop: ShouldStop = lambda: False,
    in_memory: int | None = None,
) -> Features:
    """Return ``activations`` from the files in ``folder``, computed and kept there when they are missing.

    A file is named by content: the prefix's architecture and weights and the images. Where it cannot be kept, or
    without a folder, the activations are in memory.

    Parameters
    ----------
    in_memory : most bytes for which memory is used in place of the disk; default: any number

    Raises
    ------
    Interrupted
        ``should_stop`` asked for an end between two batches.
    NoRoom
        Neither disk nor memory takes them.
    """
    began, began_cpu, shape = time.perf_counter(), time.process_time(), (len(images), *prefix.output_shape[1:])
    cache = Cache(folder) if folder is not None and len(images) else None
    if cache is not None and cache.takes(shape):
        key = _key(prefix, images)
        x = cache.open(key, shape)
        if x is not None:
            took = time.perf_counter() - began
            cost_s, cost_cpu_s = cache.seconds(key, x), cache.cpu_seconds(key, x)
            return Features(x, took, cost_s, from_cache=True, on_disk=True, cost_cpu_s=cost_cpu_s)
        x = cache.write(key, shape, _parts(prefix, images, should_stop))
        if x is not None:
            took = time.perf_counter() - began
            cpu_s = time.process_time() - began_cpu
            return Features(x, took, took, from_cache=False, on_disk=True, cost_cpu_s=cpu_s)
    if in_memory is not None and 4 * prod(shape) > in_memory:
        raise NoRoom
    x = activations(prefix, images, should_stop=should_stop)
    took = time.perf_counter() - began
    cpu_s = time.process_time() - began_cpu
    return Features(x, took, took, from_cache=False, on_disk=False, cost_cpu_s=cpu_s)


def extract(model: "keras.Model | None", images: np.ndarray, layer: str, form: InputForm | None = None) -> np.ndarray:
    """Return the activations of one layer as a feature matrix.

    Parameters
    ----------
    images : items as stored, shape (n, *form.shape)
    layer : name of a layer of ``model``, or ``pixels`` for the items themselves, laid flat
    form : of the items; ``pixels`` needs it, and no ``model``

    Returns
    -------
    float32 array, shape (n, d)
        Row i belongs to ``images[i]``; spatial axes are flattened, channel last.

    Raises
    ------
    SpecError
        ``model`` has no layer of that name.

    References
    ----------
    Yosinski et al. (2014), "How transferable are features in deep neural networks?"
    """
    return cached_extract(model, images, layer, None, form).x


def extract_several(
    model: "keras.Model", images: np.ndarray, layers: Sequence[str], averaged: bool = False
) -> Iterator[list[np.ndarray]]:
    """Yield ``extract`` of several layers from one pass through the network, for one batch of ``images`` after another.

    Parameters
    ----------
    averaged : each channel is averaged over all places, so that a row has one number for each

    Raises
    ------
    SpecError
        ``model`` has no layer of one of the names.
    """
    import keras
    import tensorflow as tf

    outputs = [submodel(model, layer).outputs[0] for layer in layers]
    if averaged:
        outputs = [keras.ops.mean(x, axis=range(1, len(x.shape) - 1)) if len(x.shape) > 2 else x for x in outputs]
    run, size = graph(keras.Model(model.inputs[0], outputs), images.dtype), batch_size(model)
    for first in range(0, len(images), size):
        answers = run(tf.constant(images[first : first + size]))
        several = answers if isinstance(answers, list | tuple) else [answers]  # Keras gives one output as it is
        yield [answer.numpy().reshape(len(answer), -1) for answer in several]


def cached_extract(
    model: "keras.Model | None", images: np.ndarray, layer: str, folder: Path | None, form: InputForm | None = None
) -> Features:
    """Return ``extract``'s matrix with what it cost; from the files in ``folder`` as ``cached_activations``."""
    if layer == PIXELS:
        assert form is not None
        return Features(inputs.modality(form.modality).flat(images), 0.0, 0.0, from_cache=False, on_disk=False)
    assert model is not None
    found = cached_activations(submodel(model, layer), images, folder)
    return replace(found, x=found.x.reshape(len(images), -1))


def _parts(prefix: "keras.Model", images: np.ndarray, should_stop: ShouldStop) -> Iterator[np.ndarray]:
    """Yield the activations batch by batch, in order, while the next ones are computed.

    A row does not depend on the others, to the last bit.
    """
    import tensorflow as tf

    if not len(images):
        return
    run, size = graph(prefix, images.dtype), batch_size(prefix)

    def batch_from(first: int) -> np.ndarray:
        return run(tf.constant(images[first : first + size])).numpy()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        coming: deque[Future[np.ndarray]] = deque()
        for first in range(0, len(images), size):
            if should_stop():
                raise Interrupted
            coming.append(pool.submit(batch_from, first))
            if len(coming) > AT_ONCE:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


def batch_size(model: "keras.Model") -> int:
    """Return how many images go through a network at a time: fewer where what lies between its layers is large."""
    most = max(prod(size or 1 for size in tensor.shape[1:]) for tensor in tensors(model).values())
    return max(1, min(BATCH, BATCH_BYTES // (4 * most)))


def _aligned(shape: tuple[int, ...]) -> np.ndarray:
    """Return an array whose memory starts where TensorFlow wants it; its numbers are not set."""
    size = 4 * prod(shape)
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(np.float32).reshape(shape)


def tensor(x: np.ndarray) -> Any:
    """Return ``x`` as a TensorFlow tensor over the same memory where that can be, else as a copy.

    Copying a memory map would take a second and three times its size for 55,000 images after the convolutions.
    ``x`` must not change afterwards.
    """
    import tensorflow as tf

    shared = x.flags.writeable and x.flags.c_contiguous and x.size and x.ctypes.data % ALIGNMENT == 0
    if shared and not tf.config.list_physical_devices("GPU"):
        return tf.experimental.dlpack.from_dlpack(x.__dlpack__())
    return tf.constant(x)


def _key(prefix: "keras.Model", images: np.ndarray) -> str:
    import tensorflow as tf

    parts = [KEYS, tf.__version__, _architecture(prefix.get_config()), images.shape, str(images.dtype)]
    architecture = json.dumps(parts, sort_keys=True)
    digest = hashlib.sha256(architecture.encode())
    for array in (*prefix.get_weights(), images):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:32]


def _architecture(config: Any) -> Any:
    """Leave out of Keras' description of a model what does not change its answers."""
    if isinstance(config, list | tuple):
        return [_architecture(one) for one in config]
    if not isinstance(config, dict):
        return config
    endings = ("_initializer", "_regularizer", "_constraint", "trainable", "build_config")
    kept = {name: _architecture(value) for name, value in config.items() if not name.endswith(endings)}
    if "layers" in kept:  # a model; its own name may be a running number
        kept.pop("name", None)
    return kept


def compiled(model: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return ``model``, as it is now, as one call: for one image a hundred times quicker than ``model.predict``."""
    import tensorflow as tf

    dtype = model.inputs[0].dtype
    run = graph(model, dtype)
    return lambda items: run(tf.constant(items, dtype)).numpy()


def graph(model: Any, dtype: Any) -> Any:
    """Return a TensorFlow function of a batch of items: the model in inference mode, its weights as they are now.

    The weights are constants of the graph: TensorFlow then lays them out once for its kernels and folds what belongs to
    a convolution into it, which takes a quarter of the time off.

    Parameters
    ----------
    dtype : of the items; the answers are float32
    """
    import tensorflow as tf

    kinds = (model.trainable_variables, model.non_trainable_variables)
    weights = [[variable.value.numpy() for variable in kind] for kind in kinds]

    def run(items: Any) -> Any:
        constants = ([tf.constant(array) for array in kind] for kind in weights)
        answers, _state = model.stateless_call(*constants, tf.cast(items, model.inputs[0].dtype), training=False)
        return tf.nest.map_structure(lambda answer: tf.cast(answer, tf.float32), answers)

    signature = tf.TensorSpec((None, *model.input_shape[1:]), dtype)
    return tf.function(run, autograph=False).get_concrete_function(signature)
