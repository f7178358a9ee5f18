"""What scripts say of the run that they repeat."""

from tlcore import datasets
from tlcore.errors import LabError
from tlcore.spec import ComparisonResult, FineTuneResult, HeadsResult, Spec, SweepResult
from tlcore.store import Run

from .cells import Cell

KINDS = {
    "fine_tune": "Fine-tuning",
    "heads": "Heads on features",
    "comparison": "Ways to learn one task",
    "sweep": "A grid of experiments",
}


def title(run: Run) -> str:
    """Return the first line of a script."""
    return f"# {KINDS[run.spec.kind]}: from {_sources(run.spec)} to {target(run)}"


def _sources(spec: Spec) -> str:
    return ", ".join(getattr(spec, "sources", (spec.source,)))


def target(run: Run) -> str:
    """Return what the target task is called; of one that is gone its name."""
    try:
        return datasets.info(run.spec.data.target).title
    except LabError:
        return run.spec.data.target


def balanced(run: Run) -> bool:
    """Return whether a comparison's accuracies are balanced: its test classes are lopsided."""
    return isinstance(run.result, ComparisonResult) and run.result.balanced is not None


def measured(run: Run) -> tuple[Cell, ...]:
    """Return what the lab measured, to hold the script's own figures against; nothing of a run without a result."""
    rows = [f"- {row}" for row in _measured(run)]
    return (Cell("The lab measured, on the same test images:\n\n" + "\n".join(rows)),) if rows else ()


def _measured(run: Run) -> list[str]:
    result = run.result
    if isinstance(result, FineTuneResult):
        return [f"test accuracy {result.test.accuracy:.4f}"] if result.test and not result.cut_short else []
    if isinstance(result, HeadsResult):
        return [f"{row.head} on {row.input}, seed {row.seed}: {row.accuracy:.4f}" for row in result.rows]
    if isinstance(result, ComparisonResult):
        kind = " (balanced)" if balanced(run) else ""
        return [f"{way.name}: {way.accuracy:.4f}{kind}" for way in result.ways if way.accuracy is not None]
    assert isinstance(result, SweepResult)
    return (
        [f"{result.n_cells:,} experiments, each with its accuracy in the CSV file of the run"] if result.n_cells else []
    )
