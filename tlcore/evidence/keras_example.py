"""Keras' own example of transfer learning, run as it was published, to stand beside its published numbers.

References
----------
Keras examples, ``mnist_transfer_cnn.py``: a network learns digits 0-4 in 5 epochs (99.8 % of their test images); then
its convolutions are frozen, and its dense layers go on to learn digits 5-9 in 5 epochs (99.2 %).
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import datasets
from tlcore.datasets.mnist import FORM
from tlcore.evaluation import evaluate
from tlcore.sentences import Sentence
from tlcore.sources import UNIT
from tlcore.spec import NOBODY, DataSpec, ExampleResult, ExampleSpec, Listener, MetricPoint, Progress

if TYPE_CHECKING:
    import keras

PUBLISHED = {"source_test": 0.998, "test": 0.992}
BATCH = 128
RATE = 1.0  # what "adadelta" meant in Keras when the example was written; today's default of 0.001 hardly learns
N_CLASSES = 5
TASKS = ("mnist_0_4", "mnist_5_9")
LEARNING = (Sentence("learning digits 0-4"), Sentence("learning digits 5-9, convolutions frozen"))


def network(seed: int) -> "tuple[keras.Sequential, list[Any]]":
    """Return the example's network, 600,165 weights, and its feature layers, which the second task freezes."""
    import keras
    from keras import layers

    keras.utils.set_random_seed(seed)
    features = [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
    ]
    classifier = [
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(N_CLASSES, activation="softmax"),
    ]
    image = keras.Input(FORM.shape, dtype=FORM.dtype)
    return keras.Sequential([image, layers.Rescaling(UNIT), *features, *classifier]), features


def run(spec: ExampleSpec, listener: Listener = NOBODY) -> ExampleResult:
    """Train on the first task, freeze, train on the second; return both tests and both times.

    The points count epochs over both tasks. A stop ends the current batch; a task that was not reached has no test.
    """
    import keras

    model, features = network(spec.seed)
    follower = _follower(keras, spec, listener)
    result = ExampleResult(class_names=tuple(datasets.info(TASKS[1]).class_names))
    for number, (task, name) in enumerate(zip(TASKS, ("source_test", "test"), strict=True)):
        data = datasets.load(DataSpec(task, per_class=None, seed=spec.seed))
        x = np.concatenate([data.x_train, data.x_validation])  # the example keeps none back
        y = np.concatenate([data.y_train, data.y_validation])
        for layer in features:
            layer.trainable = number == 0
        adadelta = keras.optimizers.Adadelta(learning_rate=RATE)
        model.compile(optimizer=adadelta, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        follower.begin(number * spec.epochs)
        began = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=spec.epochs, verbose=0, callbacks=[follower])
        result = replace(result, **{f"{name}_s": time.perf_counter() - began})
        if listener.should_stop():
            break
        answers = model.predict(data.x_test, batch_size=BATCH, verbose=0)
        result = replace(result, **{name: evaluate(data.y_test, answers.argmax(axis=1), N_CLASSES, answers)})
    return replace(
        result,
        n_weights=model.count_params(),
        n_trainable=sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
    )


def _follower(keras: Any, spec: ExampleSpec, listener: Listener) -> Any:
    """Return a callback that tells of every epoch and stops within a batch."""
    began = time.perf_counter()

    class Follower(keras.callbacks.Callback):
        first = 0

        def begin(self, epochs_before: int) -> None:
            self.first = epochs_before
            self.epoch = epochs_before
            self.tell()

        def tell(self) -> None:
            done, total = self.epoch, 2 * spec.epochs
            left = (time.perf_counter() - began) / done * (total - done) if done else None
            what = LEARNING[0] if done < spec.epochs else LEARNING[1]
            listener.on_progress(Progress(done, total, what, left_s=left))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.epoch = self.first + epoch + 1
            elapsed = time.perf_counter() - began
            listener.on_metric(MetricPoint("train", self.epoch, logs["loss"], logs["accuracy"], elapsed))
            self.tell()

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if listener.should_stop():
                self.model.stop_training = True

    return Follower()
