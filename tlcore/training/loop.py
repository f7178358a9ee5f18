"""The training loop inside one graph: a stretch of batches without Python between them.

Two cores work side by side where a step is long enough for that. A batch through convolutions goes in two parts; of a
first dense layer that is wide each core has half of the inputs, and its half of the weights.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import features
from tlcore.sources import describe

from . import optimizers

if TYPE_CHECKING:
    import keras

LONG_STEP = 50_000_000  # multiply-adds of a batch's forward pass; the seed's network with 64 images has 160 million
# Multiply-adds of a batch in the first dense layer. 64 images of 1,600 features into 64 units have 6.6 million, and in
# halves they take 0.6 of the time; with 1 million it is still 0.75, with 0.3 million 0.95.
WIDE = 1_000_000
ONE_BY_ONE = (
    "Conv2D", "DepthwiseConv2D", "SeparableConv2D", "ZeroPadding2D", "MaxPooling2D", "AveragePooling2D",
    "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten", "Dense", "Dropout", "Activation", "ReLU", "Add",
    "Concatenate",
)  # fmt: skip


class Loop:
    """Trains a tail on its inputs, batch by batch.

    Parameters
    ----------
    tail : what trains; its weights are up to date after ``settle``
    x : TensorFlow tensor, shape (n, ...); a variable where ``show`` will change it
    y : integer labels, shape (n,)
    size : of a batch
    share : of the rate that a step takes, see ``optimizers.build``
    factors : of the rate, by the names of the tail's layers; a layer that is not named has the rate itself
    weights : of each class in the loss, float32, shape (n_classes,); a batch's loss is the sum of its weighted losses
        by its number of images, as with Keras' ``class_weight``
    """

    def __init__(
        self,
        tail: "keras.Model",
        x: Any,
        y: Any,
        size: int,
        optimizer: str,
        learning_rate: float,
        share: Callable[[Any], Any] | None = None,
        factors: Mapping[str, float] | None = None,
        weights: np.ndarray | None = None,
    ):
        self.size, self.y, self.weights = size, y, weights
        self.forward: _Whole = _Halves(tail, x) if is_wide(tail, size) else _Whole(tail, x)
        self.parts = n_parts(tail, size)
        rates = [learning_rate * factor for factor in self.forward.factors(factors or {})]
        self.update = optimizers.build(optimizer, rates, self.forward.variables, share)
        self.run = self._compiled()

    def show(self, x: np.ndarray) -> None:
        """Train on these from now on: as many items of the same shape and dtype."""
        self.forward.x.assign(np.reshape(x, self.forward.x.shape))

    def settle(self) -> None:
        """Write what was trained into the tail's own weights."""
        self.forward.settle()

    def slots(self) -> list[np.ndarray]:
        """Return what the optimizer remembers, as one array for each of the tail's weights, whatever way it takes."""
        steps, moments = ([variable.numpy() for variable in kind] for kind in (self.update.steps, self.update.moments))
        return [*steps, *chain(*map(self.forward.joined, _groups(moments, len(self.forward.variables))))]

    def put_slots(self, arrays: Sequence[np.ndarray]) -> None:
        """Go on from what ``slots`` gave."""
        n_steps = len(self.update.steps)
        moments = chain(*map(self.forward.parted, _groups(arrays[n_steps:], self.forward.n_weights)))
        mine = (*self.update.steps, *self.update.moments)
        for variable, value in zip(mine, (*arrays[:n_steps], *moments), strict=True):
            variable.assign(value)

    def _compiled(self) -> Callable[..., Any]:
        """Return a graph that trains batches first..last-1 of an order: (summed loss, number right)."""
        import tensorflow as tf

        def run(order: Any, first: Any, last: Any) -> tuple[Any, Any]:
            def one(batch: Any, loss: Any, right: Any) -> tuple[Any, Any, Any]:
                batch_loss, batch_right = self._step(order[batch * self.size : (batch + 1) * self.size])
                return batch + 1, loss + batch_loss, right + batch_right

            return tf.while_loop(lambda batch, *_: batch < last, one, (first, 0.0, 0.0))[1:]

        # Traced with numbers as tensors, else again for every value; without AutoGraph, which would take most of a
        # second to rewrite this, and leave its text in the folder for temporary files.
        number, order = tf.TensorSpec((), tf.int64), tf.TensorSpec((None,), tf.int64)
        return tf.function(run, autograph=False, input_signature=(order, number, number))

    def _step(self, rows: Any) -> tuple[Any, Any]:
        import tensorflow as tf

        gradients, losses, right = zip(*(self._part(rows, i) for i in range(self.parts)), strict=True)
        self.update([tf.add_n(shares) for shares in zip(*gradients, strict=True)])
        return tf.add_n(losses), tf.add_n(right)

    def _part(self, rows: Any, i: int) -> tuple[Any, Any, Any]:
        """Return the gradients, the summed loss and the number right of one part of a batch."""
        import keras
        import tensorflow as tf

        per_image = keras.losses.SparseCategoricalCrossentropy(reduction="none")
        n = tf.size(rows)
        first, last = i * n // self.parts, (i + 1) * n // self.parts
        # A batch of one image has no second part: convolutions refuse none, so it is computed and counts for nothing.
        mine = rows[first : tf.maximum(last, first + 1)] if self.parts > 1 else rows
        counts = tf.cast(last > first, tf.float32)
        labels = tf.gather(self.y, mine)
        with tf.GradientTape() as tape:
            answers = self.forward(mine)
            losses = per_image(labels, answers)
            if self.weights is not None:
                losses *= tf.cast(tf.gather(self.weights, labels), losses.dtype)
            loss = counts * tf.reduce_sum(losses)
            share = loss / tf.cast(n, loss.dtype)  # of the batch's mean
        right = tf.equal(tf.argmax(answers, axis=-1, output_type=labels.dtype), labels)
        gradients = tape.gradient(share, self.forward.variables)
        return gradients, loss, counts * tf.reduce_sum(tf.cast(right, tf.float32))


