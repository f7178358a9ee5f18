"""One phase of a training: the epochs that are left of it, one stretch of batches after the other."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore.datasets import Data
from tlcore.features import tensor
from tlcore.features.blocks import rate_factors
from tlcore.features.prefix import Inputs
from tlcore.sources import describe
from tlcore.spec import FineTuneSpec
from tlcore.store.checkpoint import Checkpoint

from . import augmentation, class_weights, schedules
from .clock import Clock
from .course import Course
from .loop import Loop, scorer
from .patience import Patience

if TYPE_CHECKING:
    import keras

STRETCH_S = 0.25  # seconds of training between two looks at the stop flag; a batch that takes longer runs alone


class PhaseTraining:
    """Trains what a phase leaves open, in the tail of the model that its inputs go into.

    Parameters
    ----------
    resume : a checkpoint made in this phase, from where to go on
    same : the phase before, where this one goes on with its step and its optimizer: nothing was compiled again
    """

    def __init__(
        self,
        model: "keras.Model",
        inputs: Inputs,
        data: Data,
        spec: FineTuneSpec,
        clock: Clock,
        course: Course,
        resume: Checkpoint | None,
        same: "PhaseTraining | None" = None,
    ):
        import tensorflow as tf

        self.model, self.inputs, self.spec, self.clock, self.course = model, inputs, spec, clock, course
        self.data = data
        self.phase, self.n, self.n_classes = spec.compiled(course.phase), len(inputs.x_train), len(data.class_names)
        self.loop = same.loop if same else self._loop(tf.constant(data.y_train))
        self.score = scorer(inputs.tail, tensor(inputs.x_validation), tf.constant(data.y_validation))
        self.best: Sequence[np.ndarray] = ()
        self.patience: Patience | None = None
        if spec.patience and course.phase == len(spec.phases) and len(data.y_validation):
            self.patience = Patience(**(course.patience or {"most": spec.patience}))
        if resume is not None:
            self.best = resume.best
            if resume.slots:
                self.loop.put_slots(resume.slots)

    def run(self) -> None:
        """Train until the phase's last epoch, or until early stopping or the listener end it."""
        self.clock.start_phase()
        end = sum(phase.epochs for phase in self.spec.phases[: self.course.phase])
        first = True  # its first stretch holds the compiling
        while self.clock.epoch < end and not (self.patience and self.patience.over):
            self._epoch(first)
            self.loop.settle()
            if self.clock.stopped:
                return
            first = False
            loss, accuracy = self.score()
            self.clock.finish_epoch(loss, accuracy, self.phase, self.n_classes)
            self._watch(loss)
            self.clock.listener.on_checkpoint(self.snapshot)
        if self.best:
            self.inputs.tail.set_weights(self.best)

    def snapshot(self) -> Checkpoint:
        """Return all that a later process needs to go on from here."""
        state = {"clock": self.clock.state(), "course": asdict(self.course)}
        weights = [variable.numpy() for variable in self.model.variables]
        return Checkpoint(state, weights, self.loop.slots(), self.best)

    def _loop(self, labels: Any) -> Loop:
        import tensorflow as tf

        phase, tail = self.phase, self.inputs.tail
        factors = rate_factors(describe(self.model), phase.rate_factor) if phase.rate_factor < 1 else None
        share = schedules.share(phase.schedule, phase.epochs * self.clock.steps_per_epoch)
        x, spec = tensor(self.inputs.x_train), self.spec
        if spec.augment:
            x = tf.Variable(x)
        weights = class_weights.balanced(self.data.y_train, self.n_classes) if spec.class_weight else None
        return Loop(tail, x, labels, spec.batch_size, spec.optimizer, phase.learning_rate, share, factors, weights)

    def _watch(self, loss: float) -> None:
        """Let early stopping see the end of an epoch."""
        if self.patience is None:
            return
        if self.patience.better(self.clock.epoch, loss):
            self.best = self.inputs.tail.get_weights()
        self.course.patience = asdict(self.patience)

    def _epoch(self, first: bool) -> None:
        """Train one epoch, or what is left of it, in an order that only the seed and the epoch's number decide."""
        import tensorflow as tf

        clock, course = self.clock, self.course
        order = tf.constant(np.random.default_rng((self.spec.seed, clock.epoch)).permutation(self.n))
        if self.spec.augment and not self._augment():
            return
        n_batches = clock.steps_per_epoch
        while course.done < n_batches:
            rate = clock.batches_per_s
            k = 1 if first or not rate else int(np.clip(rate * STRETCH_S, 1, n_batches - course.done))
            self._stretch(order, k, first)
            first = False
            if clock.listener.should_stop():
                clock.stopped = True
                return
        course.done = 0

    def _augment(self) -> bool:
        """Give the loop this epoch's copies of the images; return whether it goes on."""
        began, began_cpu = time.perf_counter(), time.process_time()
        copies = augmentation.images(self.data, self.spec, self.clock.epoch, self.clock.listener.should_stop)
        if copies is None:
            self.clock.stopped = True
            return False
        self.loop.show(copies)
        self.clock.augmented(time.perf_counter() - began, time.process_time() - began_cpu)
        return True

    def _stretch(self, order: Any, k: int, first: bool) -> None:
        """Train the next ``k`` batches."""
        clock, done, size = self.clock, self.course.done, self.spec.batch_size
        began, began_cpu = time.perf_counter(), time.process_time()
        loss, right = (float(value) for value in self.loop.run(order, done, done + k))
        took, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
        images = min((done + k) * size, self.n) - done * size
        self.course.done = done + k
        clock.stretch(loss, right, images, took, (done + k) / clock.steps_per_epoch, first, cpu_s)
        if not first:
            clock.batches_per_s = k / max(took, 1e-6)
