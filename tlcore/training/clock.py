"""What a training keeps count of while it runs: epochs, images, seconds, the points and a loss that goes wrong."""

import time
from dataclasses import dataclass
from math import isfinite, log
from typing import Any

from tlcore.errors import TrainingError
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, Listener, MetricPoint, Phase, Progress, ProofRow
from tlcore.spec.curves import Part

from .pace import Pace

TRAINING = Sentence("training")
POINT_S = 0.5  # seconds between two live points inside an epoch

_COUNTED = ("epoch", "first_step_s", "busy_s", "augment_s", "cpu_s", "images", "all_images", "initial")
_OF_EPOCH = ("part", "loss", "right", "seen")  # of one that a stop left unfinished


@dataclass(frozen=True)
class FitResult:
    """What a training did, apart from the weights, which are in the model."""

    fit_s: float
    learn_s: float  # of learning alone: the frozen prefix on the training images, augmentation, compiling, the steps
    cpu_s: float  # the same in seconds of all processors together; 0 where an older version counted a part of it
    first_step_s: float  # tracing and compiling, with the first batch
    images_per_s: float  # training images, without the first step and the validation
    epochs: float  # finished epochs; a stop may leave a fraction
    stopped: bool
    cached: bool  # whether only the rest was trained, on what a frozen prefix makes of the images
    from_cache: bool  # whether all of that was on disk already
    prefix_s: float  # seconds to compute or open it
    bfloat16: bool  # whether that part was computed in bfloat16 arithmetic, as some processors can
    reason: Sentence  # why it was done, or was not
    proof: tuple[ProofRow, ...]  # of every layer in every phase that trained
    best_epoch: int = 0  # whose weights were kept, where early stopping watched
    waited: int = 0  # epochs without a better validation loss, after which it ended by itself


