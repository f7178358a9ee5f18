"""Which layers may change: one choice of frozen layers, where it cuts the network, what it costs, and the proof."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING

from tlcore import sources
from tlcore.errors import LabError, SpecError
from tlcore.sentences import Sentence, join
from tlcore.spec import FineTuneSpec, LayerInfo, ProofRow

from .cuts import CutPoint, cut_points, submodel

if TYPE_CHECKING:
    import keras


MOST_NAMED = 6  # frozen layers and blocks that are listed one by one
BATCH_NORMALIZATION = "BatchNormalization"


@dataclass(frozen=True)
class Cost:
    """What a choice of frozen layers means before anything runs.

    ``share`` is the training compute of one image over that of training everything (multiply-adds, forward and
    backward), in (0, 1].
    """

    n_weights: int
    n_trainable: int
    share: float


@dataclass(frozen=True, init=False)
class Freezing:
    """A choice of frozen layers of one network, spelled in one way.

    Parameters
    ----------
    layers : all of the network, in its order
    names : of the frozen layers, in any order. Kept are those with weights, in the network's order: a layer without
        weights may be named, and makes no difference
    model : what an error message calls the network

    Raises
    ------
    SpecError
        A name is none of the layers'; the message lists them.

    Examples
    --------
    >>> rows = [LayerInfo(0, "conv", "Conv2D", (2,), 9), LayerInfo(1, "pool", "MaxPooling2D", (1,), 0)]
    >>> Freezing(rows, ("pool", "conv")).names, Freezing(rows, ("conv",)) == Freezing(rows, ("conv", "pool"))
    (('conv',), True)
    """

    layers: tuple[LayerInfo, ...]
    names: tuple[str, ...]

    def __init__(self, layers: Sequence[LayerInfo], names: Iterable[str] = (), model: str = "this model") -> None:
        known, chosen = [layer.name for layer in layers], set(names)
        if unknown := chosen - set(known):
            raise SpecError(
                "Cannot freeze {unknown}: {model} has the layers {known}. Pick names from that list.",
                unknown=", ".join(sorted(map(str, unknown))),
                model=model,
                known=", ".join(known),
            )
        object.__setattr__(self, "layers", tuple(layers))
        object.__setattr__(
            self, "names", tuple(layer.name for layer in layers if layer.can_freeze and layer.name in chosen)
        )

    @property
    def boundary(self) -> CutPoint | None:
        """The last cut before which nothing trains and nothing is random: up to there an image is computed once.

        Layers without weights in front of the first that trains belong to it: they cost nothing to include. None
        where that part has no weights, so that keeping its output would save nothing.
        """
        still = 0
        for layer in self.layers:
            if layer.random or sources.is_random(layer.type) or (layer.can_freeze and layer.name not in self.names):
                break
            still += 1
        before = [point for point in cut_points(self.layers) if point.position <= still]
        return before[-1] if before and any(layer.can_freeze for layer in self.layers[: before[-1].position]) else None

    @property
    def prefix(self) -> tuple[LayerInfo, ...]:
        """The layers before the boundary."""
        return tuple(self.layers[: self.boundary.position if self.boundary else 0])

    @property
    def tail(self) -> tuple[LayerInfo, ...]:
        """The layers after the boundary: those that every step of training runs."""
        return tuple(self.layers[len(self.prefix) :])

    @property
    def cost(self) -> Cost:
        """Weights and compute of training one image with these layers frozen, against training all of them."""
        everything = Freezing(self.layers).multiply_adds()
        return Cost(
            n_weights=sum(layer.n_weights for layer in self.layers),
            n_trainable=sum(layer.n_weights for layer in self.layers if layer.name not in self.names),
            share=self.multiply_adds() / everything if everything else 1.0,
        )

    def multiply_adds(self, without_prefix: bool = False) -> int:
        """Return the multiply-adds of one training step on one image, forward and backward.

        Each layer costs its forward pass; the gradient of its weights as much again if it trains; the gradient passed
        through it as much again if anything before it trains (Goodfellow et al. 2016, section 6.5).
        """
        total, below = 0, False
        for layer in self.tail if without_prefix else self.layers:
            on = layer.can_freeze and layer.name not in self.names
            total += layer.flops * (1 + on + below)
            below = below or on
        return total

    def training(self, n_epochs: int, cached: bool = True) -> int:
        """Return the multiply-adds of a whole training, for each of its images.

        Parameters
        ----------
        cached : whether the layers before the boundary run once, and not in every epoch
        """
        once = sum(layer.flops for layer in self.prefix) if cached else 0
        return once + n_epochs * self.multiply_adds(without_prefix=cached)

    @property
    def words(self) -> str:
        """The frozen layers in few words: blocks by their names, "" when nothing is frozen.

        Of more than ``MOST_NAMED`` that are the start of the network only the first and the last are named; after them
        ``BatchNormalization`` where all of what follows is frozen too, and nothing else.

        Examples
        --------
        >>> rows = [LayerInfo(i, f"block_1_{name}", "Conv2D", (2,), 9, block="block_1") for i, name in enumerate("ab")]
        >>> Freezing(rows, ["block_1_a", "block_1_b"]).words, Freezing(rows, ["block_1_b"]).words
        ('block_1', 'block_1_b')
        """
        start = {layer.name for layer in self.prefix if layer.can_freeze}
        at_rest = {layer.name for layer in self.tail if _averages(layer)}
        if at_rest and set(self.names) == start | at_rest:
            return ", ".join(filter(None, (_listed(self.prefix, start), BATCH_NORMALIZATION)))
        return _listed(self.layers, set(self.names), short=start == set(self.names))

    def apply(self, model: "keras.Model") -> None:
        """Set ``trainable`` on every layer of ``model``: False for the frozen ones, True for the rest.

        A frozen BatchNormalization also runs in inference mode (Keras' rule). Must come before compiling or tracing:
        the list of trained weights is fixed there.
        """
        for layer in model.layers:
            layer.trainable = layer.name not in self.names

    def proof(
        self, before: Mapping[str, str], after: Mapping[str, str], phase: int = 1, compiled: bool = True
    ) -> tuple[ProofRow, ...]:
        """Hold the ``hashes`` after training against those before, layer by layer."""
        frozen = set(self.names)
        return tuple(
            ProofRow(
                layer=name,
                frozen=name in frozen,
                before=before[name][:12],
                after=after[name][:12],
                ok=(before[name] == after[name]) == (name in frozen),
                phase=phase,
                compiled=compiled,
            )
            for name in before
        )


def _listed(layers: Sequence[LayerInfo], frozen: set[str], short: bool = True) -> str:
    """Return frozen layers by name, whole blocks by theirs; many in a row by the first and the last."""
    units: list[str] = []
    for block, members in groupby((layer for layer in layers if layer.can_freeze), key=lambda one: one.block):
        names = [layer.name for layer in members]
        units += [block] if block and set(names) <= frozen else [one for one in names if one in frozen]
    return f"{units[0]} – {units[-1]}" if short and len(units) > MOST_NAMED else ", ".join(units)


def _averages(layer: LayerInfo) -> bool:
    return layer.type == BATCH_NORMALIZATION


def uncompiled(rows: Iterable[ProofRow]) -> Sentence:
    """Return which layers did not follow their ``trainable`` because nothing was compiled again; empty where none."""
    stale = [row for row in rows if not row.ok and not row.compiled]
    parts = []
    if still := [row.layer for row in stale if not row.frozen]:
        parts.append(
            Sentence(
                "{layers} should have trained but did not change: the model was not compiled again after unfreezing.",
                layers=", ".join(still),
            )
        )
    if moved := [row.layer for row in stale if row.frozen]:
        parts.append(
            Sentence(
                "{layers} should have stayed the same but changed: the model was not compiled again after freezing.",
                layers=", ".join(moved),
            )
        )
    return join(parts)


def of(source: str, names: Sequence[str]) -> Freezing:
    """Return a choice of frozen layers of a source model, by its card."""
    return Freezing(sources.info(source).layers, names, source)


def words(source: str, names: Sequence[str]) -> str:
    """Return ``Freezing.words`` of a stored run; the names as they stand where the source no longer has them."""
    with suppress(LabError):
        return of(source, names).words
    return ", ".join(names)


def up_to(layers: Sequence[LayerInfo], cut: str | None) -> Freezing:
    """Return the choice that freezes everything up to and including ``cut``; nothing for None."""
    names = [layer.name for layer in layers]
    return Freezing(layers, names[: names.index(cut) + 1] if cut else ())


def canonical(spec: FineTuneSpec, layers: Sequence[LayerInfo]) -> FineTuneSpec:
    """Return ``spec`` with every phase's frozen layers in their one spelling: equal specs then train the same."""
    phases = (replace(phase, frozen=Freezing(layers, phase.frozen, spec.source).names) for phase in spec.phases)
    return replace(spec, phases=tuple(phases))


def presets(layers: Sequence[LayerInfo]) -> dict[str, tuple[str, ...]]:
    """Return the named choices of frozen layers.

    ``nothing``, ``article`` (layers 0 and 1), ``convolutions`` (with what belongs to them: their normalisations, and
    all of a block that holds one), ``all_but_head``, and ``all_but_last_block`` (the last block and what follows it
    train; nothing is frozen in a network without blocks). In ``last_stage`` and ``last_two_stages`` what trains begins
    with the last block, or the last but one, that makes the image smaller, and no BatchNormalization trains: batches
    of a few images would spoil its averages. Nothing is frozen in a network without such blocks.
    """
    with_weights = [layer for layer in layers if layer.can_freeze]
    return {
        "nothing": (),
        "article": tuple(layer.name for layer in layers[:2] if layer.can_freeze),
        "convolutions": _convolutions(layers),
        "all_but_head": tuple(layer.name for layer in with_weights[:-1]),
        "all_but_last_block": _before_last_block(layers),
        "last_stage": _before_stage(layers, 1),
        "last_two_stages": _before_stage(layers, 2),
    }


def _convolutions(layers: Sequence[LayerInfo]) -> tuple[str, ...]:
    blocks = {layer.block for layer in layers if "Conv" in layer.type} - {""}
    chosen, belongs = [], False
    for layer in (layer for layer in layers if layer.can_freeze):
        belongs = "Conv" in layer.type or layer.block in blocks or (belongs and "Normalization" in layer.type)
        chosen += [layer.name] if belongs else []
    return tuple(chosen)


def _before_last_block(layers: Sequence[LayerInfo]) -> tuple[str, ...]:
    blocks = [layer.block for layer in layers if layer.block]
    first = next((index for index, layer in enumerate(layers) if blocks and layer.block == blocks[-1]), 0)
    return tuple(layer.name for layer in layers[:first] if layer.can_freeze)


def stages(layers: Sequence[LayerInfo]) -> tuple[str, ...]:
    """Return the blocks that make the image smaller, in the network's order."""
    sizes, found = [layer.output_shape[:-1] for layer in layers], []
    for block, members in groupby(range(len(layers)), key=lambda index: layers[index].block):
        rows = list(members)
        if block and rows[0] and sizes[rows[-1]] < sizes[rows[0] - 1]:
            found.append(block)
    return tuple(found)


def averages(layers: Sequence[LayerInfo]) -> tuple[str, ...]:
    """Return the BatchNormalizations: batches of a few images spoil the averages that a trained one brings along."""
    return tuple(layer.name for layer in layers if layer.can_freeze and _averages(layer))


def _before_stage(layers: Sequence[LayerInfo], n: int) -> tuple[str, ...]:
    """Return what is frozen where the last ``n`` stages train: all before them, and every BatchNormalization."""
    found = stages(layers)
    if len(found) < n:
        return ()
    first = next(index for index, layer in enumerate(layers) if layer.block == found[-n])
    frozen = [layer for index, layer in enumerate(layers) if index < first or _averages(layer)]
    return tuple(layer.name for layer in frozen if layer.can_freeze)


def fitting(layers: Sequence[LayerInfo], frozen: Iterable[str]) -> tuple[str, ...]:
    """Return what stays frozen of a choice made for another network: the layers that this one has too.

    Where it has none of them all but its last stage, else its convolutions, and without any its first layer.

    Examples
    --------
    >>> chain = [LayerInfo(0, "first", "Conv2D", (4,), 9), LayerInfo(1, "answer", "Dense", (2,), 9)]
    >>> fitting(chain, ["conv_1", "conv_2"]), fitting(chain, [])
    (('first',), ())
    """
    asked, names = tuple(frozen), {layer.name for layer in layers}
    kept = tuple(name for name in asked if name in names)
    named = presets(layers)
    instead = named["last_stage"] or named["convolutions"] or named["all_but_head"][:1]
    return kept or (instead if asked else ())


def fingerprint(model: "keras.Model", layer: str) -> str:
    """Return a SHA-256 over the weights up to a layer: the same network has the same in every file and lab."""
    digest = hashlib.sha256()
    for name, weights in sorted(hashes(submodel(model, layer)).items()):
        digest.update(f"{name} {weights}\n".encode())
    return digest.hexdigest()


def hashes(model: "keras.Model") -> dict[str, str]:
    """Return the sha256 of every layer's weights, by layer name; layers without weights are left out."""
    found = {}
    for layer in model.layers:
        weights = layer.get_weights()
        if weights:
            digest = hashlib.sha256()
            for array in weights:
                digest.update(array.tobytes())
            found[layer.name] = digest.hexdigest()
    return found
