"""Sweeps: one experiment for every combination of a grid, on features that are computed once for all of them."""

import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from tlcore import datasets, features, sources
from tlcore.errors import LabError, SpecError, TrainingError
from tlcore.sentences import Sentence, verbatim
from tlcore.spec import (
    NOBODY,
    PIXELS,
    Cell,
    DataSpec,
    Listener,
    Progress,
    SweepResult,
    SweepSpec,
    check_choice,
    check_number,
)

from .bench import Bench
from .method import method_of, methods

MOST_CELLS = 5000


@dataclass(frozen=True)
class Conditions:
    """Under what an experiment was measured beside what its cell says; those of different ones are not compared."""

    split: str
    n_test: int | None
    n_steps: int

    @property
    def words(self) -> Sentence:
        if self.n_test is None:
            return Sentence(
                "split {split}, all test images, at least {steps:,} steps", split=self.split, steps=self.n_steps
            )
        return Sentence(
            "split {split}, {n:,} test images, at least {steps:,} steps",
            split=self.split,
            n=self.n_test,
            steps=self.n_steps,
        )


def by_conditions(sweeps: Iterable[tuple[SweepSpec, Sequence[Cell]]]) -> dict[Conditions, tuple[Cell, ...]]:
    """Return experiments by what they were measured under, most experiments first.

    Parameters
    ----------
    sweeps : newest first; of equal experiments the newest is kept
    """
    found: dict[Conditions, dict[tuple, Cell]] = defaultdict(dict)
    for spec, cells in sweeps:
        for cell in cells:
            found[Conditions(spec.split, spec.n_test, spec.n_steps)].setdefault(cell.key, cell)
    ordered = sorted(found.items(), key=lambda group: -len(group[1]))
    return {conditions: tuple(cells.values()) for conditions, cells in ordered}


def check(spec: SweepSpec) -> None:
    """Raise a SpecError in one sentence when ``spec`` cannot run; needs neither Keras nor scikit-learn."""
    for name, values in (("source", spec.sources), ("cut", spec.cuts), ("method", spec.methods), ("seed", spec.seeds)):
        if not values:
            raise SpecError("A sweep needs at least one {what}. Pick one.", what=name)
    if not spec.per_class:
        raise SpecError("A sweep needs at least one number of labels per class. Pick one.")
    for source in spec.sources:
        sources.check_reads(sources.info(source), spec.target)
    _check_cuts(spec)
    for method in spec.methods:
        check_choice("method", method, tuple(methods()))
    for per_class, seed in product(spec.per_class, spec.seeds):
        check_number("seed", seed)
        datasets.check_per_class(DataSpec(spec.target, spec.split, per_class, seed))
    check_number("training_steps", spec.n_steps)
    if spec.n_test is not None:
        check_number("test_images", spec.n_test)
    if spec.budget_s is not None:
        check_number("time_budget", spec.budget_s)
    n = len(plan(spec))
    if not 0 < n <= MOST_CELLS:
        raise SpecError(
            "This sweep has {n:,} experiments; the limits are 1 and {most:,}. Choose fewer or other values.",
            n=n,
            most=MOST_CELLS,
        )
    _check_size(spec)


def _check_cuts(spec: SweepSpec) -> None:
    """Raise a SpecError when a cut is in none of the sources, or a source has none of the cuts."""
    known = {source: (PIXELS, *sources.info(source).cut_names) for source in spec.sources}
    for cut in spec.cuts:
        check_choice("cut", cut, tuple(dict.fromkeys(name for names in known.values() for name in names)))
    for source, names in known.items():
        if not set(names) & set(spec.cuts):
            raise SpecError(
                "{source} has none of the cuts {cuts}. Add one of: {known}.",
                source=source,
                cuts=", ".join(spec.cuts),
                known=", ".join(names),
            )


def fitting_cuts(source_names: Sequence[str], cuts: Sequence[str]) -> tuple[str, ...]:
    """Return for each cut and source the layer whose activations are the features there, each once.

    Examples
    --------
    >>> fitting_cuts(["digits", "fashion"], ["flatten", "no_such"])
    ('flatten',)
    """
    layers = [sources.info(name).layers for name in source_names]
    return tuple(dict.fromkeys(features.feature_cut(each, cut) for cut in cuts for each in layers))


