"""The blocks of a network: layers that thaw together and share a learning rate."""

from collections.abc import Sequence

from tlcore.spec import LayerInfo


def blocks(layers: Sequence[LayerInfo]) -> tuple[tuple[str, ...], ...]:
    """Return the names of the layers with weights, block by block, in the network's order.

    A block is what its card calls one, else a single layer with the normalisations that follow it.

    Examples
    --------
    >>> kinds = ("Conv2D", "BatchNormalization", "Conv2D", "Flatten", "Dense")
    >>> rows = [LayerInfo(i, f"l{i}", kind, (2,), 0 if kind == "Flatten" else 9) for i, kind in enumerate(kinds)]
    >>> blocks(rows)
    (('l0', 'l1'), ('l2',), ('l4',))
    """
    groups: list[list[str]] = []
    last = ""
    for layer in (layer for layer in layers if layer.can_freeze):
        joins = layer.block == last if layer.block or last else "Normalization" in layer.type
        if groups and joins:
            groups[-1].append(layer.name)
        else:
            groups.append([layer.name])
        last = layer.block
    return tuple(map(tuple, groups))


def rate_factors(layers: Sequence[LayerInfo], factor: float) -> dict[str, float]:
    """Return each layer's factor of the learning rate: 1 for the last block, ``factor`` times less for each before it.

    References
    ----------
    Howard and Ruder (2018), "Universal language model fine-tuning for text classification": discriminative
    fine-tuning, with a factor of 1 / 2.6.
    """
    groups = blocks(layers)
    return {name: factor ** (len(groups) - 1 - i) for i, names in enumerate(groups) for name in names}
