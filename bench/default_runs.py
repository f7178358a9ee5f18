"""One default run of each kind at 5 and 200 labels a class: mean accuracy ± sd over three seeds, and seconds.

Source digits 0-4, target digits 5-9. From scratch, convolutions frozen, linear SVM and random forest on features.
"""

import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean, median, stdev

from tlcore.jobs import execution as worker
from tlcore.recipes import scratch_control
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Spec
from tlcore.store import Run, Store

SEEDS = (0, 1, 2)


def runs_of(spec: FineTuneSpec, per_class: int) -> list[Spec]:
    """Return the same fine-tuning for every seed."""
    return [replace(spec, seed=seed, data=DataSpec(per_class=per_class, seed=seed)) for seed in SEEDS]


def finished(store: Store, spec: Spec) -> Run:
    run = store.create(spec)
    worker.execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "done", run.error
    return run


def line(per_class: int, what: str, accuracies: list[float], seconds: list[float]) -> str:
    spread = f"{100 * mean(accuracies):.1f} ± {100 * stdev(accuracies):.1f}"
    return f"| {per_class} | {what} | {spread} | {median(seconds):.2f} |"


def main() -> None:
    worker.warm()
    print("| labels a class | run | accuracy % (mean ± sd, 3 seeds) | training s (median) |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        for per_class in (5, 200):
            for what, spec in (
                ("from scratch", scratch_control(FineTuneSpec())),
                ("convolutions frozen", FineTuneSpec()),
            ):
                found = [finished(store, spec).result for spec in runs_of(spec, per_class)]
                print(line(per_class, what, [one.accuracy for one in found], [one.fit_s for one in found]))
            heads = HeadSpec(
                data=DataSpec(per_class=per_class), seeds=SEEDS, inputs=("features", "pixels"), curves=False
            )
            rows = finished(store, heads).result.rows
            for head, name in dict.fromkeys((row.head, row.input) for row in rows):
                part = [row for row in rows if (row.head, row.input) == (head, name)]
                what = f"{head.replace('_', ' ')} on {name}"
                print(line(per_class, what, [row.accuracy for row in part], [row.fit_s for row in part]))


if __name__ == "__main__":
    main()
