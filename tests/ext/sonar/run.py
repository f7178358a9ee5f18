"""A kind of run: what the mean echo of every class is, and how often the nearest of them is right."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from tlcore import datasets, inputs
from tlcore.evaluation import evaluate
from tlcore.exports import Exporter, Part
from tlcore.jobs import Job
from tlcore.jobs.reporter import Reporter
from tlcore.sentences import Sentence
from tlcore.spec import DataSpec, Evaluation, MetricPoint, Result
from tlcore.store import Run, Store
from tlcore.store.checkpoint import Checkpoint


@dataclass(frozen=True)
class MeanSpec:
    data: DataSpec = field(default_factory=lambda: DataSpec("sonar_shapes", per_class=20))
    source: str = "sonar_net"
    seed: int = 0

    kind: ClassVar[str] = "sonar_mean"


@dataclass(frozen=True)
class MeanResult(Result):
    test: Evaluation | None = None
    means: tuple[tuple[float, ...], ...] = ()
    class_names: tuple[str, ...] = ()
    total_s: float = 0.0


class MeanEcho(Job[MeanSpec, MeanResult]):
    spec, result = MeanSpec, MeanResult

    def check(self, spec: MeanSpec) -> None:
        datasets.check_per_class(spec.data)

    def run(
        self, spec: MeanSpec, reporter: Reporter, folder: Path, so_far: MeanResult, saved: Checkpoint | None
    ) -> MeanResult:
        began, data = time.perf_counter(), datasets.load(spec.data)
        flat = inputs.modality(data.form.modality).flat
        x, test = flat(data.x_train), flat(data.x_test)
        means = np.stack([x[data.y_train == label].mean(axis=0) for label in range(len(data.class_names))])
        nearest = np.linalg.norm(test[:, None] - means, axis=2).argmin(axis=1)
        score = evaluate(data.y_test, nearest, len(data.class_names))
        reporter.on_metric(MetricPoint("validation", len(x), None, score.accuracy))
        names = tuple(data.class_names)
        return MeanResult(score, tuple(map(tuple, means.tolist())), names, time.perf_counter() - began)

    def describe(self, spec: MeanSpec) -> str:
        return f"mean echo of {spec.data.target}"


class Means(Exporter):
    """The mean of every class, a line each."""

    name = "sonar_means"

    def parts(self, run: Run, store: Store) -> tuple[Part, ...]:
        result = run.result
        if not isinstance(result, MeanResult) or not result.means:
            return ()
        lines = [",".join([name, *map(str, mean)]) for name, mean in zip(result.class_names, result.means, strict=True)]
        return (Part("-means.csv", Sentence("Mean echoes (CSV)"), "\n".join(lines).encode, "text/csv"),)
