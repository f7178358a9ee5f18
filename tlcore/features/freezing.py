"""Which layers may change: names to trainable, the boundary, the cost, and the proof afterwards."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tlcore.errors import SpecError
from tlcore.sources import is_random
from tlcore.spec import LayerInfo

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class ProofRow:
    """Whether one layer did what freezing promised: ``ok`` when frozen means equal and trainable means changed."""

    layer: str
    frozen: bool
    before: str  # sha256 of the weights, first 12 hex digits
    after: str
    ok: bool

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Cost:
    """What a choice of frozen layers means before anything runs.

    ``share`` is the training compute of one image over that of training everything (multiply-adds, forward and
    backward), in (0, 1].
    """

    n_weights: int
    n_trainable: int
    share: float


def check_names(layers: Sequence[LayerInfo], names: Iterable[str], model_name: str = "this model") -> None:
    """Raise a SpecError that lists the layers when a name is none of them."""
    known = [layer.name for layer in layers]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SpecError(
            "Cannot freeze {unknown}: {model} has the layers {known}. Pick names from that list.",
            unknown=", ".join(map(str, unknown)),
            model=model_name,
            known=", ".join(known),
        )


def freeze(model: "keras.Model", names: Iterable[str]) -> None:
    """Set ``trainable`` on every layer of ``model``: False for ``names``, True for the rest.

    A frozen BatchNormalization also runs in inference mode (Keras' rule). Must come before compiling or tracing:
    the list of trained weights is fixed there.

    Raises
    ------
    SpecError
        ``model`` has no layer of that name.
    """
    names = set(names)
    unknown = names - {layer.name for layer in model.layers}
    if unknown:
        raise SpecError(
            "Cannot freeze {unknown}: {model!r} has the layers {known}. Pick names from that list.",
            unknown=", ".join(sorted(unknown)),
            model=model.name,
            known=", ".join(layer.name for layer in model.layers),
        )
    for layer in model.layers:
        layer.trainable = layer.name not in names


def boundary(layers: Sequence[LayerInfo], frozen: Iterable[str]) -> int:
    """Return how many leading layers can be computed once for all epochs.

    The prefix ends before the first layer that trains, and before any layer that is random in training.
    The count may end on layers without weights: they cost nothing to include.

    Examples
    --------
    >>> conv, pool, dense = LayerInfo(0, "c", "Conv2D", (2,), 9), LayerInfo(1, "p", "MaxPooling2D", (1,), 0), \
LayerInfo(2, "d", "Dense", (1,), 2)
    >>> boundary([conv, pool, dense], ["c"]), boundary([conv, pool, dense], [])
    (2, 0)
    """
    frozen = set(frozen)
    count = 0
    for layer in layers:
        if layer.random or is_random(layer.type) or (layer.can_freeze and layer.name not in frozen):
            break
        count += 1
    # A prefix without a single weight saves nothing worth keeping.
    return count if any(layer.can_freeze for layer in layers[:count]) else 0


def cost(layers: Sequence[LayerInfo], frozen: Iterable[str]) -> Cost:
    """Count weights and compute of training one image with ``frozen`` layers against training all of them.

    Each layer costs its forward pass; the gradient of its weights as much again if it trains; the gradient passed
    through it as much again if anything below it trains (Goodfellow et al. 2016, section 6.5).
    """
    frozen = set(frozen)
    everything = multiply_adds(layers, ())
    return Cost(
        n_weights=sum(layer.n_weights for layer in layers),
        n_trainable=sum(layer.n_weights for layer in layers if layer.can_freeze and layer.name not in frozen),
        share=multiply_adds(layers, frozen) / everything if everything else 1.0,
    )


def multiply_adds(layers: Sequence[LayerInfo], frozen: Collection[str]) -> int:
    """Return the multiply-adds of one training step on one image, forward and backward, as ``cost`` counts them."""
    total, below = 0, False
    for layer in layers:
        on = layer.can_freeze and layer.name not in frozen
        total += layer.flops * (1 + on + below)
        below = below or on
    return total


def presets(layers: Sequence[LayerInfo]) -> dict[str, tuple[str, ...]]:
    """Return the named choices of frozen layers: ``nothing``, ``article``, ``convolutions``, ``all_but_head``."""
    with_weights = [layer for layer in layers if layer.can_freeze]
    return {
        "nothing": (),
        "article": tuple(layer.name for layer in layers[:2] if layer.can_freeze),
        "convolutions": tuple(layer.name for layer in with_weights if "Conv" in layer.type),
        "all_but_head": tuple(layer.name for layer in with_weights[:-1]),
    }


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


def proof(before: Mapping[str, str], after: Mapping[str, str], frozen: Iterable[str]) -> list[ProofRow]:
    """Hold the weights after training against those before, layer by layer.

    Examples
    --------
    >>> [row.ok for row in proof({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, frozen=["a"])]
    [True, False]
    """
    frozen = set(frozen)
    return [
        ProofRow(
            name, name in frozen, before[name][:12], after[name][:12], (before[name] == after[name]) == (name in frozen)
        )
        for name in before
    ]
