"""Fine-tunings by name: the control of another one, the same in two phases, the article's own."""

from collections.abc import Sequence
from dataclasses import replace
from math import ceil

from tlcore import sources
from tlcore.features import freezing
from tlcore.spec import RANGES, DataSpec, FineTuneSpec, LayerInfo, Phase, Spec

PHOTO_BATCH, PHOTO_RATE, SCRATCH_RATE = 16, 2e-3, 1e-3


def scratch_control(spec: FineTuneSpec) -> FineTuneSpec:
    """Return the from-scratch control: the same network untrained, nothing frozen, all else equal."""
    return spec.from_scratch(sources.untrained(spec.source))


def is_control(control: Spec, spec: Spec) -> bool:
    """Return whether ``control`` is the from-scratch control of ``spec``; a kind without one has no such pair."""
    from_scratch = getattr(spec, "from_scratch", None)
    return from_scratch is not None and from_scratch(sources.untrained(spec.source)) == control


def is_untrained(source: str) -> bool:
    """Return whether a source is a network that has learned nothing yet."""
    return source == sources.untrained(source)


def is_scratch(spec: FineTuneSpec) -> bool:
    """Return whether an untrained network learns, with nothing frozen in the end."""
    return is_untrained(spec.source) and not freezing.words(spec.source, spec.phases[-1].frozen)


def two_phases(spec: FineTuneSpec, all_but_head: tuple[str, ...]) -> FineTuneSpec:
    """Return ``spec`` with the head trained alone for the first half, then at a tenth of the rate what it trains.

    Parameters
    ----------
    spec : with one phase
    all_but_head : every layer with weights but the last, as in ``freezing.presets``
    """
    phase = spec.phases[0]
    first = max(1, phase.epochs // 2)
    head = replace(phase, epochs=first, frozen=all_but_head)
    rate = max(phase.learning_rate / 10, RANGES["learning_rate"][0])
    rest = replace(phase, epochs=max(1, phase.epochs - first), learning_rate=rate)
    return replace(spec, phases=(head, rest))


def of_photographs(spec: FineTuneSpec, layers: Sequence[LayerInfo], n: int, n_steps: int) -> FineTuneSpec:
    """Return ``spec`` as a network of photographs trains: batches of 16, the head first, then the rest at a tenth.

    No BatchNormalization of a trained network trains, for batches of a few images would spoil its averages. From
    scratch everything does, at one rate.

    Parameters
    ----------
    spec : with one phase, whose frozen layers count
    n : training images
    n_steps : gradient steps, in whole epochs as near to it as they come

    References
    ----------
    "Transfer learning and fine-tuning", keras.io: BatchNormalization stays in inference mode.
    """
    epochs = max(2, round(n_steps / ceil(n / PHOTO_BATCH)))
    spec = replace(spec, batch_size=PHOTO_BATCH)
    if is_scratch(spec):
        return _divided(replace(spec, phases=(replace(spec.phases[0], epochs=epochs, learning_rate=SCRATCH_RATE),)))
    averages = freezing.averages(layers)
    frozen = freezing.Freezing(layers, (*spec.phases[0].frozen, *averages)).names
    plain = replace(spec, phases=(replace(spec.phases[0], epochs=epochs, frozen=frozen, learning_rate=PHOTO_RATE),))
    all_but_head = freezing.presets(layers)["all_but_head"]
    return _divided(plain if set(frozen) == set(all_but_head) else two_phases(plain, all_but_head))


def _divided(spec: FineTuneSpec) -> FineTuneSpec:
    """Divide phases with more epochs than one may have: few photographs take many."""
    most = RANGES["epochs"][1]
    parts = [(phase, ceil(phase.epochs / most)) for phase in spec.phases]
    return replace(spec, phases=tuple(replace(p, epochs=ceil(p.epochs / n)) for p, n in parts for _ in range(n)))


def article_recipe(seed: int = 0) -> FineTuneSpec:
    """Return the article's own recipe: 5 epochs of everything, then 5 more with layers 0 and 1 frozen.

    32-64-64-10 network from random init, rmsprop, batch 64, 55,000 training images, 15,000 held out.
    Layer 1 is a pooling layer without weights, so freezing both is freezing conv_1: 320 of 121,930 weights.
    """
    return FineTuneSpec(
        source="random",
        data=DataSpec(target="mnist", split="article", per_class=None, seed=seed),
        phases=(Phase(epochs=5), Phase(epochs=5, frozen=("conv_1",))),
        batch_size=64,
        optimizer="rmsprop",
        seed=seed,
    )
