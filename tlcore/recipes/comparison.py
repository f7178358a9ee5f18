"""A comparison of ways to learn one task: fine-tuning, heads on features, from scratch, on the same images."""

from dataclasses import replace

from tlcore import heads
from tlcore.errors import SpecError
from tlcore.spec import FINE_TUNE, SCRATCH, ComparisonSpec, HeadSpec, Spec, check_choice

from .fine_tuning import scratch_control

FEWEST = 2


def ways() -> tuple[str, ...]:
    """Return the names of all ways there are."""
    return FINE_TUNE, *heads.HEADS, SCRATCH


def lanes(spec: ComparisonSpec) -> dict[str, Spec]:
    """Return the run of each way, in the order of the choice.

    Raises
    ------
    SpecError
        Fewer than two ways, an unknown one, or two that would train the same.
    """
    for way in spec.ways:
        check_choice("way", way, ways())
    if len(set(spec.ways)) < FEWEST:
        raise SpecError("A comparison needs at least {few} ways. Received: {n}. Add one.", few=FEWEST, n=len(spec.ways))
    found = {way: _lane(spec, way) for way in spec.ways}
    if FINE_TUNE in found and found[FINE_TUNE] == found.get(SCRATCH):
        raise SpecError(
            "{source} has learned nothing, so fine-tuning it is training from scratch. Leave out one of the two.",
            source=spec.source,
        )
    return found


def _lane(spec: ComparisonSpec, way: str) -> Spec:
    if way == FINE_TUNE:
        return spec.tuning
    if way == SCRATCH:
        return scratch_control(spec.tuning)
    # Without its learning curve, which would fit it again and again: only what the way itself needs is counted.
    head = HeadSpec(spec.source, spec.layer, (way,), ("features",), spec.data, (spec.seed,), curves=False)
    return replace(head, class_weight=spec.tuning.class_weight)