def _groups(arrays: Sequence[Any], n: int) -> list[Sequence[Any]]:
    return [arrays[first : first + n] for first in range(0, len(arrays), n)]


class _Whole:
    """A tail as it is: its own weights train."""

    variables: list[Any]  # TensorFlow's

    def __init__(self, tail: "keras.Model", x: Any):
        self.tail, self.x = tail, x
        self.n_weights = len(tail.trainable_variables)
        self.variables = [variable.value for variable in tail.trainable_variables]

    def __call__(self, rows: Any) -> Any:
        import tensorflow as tf

        return self.tail(tf.gather(self.x, rows), training=True)

    def settle(self) -> None:
        """Nothing is to be written: they are the tail's own."""

    def factors(self, of_layer: Mapping[str, float]) -> list[float]:
        """Return each variable's factor of the learning rate, given those of layers; 1 where none is given."""
        known = {id(weight): of_layer.get(layer.name, 1.0) for layer in self.tail.layers for weight in layer.weights}
        each = [known.get(id(weight), 1.0) for weight in self.tail.trainable_variables]
        return each[:1] * (len(self.variables) - len(each)) + each  # of halves: the first weight is two variables

    def joined(self, arrays: Sequence[Any]) -> list[Any]:
        """Return one array for each of the tail's own weights, of one for each of ``variables``."""
        return list(arrays)

    def parted(self, arrays: Sequence[Any]) -> list[Any]:
        """The reverse of ``joined``."""
        return list(arrays)


