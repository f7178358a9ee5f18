"""A small dense tail on 1,600 features: Keras' ``fit``, its faster settings, and the lab's loop inside one graph.

``plain`` is Keras as it comes; the other ways are what was tried. First epochs, with their tracing and compiling, are
timed apart from later ones. Every way trains the same layers on the same features with Adam at the same rate.
"""

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from bench import _timing
from tlcore.spec import DataSpec

FULL = {"per_class": None, "epochs": 4, "batch_size": 64}
SMALL = {"per_class": 200, "epochs": 10, "batch_size": 16}
QUICK = {"per_class": 20, "epochs": 2, "batch_size": 16}

Epoch = Callable[[], Any]


def keras_fit(x, y, batch_size: int, **compiled: Any) -> Epoch:
    import keras

    model = _tail()
    adam = keras.optimizers.Adam(1e-3)
    model.compile(optimizer=adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    return lambda: model.fit(x, y, batch_size=batch_size, epochs=1, verbose=0)


def ours(x, y, batch_size: int) -> Epoch:
    """The lab's own loop, as ``training.fit`` runs it."""
    import tensorflow as tf

    from tlcore import features, training

    loop = training.Loop(_tail(), features.tensor(x), tf.constant(y), batch_size, "adam", 1e-3)
    return lambda: [float(value) for value in loop.run(_order(len(x)), 0, -(-len(x) // batch_size))]


def loop(x, y, batch_size: int, fused: bool = True, xla: bool = False, shuffled: bool = False) -> Epoch:
    """What the lab's loop could be: Keras' own update, XLA for each step, or an epoch that is put in order first."""
    import keras
    import tensorflow as tf

    from tlcore.training import optimizers

    model = _tail()
    variables = model.trainable_variables
    per_image = keras.losses.SparseCategoricalCrossentropy(reduction="none")
    adam = keras.optimizers.Adam(1e-3)
    adam.build(variables)
    own = optimizers.build("adam", 1e-3, [variable.value for variable in variables])
    update = own if fused else lambda gradients: adam.apply(gradients, variables)

    def step(images, labels):
        with tf.GradientTape() as tape:
            answers = model(images, training=True)
            losses = per_image(labels, answers)
            loss = tf.reduce_mean(losses)
        update(tape.gradient(loss, variables))
        right = tf.equal(tf.argmax(answers, axis=-1, output_type=labels.dtype), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32))

    step = tf.function(step, jit_compile=True) if xla else step

    @tf.function(reduce_retracing=True)
    def gathering(images, labels, order, last):
        loss, right = tf.constant(0.0), tf.constant(0.0)
        for batch in tf.range(last):
            rows = order[batch * batch_size : (batch + 1) * batch_size]
            a, b = step(tf.gather(images, rows), tf.gather(labels, rows))
            loss, right = loss + a, right + b
        return loss, right

    @tf.function(reduce_retracing=True)
    def slicing(images, labels, order, last):
        loss, right = tf.constant(0.0), tf.constant(0.0)
        for batch in tf.range(last):
            first = batch * batch_size
            a, b = step(images[first : first + batch_size], labels[first : first + batch_size])
            loss, right = loss + a, right + b
        return loss, right

    run, constants = (slicing if shuffled else gathering), (tf.constant(x), tf.constant(y))

    def epoch():
        order = _order(len(x))
        rows = order.numpy()
        arrays = (tf.constant(x[rows]), tf.constant(y[rows])) if shuffled else constants
        return [float(value) for value in run(*arrays, order, tf.constant(-(-len(x) // batch_size)))]

    return epoch


def _order(n: int):
    import numpy as np
    import tensorflow as tf

    return tf.constant(np.random.default_rng(0).permutation(n))


def _tail():
    import keras
    from keras import initializers, layers

    first = layers.Dense(64, activation="relu", kernel_initializer=initializers.GlorotUniform(1))
    last = layers.Dense(10, activation="softmax", kernel_initializer=initializers.GlorotUniform(2))
    return keras.Sequential([keras.Input((1600,)), first, last])


TRIED: dict[str, tuple[Callable[..., Epoch], dict[str, Any]]] = {
    "plain": (keras_fit, {}),
    "ours": (ours, {}),
    "steps_per_execution=32": (keras_fit, {"steps_per_execution": 32}),
    "steps_per_execution=32 with XLA": (keras_fit, {"steps_per_execution": 32, "jit_compile": True}),
    "graph loop, Keras' update": (loop, {"fused": False}),
    "graph loop, XLA step": (loop, {"fused": False, "xla": True}),
    "graph loop, epoch shuffled first": (loop, {"shuffled": True}),
}


def timed(way: str, seed: int, per_class: int | None, epochs: int, batch_size: int) -> _timing.Result:
    if TRIED[way][0] is keras_fit:
        _timing.keras_as_it_comes()
    from tlcore import datasets, features, sources

    data = datasets.load(DataSpec(target="mnist", split="article", per_class=per_class))
    x = features.extract(sources.load("digits_0_4"), data.x_train, "flatten")
    build, options = TRIED[way]
    epoch = build(x, data.y_train, batch_size, **options)
    began = time.perf_counter()
    epoch()
    first_s, walls, cpus = time.perf_counter() - began, [], []
    for _ in range(epochs):
        with _timing.Stopwatch() as watch:
            epoch()
        walls.append(watch.seconds)
        cpus.append(watch.cpu_s)
    return {"seconds": median(walls), "cpu_s": median(cpus), "first_s": first_s}


def measure(quick: bool = False) -> list[_timing.Row]:
    rows = []
    for name, settings in {"quick": QUICK}.items() if quick else {"full": FULL, "small": SMALL}.items():
        results = _timing.in_turn("bench.tail", tuple(TRIED), 3, **settings)
        n = "55,000" if settings["per_class"] is None else f"{10 * settings['per_class']:,}"
        for way, found in results.items():
            if way != "plain":
                first_s = median(one["first_s"] for one in found)
                title = f"Dense tail, an epoch of {n} at batch {settings['batch_size']}: " + way
                note = f"first epoch {first_s:.1f} s"
                rows.append(_timing.row(f"tail_{name}_{_slug(way)}", title, found, results["plain"], note=note))
    return rows


def _slug(way: str) -> str:
    return "_".join("".join(letter if letter.isalnum() else " " for letter in way.lower()).split())


if __name__ == "__main__":
    _timing.script({way: partial(timed, way) for way in TRIED}, measure)
