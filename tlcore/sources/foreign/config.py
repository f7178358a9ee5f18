"""Read the ``config.json`` of a foreign ``.keras`` file without Keras: what is not on a list here is refused.

Nothing of the file ever reaches Keras' own deserialiser, which has let code in before (CVE-2025-1550, 2025-8747,
2025-9906 and others). What comes out is a plain list of layers in order, their settings not checked yet
(``network`` does that).
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

from .layers import SETTINGS, UNUSED_ENDINGS
from .refusals import not_a_chain, not_keras, quantised, refuse, short, unknown_layer, unreadable

MOST_CHARACTERS = 1_000_000
MOST_DEPTH = 60
MOST_NESTED = 8  # models inside each other
MOST_LAYERS = 200

# Where a serialised object may come from. ``keras.utils`` (get_file), ``keras.config`` and all of Python are not here.
PARTS = ("layers", "initializers", "regularizers", "constraints", "optimizers", "losses", "metrics", "random")
INNER = ("keras.optimizers.schedules", "keras.src.models.functional", "keras.src.models.sequential")
MODULES = ("keras", *(f"keras.{part}" for part in PARTS), *INNER)
QUANTISED = ("keras.dtype_policies", "keras.quantizers")
MODELS = {"Sequential": ("keras", INNER[2]), "Functional": ("keras", INNER[1])}
OPERATIONS = ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core")
ACTIVATION_LAYERS = ("ReLU", "LeakyReLU", "ELU", "Softmax")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True)
class Row:
    """One layer as the file describes it; ``path`` is where its weights lie in the weights file."""

    kind: str
    name: str
    config: Mapping[str, Any]
    path: str
    built_for: Any = None  # the input shape that the file gives, which may be anything
    constant: float | None = None  # of an operation such as x / 255
    reversed: bool = False  # 1 - x, not x - 1


def rows(text: bytes) -> list[Row]:
    """Return the layers of a ``config.json`` in the order in which an image goes through them.

    The input comes first; a model inside the model is unpacked. Needs no Keras.

    Raises
    ------
    DataError
        It holds anything that is not on this module's lists, or is not one chain; the sentence says what to do.
    """
    model = _parse(text)
    kind = model.get("class_name") if isinstance(model, dict) else None
    if not isinstance(kind, str) or kind not in MODELS:
        raise refuse(
            "it is a model class of your own ({name}), and only Sequential and Functional models say which layers they "
            "have. Build the same layers with keras.Sequential, copy the weights with set_weights, and save that",
            name=short(kind),
        )
    _check_everywhere(model)
    found = _chain(model)
    if len(found) > MOST_LAYERS:
        raise refuse("it has {n:,} layers; the limit is {most}. Use a smaller model", n=len(found), most=MOST_LAYERS)
    return found


def _parse(text: bytes) -> Any:
    if len(text) > MOST_CHARACTERS:
        raise unreadable()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    def never(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=once, parse_constant=never)
    except (ValueError, RecursionError) as error:  # ValueError: also what is not UTF-8, and numbers of 5,000 digits
        raise unreadable() from error


# -- what may be in it -----------------------------------------------------------------------------------------------


def _check_everywhere(value: Any, depth: int = 0, used: bool = True) -> None:
    """Refuse serialised objects from outside the lists, wherever they hide.

    ``used`` is False inside what the model does not need in order to answer: how it was compiled, how its weights
    began. A person's own loss may be named there; it is never looked up.
    """
    if depth > MOST_DEPTH or (isinstance(value, float) and not isfinite(value)):  # 1e999
        raise unreadable()
    if isinstance(value, list):
        for part in value:
            _check_everywhere(part, depth + 1, used)
    if isinstance(value, dict):
        _check_object(value, used)
        for key, part in value.items():
            needed = used and key != "compile_config" and not key.endswith(UNUSED_ENDINGS)
            _check_everywhere(part, depth + 1, needed)


def _check_object(value: Mapping[str, Any], used: bool) -> None:
    if not {"module", "class_name", "registered_name"} & set(value):
        return
    name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
    if name in ("__keras_tensor__", "__numpy__", "__tensor__") and module is None and registered is None:
        return
    if isinstance(module, str) and module.startswith(QUANTISED):
        raise quantised()
    if module in OPERATIONS and registered in (None, name):
        return
    if _is_a_function(value) or not used and _is_a_persons_own(name, module):
        return
    plain = isinstance(name, str) and NAME.fullmatch(name)
    if not plain or module not in MODULES or registered not in (None, name):
        raise not_keras(name, module, registered, own=_is_a_persons_own(name, module))
    if module == "keras.layers" and name not in SETTINGS and name != "InputLayer":
        raise unknown_layer(str(name))


def _is_a_function(value: Mapping[str, Any]) -> bool:
    """Whether this is a function by its name alone; which ones are known is seen where it is used."""
    place = (value.get("module"), value.get("class_name"), value.get("registered_name"))
    return place == ("builtins", "function", "function") and isinstance(value.get("config"), str)


def _is_a_persons_own(name: Any, module: Any) -> bool:
    """Whether this is a class or lambda that a person wrote, and not one of Python's, TensorFlow's or Keras' own."""
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if module is None:
        return name == "__lambda__" or name.isidentifier()
    first, *rest = module.split(".")
    machinery = first in sys.stdlib_module_names or first.lower().startswith(("keras", "tensorflow", "numpy", "jax"))
    return name.isidentifier() and not machinery and all(part.isidentifier() for part in (first, *rest))


