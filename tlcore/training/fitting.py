"""Train the layers that are not frozen; compute the frozen prefix once.

A training step of a small network spends most of its time between TensorFlow and Python, so a whole stretch of
batches runs inside one graph; between stretches the metrics go out and the stop flag comes in.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.datasets import Data
from tlcore.errors import SpecError
from tlcore.features import Interrupted, prefix
from tlcore.features.freezing import Freezing, hashes
from tlcore.features.prefix import Inputs
from tlcore.sentences import Sentence
from tlcore.sources import describe
from tlcore.spec import (
    CLASS_WEIGHTS,
    NOBODY,
    OPTIMIZERS,
    SCHEDULES,
    FineTuneSpec,
    LayerInfo,
    Listener,
    Phase,
    check_choice,
    check_number,
)
from tlcore.store.checkpoint import Checkpoint

from . import augmentation
from .clock import Clock, FitResult
from .course import Course
from .pace import Pace
from .phase import PhaseTraining
from .planning import call_s, plans

if TYPE_CHECKING:
    import keras


def check(spec: FineTuneSpec, layers: Sequence[LayerInfo]) -> None:
    """Raise a SpecError in one sentence when ``spec`` cannot be trained on a network of these ``layers``."""
    check_choice("optimizer", spec.optimizer, OPTIMIZERS)
    check_number("batch_size", spec.batch_size)
    check_number("seed", spec.seed)
    check_number("patience", spec.patience)
    if spec.class_weight is not None:
        check_choice("class weight", spec.class_weight, CLASS_WEIGHTS)
    if not spec.phases:
        raise SpecError("This training has no phases. Give it at least one, with its epochs.")
    if not spec.phases[0].recompiled:
        raise SpecError("The first phase has no step to go on with. Let it be compiled.")
    for phase in spec.phases:
        check_number("epochs", phase.epochs)
        check_number("learning_rate", phase.learning_rate)
        check_choice("schedule", phase.schedule, SCHEDULES)
        check_number("rate_factor", phase.rate_factor)
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
        The spec does not fit the model, or asks for an augmentation of items that have none.
    TrainingError
        The loss is not a number, or far worse than guessing.
    """
    import keras

    layers = describe(model)
    check(spec, layers)
    augmentation.check(spec, data.form)
    keras.utils.set_random_seed(spec.seed)
    pace = Pace(plans(layers, spec, data, cache, use_cache), lambda: call_s(model, data.x_train, layers))
    clock, course = Clock(spec, len(data.x_train), listener, pace), Course()
    if resume is None:
        listener.on_epoch(0, None)
    else:
        _put(model.variables, resume.weights)
        clock.go_on(resume.state["clock"])
        course = Course(**resume.state["course"])
    training = _Training(model, layers, data, spec, clock, course, cache if use_cache else None, use_cache)
    for number in range(max(course.phase, 1), len(spec.phases) + 1):
        training.phase(number, resume)
        if clock.stopped:
            break
    return clock.result(**course.result())


@dataclass
class _Training:
    """Takes a model through its phases; a checkpoint counts in the phase that it was made in."""

    model: "keras.Model"
    layers: Sequence[LayerInfo]
    data: Data
    spec: FineTuneSpec
    clock: Clock
    course: Course
    cache: Path | None
    use_cache: bool
    last: PhaseTraining | None = None  # that this process trained

    def phase(self, number: int, resume: Checkpoint | None) -> None:
        """Train one phase, counted from 1, and prove that its frozen layers stayed as they were."""
        clock, course, asked = self.clock, self.course, self.spec.phases[number - 1]
        phase = self.spec.compiled(number)
        Freezing(self.layers, phase.frozen, self.spec.source).apply(self.model)
        resume = resume if number == course.phase else None
        if number > course.phase:
            course.begin(number, hashes(self.model), clock.all_images)
        snapshot = partial(_before_training, self.model, clock, course) if resume is None else lambda: resume
        try:
            clock.begin_phase(number)
            same = None if asked.recompiled else self.last
            inputs = same.inputs if same else self._inputs(phase)
            course.note(inputs)
            clock.pace.computed(0.0 if same else sum(features.seconds for features in inputs.features))
            self.last = PhaseTraining(self.model, inputs, self.data, self.spec, clock, course, resume, same)
            snapshot = self.last.snapshot
            self.last.run()
        except Interrupted:
            clock.stopped = True
        if clock.stopped:
            clock.listener.on_stop(snapshot)
        if clock.all_images > course.images_before:
            frozen = Freezing(self.layers, asked.frozen, self.spec.source)
            proof = frozen.proof(course.before, hashes(self.model), number, asked.recompiled)
            course.proof += map(asdict, proof)

    def _inputs(self, phase: Phase) -> Inputs:
        """Return what the phase trains on, and say so while its frozen part is computed."""
        if self.spec.augment:
            return prefix.whole(self.model, self.data, prefix.CHANGED)
        if not self.use_cache:
            return prefix.whole(self.model, self.data, prefix.OFF)
        if Freezing(self.layers, phase.frozen).boundary:
            words = Sentence("computing the frozen layers once")
            self.clock.listener.on_progress(replace(self.clock.progress(), message=words))
        return prefix.inputs(self.model, self.data, phase, self.cache, self.clock.listener.should_stop)


def _before_training(model: "keras.Model", clock: Clock, course: Course) -> Checkpoint:
    """Return a checkpoint of a phase of which nothing is trained yet."""
    state = {"clock": clock.state(), "course": asdict(course)}
    return Checkpoint(state, [variable.numpy() for variable in model.variables], ())


def _put(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
