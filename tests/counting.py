"""A kind of run that no file of tlcore or pages knows of: it counts."""

from dataclasses import dataclass
from typing import ClassVar

import pytest

from pages.ui import runs
from tlcore import jobs
from tlcore.errors import SpecError
from tlcore.jobs.report import Table
from tlcore.spec import DataSpec, MetricPoint, Result
from tlcore.spec import jobs as spec_jobs


@dataclass(frozen=True)
class CountSpec:
    """Count to a number."""

    to: int = 3
    seed: int = 0
    source: str = "random"
    data: DataSpec = DataSpec()

    kind: ClassVar[str] = "count"


@dataclass(frozen=True)
class CountResult(Result):
    counted: int = 0


class Count(jobs.Job[CountSpec, CountResult]):
    spec, result = CountSpec, CountResult

    def check(self, spec):
        if spec.to < 1:
            raise SpecError("Count to 1 or more. Received: {to}.", to=spec.to)

    def run(self, spec, reporter, folder, so_far, saved):
        for number in range(so_far.counted + 1, spec.to + 1):
            reporter.on_metric(MetricPoint("count", number, accuracy=number / spec.to))
            reporter.keep(CountResult(number))
            if number == 2 and not so_far.counted and spec.seed:
                raise KeyboardInterrupt  # as a process that is lost
        return CountResult(spec.to)

    def describe(self, spec):
        return f"count to {spec.to}"

    def report(self, result, folder):
        return [f"Counted to {result.counted}.", Table(("from", "to"), ((1, result.counted),))]


def register(patch: pytest.MonkeyPatch, view: str = "") -> None:
    """Register it until the patch is undone."""
    registries: tuple[dict, ...] = (jobs.JOBS, spec_jobs.SPECS, spec_jobs.RESULTS, runs.VIEWS)
    for registry in registries:
        patch.setitem(registry, "count", None)  # taken out again when the patch is undone
        del registry["count"]
    jobs.register(Count())
    if view:
        runs.register("count", view)
