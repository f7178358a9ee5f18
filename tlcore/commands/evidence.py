"""The commands that measure: a grid of experiments, or one of the studies whose results ship."""

import json
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from .. import export, recorded, savings, worker
from ..errors import SpecError
from ..spec import Cell, SweepSpec
from ..store import Run, Store
from ..transferability import SCORES
from . import console
from .history import find_run
from .local_run import execute_here

LAST = "last"


def sweep(options: Namespace) -> int:
    """Run a grid, or every grid of a study in turn."""
    specs = recorded.STUDIES[options.study] if options.study else (sweep_spec(options),)
    if options.record and not options.study:
        raise SpecError("Only a study can be recorded. Name one: --study {known}.", known=" or ".join(recorded.STUDIES))
    store = Store(options.home)
    finished: list[tuple[Run, Sequence[Cell]]] = []
    for spec in specs:
        spec = replace(spec, budget_s=options.budget, resumes=_resumed(store, options.resume, spec))
        worker.check(spec)
        code, run = execute_here(options, spec, _say_sweep)
        finished.append((run, store.cells(run.id)))
        if code:
            return code
    cells = [cell for _, part in finished for cell in part]
    if options.csv:
        options.csv.write_text(export.cells_csv(cells), encoding="utf-8")
        console.tell(f"Experiments: {options.csv}")
    if options.json:
        console.say(json.dumps([asdict(cell) for cell in cells]))
    if options.record:
        if any(run.result["ended"] != "complete" for run, _ in finished):
            raise SpecError("The study is not complete, so nothing was recorded. Go on with --resume last.")
        console.tell(f"Recorded: {recorded.write(options.study, finished)}")
    return console.OK


def sweep_spec(options: Namespace) -> SweepSpec:
    """Return the grid of a line; a flag that was not given has the default of its spec."""
    names = ("sources", "target", "split", "cuts", "methods", "per_class", "seeds", "n_test", "n_steps")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(options, name)) is not None}
    if given.get("n_test") == "all":
        given["n_test"] = None
    return SweepSpec(**given)


def _resumed(store: Store, text: str | None, spec: SweepSpec) -> str:
    """Return the id of the run whose experiments are taken over; of ``last`` the newest of the same grid, or none."""
    if text is None:
        return ""
    if text != LAST:
        return find_run(store, text).id
    same = (run for run in store.list(kind=SweepSpec.kind) if _grid(run.spec) == _grid(spec))
    return next((run.id for run in same), "")


def _grid(spec: Any) -> SweepSpec:
    return replace(spec, budget_s=None, resumes="")


def _say_sweep(options: Namespace, store: Store, run: Run) -> None:
    if options.json:  # all experiments come at the end, as one list
        return
    lines = [
        sweep_table(store.cells(run.id)),
        *(console.result_lines(run, store.run_folder(run.id)) if run.result else []),
    ]
    console.say("\n".join([*filter(None, lines), f"Run {run.id}: {run.state}{console.took(run)}"]))


def sweep_table(cells: Sequence[Cell]) -> str:
    """Return means over seeds with the half-width of their 95 % interval: a column for each number of labels."""
    labels = sorted({cell.per_class for cell in cells})
    rows = []
    for source, cut, method in dict.fromkeys((cell.source, cell.cut, cell.method) for cell in cells):
        found = {band.x: band for band in savings.bands(savings.curve(cells, method, source, cut))}
        rows.append([source, cut, method, *(_band(found.get(n), method) for n in labels)])
    heads = ["source", "cut", "method", *(f"{n} labels" for n in labels)]
    return console.table(heads, rows) if rows else ""


def _band(band: savings.Band | None, method: str) -> str | None:
    if band is None:
        return None
    width = band.high - band.mean if band.n_seeds > 1 else None
    if method in SCORES:
        return f"{band.mean:.2f}" + (f" ± {width:.2f}" if width is not None else "")
    return f"{band.mean:.1%}" + (f" ± {width:.1%}" if width is not None else "")
