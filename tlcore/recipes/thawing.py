"""Schedules of thawing: at which epoch which layers begin to train, as phases of a fine-tuning."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tlcore.errors import SpecError
from tlcore.features.blocks import blocks
from tlcore.features.freezing import up_to
from tlcore.spec import FineTuneSpec, LayerInfo


@dataclass(frozen=True)
class Thaw:
    """From one epoch on, what stays frozen.

    ``after`` counts finished epochs: 0 is the start. ``cut`` is the last frozen layer; "" freezes nothing.
    """

    after: int
    cut: str


def scheduled(spec: FineTuneSpec, layers: Sequence[LayerInfo], thaws: Sequence[Thaw]) -> FineTuneSpec:
    """Return ``spec`` with a phase for each of ``thaws``, together as many epochs as it has.

    Raises
    ------
    SpecError
        The first does not begin at 0, two begin at the same epoch, or one at or after the end.
    """
    starts = [thaw.after for thaw in thaws]
    if not thaws or starts[0] != 0 or starts != sorted(set(starts)):
        raise SpecError(
            "A schedule begins after epoch 0, and each step comes later than the one before. Received: {starts}.",
            starts=", ".join(map(str, starts)) or "none",
        )
    if starts[-1] >= spec.epochs:
        raise SpecError(
            "The step after epoch {start} would never begin: there are {n} epochs. Choose more, or begin it earlier.",
            start=starts[-1],
            n=spec.epochs,
        )
    names = {layer.name for layer in layers}
    if unknown := [thaw.cut for thaw in thaws if thaw.cut and thaw.cut not in names]:
        raise SpecError(
            "There is no layer {name!r} to freeze through. Pick one of: {names}.",
            name=unknown[0],
            names=", ".join(layer.name for layer in layers),
        )
    ends = [*starts[1:], spec.epochs]
    phases = tuple(
        replace(spec.phases[0], epochs=end - thaw.after, frozen=up_to(layers, thaw.cut or None).names)
        for thaw, end in zip(thaws, ends, strict=True)
    )
    return replace(spec, phases=phases)


def gradual(layers: Sequence[LayerInfo], n_epochs: int, every: int) -> tuple[Thaw, ...]:
    """Return the schedule that trains the head first, then one more block each ``every`` epochs, the last block first.

    What would begin after the last epoch is left out.

    References
    ----------
    Howard and Ruder (2018), "Universal language model fine-tuning for text classification": gradual unfreezing.
    """
    groups = blocks(layers)
    cuts = [groups[i - 1][-1] if i else "" for i in range(len(groups) - 1, -1, -1)]
    return tuple(Thaw(step * every, cut) for step, cut in enumerate(cuts) if step * every < n_epochs)


def read(text: str) -> tuple[Thaw, ...]:
    """Read a schedule as the command line takes it.

    Raises
    ------
    SpecError
        It is not a list of epoch:layer.

    Examples
    --------
    >>> read("0:conv_2,10:conv_1,20:nothing")
    (Thaw(after=0, cut='conv_2'), Thaw(after=10, cut='conv_1'), Thaw(after=20, cut=''))
    """
    thaws = []
    for word in filter(None, (word.strip() for word in text.split(","))):
        after, colon, cut = word.partition(":")
        if not (colon and after.isascii() and after.isdigit() and len(after) < 6 and cut.strip()):
            raise SpecError(
                "A schedule is a list of EPOCH:LAYER, such as 0:conv_2,10:conv_1,20:nothing: after that epoch, "
                "everything up to that layer is frozen. Received: {word!r}.",
                word=word,
            )
        thaws.append(Thaw(int(after), "" if cut.strip() == "nothing" else cut.strip()))
    return tuple(thaws)
