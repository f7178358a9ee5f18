"""Train the layers that are not frozen; compute the frozen prefix once.

A training step of a small network spends most of its time between TensorFlow and Python, so a whole stretch of
batches runs inside one graph; between stretches the metrics go out and the stop flag comes in.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import sentences
from tlcore.datasets import Data
from tlcore.errors import SpecError
from tlcore.features import Interrupted, prefix, tensor
from tlcore.features.freezing import Freezing, hashes
from tlcore.features.prefix import Inputs
from tlcore.sentences import Sentence
from tlcore.sources import describe
from tlcore.spec import (
    NOBODY,
    OPTIMIZERS,
    FineTuneSpec,
    LayerInfo,
    Listener,
    Phase,
    ProofRow,
    check_choice,
    check_number,
)
from tlcore.spec.codec import decode
from tlcore.store.checkpoint import Checkpoint

from .clock import Clock, FitResult
from .loop import Loop, scorer
from .pace import Pace, PhasePlan

if TYPE_CHECKING:
    import keras

STRETCH_S = 0.25  # seconds of training between two looks at the stop flag; a batch that takes longer runs alone


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
        if Freezing(layers, phase.frozen, spec.source).cost.n_trainable == 0:
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
    listener: Listener = NOBODY,
    *,
    cache: Path | None = None,
    use_cache: bool = True,
    resume: Checkpoint | None = None,
) -> FitResult:
    """Train ``model`` in place through every phase of ``spec``.

    Whoever goes on from a checkpoint gets the weights of a training that was never interrupted, to the last bit: the
    order of the images follows from the seed and the epoch, all other randomness is in the model's variables.

    Parameters
    ----------
    model : network with a softmax output over the classes of ``data``
    listener : hears points of the parts ``train`` and ``validation``, whose x counts epochs over all phases, progress,
        epochs and checkpoints; asked every quarter of a second whether to stop
    cache : folder of kept activations; without one they are in memory for this training alone
    use_cache : False trains through the frozen layers in every epoch, for comparison
    resume : a checkpoint of the same spec and data, from where to go on

    Raises
    ------
    SpecError
        The spec does not fit the model.
    TrainingError
        The loss is not a number, or far worse than guessing.
    """
    import keras

    layers = describe(model)
    check(spec, layers)
    keras.utils.set_random_seed(spec.seed)
    pace = Pace(plans(layers, spec, data, cache, use_cache), lambda: _call_s(model, data.x_train, layers))
    clock = Clock(spec, len(data.x_train), listener, pace)
    course = Course()
    if resume is None:
        listener.on_epoch(0, None)
    else:
        _put(model.variables, resume.weights)
        clock.go_on(resume.state["clock"])
        course = Course(**resume.state["course"])
    for number, phase in enumerate(spec.phases[max(course.phase - 1, 0) :], start=max(course.phase, 1)):
        frozen = Freezing(layers, phase.frozen, spec.source)
        frozen.apply(model)
        if number > course.phase:
            course.begin(number, hashes(model), clock.all_images)
        try:
            clock.begin_phase(number)
            inputs = _inputs(model, data, phase, clock, cache) if use_cache else prefix.whole(model, data, prefix.OFF)
            course.note(inputs)
            pace.computed(sum(features.seconds for features in inputs.features))
            slots = resume.slots if resume is not None and number == resume.state["course"]["phase"] else None
            _fit_phase(model, inputs, data, spec, clock, course, slots)
        except Interrupted:
            clock.stopped = True
        if clock.all_images > course.images_before:
            course.proof += map(asdict, frozen.proof(course.before, hashes(model), number))
        if clock.stopped:
            break
    return clock.result(**course.result())


def plans(
    layers: Sequence[LayerInfo], spec: FineTuneSpec, data: Data, cache: Path | None, use_cache: bool
) -> list[PhasePlan]:
    """Return what every phase of a training asks for, in multiply-adds."""
    n, n_validation = len(data.x_train), len(data.x_validation)
    found = []
    for phase in spec.phases:
        frozen = Freezing(layers, phase.frozen, spec.source)
        cached = use_cache and prefix.place(frozen, n, cache)[0] is not None
        tail = frozen.tail if cached else layers
        found.append(
            PhasePlan(
                phase.epochs,
                -(-n // spec.batch_size),
                step_work=min(n, spec.batch_size) * frozen.multiply_adds(without_prefix=cached),
                score_work=n_validation * sum(layer.flops for layer in tail),
                prefix_work=(n + n_validation) * sum(layer.flops for layer in frozen.prefix) if cached else 0.0,
            )
        )
    return found


def _call_s(model: "keras.Model", x: np.ndarray, layers: Sequence[LayerInfo], n: int = 128) -> float:
    """Return the seconds of one multiply-add when the network is called on a few images, the quickest of three."""
    model(x[:n], training=False)  # the first call makes its kernels ready
    times = []
    for _ in range(3):
        began = time.perf_counter()
        model(x[:n], training=False)
        times.append(time.perf_counter() - began)
    return min(times) / max(len(x[:n]) * sum(layer.flops for layer in layers), 1)


@dataclass
class Course:
    """What a training has been through, phase by phase; JSON values, for a checkpoint."""

    phase: int = 0  # the one it is in, counted from 1
    before: dict[str, str] = field(default_factory=dict)  # hashes of the weights when that began
    images_before: int = 0  # trained until then
    proof: list[dict[str, Any]] = field(default_factory=list)  # of the phases before
    notes: dict[str, dict[str, Any]] = field(default_factory=dict)  # phase -> what it trained on

    def begin(self, phase: int, before: dict[str, str], images: int) -> None:
        self.phase, self.before, self.images_before = phase, before, images

    def note(self, inputs: Inputs) -> None:
        """Take note of what this phase trains on; of an earlier process's note, which computed it, that stays."""
        note = {
            "reason": sentences.encode(inputs.reason),
            "from_cache": [features.from_cache for features in inputs.features],
            "seconds": sum(features.seconds for features in inputs.features),
            "bfloat16": inputs.bfloat16,
            "learn_s": sum(features.cost_s for features in inputs.features[:1]),
        }
        self.notes.setdefault(str(self.phase), note)

    def result(self) -> dict[str, Any]:
        """Return the part of a FitResult that is known here."""
        notes = self.notes.values()
        kept = [found for note in notes for found in note["from_cache"]]
        return {
            "cached": bool(kept),
            "from_cache": bool(kept) and all(kept),
            "bfloat16": any(note.get("bfloat16") for note in notes),
            "prefix_s": sum(note["seconds"] for note in notes),
            "prefix_learn_s": sum(note.get("learn_s", 0.0) for note in notes),
            "reason": sentences.join(sentences.decode(note["reason"]) for note in notes) or prefix.STOPPED,
            "proof": decode(tuple[ProofRow, ...], self.proof),
        }


