"""Ways to learn one task, each trained alone, one after the other, as runs of their own."""

import os
import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tlcore.errors import SpecError
from tlcore.recipes import comparison
from tlcore.sentences import Sentence, percent
from tlcore.spec import ComparisonResult, ComparisonSpec, MetricPoint, Progress, Result, Spec, Way
from tlcore.store import Attempt, Run
from tlcore.store.checkpoint import Checkpoint

from . import execution
from .job import Job, Left, check, of, task
from .outcome import device
from .report import Report, Table
from .reporter import Reporter

LOOK_S = 0.2  # between two looks at a run that another process goes on with


COLUMNS = (
    Sentence("way"),
    Sentence("accuracy"),
    Sentence("learning s"),
    Sentence("processor s"),
    Sentence("own task"),
    Sentence("run"),
)


class Comparison(Job[ComparisonSpec, ComparisonResult]):
    """Trains nothing itself: it begins the run of each way in this process when its turn has come."""

    spec, result = ComparisonSpec, ComparisonResult

    def check(self, spec: ComparisonSpec) -> None:
        for lane in comparison.lanes(spec).values():
            check(lane)

    def run(
        self,
        spec: ComparisonSpec,
        reporter: Reporter,
        folder: Path,
        so_far: ComparisonResult,
        saved: Checkpoint | None,
    ) -> ComparisonResult:
        """Train every way that has not ended; one whose process was lost goes on where it was."""
        began = time.perf_counter() - so_far.total_s
        lanes = comparison.lanes(spec)
        n_steps = {name: of(lane).n_steps(lane) for name, lane in lanes.items()}
        result = replace(so_far, n_planned=len(lanes), device=device())
        for name, lane in lanes.items():
            way = next((way for way in result.ways if way.name == name), None)
            if reporter.should_stop():
                break
            if way and way.ended:
                continue
            turn = _Turn(reporter, name, n_steps, float(spec.tuning.epochs))
            run, left, attempt = turn.begin(lane, way)
            way = way if way and way.run == run.id else Way(name, run.id)
            others = tuple(other for other in result.ways if other.name != name)
            reporter.keep(result := replace(result, ways=(*others, way)))
            way = turn.train(run, left, attempt, way)
            result = replace(result, ways=(*others, way), total_s=time.perf_counter() - began)
            reporter.keep(result)
        return result

    def describe(self, spec: ComparisonSpec) -> str:
        """Return what a comparison does.

        Examples
        --------
        >>> Comparison().describe(ComparisonSpec())
        'digits_0_4 → mnist_5_9, 5 per class: fine_tune, linear_svm, scratch'
        """
        return f"{task(spec)}: {', '.join(spec.ways)}"

    def report(self, result: ComparisonResult, folder: Path) -> Report:
        if not result.ways:
            return [Sentence("No way was finished.")]
        rows = tuple(
            (
                way.name,
                "–" if way.accuracy is None else percent(way.accuracy) + (" balanced" if way.balanced else ""),
                f"{way.learn_s:.2f}",
                f"{way.cpu_s:.2f}" if way.cpu_s else None,
                way.forgetting.change if way.forgetting else None,
                way.run,
            )
            for way in result.ways
        )
        return [Table(COLUMNS, rows)]

    def takes_s(self, spec: ComparisonSpec, done: Sequence[Run]) -> float | None:
        """By comparisons of the same work, else what its ways take alone."""
        alike = super().takes_s(spec, done)
        if alike is not None:
            return alike
        alone = [of(lane).takes_s(lane, done) for lane in comparison.lanes(spec).values()]
        known = [seconds for seconds in alone if seconds is not None]
        return sum(known) if len(known) == len(alone) else None

    def work(self, spec: ComparisonSpec) -> Hashable:
        return spec.data.target, spec.data.per_class, spec.tuning.epochs, spec.ways, spec.tuning.augment


def _plain(result: Result) -> float | None:
    """Return the accuracy over all images: the chart's curves are of that too, whatever the classes."""
    tested = result.test or next(iter(result.heads), None)
    return tested.accuracy if tested else result.accuracy


class _Turn:
    """One way's turn in a comparison."""

    def __init__(self, reporter: Reporter, name: str, n_steps: Mapping[str, int], n_epochs: float):
        self.reporter, self.store = reporter, reporter.store
        self.name, self.n_steps, self.n_epochs = name, n_steps, n_epochs

    def begin(self, spec: Spec, way: Way | None) -> tuple[Run, Left, Attempt | None]:
        """Return this way's run with what this process may write to it; None where another process goes on with it."""
        if way:
            try:
                run = self.store.get(way.run)
                left = of(spec).left(run, self.store)
                return run, left, self.store.claim(run.id, f"{os.getpid()}", left.n_points, run.attempt)
            except SpecError:  # removed for good meanwhile
                pass
        owner = self.store.get(self.reporter.run_id).owner
        attempt = self.store.begin(spec, owner=owner, worker=f"{os.getpid()}", parent=self.reporter.run_id)
        return self.store.get(attempt.run_id), Left(), attempt

    def train(self, run: Run, left: Left, attempt: Attempt | None, way: Way) -> Way:
        """Train this way, or wait for who does; return it with what it reached."""
        if attempt:
            execution.perform(run, left, _LaneReporter(self, attempt, left.n_points))
        run = self._end(run.id)
        result = run.result
        if result.accuracy is not None:
            point = MetricPoint("test", self.n_epochs, None, _plain(result), result.learn_s, head=self.name)
            self.reporter.on_metric(point)
        ended = run.final and not self.reporter.should_stop()
        return replace(
            way,
            ended=ended,
            accuracy=result.accuracy,
            learn_s=result.learn_s,
            cpu_s=result.cpu_s,
            from_cache=result.from_cache,
            forgetting=result.forgetting,
            balanced=result.balanced,
        )

    def _end(self, run_id: str) -> Run:
        while not (run := self.store.get(run_id)).final and not self.reporter.should_stop():
            time.sleep(LOOK_S)
        return run

    def progress(self, progress: Progress) -> Progress:
        """Return how far the comparison is when this way is so far."""
        before = list(self.n_steps)[: list(self.n_steps).index(self.name)]
        done = sum(self.n_steps[name] for name in before) + min(progress.step, self.n_steps[self.name])
        what = progress.message or Sentence("training")
        message = Sentence("way {k} of {n}, {what}", k=len(before) + 1, n=len(self.n_steps), what=what)
        return Progress(done, sum(self.n_steps.values()), message, images_per_s=progress.images_per_s)


class _LaneReporter(Reporter):
    """Reports a way's run, and to the comparison what concerns it; a stop of the comparison is one of the run."""

    def __init__(self, turn: _Turn, attempt: Attempt, n_points: int):
        super().__init__(turn.store, attempt, n_points)
        self.turn, self.asked = turn, False

    def on_metric(self, point: MetricPoint) -> None:
        super().on_metric(point)
        if point.part == "validation" and not point.head:
            self.turn.reporter.on_metric(replace(point, head=self.turn.name))

    def on_progress(self, progress: Progress) -> None:
        super().on_progress(progress)
        self.turn.reporter.on_progress(self.turn.progress(progress))

    def should_stop(self) -> bool:
        return super().should_stop() or self.turn.reporter.should_stop()

    def flush(self) -> bool:
        if self.turn.reporter.should_stop() and not self.asked:
            self.asked = True  # in the store too: should this process be killed, nobody goes on with the run
            self.store.request_stop(self.run_id)
        return super().flush()