def _check_size(spec: SweepSpec) -> None:
    """Raise a SpecError when the features at one cut would not fit into a worker."""
    if not any(method_of(name).reads_features for name in spec.methods):
        return
    target = datasets.info(spec.target)
    drawn = len(spec.seeds) * max(spec.per_class) * len(target.class_names)
    for layer in (layer for source in spec.sources for layer in sources.info(source).layers if layer.name in spec.cuts):
        features.check_size(layer, min(drawn, target.n_train), Sentence("Use fewer labels or seeds, or a later cut."))


# -- what is to be measured, in which order --------------------------------------------------------------------------


def plan(spec: SweepSpec) -> tuple[Cell, ...]:
    """Return the experiments of a sweep in order, each once.

    Seeds come outermost, so that whoever stops early has a whole picture with fewer seeds; within a seed what takes
    milliseconds comes before the networks, and few labels before many. A source is cut only where it has a layer of
    that name.

    Examples
    --------
    >>> spec = SweepSpec(methods=("scratch", "linear_svm"), per_class=(5, 1), seeds=(0, 1))
    >>> [(cell.method, cell.per_class, cell.seed) for cell in plan(spec)][:5]
    [('linear_svm', 1, 0), ('linear_svm', 5, 0), ('scratch', 1, 0), ('scratch', 5, 0), ('linear_svm', 1, 1)]
    """
    chosen = [method_of(name) for name in spec.methods]
    quick = [method for method in chosen if method.reads_features]
    slow = [method for method in chosen if not method.reads_features]
    cuts = {source: sources.info(source).cut_names for source in spec.sources}
    found: dict[tuple, Cell] = {}
    for seed, group, per_class in product(spec.seeds, (quick, slow), sorted(spec.per_class)):
        for source, cut, method in product(spec.sources, spec.cuts, group):
            if cut not in (PIXELS, *cuts[source]):  # another source's
                continue
            cell = method.planned(Cell(spec.target, source, cut, method.name, per_class, seed), cuts[source][-1])
            if cell is not None:
                found.setdefault(cell.key, cell)
    return tuple(found.values())


def resumed(spec: SweepSpec, run_id: str) -> SweepSpec:
    """Return the same grid, taking over what a run of it measured."""
    return replace(spec, resumes=run_id)


def taken_over(spec: SweepSpec, earlier: SweepSpec, cells: Iterable[Cell]) -> list[Cell]:
    """Return what an earlier sweep measured that this one would measure again, failures left out."""
    if any(getattr(spec, name) != getattr(earlier, name) for name in ("target", "split", "n_test", "n_steps")):
        return []
    wanted = {cell.key for cell in plan(spec)}
    return [cell for cell in cells if cell.key in wanted and not cell.error]


def expected_s(cells: Iterable[Cell], measured: Iterable[Cell]) -> float | None:
    """Return how long experiments will take by those already measured; None while nothing like one of them was.

    Of each kind the mean counts: same method, cut and labels, else same method and labels, else same method.
    """
    seconds: dict[tuple, list[float]] = defaultdict(list)
    for one in measured:
        for key in _kinds(one):
            seconds[key].append(one.seconds)
    total = 0.0
    for cell in cells:
        known = next((seconds[key] for key in _kinds(cell) if key in seconds), None)
        if known is None:
            return None
        total += sum(known) / len(known)
    return total


def _kinds(cell: Cell) -> tuple[tuple, ...]:
    return (cell.method, cell.cut, cell.per_class), (cell.method, cell.per_class), (cell.method,)


# -- measuring -------------------------------------------------------------------------------------------------------


class Sharing:
    """Which of a sweep's experiments this process measures: here all of them, in their order."""

    def mine(self, todo: Sequence[Cell]) -> Iterator[Cell | None]:
        """Yield what to measure next; None while there is nothing but what others are at."""
        return iter(todo)

    def others(self, now: bool = False) -> Sequence[Cell]:
        """Return what other processes have measured so far: lately, or ``now``."""
        return ()

    def n_processes(self) -> int:
        """Return how many processes are at it."""
        return 1


