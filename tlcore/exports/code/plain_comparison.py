"""A comparison of ways to learn one task again in plain Keras and scikit-learn, way after way in one script."""

from collections.abc import Sequence
from dataclasses import replace

from tlcore.evidence import ways
from tlcore.recipes import comparison
from tlcore.spec import FINE_TUNE, ComparisonSpec, FineTuneSpec, HeadSpec, Spec
from tlcore.store import Run

from . import plain_heads, plain_tuning
from .cells import Cell, code
from .words import balanced, measured, title

SCRATCH_NETWORK = "scratch.keras"
LOPSIDED = "The test classes are lopsided. In the balanced accuracy, the mean of their recalls, each counts alike."


def cells(run: Run) -> tuple[Cell, ...]:
    """Return what learns the task again in every way, without this project, as text and code."""
    spec = run.spec
    assert isinstance(spec, ComparisonSpec)
    lanes = comparison.lanes(spec)
    named = ", ".join(networks(spec))
    return (
        Cell(
            f"{title(run)}\n\nPlain Keras and scikit-learn: nothing of Transfer Lab is needed. In the folder in which "
            f"it runs it looks for {named} and data.npz; the ZIP file in which it comes has them. It needs keras, "
            f"tensorflow, scikit-learn and numpy. Made from run {run.id}."
        ),
        Cell("Every way learns from the same images with the same seed, and is tested on the same test images."),
        *plain_tuning.data(spec.tuning),
        *([Cell(LOPSIDED), code("from sklearn.metrics import balanced_accuracy_score")] if balanced(run) else ()),
        code("accuracies = {}"),
        *_shared(list(lanes.values())),
        *(cell for number, way in enumerate(lanes, 1) for cell in _way(number, way, lanes, balanced(run))),
        *measured(run),
    )


def networks(spec: ComparisonSpec) -> dict[str, Spec]:
    """Return what trains from each file of a network that the script loads, by the file's name."""
    found: dict[str, Spec] = {}
    for way, lane in comparison.lanes(spec).items():
        file = SCRATCH_NETWORK if isinstance(lane, FineTuneSpec) and way != FINE_TUNE else plain_tuning.NETWORK
        if file not in found or isinstance(lane, FineTuneSpec):  # heads take any network with that layer
            found[file] = lane
    return found


def _shared(lanes: Sequence[Spec]) -> list[Cell]:
    """Return the functions that several ways use."""
    found: list[Cell] = []
    if tuning := next((lane for lane in lanes if isinstance(lane, FineTuneSpec)), None):
        found += plain_tuning.training(tuning)
    if fits := [lane for lane in lanes if isinstance(lane, HeadSpec)]:
        together = replace(fits[0], heads=tuple(lane.heads[0] for lane in fits))
        found.append(code(plain_heads.imports_of(together.heads)))
        found += [*plain_heads.looks(together), *plain_heads.definitions(together)]
    return found


def _way(number: int, way: str, lanes: dict[str, Spec], balanced: bool) -> list[Cell]:
    lane, heading = lanes[way], Cell(f"# Way {number} of {len(lanes)}: {ways.title(way)}")
    if isinstance(lane, HeadSpec):
        return [heading, *plain_heads.one_fit(lane, way, balanced)]
    assert isinstance(lane, FineTuneSpec)
    file = plain_tuning.NETWORK if way == FINE_TUNE else SCRATCH_NETWORK
    phases = [cell for at in range(1, len(lane.phases) + 1) for cell in plain_tuning.phase(lane, at)]
    kept = code(f"accuracies[{way!r}] = accuracy")
    return [heading, *plain_tuning.network(lane, file), *phases, *plain_tuning.test(balanced), kept]
