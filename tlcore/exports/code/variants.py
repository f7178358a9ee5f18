"""The two ways in which code repeats a run: with this project, and without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tlcore import heads, sources
from tlcore.errors import LabError
from tlcore.recipes import comparison
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import ComparisonSpec, FineTuneSpec, HeadSpec, Spec, SweepSpec
from tlcore.store import Run

from . import own, plain_comparison, plain_heads, plain_sweep, plain_tuning
from .cells import Cell
from .estimators import WRITTEN


@dataclass(frozen=True)
class Variant:
    """One way to write a run as code.

    Attributes
    ----------
    name : in the names of files
    cells : of a run, text and code in turn
    not_had : why a run cannot be written that way; NOTHING where it can
    """

    name: str
    title: Sentence
    cells: Callable[[Run], Sequence[Cell]]
    not_had: Callable[[Run], Sentence]


def _always(run: Run) -> Sentence:
    return NOTHING


PLAIN_CELLS: dict[type, Callable[[Run], Sequence[Cell]]] = {
    FineTuneSpec: plain_tuning.cells,
    HeadSpec: plain_heads.cells,
    ComparisonSpec: plain_comparison.cells,
    SweepSpec: plain_sweep.cells,
}


def _plain(run: Run) -> Sequence[Cell]:
    return PLAIN_CELLS[type(run.spec)](run)


def _not_plain(run: Run) -> Sentence:
    try:
        for name in getattr(run.spec, "sources", (run.spec.source,)):
            sources.info(name)
        return _not_had(run.spec)
    except LabError as error:  # what it names is gone
        return error.sentence


def _not_had(spec: Spec) -> Sentence:
    if isinstance(spec, FineTuneSpec):
        return _not_in_keras(spec)
    if isinstance(spec, SweepSpec):
        return plain_sweep.not_had(spec)
    if isinstance(spec, ComparisonSpec):
        return next(filter(None, map(_not_had, comparison.lanes(spec).values())), NOTHING)
    assert isinstance(spec, HeadSpec)
    unknown = [heads.title(head) for head in spec.heads if head not in WRITTEN]
    if unknown:
        return Sentence("{head} comes from an extension, so it is not written in plain code.", head=unknown[0])
    return NOTHING


def _not_in_keras(spec: FineTuneSpec) -> Sentence:
    if spec.augment:
        return Sentence(
            "Training on changed copies of the images is this program's own: plain Keras would change them in "
            "another way, and reach another accuracy."
        )
    if any(phase.rate_factor != 1 for phase in spec.phases):
        return Sentence("Plain Keras has one learning rate for all layers, and this run has one for each block.")
    if not all(phase.recompiled for phase in spec.phases):
        return Sentence("This run makes a mistake on purpose, which plain Keras does not let you make.")
    return NOTHING


OWN = Variant("with_tlcore", Sentence("With this project (tlcore)"), own.cells, _always)
PLAIN = Variant("plain", Sentence("Plain Keras and scikit-learn"), _plain, _not_plain)
VARIANTS = (OWN, PLAIN)


def writes(run: Run) -> bool:
    """Return whether there is code for a run of its kind."""
    return type(run.spec) in PLAIN_CELLS


def of_run(run: Run) -> tuple[Variant, ...]:
    """Return the ways in which a run can be written."""
    return tuple(variant for variant in VARIANTS if writes(run) and not variant.not_had(run))
