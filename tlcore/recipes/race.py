"""A race: two to four settings on the same images with the same seed, as ordinary runs."""

import random
from collections.abc import Sequence
from dataclasses import replace

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.features.freezing import averages, canonical, presets
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, LayerInfo, Phase, check_choice

from .fine_tuning import is_scratch, is_untrained, scratch_control

TITLES = {
    "nothing": Sentence("Nothing frozen"),
    "convolutions": Sentence("Convolutions frozen"),
    "all_but_head": Sentence("All but the head frozen"),
    "scratch": Sentence("From scratch"),
    "draft": Sentence("My settings"),
}
LANES = tuple(TITLES)
AT_REST = Sentence("Nothing frozen but BatchNormalization")  # what "nothing" is called where ``at_rest``
FEWEST, MOST = 2, 4


def offered(source: str) -> tuple[str, ...]:
    """Return the lanes to choose from for a source; raises as ``sources.info``.

    Of a network whose only layer beside its convolutions is the head, as MobileNetV2 is, freezing the convolutions
    and freezing all but the head are one run: one of them is enough.
    """
    frozen = _frozen(source, sources.info(source).layers)
    same = set(frozen["convolutions"]) == set(frozen["all_but_head"])
    return tuple(name for name in LANES if not (same and name == "all_but_head"))


def lanes(draft: FineTuneSpec, layers: Sequence[LayerInfo], names: Sequence[str]) -> dict[str, FineTuneSpec]:
    """Return what each lane runs: the draft with one thing changed, watched.

    ``nothing``, ``convolutions`` and ``all_but_head`` are what is frozen, and of a trained network every
    BatchNormalization with it (``title`` says so); ``scratch`` is the control; ``draft`` the draft as it is. All have
    the draft's source, images, epochs, first learning rate and seed. Where a draft on photographs trains the head first
    and then more at a lower rate, the lanes that train more than the head do so too: at the head's rate, and through a
    head that knows nothing yet, they would unlearn what the network knows.

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
    frozen = _frozen(draft.source, layers)
    plain = replace(draft, phases=(replace(draft.phases[0], epochs=draft.epochs, frozen=()),))
    found: dict[str, FineTuneSpec] = {}
    for name in dict.fromkeys(names):
        phases = _phases(draft, plain, frozen.get(name, ()), layers)
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
    if len(spec.phases) > 1 and not _head_first(spec, layers):
        return "draft"
    if is_scratch(spec):
        return "scratch"
    known = _frozen(spec.source, layers)
    frozen = set(canonical(spec, layers).phases[-1].frozen)
    return next((name for name in LANES if name in known and set(known[name]) == frozen), "draft")


def _phases(
    draft: FineTuneSpec, plain: FineTuneSpec, frozen: tuple[str, ...], layers: Sequence[LayerInfo]
) -> tuple[Phase, ...]:
    """Return how a lane trains that is named after what is frozen.

    Parameters
    ----------
    plain : the draft in one phase
    """
    if _head_first(draft, layers) and set(frozen) != set(presets(layers)["all_but_head"]):
        return (*draft.phases[:-1], replace(draft.phases[-1], frozen=frozen))
    return tuple(replace(phase, frozen=frozen) for phase in plain.phases)


def _head_first(spec: FineTuneSpec, layers: Sequence[LayerInfo]) -> bool:
    """Return whether a trained network of photographs trains its head alone in all phases but the last."""
    if is_untrained(spec.source) or not averages(layers):
        return False
    head, before = set(presets(layers)["all_but_head"]), canonical(spec, layers).phases[:-1]
    return bool(before) and all(set(phase.frozen) == head for phase in before)


def title(name: str, source: str) -> Sentence:
    """Return what a lane is called where it starts from a source; raises as ``sources.info``."""
    return AT_REST if name == "nothing" and at_rest(source) else TITLES[name]


def at_rest(source: str) -> bool:
    """Return whether BatchNormalization stays frozen in every lane from a source; raises as ``sources.info``."""
    return bool(_frozen(source, sources.info(source).layers)["nothing"])


def _frozen(source: str, layers: Sequence[LayerInfo]) -> dict[str, tuple[str, ...]]:
    """Return what is frozen in the lanes that are named after it."""
    if is_untrained(source):
        return presets(layers)
    at_rest = set(averages(layers))
    named = {name: {*frozen, *at_rest} for name, frozen in presets(layers).items()}
    return {name: tuple(layer.name for layer in layers if layer.name in frozen) for name, frozen in named.items()}


def start_order(names: Sequence[str], seed: int) -> list[str]:
    """Return the order in which lanes enter the queue: drawn by the seed, so that no setting always goes first."""
    return random.Random(seed).sample(list(names), len(names))