def _put(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _inputs(model: "keras.Model", data: Data, phase: Phase, clock: Clock, cache: Path | None) -> Inputs:
    if Freezing(describe(model), phase.frozen).boundary:
        clock.listener.on_progress(replace(clock.progress(), message=Sentence("computing the frozen layers once")))
    return prefix.inputs(model, data, phase, cache, clock.listener.should_stop)


def _fit_phase(
    model: "keras.Model",
    inputs: Inputs,
    data: Data,
    spec: FineTuneSpec,
    clock: Clock,
    course: Course,
    slots: Sequence[np.ndarray] | None,
) -> None:
    """Train the tail through the epochs that are left of a phase, one stretch of batches after the other."""
    import tensorflow as tf

    phase, tail, labels = spec.phases[course.phase - 1], inputs.tail, tf.constant(data.y_train)
    loop = Loop(tail, tensor(inputs.x_train), labels, spec.batch_size, spec.optimizer, phase.learning_rate)
    if slots is not None:
        loop.put_slots(slots)
    score = scorer(tail, tensor(inputs.x_validation), tf.constant(data.y_validation))

    def snapshot() -> Checkpoint:
        state = {"clock": clock.state(), "course": asdict(course)}
        return Checkpoint(state, [variable.numpy() for variable in model.variables], loop.slots())

    clock.start_phase()
    end = sum(one.epochs for one in spec.phases[: course.phase])
    first = True  # its first stretch holds the compiling
    while clock.epoch < end:
        _fit_epoch(loop.run, len(inputs.x_train), spec, clock, first)
        loop.settle()
        if clock.stopped:
            return
        first = False
        clock.finish_epoch(*score(), phase, len(data.class_names))
        clock.listener.on_checkpoint(snapshot)


def _fit_epoch(run: Callable[..., Any], n: int, spec: FineTuneSpec, clock: Clock, first: bool) -> None:
    """Train one epoch on images in an order that only the seed and the epoch's number decide."""
    import tensorflow as tf

    order = tf.constant(np.random.default_rng((spec.seed, clock.epoch)).permutation(n))
    size, n_batches, done = spec.batch_size, -(-n // spec.batch_size), 0
    while done < n_batches:
        rate = clock.batches_per_s
        k = 1 if first or not rate else int(np.clip(rate * STRETCH_S, 1, n_batches - done))
        began = time.perf_counter()
        loss, right = (float(value) for value in run(order, done, done + k))
        took = time.perf_counter() - began
        images = min((done + k) * size, n) - done * size
        done += k
        clock.stretch(loss, right, images, took, done / n_batches, first)
        if not first:
            clock.batches_per_s = k / max(took, 1e-6)
        first = False
        if clock.listener.should_stop():
            clock.stopped = True
            return