def run(
    spec: SweepSpec,
    listener: Listener = NOBODY,
    *,
    done: Sequence[Cell] = (),
    spent_s: float = 0.0,
    similar: Sequence[Cell] = (),
    cache: Path | None = None,
    sharing: Sharing | None = None,
) -> SweepResult:
    """Measure what is not done yet, until all is, the budget is spent, or a stop is asked for.

    Parameters
    ----------
    listener : hears the images' hash, progress, and each experiment when it is finished; a network that was stopped
        half-way is not
    done : experiments that need not be measured again
    spent_s : of the budget, by an earlier attempt
    similar : earlier ones of any sweep, for the time left before there are any of this one
    cache : folder of kept activations
    sharing : which of them this process measures; None: all

    Returns
    -------
    SweepResult
        How many, how it ended (``complete``, ``budget`` or ``stopped``) and what it cost; no device.

    Raises
    ------
    SpecError, DataError
        The grid cannot be run, or its images cannot be had.
    """
    from threadpoolctl import threadpool_limits

    check(spec)
    sharing = sharing or Sharing()
    began = time.perf_counter()
    planned = plan(spec)
    kept = {cell.key: cell for cell in done}
    todo = [cell for cell in planned if cell.key not in kept]
    finished = [kept[cell.key] for cell in planned if cell.key in kept]
    n_done = len(finished)
    listener.on_progress(Progress(n_done, len(planned), Sentence("loading the data")))
    bench = Bench(spec, cache, listener)
    listener.on_data(bench.pool.hash)
    ended = "complete"
    # Small matrices: threads for each product cost more than they give.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of heads that have not converged: a grid has hundreds
        for cell in sharing.mine(todo):
            if spec.budget_s is not None and spent_s + time.perf_counter() - began > spec.budget_s:
                ended = "budget"
                break
            measured = {one.key for one in (*finished, *sharing.others())}
            rest = [one for one in todo if one.key not in measured]
            left = expected_s(rest, finished) or expected_s(rest, [*similar, *finished])
            words = describe(cell) if cell else Sentence("other workers measure the rest")
            left_s = None if left is None else left / sharing.n_processes()
            listener.on_progress(Progress(len(planned) - len(rest), len(planned), words, left_s=left_s))
            if cell is None and not listener.should_stop():
                continue
            found = _measured(cell, bench) if cell and not listener.should_stop() else None
            if found is None:
                ended = "stopped"
                break
            finished.append(found)
            listener.on_cell(found)
    own = {cell.key for cell in finished}
    finished += [cell for cell in sharing.others(now=True) if cell.key not in own]
    listener.on_progress(Progress(len(finished), len(planned)))
    return SweepResult(
        n_cells=len(finished),
        n_planned=len(planned),
        n_before=n_done,
        n_failed=sum(bool(cell.error) for cell in finished),
        n_tested=sum(bool(cell.n_test) for cell in finished[n_done:]),  # a score before training sees no test image
        ended=ended,
        n_test=len(bench.pool.y_test),
        lopsided=bench.balanced,
        n_images=len(bench.pool.labels),
        extract_s=bench.extract_s,
        total_s=time.perf_counter() - began,
    )


def _measured(cell: Cell, bench: Bench) -> Cell | None:
    """Return the finished experiment with its seconds; None when it was stopped half-way."""
    method = method_of(cell.method)
    if method.reads_features:
        bench.features(cell)  # shared by many: not this experiment's time
    began = time.perf_counter()
    try:
        measured = method.measure(cell, bench)
    except (TrainingError, ValueError) as error:  # one experiment that diverged is a finding, not the sweep's end
        measured = replace(cell, error=error.sentence if isinstance(error, LabError) else verbatim(str(error)))
    return measured and replace(measured, seconds=time.perf_counter() - began)


def describe(cell: Cell) -> Sentence:
    """Return an experiment in a few words of the catalogue's names.

    Examples
    --------
    >>> str(describe(Cell("mnist_5_9", "digits_0_4", "flatten", "linear_svm", 5, 0)))
    'linear_svm on flatten of digits_0_4, 5 labels per class, seed 0'
    """
    return Sentence(
        "{method}, {n} labels per class, seed {seed}",
        method=method_of(cell.method).words(cell),
        n=cell.per_class,
        seed=cell.seed,
    )
