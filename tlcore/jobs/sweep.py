"""A sweep: every combination of a grid, one experiment each."""

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tlcore.errors import SpecError
from tlcore.evidence import recorded, sweeps
from tlcore.machine.settings import WORKER_NAME
from tlcore.sentences import Sentence
from tlcore.spec import Cell, SweepResult, SweepSpec
from tlcore.store import Run, Store, versions
from tlcore.store.checkpoint import Checkpoint

from .job import Job
from .outcome import CACHE, device
from .report import Report
from .reporter import Reporter
from .shares import Helping, Shares


class Sweep(Job[SweepSpec, SweepResult]):
    """Keeps every finished experiment, and measures none twice; on a cluster several workers share them."""

    spec, result = SweepSpec, SweepResult
    many_steps = helps = True

    def check(self, spec: SweepSpec) -> None:
        sweeps.check(spec)

    def run(
        self, spec: SweepSpec, reporter: Reporter, folder: Path, so_far: SweepResult, saved: Checkpoint | None
    ) -> SweepResult:
        """Measure what neither an earlier attempt nor the sweep that this one goes on from has measured."""
        store, run_id = reporter.store, reporter.run_id
        before = _measured_before(spec, store)
        done = store.cells(run_id)
        if not done:
            reporter.attempt.add_cells(before)
            done = tuple(before)
        taken_over = {cell.key for cell in before}
        own = [cell for cell in done if cell.n_test and cell.key not in taken_over]
        sharing = Shares(store, run_id, sweeps.plan(spec), owns=True) if os.environ.get(WORKER_NAME) else None
        result = sweeps.run(
            spec,
            reporter,
            sharing=sharing,
            done=done,
            spent_s=sum(cell.seconds for cell in done if cell.key not in taken_over),
            similar=recorded.all_cells(),
            cache=folder / CACHE,
        )
        if sharing:
            sharing.close()
        return replace(result, device=device(), n_tested=len(own) + (result.n_tested or 0))

    def help(self, run: Run, store: Store) -> None:
        """Measure shares that nobody has, on the features that all of them keep."""
        assert isinstance(run.spec, SweepSpec)
        shares, done = Shares(store, run.id, sweeps.plan(run.spec), owns=False), store.cells(run.id)
        sweeps.run(run.spec, Helping(store, run), done=done, cache=store.folder / CACHE, sharing=shares)

    def describe(self, spec: SweepSpec) -> str:
        labels = ", ".join(map(str, spec.per_class))
        return f"{', '.join(spec.sources)} → {spec.target}, {labels} per class: {', '.join(spec.methods)}"

    def report(self, result: SweepResult, folder: Path) -> Report:
        ended = {"budget": Sentence(", ended by its time budget"), "stopped": Sentence(", stopped")}
        return [
            Sentence(
                "{n:,} of {total:,} experiments{ended}; {now:,} of them now, in {seconds:.1f} s.",
                n=result.n_cells,
                total=result.n_planned,
                ended=ended.get(result.ended, ""),
                now=result.n_cells - result.n_before,
                seconds=result.total_s,
            )
        ]


def _measured_before(spec: SweepSpec, store: Store) -> list[Cell]:
    """Return what the sweep that this one goes on from measured with the same versions."""
    with suppress(SpecError):  # removed for good meanwhile: then all is measured again
        earlier = store.get(spec.resumes) if spec.resumes else None
        if earlier and isinstance(earlier.spec, SweepSpec) and earlier.versions == versions():
            return sweeps.taken_over(spec, earlier.spec, store.cells(earlier.id))
    return []