class Clock:
    """Counts epochs, images and seconds; tells points and progress; notices a loss that went wrong."""

    def __init__(self, spec: FineTuneSpec, n: int, listener: Listener, pace: Pace):
        self.spec, self.listener, self.pace = spec, listener, pace
        self.steps_per_epoch = -(-n // spec.batch_size)
        self.began = time.perf_counter()
        self.epoch, self.part = 0, 0.0
        self.stopped = False
        self.first_step_s = self.busy_s = self.augment_s = self.cpu_s = 0.0
        self.images = 0  # counted with busy_s: without the first step
        self.all_images = 0
        self.initial = 0.0  # loss of the first batch
        self.phase_epoch = 0  # finished before this phase
        self.batches_per_s = 0.0  # of the last stretch in this phase
        self._unfinished: dict[str, float] = {}  # counts of an epoch that an earlier process began
        self.start_phase()

    def state(self) -> dict[str, Any]:
        """Return what a later process needs to count on from here; JSON values."""
        counts = {name: getattr(self, name) for name in (*_COUNTED, *_OF_EPOCH)}
        return {"elapsed_s": time.perf_counter() - self.began} | counts

    def go_on(self, state: dict[str, Any]) -> None:
        """Count on from what ``state`` gave in an earlier process."""
        self.began = time.perf_counter() - state["elapsed_s"]
        for name in _COUNTED:
            setattr(self, name, state.get(name, getattr(self, name)))  # an older version did not count all of them
        self._unfinished = {name: state[name] for name in _OF_EPOCH if name in state}

    def start_phase(self) -> None:
        self.batches_per_s = 0.0
        self._start_epoch()
        for name, value in self._unfinished.items():
            setattr(self, name, value)
        self._unfinished = {}
        self.listener.on_progress(self.progress())

    def begin_phase(self, number: int) -> None:
        """A phase begins, counted from 1, before its frozen part is computed."""
        self.phase_epoch = sum(phase.epochs for phase in self.spec.phases[: number - 1])
        self.pace.begin(number - 1)

    def _start_epoch(self) -> None:
        self.part, self.epoch_began, self.epoch_augment_s = 0.0, time.perf_counter(), 0.0
        self.loss = self.right = self.seen = self.stretches_s = 0.0
        self.recent = [0.0, 0.0, 0.0]  # loss, right, seen since the last live point
        self.last_point = time.perf_counter()

    def augmented(self, took: float, cpu_s: float = 0.0) -> None:
        """Take note of the seconds in which this epoch's copies of the images were made."""
        self.cpu_s += cpu_s
        self.augment_s, self.epoch_augment_s = self.augment_s + took, took
        self.pace.augmented(took)

    def stretch(
        self, loss: float, right: float, images: int, took: float, part: float, first: bool, cpu_s: float = 0.0
    ) -> None:
        """Take note of some trained batches; ``cpu_s``: seconds of all processors together."""
        self.cpu_s += cpu_s
        if not isfinite(loss):
            raise _not_a_number(self.epoch + 1, self.spec)
        if not self.all_images:
            self.initial = loss / images
        self.part, self.all_images = part, self.all_images + images
        self.loss, self.right, self.seen = self.loss + loss, self.right + right, self.seen + images
        self.recent = [a + b for a, b in zip(self.recent, (loss, right, images), strict=True)]
        self.stretches_s += took
        self.pace.stepped(round(images / self.spec.batch_size + 0.499), took, first)
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
        self.listener.on_progress(self.progress())

    def finish_epoch(self, loss: float, accuracy: float, phase: Phase, n_classes: int) -> None:
        self.epoch += 1
        train_loss = self.loss / self.seen
        self._point("train", self.epoch, train_loss, self.right / self.seen)
        self._point("validation", self.epoch, loss, accuracy)
        self.listener.on_epoch(self.epoch, accuracy)
        self.pace.scored(time.perf_counter() - self.epoch_began - self.stretches_s - self.epoch_augment_s)
        self._start_epoch()
        self.listener.on_progress(self.progress())
        if not isfinite(loss):  # the epoch's last step broke the weights
            raise _not_a_number(self.epoch, self.spec)
        # Guessing costs log(n_classes); three times that is being sure of wrong answers. A fresh head on strong
        # features starts there too, so it must have risen as well.
        if train_loss > max(3 * log(n_classes), 2 * self.initial):
            raise TrainingError(
                "The training loss rose to {loss:,.1f}, far above guessing ({guess:.2g}), so training was stopped. "
                "The learning rate is probably too high: try {rate:g} or less.",
                loss=train_loss,
                guess=log(n_classes),
                rate=phase.learning_rate / 10,
            )

    def _point(self, part: Part, x: float, loss: float, accuracy: float) -> None:
        self.listener.on_metric(MetricPoint(part, x, loss, accuracy, time.perf_counter() - self.began))

    def progress(self) -> Progress:
        """Steps are gradient steps."""
        return Progress(
            step=round((self.epoch + self.part) * self.steps_per_epoch),
            n_steps=self.spec.epochs * self.steps_per_epoch,
            message=TRAINING,
            left_s=self.pace.left_s(self.epoch - self.phase_epoch + self.part),
            images_per_s=self.images / self.busy_s if self.busy_s else None,
            first_step_s=self.first_step_s or None,
        )

    def result(self, prefix_learn_s: float, prefix_cpu_s: float | None, **known: Any) -> FitResult:
        """Return the counts with what only the training knows."""
        return FitResult(
            fit_s=time.perf_counter() - self.began,
            learn_s=prefix_learn_s + self.augment_s + self.first_step_s + self.busy_s,
            cpu_s=0.0 if prefix_cpu_s is None else prefix_cpu_s + self.cpu_s,
            first_step_s=self.first_step_s,
            images_per_s=self.images / self.busy_s if self.busy_s else 0.0,
            epochs=self.epoch + self.part,
            stopped=self.stopped,
            **known,
        )


def _not_a_number(epoch: int, spec: FineTuneSpec) -> TrainingError:
    return TrainingError(
        "The loss stopped being a number in epoch {epoch}, so training was stopped. "
        "The learning rate is probably too high: try {rate:g} or less.",
        epoch=epoch,
        rate=min(phase.learning_rate for phase in spec.phases) / 10,
    )
