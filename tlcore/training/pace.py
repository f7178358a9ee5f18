"""How long a training still takes, phases of different cost included.

What has been measured counts; what has not is told from multiply-adds. A later phase that is much heavier than all so
far (the head first, then everything) would be told from next to nothing: for that the network is timed once on a few
images.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from statistics import mean

FIXED_STEP_S = 0.00015  # of a step whatever the layers: TensorFlow's loop, the gather
HEAVIER = 2.0  # times the multiply-adds of what was measured: beyond that the network is timed
# Against the timed calls, which are not compiled, and against a step: by processor time of the shipped network.
STEP_OF_CALL, SCORE_OF_STEP = 0.45, 0.65
PREFIX_SETUP_S, LEAST_SCORE_S = 0.2, 0.005
PREFIX_AGAIN = 0.85  # of the first time's seconds: the first also finds the memory and the threads
SCORE_SETUP = 0.5  # of the seconds that tracing and compiling a step takes
BEFORE_LAYERS = 4  # tracing and compiling a step without any layer takes as long as that many layers add


@dataclass(frozen=True)
class PhasePlan:
    """What a phase asks for. Work is counted in multiply-adds."""

    n_epochs: int
    n_steps: int  # of an epoch
    step_work: float
    score_work: float  # of the validation after an epoch
    prefix_work: float  # of the frozen layers that are computed once, before the first step
    n_layers: int = 1  # that a step goes through

    @property
    def trace_work(self) -> int:
        """Return what tracing a graph of these layers asks for, in layers."""
        return BEFORE_LAYERS + self.n_layers


@dataclass
class _Measured:
    setup_s: float | None = None  # until the first batch is through: the frozen part, tracing, compiling
    prefix_s: float = 0.0  # of that, the frozen part
    steps_s: float = 0.0
    n_steps: int = 0  # without the first
    first_score_s: float | None = None  # with its tracing
    scores_s: list[float] = field(default_factory=list)


class Pace:
    """Counts seconds phase by phase and says how many are left.

    Parameters
    ----------
    plans : of every phase
    call_s : returns the seconds of one multiply-add when the network is just called; asked at most once
    """

    def __init__(self, plans: Sequence[PhasePlan], call_s: Callable[[], float] | None = None):
        self.plans, self._call_s = tuple(plans), call_s
        self._timed: float | None = None
        self._timing_s = 0.0  # spent on that since the last epoch's end
        self._measured = [_Measured() for _plan in plans]
        self._augment_s = 0.0  # of an epoch, the same in all phases
        self._phase, self._began = 0, time.perf_counter()
        self._open = False  # an epoch that has begun and is not scored

    def begin(self, phase: int) -> None:
        """A phase begins, counted from 0: its frozen part is computed next, where it has one."""
        self._phase, self._began = phase, time.perf_counter()

    def computed(self, prefix_s: float) -> None:
        """The frozen part of this phase is there, in so many seconds."""
        self._measured[self._phase].prefix_s = prefix_s

    def augmented(self, seconds: float) -> None:
        """The copies of the images that this epoch trains on were made in so many seconds."""
        self._augment_s = seconds

    def stepped(self, n: int, seconds: float, first: bool) -> None:
        now, self._open = self._measured[self._phase], True
        if first:
            now.setup_s = time.perf_counter() - self._began - self._augment_s
        else:
            now.steps_s, now.n_steps = now.steps_s + seconds, now.n_steps + n

    def scored(self, seconds: float) -> None:
        """The end of an epoch took so long: validation, film, checkpoint."""
        now, self._open = self._measured[self._phase], False
        seconds, self._timing_s = max(0.0, seconds - self._timing_s), 0.0
        if now.first_score_s is None:
            now.first_score_s = seconds
        else:
            now.scores_s.append(seconds)

    def left_s(self, n_epochs: float) -> float | None:
        """Return the seconds that are left after so many epochs of this phase; None while nothing can be told."""
        if not any(phase.n_steps for phase in self._measured):
            return None
        plan = self.plans[self._phase]
        later = sum(phase.n_epochs for phase in self.plans[self._phase + 1 :])
        left = self._augment_s * (plan.n_epochs - ceil(n_epochs) + later)
        left += (plan.n_epochs - n_epochs) * (plan.n_steps * self._step_s(self._phase))
        unscored = 1 if self._open and n_epochs == int(n_epochs) else 0  # its last batch is through
        left += (plan.n_epochs - int(n_epochs) + unscored) * self._score_s(self._phase)
        if self._measured[self._phase].first_score_s is None:
            left += self._score_setup_s(self._phase)
        for phase in range(self._phase + 1, len(self.plans)):
            plan = self.plans[phase]
            left += self._setup_s(phase) + self._score_setup_s(phase)
            left += plan.n_epochs * (plan.n_steps * self._step_s(phase) + self._score_s(phase))
        return left

    def _step_s(self, phase: int) -> float:
        now = self._measured[phase]
        if now.n_steps:
            return now.steps_s / now.n_steps
        return self._fixed() + self._rate(phase) * self.plans[phase].step_work

    def _fixed(self) -> float:
        return min(FIXED_STEP_S, *(one.steps_s / one.n_steps for one in self._measured if one.n_steps))

    def _rate(self, phase: int) -> float:
        """Return the seconds of a multiply-add in a phase's steps, beyond what every step takes."""
        known = [i for i, one in enumerate(self._measured) if one.n_steps]
        near = phase if phase in known else max(known, key=lambda i: self.plans[i].step_work)
        if self.plans[phase].step_work > HEAVIER * self.plans[near].step_work and (call_s := self._call()):
            return STEP_OF_CALL * call_s
        return max(self._step_s(near) - self._fixed(), 0.0) / max(self.plans[near].step_work, 1.0)

    def _score_s(self, phase: int) -> float:
        if scores := self._measured[phase].scores_s:
            return sum(scores) / len(scores)
        work = self.plans[phase].score_work
        known = [
            i for i, one in enumerate(self._measured) if one.scores_s and self.plans[i].score_work * HEAVIER >= work
        ]
        if known and work:
            near = max(known, key=lambda i: self.plans[i].score_work)
            return max(LEAST_SCORE_S, self._score_s(near) * work / self.plans[near].score_work)
        return LEAST_SCORE_S + SCORE_OF_STEP * self._rate(phase) * work

    def _setup_s(self, phase: int) -> float:
        """Tracing and compiling depend on how many layers there are; the frozen part on what is frozen."""
        return self._compile_s(phase) + self._prefix_s(self.plans[phase].prefix_work)

    def _prefix_s(self, work: float) -> float:
        if not work:
            return 0.0
        done = [(one.prefix_s, plan.prefix_work) for one, plan in zip(self._measured, self.plans, strict=True)]
        if known := [seconds / other for seconds, other in done if other and seconds]:
            return PREFIX_AGAIN * max(known) * work
        rate = max(self._rate(i) for i, one in enumerate(self._measured) if one.n_steps)
        return PREFIX_SETUP_S + SCORE_OF_STEP * rate * work

    def _score_setup_s(self, phase: int) -> float:
        first = [
            max(0.0, one.first_score_s - self._score_s(i)) / self.plans[i].trace_work
            for i, one in enumerate(self._measured)
            if one.first_score_s is not None
        ]
        # Before any was scored: a forward pass is traced, where a step was with its gradient.
        return mean(first) * self.plans[phase].trace_work if first else SCORE_SETUP * self._compile_s(phase)

    def _compile_s(self, phase: int) -> float:
        known = [
            (one.setup_s - one.prefix_s) / plan.trace_work
            for one, plan in zip(self._measured, self.plans, strict=True)
            if one.setup_s is not None
        ]
        return mean(known) * self.plans[phase].trace_work if known else 0.0

    def _call(self) -> float | None:
        if self._timed is None and self._call_s is not None:
            began = time.perf_counter()
            self._timed = self._call_s()
            self._timing_s = time.perf_counter() - began
        return self._timed
