"""Six ways to break a fine-tuning: what each changes, and the drop it promises."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from tlcore.errors import SpecError
from tlcore.spec import DataSpec, FineTuneSpec, Phase, ProofRow, Spec, check_choice
from tlcore.store import Run

Change = Callable[[FineTuneSpec], FineTuneSpec]
Outcome = Literal["same", "worse", "ended"]  # what a person may guess, and what then came

OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

CONVOLUTIONS = ("conv_1", "conv_2")
CLEAR = 0.03  # of test accuracy: what falls by less is as good as its healthy twin


@dataclass(frozen=True)
class Break:
    """One mistake. ``least_drop`` is what the test accuracy loses at the least, in [0, 1], against the healthy twin.

    ``may_stop`` says that the run may also end itself because its loss goes wrong: no accuracy is worse than any.
    """

    name: str
    change: Change
    least_drop: float
    may_stop: bool = False
    unmoved: tuple[str, ...] = ()  # layers that should have trained, and whose weights stay bit for bit as they were


def healthy(seed: int = 0) -> FineTuneSpec:
    """Return the twin that every broken run is held against: same images, same seed, nothing broken."""
    return FineTuneSpec(data=DataSpec(per_class=10, seed=seed), phases=(Phase(20, CONVOLUTIONS),), seed=seed)


def _phase(**changes: object) -> Change:
    return lambda spec: replace(spec, phases=(replace(spec.phases[0], **changes),))  # type: ignore[arg-type]


def _data(**changes: object) -> Change:
    return lambda spec: replace(spec, data=replace(spec.data, **changes))  # type: ignore[arg-type]


def _never_recompiled(spec: FineTuneSpec) -> FineTuneSpec:
    """The head alone for the first half, then what the healthy twin trains; but nothing is compiled again."""
    phase = spec.phases[0]
    half = phase.epochs // 2
    head = replace(phase, epochs=half, frozen=(*CONVOLUTIONS, "dense_1"))
    return replace(spec, phases=(head, replace(phase, epochs=phase.epochs - half, recompiled=False)))


BREAKS: dict[str, Break] = {
    one.name: one
    for one in (
        Break("freeze_too_deep", _phase(frozen=(*CONVOLUTIONS, "dense_1")), least_drop=0.2),
        Break("wrong_source", lambda spec: replace(spec, source="fashion"), least_drop=0.03),
        Break("learning_rate", _phase(learning_rate=100 * Phase.learning_rate), least_drop=0.2, may_stop=True),
        Break("scaling", _data(scale=False), least_drop=0.03),
        Break("labels", _data(label_noise=1.0), least_drop=0.5),
        Break("recompile", _never_recompiled, least_drop=0.2, unmoved=("dense_1",)),
    )
}


def broken(name: str, seed: int = 0) -> FineTuneSpec:
    """Return the healthy fine-tuning with one mistake.

    Raises
    ------
    SpecError
        There is no such mistake; the message lists the names.
    """
    check_choice("way to break it", name, tuple(BREAKS))
    return BREAKS[name].change(healthy(seed))


def is_broken(spec: Spec) -> bool:
    """Return whether a run was made to go wrong: it is one of the mistakes, with any seed."""
    return any(spec == broken(name, spec.seed) for name in BREAKS)


def proof(run: Run) -> tuple[ProofRow, ...]:
    """Return what became of every layer of a run; nothing where it ended before it trained."""
    return getattr(run.result, "proof", ())


@dataclass(frozen=True)
class Verdict:
    """What came of a promise. ``drop`` is in [−1, 1], None where the broken run ended itself."""

    kept: bool
    drop: float | None
    outcome: Outcome


def verdict(name: str, run: Run, twin: Run) -> Verdict:
    """Hold a broken run against its healthy twin.

    Raises
    ------
    SpecError
        One of them has no test accuracy yet, or they are no such pair.
    """
    if run.spec != broken(name, run.seed) or twin.spec != healthy(run.seed):
        raise SpecError("These two runs do not belong together as {name!r}. Start both again.", name=name)
    promise = BREAKS[name]
    if twin.accuracy is None or (run.accuracy is None and run.state != "failed"):
        raise SpecError("One of the two runs has no result yet. Wait for it, or start both again.")
    if run.accuracy is None:
        return Verdict(promise.may_stop, None, "ended")
    drop = twin.accuracy - run.accuracy
    moved = [row for row in proof(run) if row.layer in promise.unmoved and row.before != row.after]
    return Verdict(drop >= promise.least_drop and not moved, drop, "worse" if drop >= CLEAR else "same")
