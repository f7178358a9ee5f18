"""The network as a diagram: a switch per layer and one boundary to freeze it, a click to look inside a layer."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from pages.ui.words.numbers import percent
from pages.ui.words.text import _, ngettext
from tlcore.features.freezing import Freezing
from tlcore.spec import LayerInfo

_HERE = Path(__file__)
MAX_BLOCKS = 40  # more layers than this are drawn as groups
MAX_NAMES = 10_000  # of an untrusted list; no network here comes near it

# "block_3_expand" and "conv2_block1_1_bn" belong to "block_3" and "conv2_block1"; any other name to its first word.
_PREFIX = re.compile(r"(?:.*?block_?\d+|[^_]+)")

_picker = component(
    "transfer_lab_layer_picker",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def layer_picker(
    layers: Sequence[LayerInfo],
    frozen: Iterable[str],
    *,
    key: str,
    rev: int = 0,
    label: str = "",
    scores: Mapping[str, float] | None = None,
    opened: str = "",
    on_change: Callable[[], None] | None = None,
    on_look: Callable[[], None] | None = None,
) -> tuple[str, ...]:
    """Show the network from input to output and return the names that are frozen.

    Parameters
    ----------
    layers : the network, in its own order
    frozen : the choice of revision ``rev``; a preset replaces what a person chose by raising ``rev``
    key : the widget's key
    label : what is shown, for screen readers
    scores : the accuracy, in [0, 1], at cuts of the network, "" before its first layer: it stands under each. Where one
        is missing its place is kept free; None: there are none to come
    opened : the block that is shown from inside, "" for none
    on_change : called before the rerun that a change causes
    on_look : called when a block is clicked; ``looked`` then gives its name

    Returns
    -------
    tuple of str
        In their one spelling: every frozen layer with weights, in network order.
    """
    frozen = Freezing(layers, frozen).names
    picker = _picker(
        key=key,
        data={
            "rev": rev,
            "blocks": blocks(layers),
            "frozen": list(frozen),
            "label": label or _("Layers from input to output"),
            "words": _words(layers),
            "cuts": [] if scores is None else cuts(layers, scores),
            "opened": opened,
        },
        # Not named "value": Streamlit unwraps a lone "value" and then finds no callback for what is in it.
        on_choice_change=on_change or _nothing,
        on_look_change=on_look or _nothing,
    )
    return check_value(picker.get("choice"), layers, frozen=frozen, rev=rev)


def check_value(
    value: object, layers: Sequence[LayerInfo], *, frozen: Iterable[str] = (), rev: int = 0
) -> tuple[str, ...]:
    """Return the choice a browser sent, or ``frozen`` where it is of another revision or no choice at all.

    Names the network does not have are dropped.

    Parameters
    ----------
    value : untrusted; ``st.session_state[key]["choice"]`` is the same value before the picker is shown
    """
    if not isinstance(value, dict) or isinstance(value.get("rev"), bool) or value.get("rev") != rev:
        return Freezing(layers, frozen).names
    names, known = value.get("frozen"), {layer.name for layer in layers}
    if not isinstance(names, list) or len(names) > MAX_NAMES:
        return Freezing(layers, frozen).names
    return Freezing(layers, [name for name in names if isinstance(name, str) and name in known]).names


def looked(value: object, layers: Sequence[LayerInfo]) -> str | None:
    """Return the block whose click a browser sent, untrusted; None when it is none of the network's."""
    name = value.get("look") if isinstance(value, Mapping) else None
    return next((block["name"] for block in blocks(layers) if block["name"] == name), None)


def members(layers: Sequence[LayerInfo], block: str) -> tuple[LayerInfo, ...]:
    """Return the layers of a block that is drawn as one; none when there is no such block."""
    names = {name for one in blocks(layers) if one["name"] == block for name, _weights in one["members"]}
    return tuple(layer for layer in layers if layer.name in names)


def cuts(layers: Sequence[LayerInfo], scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what stands under each place of the boundary: before the first block, and after every one.

    ``text`` is "" where the network cannot be cut.
    """
    known = {layer.name for layer in layers if layer.cut}
    ends = ["", *(block["members"][-1][0] for block in blocks(layers))]
    best = max(scores.values(), default=None)
    return [
        {
            "name": name,
            "where": _("Cut after {layer}").format(layer=name) if name else _("Nothing frozen"),
            "value": scores.get(name),
            "text": percent(scores[name]) if name in scores else "…" if not name or name in known else "",
            "best": name in scores and scores[name] == best,
        }
        for name in ends
    ]


def blocks(layers: Sequence[LayerInfo], limit: int = MAX_BLOCKS) -> list[dict[str, Any]]:
    """Return what is drawn: one block per layer or, in a network with branches, per block of the network.

    A chain of more than ``limit`` layers is drawn by groups of neighbours with one name prefix. ``size`` is the
    logarithm of the block's weights as a share of the largest block's, in [0, 1].
    """
    long = len(layers) > limit and not any(layer.block for layer in layers)
    groups = [
        list(group)
        for _name, group in groupby(layers, key=lambda layer: prefix(layer.name) if long else layer.block or layer.name)
    ]
    largest = max((sum(layer.n_weights for layer in group) for group in groups), default=0)
    return [_block(group, largest) for group in groups]


def prefix(name: str) -> str:
    """Return the part of a layer's name that its block shares.

    Examples
    --------
    >>> prefix("block_3_expand_BN"), prefix("conv2_block1_1_relu"), prefix("dense_1")
    ('block_3', 'conv2_block1', 'dense')
    """
    match = _PREFIX.match(name)
    return match.group() if match else name


def _block(group: Sequence[LayerInfo], largest: int) -> dict[str, Any]:
    n_weights = sum(layer.n_weights for layer in group)
    single, last = len(group) == 1, group[-1]
    return {
        "name": last.name if single else last.block or prefix(last.name),
        "type": last.type if single else ngettext("{n} layer", "{n} layers", len(group)).format(n=len(group)),
        "shape": " × ".join(f"{size:,}" for size in last.output_shape),
        "weights": ngettext("{n} weight", "{n} weights", n_weights).format(n=_short(n_weights)),
        "size": math.log1p(n_weights) / math.log1p(largest) if largest else 0.0,
        "members": [[layer.name, layer.n_weights] for layer in group],
    }


def _short(n: int) -> str:
    """Return a count that fits under a block.

    Examples
    --------
    >>> _short(102_464), _short(3_538_984)
    ('102,464', '3.5 M')
    """
    return f"{n:,}" if n < 1_000_000 else f"{n / 1_000_000:.1f} M"


def _words(layers: Sequence[LayerInfo]) -> dict[str, str]:
    total = len(layers)
    return {
        "input": _("Input"),
        "output": _("Output"),
        "freeze": _("Freeze {layer}:"),
        "look": _("Look inside"),
        "reached": _("Accuracy of a linear classifier on the network's output at each cut"),
        "frozen": _("frozen"),
        "trainable": _("trainable"),
        "partly": _("partly frozen"),
        "nothing": _("nothing to freeze"),
        "boundary": _("Boundary: every layer before it is frozen"),
        "position": ngettext("{n} of {total} layer frozen", "{n} of {total} layers frozen", total),
        "help_touch": _("Tap a layer to look inside. Freeze it by its switch, or drag the boundary."),
        "help": _("Click a layer to look inside. Freeze it by its switch (Shift: a range), or drag the boundary."),
    }


def _nothing() -> None:
    """Streamlit lists a state value in the result only when it has a callback."""
