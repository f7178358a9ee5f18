"""Check the layers that a foreign file lists: every setting, every shape, every size."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any

from .config import NAME, Row
from .layers import DEFAULTS, MOST_VALUES, RANDOM, SETTINGS, UNUSED, UNUSED_ENDINGS, Settings, Shape, outcome
from .network import Layer
from .refusals import bad_setting, refuse, short, unfit, unknown_layer

MOST_WEIGHTS = 4_000_000
MOST_MULTIPLY_ADDS = 500_000_000  # of one image's forward pass: a hundred times the shipped network
FLOATS = ("float32", "mixed_float16", "mixed_bfloat16", "float16", "bfloat16", "float64")

ACTIVATION_OPERATIONS = {
    **{"Relu": "relu", "Relu6": "relu6", "Elu": "elu", "Selu": "selu", "Gelu": "gelu", "Silu": "silu"},
    **{"Sigmoid": "sigmoid", "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign", "Softmax": "softmax"},
    **{"LogSoftmax": "log_softmax", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_silu"},
}


def checked(rows: Iterable[Row], shape: Shape, known: bool) -> list[Layer]:
    """Return the layers that are built, in order; what does nothing when the network answers is left out."""
    found: list[Layer] = []
    names: set[str] = set()
    for row in rows:
        if row.kind == "InputLayer":  # of a model inside
            continue
        layer = _layer(row, shape, names)
        if layer is None:
            continue
        if not known and layer.type in ("Flatten", "Reshape"):
            raise unfit(layer.name, layer.type)
        known = known or layer.type.startswith("Global")
        names.add(layer.name)
        found.append(layer)
        shape = layer.output_shape
        _check_size(found)
    return found


def _check_size(layers: Sequence[Layer]) -> None:
    if sum(layer.n_weights for layer in layers) > MOST_WEIGHTS:
        raise refuse("it has more than {most:,} weights. Use fewer units or filters", most=MOST_WEIGHTS)
    if sum(layer.multiply_adds for layer in layers) > MOST_MULTIPLY_ADDS:
        raise refuse(
            "one image takes more than {most:,} multiplications. Use fewer filters, or smaller images",
            most=MOST_MULTIPLY_ADDS,
        )
    last = layers[-1]
    if prod(last.output_shape) > MOST_VALUES:
        raise refuse(
            "its layer {name} puts out {n:,} numbers for one image; the limit is {most:,}. Use fewer filters or a "
            "larger stride",
            name=last.name,
            n=prod(last.output_shape),
            most=MOST_VALUES,
        )


def _layer(row: Row, shape: Shape, names: set[str]) -> Layer | None:
    name = _free(row.name, names)
    if row.kind.startswith("op:"):
        operation = row.kind.removeprefix("op:")
        kind, settings = _operation(operation, row, shape)
        return None if kind == "Identity" else _made(kind, name, settings, shape, row, operation)
    if row.kind not in SETTINGS:
        raise unknown_layer(row.kind)
    settings = _settings(row.kind, name, row.config)
    return None if row.kind in RANDOM else _made(row.kind, name, settings, shape, row, row.kind)


def _made(kind: str, name: str, settings: Settings, shape: Shape, row: Row, said: str) -> Layer:
    try:
        made, weights, multiply_adds = outcome(kind, settings, shape)
        axis = settings.get("axis", -1)
        if min(made, default=0) < 1 or (isinstance(axis, int) and axis not in (-1, len(shape))):
            raise ValueError
        _check_built(row.built_for, shape)
    except ValueError as error:
        raise unfit(name, said) from error
    return Layer(kind, name, settings, made, weights, multiply_adds, row.path)


def _check_built(given: Any, shape: Shape) -> None:
    """Raise a ValueError when the file says that a layer was made for another input than what comes into it."""
    if isinstance(given, list):
        one = given[1:]
        if len(one) != len(shape) or any(n is not None and n != m for n, m in zip(one, shape, strict=True)):
            raise ValueError


def _free(name: str, names: set[str]) -> str:
    """Return a name as the app's commands can write it, and that no layer has yet."""
    plain = re.sub(r"[^A-Za-z0-9_.\-]", "_", name)
    plain = (plain if NAME.match(plain) else f"layer{plain}")[:60]
    n = 2
    while (free := plain if n == 2 and plain not in names else f"{plain}_{n}") in names:
        n += 1
    return free


def _settings(kind: str, name: str, config: Mapping[str, Any]) -> Settings:
    known, found = SETTINGS[kind], {}
    _check_dtype(name, config.get("dtype"))
    if config.get("lora_rank") is not None:
        raise refuse(
            "its layer {name} was trained with LoRA, which keeps most of a layer fixed. Build the same model without "
            "enable_lora, load this model's weights into it (save_weights, then load_weights), and save that",
            name=name,
        )
    for key, value in config.items():
        if key in UNUSED or key.endswith(UNUSED_ENDINGS):
            continue
        if key not in known:
            raise refuse(
                "its layer {name} ({kind}) has the setting {key}, which is not known here. Leave it out, or use "
                "another layer",
                name=name,
                kind=kind,
                key=short(key),
            )
        try:
            found[key] = known[key](value)
        except ValueError as error:
            raise bad_setting(key, name, kind, value, error) from error
    missing = [key for key in known if key not in found and key not in DEFAULTS]
    if missing and kind not in RANDOM:
        raise unfit(name, kind)
    return {**{key: DEFAULTS[key] for key in known if key in DEFAULTS}, **found}


def _check_dtype(name: str, value: Any) -> None:
    if isinstance(value, dict):
        value = value.get("config", {}).get("name") if isinstance(value.get("config"), dict) else value
    if value not in (None, *FLOATS):
        raise refuse(
            "its layer {name} computes in {value}. Save the model with float32, Keras' default",
            name=name,
            value=short(value),
        )


def _operation(kind: str, row: Row, shape: Shape) -> tuple[str, Settings]:
    """Return the layer that does what an operation between two layers does, such as ``x / 255``."""
    n, back = row.constant, row.reversed
    if n is not None and kind in ("Multiply", "Add", "Subtract"):
        scale = n if kind == "Multiply" else -1.0 if kind == "Subtract" and back else 1.0
        offset = 0.0 if kind == "Multiply" else n if kind == "Add" or back else -n
        return _rescaling(scale, offset)
    if n and not back and kind in ("TrueDivide", "Divide"):
        return _rescaling(1.0 / n, 0.0)
    if kind == "Negative":
        return _rescaling(-1.0, 0.0)
    if kind == "Cast":
        return "Identity", {}
    usual = row.config.get("alpha", 1.0) == 1 and row.config.get("approximate", False) is False
    if kind in ACTIVATION_OPERATIONS and usual and row.config.get("axis", -1) in (-1, len(shape)):
        return "Activation", {"activation": ACTIVATION_OPERATIONS[kind]}
    target = row.config.get("newshape", row.config.get("new_shape"))
    if kind == "ExpandDims" and row.config.get("axis") in (-1, len(shape) + 1):
        return "Reshape", {"target_shape": (*shape, 1)}
    if kind == "Reshape" and isinstance(target, list) and len(target) in (2, 3, 4):
        return "Reshape", _settings("Reshape", row.name, {"target_shape": target[1:]})
    raise refuse(
        "it computes {kind} between two layers. Use a layer for that, such as Rescaling, Reshape or Activation",
        kind=short(kind),
    )


def _rescaling(scale: float, offset: float) -> tuple[str, Settings]:
    return "Rescaling", _settings("Rescaling", "operation", {"scale": scale, "offset": offset})
