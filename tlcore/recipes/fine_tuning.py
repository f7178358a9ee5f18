"""Fine-tunings by name: the control of another one, the same in two phases, the article's own."""

from dataclasses import replace

from tlcore import sources
from tlcore.features import freezing
from tlcore.spec import RANGES, DataSpec, FineTuneSpec, Phase, Spec


def scratch_control(spec: FineTuneSpec) -> FineTuneSpec:
    """Return the from-scratch control: the same network untrained, nothing frozen, all else equal."""
    return spec.from_scratch(sources.untrained(spec.source))


def is_control(control: Spec, spec: Spec) -> bool:
    """Return whether ``control`` is the from-scratch control of ``spec``; a kind without one has no such pair."""
    from_scratch = getattr(spec, "from_scratch", None)
    return from_scratch is not None and from_scratch(sources.untrained(spec.source)) == control


def is_scratch(spec: FineTuneSpec) -> bool:
    """Return whether an untrained network learns, with nothing frozen in the end."""
    return spec.source == sources.untrained(spec.source) and not freezing.words(spec.source, spec.phases[-1].frozen)


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
