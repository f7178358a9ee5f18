"""A sweep: every combination of a grid, one experiment each."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from tlcore.errors import SpecError
from tlcore.evidence import recorded, sweeps
from tlcore.spec import Cell, SweepSpec
from tlcore.store import Store, versions

from .job import Job, Left
from .outcome import CACHE, device
from .reporter import Reporter


class Sweep(Job[SweepSpec]):
    """Keeps every finished experiment, and measures none twice."""

    spec = SweepSpec

    def check(self, spec: SweepSpec) -> None:
        sweeps.check(spec)

    def run(self, spec: SweepSpec, reporter: Reporter, folder: Path, left: Left) -> dict[str, Any]:
        """Measure what neither an earlier attempt nor the sweep that this one goes on from has measured."""
        store, run_id = reporter.store, reporter.run_id
        before = _measured_before(spec, store)
        done = store.cells(run_id)
        if not done:
            reporter.attempt.add_cells(before)
            done = tuple(before)
        taken_over = {cell.key for cell in before}
        result = sweeps.run(
            spec,
            done=done,
            spent_s=sum(cell.seconds for cell in done if cell.key not in taken_over),
            similar=recorded.all_cells(),
            on_cell=reporter.on_cell,
            on_progress=reporter.on_progress,
            on_data=reporter.set_data_hash,
            should_stop=reporter.should_stop,
            cache=folder / CACHE,
        )
        return {**result, "device": device()}

    def describe(self, spec: SweepSpec) -> str:
        labels = ", ".join(map(str, spec.per_class))
        return f"{', '.join(spec.sources)} → {spec.target}, {labels} per class: {', '.join(spec.methods)}"


def _measured_before(spec: SweepSpec, store: Store) -> list[Cell]:
    """Return what the sweep that this one goes on from measured with the same versions."""
    with suppress(SpecError):  # removed for good meanwhile: then all is measured again
        earlier = store.get(spec.resumes) if spec.resumes else None
        if earlier and isinstance(earlier.spec, SweepSpec) and earlier.versions == versions():
            return sweeps.taken_over(spec, earlier.spec, store.cells(earlier.id))
    return []
