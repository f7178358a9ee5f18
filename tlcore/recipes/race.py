"""A race: two to four settings on the same images with the same seed, as ordinary runs."""

import random
from collections.abc import Sequence
from dataclasses import replace

from tlcore.errors import SpecError
from tlcore.features.freezing import canonical, presets
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, LayerInfo, check_choice

from .fine_tuning import is_scratch, scratch_control

TITLES = {
    "nothing": Sentence("Nothing frozen"),
    "convolutions": Sentence("Convolutions frozen"),
    "all_but_head": Sentence("All but the head frozen"),
    "scratch": Sentence("From scratch"),
    "draft": Sentence("My settings"),
}
LANES = tuple(TITLES)
FEWEST, MOST = 2, 4


def lanes(draft: FineTuneSpec, layers: Sequence[LayerInfo], names: Sequence[str]) -> dict[str, FineTuneSpec]:
    """Return what each lane runs: the draft with one thing changed, watched.

    ``nothing``, ``convolutions`` and ``all_but_head`` are what is frozen; ``scratch`` is the control; ``draft`` the
    draft as it is. All have the draft's source, images, epochs, first learning rate and seed.

    Raises
    ------
    SpecError
        Too few or too many lanes, an unknown one, or two that would run the same.
    """
    for name in names:
        check_choice("lane", name, LANES)
    if not FEWEST <= len(set(names)) <= MOST:
        raise SpecError(
            "A race has from {few} to {most} lanes. Received: {n}. Add or remove some.",
            few=FEWEST,
            most=MOST,
            n=len(set(names)),
        )
    draft = replace(draft, film=True)
    frozen = presets(layers)
    plain = replace(draft, phases=(replace(draft.phases[0], epochs=draft.epochs, frozen=()),))
    found: dict[str, FineTuneSpec] = {}
    for name in dict.fromkeys(names):
        phases = tuple(replace(phase, frozen=frozen.get(name, ())) for phase in plain.phases)
        one = {"draft": draft, "scratch": scratch_control(plain)}.get(name, replace(plain, phases=phases))
        twin = next((other for other, spec in found.items() if canonical(spec, layers) == canonical(one, layers)), None)
        if twin:
            raise SpecError(
                "The lanes {first} and {second} would be the same run. Leave one out.", first=twin, second=name
            )
        found[name] = one
    return found


def lane_of(spec: FineTuneSpec, layers: Sequence[LayerInfo]) -> str:
    """Return which lane runs ``spec``: ``draft`` where it is none of the others.

    Parameters
    ----------
    layers : of its source
    """
    if len(spec.phases) > 1:
        return "draft"
    if is_scratch(spec):
        return "scratch"
    known = presets(layers)
    frozen = set(canonical(spec, layers).phases[0].frozen)
    return next((name for name in LANES if name in known and set(known[name]) == frozen), "draft")


def start_order(names: Sequence[str], seed: int) -> list[str]:
    """Return the order in which lanes enter the queue: drawn by the seed, so that no setting always goes first."""
    return random.Random(seed).sample(list(names), len(names))