# -- one chain -------------------------------------------------------------------------------------------------------


def _chain(model: Mapping[str, Any], path: str = "", depth: int = 0) -> list[Row]:
    """Return a model's layers in order, with those of the models inside it in their place."""
    listed = _listed(model, depth)
    found: list[Row] = []
    names: Counter[str] = Counter()  # a layer's weights lie under its class name, numbered
    for row in listed:
        kind = row.get("class_name")
        if not isinstance(kind, str):
            raise unreadable()
        plain = snake_case(kind)
        place = f"{path}layers/{plain}" + (f"_{names[plain]}" if names[plain] else "")
        names[plain] += 1
        if kind in MODELS:
            found += _chain(row, f"{place}/", depth + 1)
        else:
            found += _rows(row, kind, place)
    return found


def snake_case(kind: str) -> str:
    """Return a class name as Keras writes it in the weights file.

    Examples
    --------
    >>> snake_case("MaxPooling2D"), snake_case("PReLU"), snake_case("Conv2D")
    ('max_pooling2d', 'p_re_lu', 'conv2d')
    """
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", kind))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()


def _listed(model: Mapping[str, Any], depth: int) -> list[dict[str, Any]]:
    config, kind = model.get("config"), model["class_name"]
    listed = config.get("layers") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(listed, list) or depth > MOST_NESTED:
        raise unreadable()
    if not listed or not all(isinstance(row, dict) for row in listed) or model.get("module") not in MODELS[kind]:
        raise unreadable()
    if len(listed) > MOST_LAYERS:
        raise refuse("it has {n:,} layers; the limit is {most}. Use a smaller model", n=len(listed), most=MOST_LAYERS)
    if kind == "Functional":
        return _in_order(listed, config)
    first = listed[0].get("class_name")
    if depth == 0 and first != "InputLayer":  # built at its first image; its shape stands beside the layers
        batch_shape = config.get("build_input_shape") or _first_shape(listed[0])
        listed = [{"class_name": "InputLayer", "config": {"name": "input", "batch_shape": batch_shape}}, *listed]
    return listed


def _first_shape(row: Mapping[str, Any]) -> Any:
    """Return the input shape that a Sequential model's first layer gives; None when it gives none."""
    built = row.get("build_config")
    return built.get("input_shape") if isinstance(built, dict) else None


