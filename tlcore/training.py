"""Train the layers that are not frozen; compute the frozen prefix once.

A training step of a small network spends most of its time between TensorFlow and Python, so a whole stretch of
batches runs inside one graph; between stretches the metrics go out and the stop flag comes in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np

from . import freezing, optimizers
from .datasets import Data
from .errors import SpecError, TrainingError
from .features import activations, submodel
from .sources import describe
from .spec import OPTIMIZERS, FineTuneSpec, LayerInfo, MetricPoint, Phase, Progress, check_choice, check_number

if TYPE_CHECKING:
    import keras

STRETCH_S = 0.25  # seconds of training between two looks at the stop flag; a batch that takes longer runs alone
POINT_S = 0.5  # seconds between two live points inside an epoch
CACHE_BYTES = 512 * 2**20  # largest prefix output kept in memory; above it every epoch runs the prefix again

OnMetric = Callable[[MetricPoint], None]
OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


@dataclass(frozen=True)
class FitResult:
    """What a training did, apart from the weights, which are in the model."""

    fit_s: float
    first_step_s: float  # tracing and compiling, with the first batch
    images_per_s: float  # training images, without the first step and the validation
    epochs: float  # finished epochs; a stop may leave a fraction
    stopped: bool
    cached: bool  # whether a frozen prefix was computed once
    reason: str  # why it was, or was not, in words
    proof: tuple[dict[str, Any], ...]  # ProofRow of every layer in every phase that trained, with its ``phase``


def check(spec: FineTuneSpec, layers: Sequence[LayerInfo]) -> None:
    """Raise a SpecError in one sentence when ``spec`` cannot be trained on a network of these ``layers``."""
    check_choice("optimizer", spec.optimizer, OPTIMIZERS)
    check_number("batch_size", spec.batch_size)
    check_number("seed", spec.seed)
    if not spec.phases:
        raise SpecError("This training has no phases. Give it at least one, with its epochs.")
    for phase in spec.phases:
        check_number("epochs", phase.epochs)
        check_number("learning_rate", phase.learning_rate)
        freezing.check_names(layers, phase.frozen, spec.source)
        if freezing.cost(layers, phase.frozen).n_trainable == 0:
            raise SpecError("Every layer with weights is frozen, so nothing would train. Unfreeze at least one layer.")


def n_steps(spec: FineTuneSpec, n: int) -> int:
    """Return how many steps ``spec`` takes on ``n`` training images.

    Examples
    --------
    >>> n_steps(FineTuneSpec(batch_size=16, phases=(Phase(epochs=10),)), n=25)
    20
    """
    return spec.epochs * -(-n // spec.batch_size)


def fit(
    model: "keras.Model",
    data: Data,
    spec: FineTuneSpec,
    *,
    on_metric: OnMetric = lambda point: None,
    on_progress: OnProgress = lambda progress: None,
    should_stop: ShouldStop = lambda: False,
    use_cache: bool = True,
) -> FitResult:
    """Train ``model`` in place through every phase of ``spec``.

    Parameters
    ----------
    model : network with a softmax output over the classes of ``data``
    on_metric : receives points of the series ``train`` and ``validation``; x counts epochs over all phases
    should_stop : asked between stretches of about a quarter of a second, never in the middle of a batch
    use_cache : False trains through the frozen layers in every epoch, for comparison

    Raises
    ------
    SpecError
        The spec does not fit the model.
    TrainingError
        The loss is not a number, or far worse than guessing.
    """
    import keras

    check(spec, describe(model))
    keras.utils.set_random_seed(spec.seed)
    clock = _Clock(spec, len(data.x_train), on_metric, on_progress, should_stop)
    cached, reasons, proof = False, [], []
    for number, phase in enumerate(spec.phases, start=1):
        freezing.freeze(model, phase.frozen)
        before, images = freezing.hashes(model), clock.all_images
        count, reason = _prefix_length(model, phase, len(data.x_train)) if use_cache else (0, "The cache is off.")
        reasons.append(reason)
        cached = cached or count > 0
        arrays = (data.x_train, data.x_validation)
        if count:
            on_progress(replace(clock.progress(), message="computing the frozen layers once"))
            body = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
            prefix = submodel(model, body[count - 1].name)
            arrays = tuple(activations(prefix, x, should_stop=should_stop) for x in arrays)
        tail = keras.Sequential([keras.Input(arrays[0].shape[1:]), *body[count:]]) if count else model
        _fit_phase(tail, arrays, data, spec, phase, clock)
        if clock.all_images > images:
            rows = freezing.proof(before, freezing.hashes(model), phase.frozen)
            proof += [{"phase": number, **row.as_dict()} for row in rows]
        if clock.stopped:
            break
    return clock.result(cached, " ".join(dict.fromkeys(reasons)), tuple(proof))


def _prefix_length(model: "keras.Model", phase: Phase, n: int) -> tuple[int, str]:
    """Return how many leading layers to compute once, and why."""
    layers = describe(model)
    count = freezing.boundary(layers, phase.frozen)
    if not count:
        return 0, "No leading layers are frozen, so every epoch runs the whole network."
    size = 4 * n * int(np.prod(layers[count - 1].output_shape))
    names, megabytes = f"{layers[0].name} to {layers[count - 1].name}", f"{size / 2**20:,.0f} MB"
    if size > CACHE_BYTES:
        return 0, f"The outputs of {names} would take {megabytes}, so every epoch computes them again."
    if phase.epochs == 1:
        return 0, "One epoch sees every image once, so there is nothing to keep."
    return count, f"The frozen layers {names} were computed once ({megabytes}) and only the rest was trained on that."


def _fit_phase(
    tail: "keras.Model",
    arrays: tuple[np.ndarray, ...],
    data: Data,
    spec: FineTuneSpec,
    phase: Phase,
    clock: "_Clock",
) -> None:
    """Train ``tail`` on inputs that are images or the prefix's activations of them."""
    import tensorflow as tf

    x_train, x_validation = arrays
    n, size = len(x_train), spec.batch_size
    update = optimizers.build(spec.optimizer, phase.learning_rate, tail.trainable_variables)
    run = _stretch(tail, update, tf.constant(x_train), tf.constant(data.y_train), size)
    score = _scorer(tail, x_validation, data.y_validation)
    clock.start_phase()
    n_batches, rate = -(-n // size), 0.0  # batches a second
    for epoch in range(phase.epochs):
        order = tf.constant(np.random.default_rng((spec.seed, clock.epoch)).permutation(n))
        done = 0
        while done < n_batches:
            k = 1 if not rate else int(np.clip(rate * STRETCH_S, 1, n_batches - done))
            began = time.perf_counter()
            loss, right = (float(value) for value in run(order, done, done + k))
            took = time.perf_counter() - began
            images = min((done + k) * size, n) - done * size
            first = epoch == 0 and done == 0
            done += k
            clock.stretch(loss, right, images, took, done / n_batches, first)
            if not first:
                rate = k / max(took, 1e-6)
            if clock.should_stop():
                clock.stopped = True
                return
        clock.finish_epoch(*score(), phase, len(data.class_names))


def _stretch(tail: "keras.Model", update: optimizers.Update, x: Any, y: Any, size: int) -> Callable[..., Any]:
    """Return a graph that trains batches first..last-1 of an order: (summed loss, number right)."""
    import keras
    import tensorflow as tf

    per_image = keras.losses.SparseCategoricalCrossentropy(reduction="none")
    variables = tail.trainable_variables

    def step(rows: Any) -> tuple[Any, Any]:
        images, labels = tf.gather(x, rows), tf.gather(y, rows)
        with tf.GradientTape() as tape:
            answers = tail(images, training=True)
            losses = per_image(labels, answers)
            loss = tf.reduce_mean(losses)
        update(tape.gradient(loss, variables))
        right = tf.equal(tf.argmax(answers, axis=-1, output_type=labels.dtype), labels)
        return tf.reduce_sum(losses), tf.reduce_sum(tf.cast(right, tf.float32))

    @tf.function(reduce_retracing=True)
    def run(order: Any, first: Any, last: Any) -> tuple[Any, Any]:
        loss, right = tf.constant(0.0), tf.constant(0.0)
        for batch in tf.range(first, last):
            batch_loss, batch_right = step(order[batch * size : (batch + 1) * size])
            loss, right = loss + batch_loss, right + batch_right
        return loss, right

    # Tensors, not Python numbers: a number would be traced anew for every value.
    return lambda order, first, last: run(order, tf.constant(first), tf.constant(last))


def _scorer(tail: "keras.Model", x: np.ndarray, y: np.ndarray, size: int = 512) -> Callable[[], tuple[float, float]]:
    """Return a function that gives the mean loss and the accuracy on ``x`` with the weights as they are now."""
    import keras
    import tensorflow as tf

    per_image = keras.losses.SparseCategoricalCrossentropy(reduction="none")

    @tf.function(reduce_retracing=True)
    def score(images: Any, labels: Any) -> tuple[Any, Any]:
        answers = tail(images, training=False)
        right = tf.equal(tf.argmax(answers, axis=-1, output_type=labels.dtype), labels)
        return tf.reduce_sum(per_image(labels, answers)), tf.reduce_sum(tf.cast(right, tf.float32))

    def run() -> tuple[float, float]:
        parts = [score(tf.constant(x[i : i + size]), tf.constant(y[i : i + size])) for i in range(0, len(x), size)]
        loss, right = (sum(float(part[i]) for part in parts) for i in (0, 1))
        return loss / max(len(x), 1), right / max(len(x), 1)

    return run


class _Clock:
    """Counts epochs, images and seconds; sends points and progress; notices a loss that went wrong."""

    def __init__(
        self, spec: FineTuneSpec, n: int, on_metric: OnMetric, on_progress: OnProgress, should_stop: ShouldStop
    ):
        self.spec, self.n = spec, n
        self.on_metric, self.on_progress, self.should_stop = on_metric, on_progress, should_stop
        self.began = time.perf_counter()
        self.epoch, self.part = 0, 0.0
        self.stopped = False
        self.first_step_s = self.busy_s = 0.0
        self.images = 0  # counted with busy_s: without the first step
        self.all_images = 0
        self.epoch_s: list[float] = []
        self.start_phase()

    def start_phase(self) -> None:
        self._start_epoch()
        self.on_progress(self.progress())

    def _start_epoch(self) -> None:
        self.part, self.epoch_began = 0.0, time.perf_counter()
        self.loss = self.right = self.seen = 0.0
        self.recent = [0.0, 0.0, 0.0]  # loss, right, seen since the last live point
        self.last_point = time.perf_counter()

    def stretch(self, loss: float, right: float, images: int, took: float, part: float, first: bool) -> None:
        """Take note of some trained batches."""
        if not isfinite(loss):
            raise TrainingError(
                "The loss stopped being a number in epoch {epoch}, so training was stopped. "
                "The learning rate is probably too high: try {rate:g} or less.",
                epoch=self.epoch + 1,
                rate=min(phase.learning_rate for phase in self.spec.phases) / 10,
            )
        self.part, self.all_images = part, self.all_images + images
        self.loss, self.right, self.seen = self.loss + loss, self.right + right, self.seen + images
        self.recent = [a + b for a, b in zip(self.recent, (loss, right, images), strict=True)]
        if first:
            self.first_step_s += took
            self.last_point = time.perf_counter()  # the wait for the compiler is no reason for a point
        else:
            self.busy_s, self.images = self.busy_s + took, self.images + images
        now = time.perf_counter()
        if now - self.last_point >= POINT_S and part < 1:
            loss, right, seen = self.recent
            self._point("train", self.epoch + part, loss / seen, right / seen)
            self.recent, self.last_point = [0.0, 0.0, 0.0], now
            self.on_progress(self.progress())

    def finish_epoch(self, loss: float, accuracy: float, phase: Phase, n_classes: int) -> None:
        self.epoch += 1
        train_loss = self.loss / self.seen
        self._point("train", self.epoch, train_loss, self.right / self.seen)
        self._point("validation", self.epoch, loss, accuracy)
        self.epoch_s.append(time.perf_counter() - self.epoch_began)
        self._start_epoch()
        self.on_progress(self.progress())
        # Guessing costs log(n_classes); three times that is being sure of wrong answers.
        if train_loss > 3 * log(n_classes):
            raise TrainingError(
                "The training loss rose to {loss:.3g}, far above guessing ({guess:.2g}), so training was stopped. "
                "The learning rate is probably too high: try {rate:g} or less.",
                loss=train_loss,
                guess=log(n_classes),
                rate=phase.learning_rate / 10,
            )

    def _point(self, series: str, x: float, loss: float, accuracy: float) -> None:
        self.on_metric(MetricPoint(series, x, loss, accuracy, time.perf_counter() - self.began))

    def progress(self) -> Progress:
        """Steps are epochs; the time left follows the mean of the epochs so far."""
        left = self.spec.epochs - self.epoch - self.part
        left_s = None
        if len(self.epoch_s) > 1:
            left_s = left * float(np.mean(self.epoch_s[1:]))  # the first epoch holds the compiling
        elif self.images:
            left_s = left * self.n * self.busy_s / self.images
        return Progress(
            step=self.epoch,
            n_steps=self.spec.epochs,
            message="training",
            left_s=left_s,
            images_per_s=self.images / self.busy_s if self.busy_s else None,
            first_step_s=self.first_step_s or None,
        )

    def result(self, cached: bool, reason: str, proof: tuple[dict[str, Any], ...]) -> FitResult:
        return FitResult(
            fit_s=time.perf_counter() - self.began,
            first_step_s=self.first_step_s,
            images_per_s=self.images / self.busy_s if self.busy_s else 0.0,
            epochs=self.epoch + self.part,
            stopped=self.stopped,
            cached=cached,
            reason=reason,
            proof=proof,
        )