class _Halves(_Whole):
    """A tail whose first layer is wide: two products of half the inputs with half the kernel, and their sum.

    Each half is multiplied, differentiated and updated by a core of its own. Gathering needs no copy of the inputs:
    seen as (2n, d / 2), the halves of row i are the rows 2i and 2i + 1.
    """

    def __init__(self, tail: "keras.Model", x: Any):
        import tensorflow as tf

        first = describe(tail)[0]
        self.tail, self.n_weights = tail, len(tail.trainable_variables)
        self.layer = tail.get_layer(first.name)
        self.rest = features.split(tail, first.name)[1] if len(describe(tail)) > 1 else None
        halves = tf.reshape(x, (2 * x.shape[0], x.shape[1] // 2))
        self.x = tf.Variable(halves) if isinstance(x, tf.Variable) else halves
        self.halves = [tf.Variable(half) for half in tf.split(self.layer.kernel.value, 2)]
        own = [self.layer.bias] if self.layer.use_bias else []
        others = [variable.value for variable in (*own, *(self.rest.trainable_variables if self.rest else ()))]
        self.variables = [*self.halves, *others]

    def __call__(self, rows: Any) -> Any:
        import tensorflow as tf

        values = tf.add_n([tf.matmul(tf.gather(self.x, 2 * rows + i), half) for i, half in enumerate(self.halves)])
        values = tf.nn.bias_add(values, self.layer.bias.value) if self.layer.use_bias else values
        values = values if self.layer.activation is None else self.layer.activation(values)
        return values if self.rest is None else self.rest(values, training=True)

    def settle(self) -> None:
        import tensorflow as tf

        self.layer.kernel.assign(tf.concat(self.halves, axis=0))

    def joined(self, arrays: Sequence[Any]) -> list[Any]:
        return [np.concatenate(arrays[:2]), *arrays[2:]]

    def parted(self, arrays: Sequence[Any]) -> list[Any]:
        return [*np.split(arrays[0], 2), *arrays[1:]]


def is_wide(tail: "keras.Model", size: int) -> bool:
    """Whether a tail begins with a dense layer in which a batch is so much work that its halves pay for two cores."""
    first = describe(tail)[0]
    inputs = tail.input_shape[1:]
    plain = first.type == "Dense" and first.cut and len(inputs) == 1 and inputs[0] % 2 == 0
    trains = plain and tail.get_layer(first.name).trainable
    return bool(trains and size * first.flops >= WIDE)


def n_parts(tail: "keras.Model", size: int) -> int:
    """Return into how many parts a batch goes, computed side by side, their gradients added up.

    Two where a step is long, so that both cores have work: convolutions' gradients alone keep one and a half busy.
    What comes out is the batch's gradient as long as no layer looks at more than one image, so only such layers count.
    """
    layers = describe(tail)
    averages = [layer for layer in tail.layers if type(layer).__name__ == "BatchNormalization"]
    at_rest = {layer.name for layer in averages if not layer.trainable}
    long = size * sum(layer.flops for layer in layers) >= LONG_STEP
    return 2 if long and all(layer.type in ONE_BY_ONE or layer.name in at_rest for layer in layers) else 1


def scorer(tail: "keras.Model", x: Any, y: Any, size: int = 512) -> Callable[[], tuple[float, float]]:
    """Return a function that gives the mean loss and the accuracy on ``x`` with the weights as they are now."""
    import keras
    import tensorflow as tf

    n = len(y)
    if not n:
        return lambda: (0.0, 0.0)
    per_image = keras.losses.SparseCategoricalCrossentropy(reduction="none")

    def score() -> tuple[Any, Any]:
        def one(first: Any, loss: Any, right: Any) -> tuple[Any, Any, Any]:
            labels = y[first : first + size]
            answers = tail(x[first : first + size], training=False)
            hits = tf.equal(tf.argmax(answers, axis=-1, output_type=labels.dtype), labels)
            losses, hits = tf.reduce_sum(per_image(labels, answers)), tf.reduce_sum(tf.cast(hits, tf.float32))
            return first + size, loss + losses, right + hits

        return tf.while_loop(lambda first, *_: first < n, one, (0, 0.0, 0.0))[1:]

    compiled = tf.function(score, autograph=False)

    def run() -> tuple[float, float]:
        loss, right = (float(value) for value in compiled())
        return loss / n, right / n

    return run
