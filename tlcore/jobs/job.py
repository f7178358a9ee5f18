"""Kinds of runs: a Job for each, registered by its kind."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from tlcore import datasets
from tlcore.errors import SpecError
from tlcore.spec import DataSpec, Spec, check_number, jobs
from tlcore.store import Run, Store
from tlcore.store.checkpoint import Checkpoint

from .reporter import Reporter

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True)
class Left:
    """What an earlier attempt of a run left, whose process was lost: its first points, its result so far."""

    n_points: int = 0
    result: dict[str, Any] = field(default_factory=dict)
    checkpoint: Checkpoint | None = None


class Job(Generic[S]):
    """One kind of run. ``check`` and ``run`` are its own; the rest has a default.

    Attributes
    ----------
    spec : the dataclass of what such a run is asked to do; its ``kind`` names the job
    """

    spec: type[S]

    @property
    def kind(self) -> str:
        return self.spec.kind

    def check(self, spec: S) -> None:
        """Raise a SpecError in one sentence when ``spec`` cannot run; needs neither Keras nor scikit-learn."""
        raise NotImplementedError

    def run(self, spec: S, reporter: Reporter, folder: Path, left: Left) -> dict[str, Any]:
        """Do what a checked spec asks and return the result as JSON values.

        Parameters
        ----------
        reporter : takes points, progress and files to the store; says when to stop
        folder : the data folder
        left : by an earlier attempt, to go on from
        """
        raise NotImplementedError

    def describe(self, spec: S) -> str:
        """Return what a spec does, in one line of the names that the command line takes."""
        return f"{spec.kind}: {spec.source} → {spec.data.target}"

    def work(self, spec: S) -> Hashable:
        """Return how much there is to do, equal for runs that take equally long; waiting times are told by it."""
        return ()

    def warm(self) -> None:
        """Do beforehand, in a process that waits for a run, what would make the first one slow."""

    def left(self, run: Run, store: Store) -> Left:
        """Return what an earlier attempt of a queued run left: what ``Reporter.keep`` wrote down."""
        return Left(run.result.get("n_points", 0), {k: v for k, v in run.result.items() if k != "n_points"})

    def clean(self, run_folder: Path) -> None:
        """Remove what only a further attempt would need; the run has ended."""


JOBS: dict[str, Job[Any]] = {}


def register(job: Job[Any]) -> None:
    """Let runs of a further kind be stored, checked and executed."""
    jobs.register(job.spec)
    JOBS[job.kind] = job


def of(spec: Spec) -> Job[Any]:
    """Return the job of a spec.

    Raises
    ------
    SpecError
        Nothing here runs specs of that kind.
    """
    if spec.kind not in JOBS:
        raise SpecError(
            "This lab has no runs of the kind {kind!r}. Pick one of: {kinds}.", kind=spec.kind, kinds=", ".join(JOBS)
        )
    return JOBS[spec.kind]


def check(spec: Spec) -> None:
    """Raise a SpecError in one sentence when ``spec`` cannot run; needs neither Keras nor scikit-learn."""
    of(spec).check(spec)


def describe(spec: Spec) -> str:
    """Return what a spec does, in one line of the names that the command line takes."""
    return of(spec).describe(spec)


def work(spec: Spec) -> Hashable:
    """Return how much there is to do, equal for runs of a kind that take equally long."""
    return of(spec).work(spec)


def task(spec: Spec) -> str:
    """Return from what to what a spec leads, with how many images."""
    n = spec.data.per_class
    return f"{spec.source} → {spec.data.target}, " + ("all images" if n is None else f"{n:,} per class")


def check_data(spec: DataSpec) -> None:
    """Raise a SpecError in one sentence when a run cannot have these images."""
    datasets.info(spec.target)
    if spec.per_class is not None:
        datasets.check_per_class(spec)
    check_number("label_noise", spec.label_noise)
