"""Kinds of runs: a Job for each, registered by its kind."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Generic, TypeVar

from tlcore import datasets, sources
from tlcore.errors import SpecError
from tlcore.evaluation.words import accuracy_words
from tlcore.sentences import Sentence
from tlcore.spec import DataSpec, Result, SourceInfo, Spec, check_number, jobs
from tlcore.store import Run, Store
from tlcore.store.checkpoint import Checkpoint
from tlcore.store.checkpoint import can_go_on as can_resume

from .report import Report
from .reporter import Reporter

S = TypeVar("S", bound=Spec)
R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Left:
    """What an earlier attempt of a run left, whose process was lost: its first points, and a checkpoint of its own."""

    n_points: int = 0
    checkpoint: Checkpoint | None = None


class Job(Generic[S, R]):
    """One kind of run. ``check`` and ``run`` are its own; the rest has a default.

    Attributes
    ----------
    spec : the dataclass of what such a run is asked to do; its ``kind`` names the job
    result : the dataclass of what comes out
    """

    spec: type[S]
    result: type[R]
    keeps_answers: bool = False  # what its models answered to the test images is kept: ``evaluation.outputs``
    resumes: bool = False  # a stopped one leaves a checkpoint, from which a further run can go on
    many_steps: bool = False  # hundreds in a minute: the command line tells of one now and then
    helps: bool = False  # further processes can share the work of one run: ``help``

    @property
    def kind(self) -> str:
        return self.spec.kind

    def check(self, spec: S) -> None:
        """Raise a SpecError in one sentence when ``spec`` cannot run; needs neither Keras nor scikit-learn."""
        raise NotImplementedError

    def run(self, spec: S, reporter: Reporter, folder: Path, so_far: R, saved: Checkpoint | None) -> R:
        """Do what a checked spec asks and return the result.

        Parameters
        ----------
        reporter : takes points, progress and files to the store; says when to stop
        folder : the data folder
        so_far : what an earlier attempt kept, whose process was lost; else an empty result
        saved : a checkpoint of an earlier attempt, where this kind of run makes any
        """
        raise NotImplementedError

    def help(self, run: Run, store: Store) -> None:
        """Do a part of the work of a run that another process has; return when nothing is left, or others wait."""

    def describe(self, spec: S) -> str:
        """Return what a spec does, in one line of the names that the command line takes."""
        return f"{spec.kind}: {spec.source} → {spec.data.target}"

    def epochs(self, spec: S) -> int:
        """Return how many epochs of one training its curve has; 0 where the curve counts something else, or none is."""
        return 0

    def n_steps(self, spec: S) -> int:
        """Return how many steps its progress counts, where it is one of several; what counts none is one."""
        return 1

    def report(self, result: R, folder: Path) -> Report:
        """Return what came out in sentences and tables, for the command line and for a page without a view.

        Parameters
        ----------
        folder : the folder of the run's files
        """
        return [accuracy_words(result.test) if result.test else Sentence("No result.")]

    def work(self, spec: S) -> Hashable:
        """Return how much there is to do, equal for runs that take equally long; waiting times are told by it."""
        return ()

    def takes_s(self, spec: S, done: Sequence[Run]) -> float | None:
        """Return about how many seconds a run of ``spec`` goes on, by runs that have ended; None where none tells.

        Parameters
        ----------
        done : finished runs of any kind, newest first
        """
        alike = [run.took_s for run in done if run.kind == spec.kind and self.work(run.spec) == self.work(spec)]  # type: ignore[arg-type]
        took = [seconds for seconds in alike if seconds]
        return median(took) if took else None

    def warm(self) -> None:
        """Do beforehand, in a process that waits for a run, what would make the first one slow."""

    def left(self, run: Run, store: Store) -> Left:
        """Return what an earlier attempt of a queued run left beside the result so far."""
        return Left(run.stored.get("n_points", 0))

    def clean(self, run_folder: Path) -> None:
        """Remove what only a further attempt would need; the run has ended."""


JOBS: dict[str, Job[Any, Any]] = {}


def register(job: Job[Any, Any]) -> None:
    """Let runs of a further kind be stored, checked and executed.

    Raises
    ------
    SpecError
        There are runs of that kind already.
    """
    if job.kind in JOBS:
        raise SpecError("Two kinds of run are called {name!r}. Rename one.", name=job.kind)
    jobs.register(job.spec, job.result)
    JOBS[job.kind] = job


def of(spec: Spec) -> Job[Any, Any]:
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


def can_go_on(run: Run, store: Store) -> bool:
    """Whether a run was stopped by a person and left what a further run can go on from."""
    return run.state == "stopped" and of(run.spec).resumes and can_resume(store.run_folder(run.id))


def task(spec: Spec) -> str:
    """Return from what to what a spec leads, with how many images."""
    n = spec.data.per_class
    images = "all images" if n is None else f"{n:,} per class"
    own = f" and drawings {spec.data.own}" if spec.data.own else ""
    spoiled = "".join(f", {words}" for words in datasets.spoiled(spec.data))
    return f"{spec.source} → {datasets.called(spec.data.target)}, {images}{own}{spoiled}"


def check_data(spec: DataSpec, source: SourceInfo) -> None:
    """Raise a SpecError in one sentence when a run cannot have these images, or ``source`` does not read them."""
    sources.check_reads(source, spec.target)
    if spec.per_class is not None:
        datasets.check_per_class(spec)
    check_number("label_noise", spec.label_noise)
    check_number("imbalance", spec.imbalance)
