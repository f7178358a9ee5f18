"""Networks by name, whoever they come from: their cards, and how they are loaded."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tlcore import datasets
from tlcore.errors import LabError, SpecError
from tlcore.sentences import Sentence
from tlcore.spec import SourceInfo, check_choice, check_number
from tlcore.store import results_address

from .network import check_n_classes
from .preprocessing import reads, scaled
from .source import RANDOM, SOURCES, Source, names
from .uploaded import Uploaded, is_uploaded

if TYPE_CHECKING:
    import keras


def get(name: str) -> Source:
    """Return one network, also an uploaded one that was removed.

    Raises
    ------
    SpecError
        There is no such source; the message lists the names.
    """
    if is_uploaded(name):
        if (Uploaded(name).folder() / f"{name}.json").exists():
            return Uploaded(name)
        if results_address():
            raise SpecError(
                "The network {name!r} is not on this machine: with results in an object store, own networks stay where "
                "they were added. Choose another source, or ask the host for a results folder that all machines share.",
                name=name,
            )
    check_choice("source model", name, names())
    return SOURCES[name]


def info(name: str) -> SourceInfo:
    """Return the card of one network; raises as ``get``, and a DataError when the card is missing or damaged."""
    return get(name).card()


def lineage(name: str) -> tuple[SourceInfo, ...]:
    """Return the cards from the network that all began with to this one: each was trained here from the one before.

    Of any but a network that a run trained that is its own card alone. Where one is gone the chain begins after it.
    """
    chain: list[SourceInfo] = []
    while name and name not in [card.name for card in chain]:
        try:
            chain.append(info(name))
        except LabError:
            break
        name = chain[-1].base
    return tuple(reversed(chain))


def catalogue() -> tuple[SourceInfo, ...]:
    """Return the card of every network but those that persons added. Loads no Keras.

    Raises
    ------
    DataError
        A card is missing or damaged.
    """
    return tuple(source.card() for source in SOURCES.values())


def offered() -> tuple[SourceInfo, ...]:
    """Return the cards of ``catalogue`` whose networks can be loaded now. Loads no Keras."""
    return tuple(source.card() for source in SOURCES.values() if source.is_offered())


def absent() -> dict[str, Sentence]:
    """Return the networks of ``catalogue`` that cannot be loaded now, by name, each with what to do."""
    return {name: reason for name, source in SOURCES.items() if (reason := source.missing())}


def check_shipped() -> None:
    """Raise a DataError when a shipped network or its card is missing or damaged."""
    for source in SOURCES.values():
        source.check_shipped()


def untrained(name: str) -> str:
    """Return the source that is this network before it learned anything; "random" where its card is not at hand."""
    try:
        return info(name).untrained
    except LabError:
        return RANDOM


def check_reads(source: SourceInfo, target: str) -> None:
    """Raise a SpecError when there is no such data set, or a network does not read its items or is not to be had."""
    data = datasets.info(target)
    if data.form != source.form:
        raise SpecError(
            "{source} reads {reads} ({kind}), but {target} has {has} ({other}). Pick two that fit.",
            source=source.title,
            reads=source.form,
            kind=source.form.modality,
            target=data.title,
            has=data.form,
            other=data.form.modality,
        )
    if missing := get(source.name).missing():
        raise SpecError("{source} cannot be used. {missing}", source=source.title, missing=missing)


def target_for(source: SourceInfo, wanted: str) -> str:
    """Return ``wanted`` where ``source`` reads its items, else the first data set that it reads, the shipped first.

    ``wanted`` where it reads none.
    """
    if datasets.own_sets.is_own(wanted) and datasets.info(wanted).form == source.form:
        return wanted
    fitting = [each for each in datasets.catalogue() if each.form == source.form]
    names = [each.name for each in sorted(fitting, key=lambda each: not each.offline)]
    return wanted if wanted in names or not names else names[0]


def source_for(target: str, wanted: SourceInfo, offered: Iterable[SourceInfo]) -> str:
    """Return the name of ``wanted`` where it reads ``target``, else of the first that does; of ``wanted`` if none."""
    form = datasets.info(target).form
    return next((card.name for card in (wanted, *offered) if card.form == form), wanted.name)


def load(
    name: str, n_classes: int | None = None, seed: int = 0, new_head: bool | None = None, scale: bool = True
) -> "keras.Model":
    """Return a network, not compiled, every layer trainable; it reads items as stored.

    ``load(name)`` is the network as it is. With ``n_classes`` its last layer is replaced by a fresh softmax layer,
    initialised from ``seed``; ``new_head=False`` keeps the one it has. An untrained one is made from ``seed``.
    Without ``scale`` the network proper is given the numbers as they are stored.

    Raises
    ------
    SpecError
        Unknown source, a class count outside 2..1000, or the last layer it has asked for with another class count.
    DataError
        The model file is missing or damaged.
    """
    source = get(name)
    card, n_own = source.card(), len(source.card().class_names)
    check_number("seed", seed)
    if n_classes is not None:
        check_n_classes(n_classes)
    if new_head is False and n_classes not in (None, n_own):
        raise SpecError(
            "{title} tells {n_shipped} classes apart, the target has {n_classes}. Ask for a new last layer.",
            title=card.title,
            n_shipped=n_own,
            n_classes=n_classes,
        )
    model = source.load(None if new_head is False else n_classes or (n_own if new_head else None), seed)
    if not scale or not reads(model, card.form):  # what scales nothing still takes the numbers as they are stored
        model = scaled(model, card.form, 1.0)
    return model
