"""What a network is made of: its layers in order, where it can be cut in two, and which layers form a block."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile, takewhile
from math import prod
from typing import TYPE_CHECKING, Any

from tlcore.spec import LayerInfo

if TYPE_CHECKING:
    import keras

# Keras numbers its blocks: "block_3_expand" belongs to "block_3", "conv2_block1_add" to "conv2_block1". The first one
# of MobileNet has a name.
_NUMBERED = re.compile(r"(.*?block_?\d+[a-z]?|expanded_conv(?:_\d+)?)_")

# These answer differently in training than in inference, frozen or not: what comes after cannot be computed once.
_RANDOM = ("Dropout", "Noise", "Random", "Augment", "MixUp", "CutMix", "SpectralNormalization")

# Layers that only put the numbers of an item into other places, and those that scale them. At the front of a model they
# prepare its items, and are not numbered among the layers of the network proper.
PLACING = ("Resizing", "CenterCrop", "Reshape", "Permute", "ZeroPadding2D", "Cropping2D", "UpSampling2D")
SCALING = ("Rescaling", "Normalization")
PREPARING = (*PLACING, *SCALING)


def numbered(rows: Sequence[LayerInfo]) -> tuple[LayerInfo, ...]:
    """Return the rows of the network proper, counted from 0: an older card has rows for what prepares the items.

    Examples
    --------
    >>> [row.name for row in numbered([LayerInfo(0, "a", "Rescaling", (4,), 0), LayerInfo(1, "b", "Dense", (2,), 8)])]
    ['b']
    """
    prepares = lambda row: row.type in PREPARING and not row.n_weights  # noqa: E731
    return tuple(replace(row, index=index) for index, row in enumerate(dropwhile(prepares, rows)))


def describe(model: "keras.Model") -> tuple[LayerInfo, ...]:
    """Return the layers of the network proper in Keras' order; what only prepares an item has no number.

    Their ``n_weights`` add up to ``count_params()``. An operation of the graph that is not a layer (``x + y``) has a
    row as well, without weights. ``flops`` are the multiply-adds of the kernels in one image's forward pass: conv_1 of
    the shipped network has 26·26 places × 3·3·1·32 numbers = 194,688. Biases, activations and pooling are not counted.
    """
    steps = calls(model)
    separating = _separating(model, steps)
    operations = list(dict.fromkeys(step.operation for step in steps))
    operations = operations[len(_front(operations)) :]
    outputs = tensors(model)
    cuts = [operation.name in separating for operation in operations]
    blocks = _blocks([operation.name for operation in operations], cuts)
    if not all(cuts):  # not a chain: cut between its blocks alone, also where nothing runs past a layer inside of one
        ends = [not block or block != after for block, after in zip(blocks, [*blocks[1:], ""], strict=True)]
        cuts = [cut and end for cut, end in zip(cuts, ends, strict=True)]
    return tuple(
        LayerInfo(
            index=index,
            name=operation.name,
            type=type(operation).__name__,
            output_shape=tuple(outputs[operation.name].shape[1:]),
            n_weights=operation.count_params() if hasattr(operation, "count_params") else 0,
            flops=_multiply_adds(operation, outputs[operation.name].shape),
            cut=cut,
            block=block,
            random=_is_random(operation),
        )
        for index, (operation, cut, block) in enumerate(zip(operations, cuts, blocks, strict=True))
    )


def front(model: "keras.Model") -> tuple[str, ...]:
    """Return the names of the layers at the start that only prepare an item: they scale it or change its shape."""
    return tuple(layer.name for layer in _front([step.operation for step in calls(model)]))


def _front(operations: Sequence[Any]) -> list[Any]:
    return list(takewhile(lambda layer: type(layer).__name__ in PREPARING and not layer.weights, operations))


def tensors(model: "keras.Model") -> dict[str, Any]:
    """Return the symbolic output of every layer and operation by its name, as it stands in this model.

    Not ``layer.output``: that is of the layer's first call, which may have been in another model.
    """
    return {step.operation.name: step.output_tensors[0] for step in calls(model)}


def calls(model: "keras.Model") -> list[Any]:
    """Return Keras' nodes (one call of one operation each), every one after those whose output it takes.

    The input itself is left out.
    """
    import keras

    graph = keras.Function(model.inputs, model.outputs)  # a Sequential model does not show its own
    place = {operation: position for position, operation in enumerate(graph.operations)}
    by_depth = graph._nodes_by_depth
    return [
        node
        for depth in sorted(by_depth, reverse=True)
        for node in sorted(by_depth[depth], key=lambda node: place[node.operation])
        if not node.is_input
    ]


def applied(model: "keras.Model", x: Any, begin: Any, end: Any) -> Any:
    """Return what the layers of ``model`` between its symbolic tensors ``begin`` and ``end`` make of ``x``.

    The layers are called again, one by one, and so stand in the new graph themselves.
    """
    known = {id(begin): x}
    for call in calls(model):
        if id(end) in known:
            break
        if all(id(tensor) in known for tensor in call.input_tensors):
            arguments, options = call.arguments.fill_in(known)
            outputs = call.operation(*arguments, **options)
            outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
            known |= {id(old): new for old, new in zip(call.output_tensors, outputs, strict=True)}
    return known[id(end)]


def _separating(model: "keras.Model", steps: Sequence[Any]) -> set[str]:
    """Return the operations whose output is all that later ones need of what came before.

    Of a graph in which everything lies between input and output this is every tensor whose removal parts the two.
    An operation that is called twice has no place of its own, and is none of them.
    """
    last_use = {id(tensor): position for position, step in enumerate(steps) for tensor in step.input_tensors}
    last_use |= {id(tensor): len(steps) for tensor in model.outputs}
    open_, separating, calls = {id(tensor) for tensor in model.inputs}, set(), [step.operation.name for step in steps]
    for position, step in enumerate(steps):
        open_ |= {id(tensor) for tensor in step.output_tensors}
        open_ = {tensor for tensor in open_ if last_use.get(tensor, -1) > position}
        name = step.operation.name
        if open_ == {id(step.output_tensors[0])} and calls.count(name) == 1:
            separating.add(name)
    return separating


def _blocks(names: Sequence[str], cuts: Sequence[bool]) -> list[str]:
    """Return the block of each layer: what lies between two cuts, and neighbours that Keras numbers as one block.

    Examples
    --------
    >>> _blocks(["stem", "block_1_conv", "block_1_add", "block_2_conv"], [True, False, True, True])
    ['', 'block_1', 'block_1', 'block_2']
    >>> _blocks(["a", "left", "right", "add", "b"], [True, False, False, True, True])
    ['', 'add', 'add', 'add', '']
    """
    segments: list[list[str]] = [[]]
    for name, cut in zip(names, cuts, strict=True):
        segments[-1].append(name)
        if cut:
            segments.append([])
    shared = [_shared(segment) for segment in segments if len(segment) > 1]
    blocks = []
    for segment in segments:
        numbered = {match.group(1) if (match := _NUMBERED.match(name)) else "" for name in segment}
        block = numbered.pop() if len(numbered) == 1 else ""
        if not block and len(segment) > 1:
            words = _shared(segment)
            block = words if words and shared.count(words) == 1 else segment[-1]
        blocks += [block] * len(segment)
    return blocks


def _shared(names: Sequence[str]) -> str:
    """Return the words that all names begin with.

    Examples
    --------
    >>> _shared(["res_1_conv", "res_1_add"]), _shared(["conv", "add"])
    ('res_1', '')
    """
    columns = zip(*(name.split("_") for name in names), strict=False)
    return "_".join(words[0] for words in takewhile(lambda words: len(set(words)) == 1, columns))


def _multiply_adds(operation: Any, shape: Sequence[Any]) -> int:
    """Every number of a kernel is used once at every place of the output (Dense: all axes but the last)."""
    inner = [layer for layer in getattr(operation, "layers", ()) if hasattr(layer, "weights")]
    if inner:  # a model in the place of a layer
        return sum(_multiply_adds(layer, layer.output.shape) for layer in inner if layer.weights)
    places = prod(shape[1:-1])
    kernels = [weight for weight in getattr(operation, "weights", ()) if weight.name.endswith("kernel")]
    return sum(prod(kernel.shape) * places for kernel in kernels)


def is_random(type_name: str) -> bool:
    """Whether layers of this Keras class are random in training by their nature, frozen or not.

    Examples
    --------
    >>> is_random("SpatialDropout2D"), is_random("BatchNormalization")
    (True, False)
    """
    return any(word in type_name for word in _RANDOM)


def _is_random(operation: Any) -> bool:
    """Whether an operation, or a layer inside it, does something else in training although it is frozen.

    BatchNormalization does not: frozen, it runs in inference mode. Of a layer that is not Keras' own, asking for
    ``training`` is enough.
    """
    from keras import layers

    if not isinstance(operation, layers.Layer):
        return False
    for layer in operation._flatten_layers():
        rates = [getattr(layer, name, 0) for name in ("dropout", "recurrent_dropout")]
        foreign = not type(layer).__module__.startswith("keras.")
        if (
            is_random(type(layer).__name__)
            or any(isinstance(rate, int | float) and rate > 0 for rate in rates)
            or (foreign and "training" in layer.call_signature_parameters)
        ):
            return True
    return False