def _rows(row: dict[str, Any], kind: str, path: str) -> list[Row]:
    """Return a layer, and after it the layer that it has as its activation."""
    config, operation = row.get("config"), row.get("module") in OPERATIONS
    allowed = operation or row.get("module") == "keras.layers" or kind == "InputLayer"
    if not isinstance(config, dict) or not config and not operation or not allowed:
        raise unknown_layer(kind)
    built = row.get("build_config")
    shape = built.get("input_shape") if isinstance(built, dict) else None
    made = Row(f"op:{kind}" if operation else kind, _name(row), config, path, shape, *_constant(row))
    inner = config.get("activation")
    if not isinstance(inner, dict) or inner.get("module") != "keras.layers":
        return [made]
    if inner.get("class_name") not in ACTIVATION_LAYERS or not isinstance(inner.get("config"), dict):
        raise refuse(
            "the activation of its layer {name} is a layer, {kind}, whose weights are not in the file. Put it after "
            "that layer as a layer of its own",
            name=made.name,
            kind=short(inner.get("class_name")),
        )
    plain = replace(made, config={**config, "activation": "linear"})
    return [plain, Row(inner["class_name"], _name(inner), inner["config"], f"{path}/activation")]


def _name(row: Mapping[str, Any]) -> str:
    config = row.get("config")
    name = config.get("name", row.get("name")) if isinstance(config, dict) else None
    plain = name if isinstance(name, str) and name.isprintable() and not set(name) & set("/\\<>:") else ""
    if not 0 < len(plain) <= 64 or plain.startswith(".") or row.get("name", name) != name:
        raise refuse("a layer is named {name}. Give it a name of letters, digits and underscores", name=short(name))
    return plain


def _in_order(rows: list[dict[str, Any]], config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a Functional model from its input to its output, each fed by the one before it alone."""
    follows: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        before = _source(row)
        if before in follows:
            raise not_a_chain(_name(row))
        follows[before] = row
    ordered: list[dict[str, Any]] = []
    name: str | None = None
    while name in follows and len(ordered) < len(rows):
        ordered.append(follows[name])
        name = _name(ordered[-1])
    ends = [_end(config.get(key)) for key in ("input_layers", "output_layers")]
    if len(ordered) != len(rows) or not rows or ends != [_name(ordered[0]), _name(ordered[-1])]:
        raise not_a_chain(name)
    return ordered


def _source(row: dict[str, Any]) -> str | None:
    """Return the name of the one layer that feeds this one; None for the input."""
    nodes = row.get("inbound_nodes")
    if nodes == [] and row.get("class_name") == "InputLayer":
        return None
    try:
        (node,) = nodes  # type: ignore[misc]
        (tensor,) = (part for part in node["args"] if isinstance(part, dict))
        numbers = [part for part in node["args"] if not isinstance(part, dict)]
        name, number, output = tensor["config"]["keras_history"]
        free = all(value is None or isinstance(value, bool) for value in node.get("kwargs", {}).values())
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise not_a_chain(_name(row)) from error
    if not isinstance(name, str) or (number, output) != (0, 0) or not free:
        raise not_a_chain(_name(row))
    if numbers and (row.get("module") not in OPERATIONS or len(numbers) > 1):
        raise not_a_chain(_name(row))
    return name


def _constant(row: Mapping[str, Any]) -> tuple[float | None, bool]:
    """Return the number that an operation takes beside the image, and whether the number comes first."""
    nodes = row.get("inbound_nodes")
    if row.get("module") not in OPERATIONS or not isinstance(nodes, list):
        return None, False
    arguments = nodes[0]["args"]  # looked at in ``_source``
    numbers = [part for part in arguments if isinstance(part, int | float) and not isinstance(part, bool)]
    return (float(numbers[0]), isinstance(arguments[0], int | float)) if numbers else (None, False)


def _end(value: Any) -> Any:
    """Return the layer's name of ``["name", 0, 0]``, ``[["name", 0, 0]]`` or ``{"key": ["name", 0, 0]}``."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or len(value) != 3 or value[1:] != [0, 0]:
        raise not_a_chain("its input or output")
    return value[0]
