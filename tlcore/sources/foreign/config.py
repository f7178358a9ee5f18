"""Read the ``config.json`` of a foreign ``.keras`` file without Keras: what is not on a list here is refused.

Nothing of the file ever reaches Keras' own deserialiser, which has let code in before (CVE-2025-1550, 2025-8747,
2025-9906 and others). What comes out is a plain list of layers with checked settings, from which the network is built.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

from tlcore.errors import DataError

from .layers import DEFAULTS, MOST_VALUES, SETTINGS, UNUSED, UNUSED_ENDINGS, Settings, Shape, outcome

MOST_CHARACTERS = 1_000_000
MOST_DEPTH = 40
MOST_LAYERS = 200
MOST_WEIGHTS = 4_000_000
MOST_MULTIPLY_ADDS = 500_000_000  # of one image's forward pass: a hundred times the shipped network
CLASSES = (2, 1000)

# Shapes of one image that a (28, 28, 1) image can be given as, without a copy.
FEEDABLE = ((28, 28, 1), (28, 28), (784,))

# Where a serialised object may come from. ``keras.utils`` (get_file), ``keras.config`` and all of Python are not here.
PARTS = ("layers", "initializers", "regularizers", "constraints", "optimizers", "losses", "metrics")
INNER = ("keras.optimizers.schedules", "keras.src.models.functional", "keras.src.models.sequential")
MODULES = ("keras", *(f"keras.{part}" for part in PARTS), *INNER)
MODELS = ("Sequential", "Functional")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


@dataclass(frozen=True)
class Layer:
    """One layer, its settings plain values that were checked one by one."""

    type: str
    name: str
    settings: Settings
    output_shape: Shape  # without the batch axis
    n_weights: int
    multiply_adds: int


@dataclass(frozen=True)
class Network:
    """A chain of layers; ``input_shape`` is one of ``FEEDABLE``."""

    input_shape: Shape
    layers: tuple[Layer, ...]

    @property
    def n_weights(self) -> int:
        return sum(layer.n_weights for layer in self.layers)

    @property
    def n_classes(self) -> int:
        return self.layers[-1].output_shape[0]


def refuse(reason: str) -> DataError:
    return DataError("This model cannot be used: {reason}.", reason=reason)


def short(value: object, most: int = 40) -> str:
    """Return a value of the file so that a sentence may quote it: printable, and never long."""
    text = ascii(value)[: most + 1]
    return text if len(text) <= most else text[:most] + "…"


def read(text: bytes) -> Network:
    """Return the network that a ``config.json`` describes. Needs no Keras.

    Raises
    ------
    DataError
        It holds anything that is not on this module's lists, is no chain from one image to one softmax, or is too
        large; the sentence says which.
    """
    whole_file = _parse(text)
    _check_everywhere(whole_file)
    if not isinstance(whole_file, dict) or whole_file.get("class_name") not in MODELS:
        raise refuse("it is no Sequential or Functional model of Keras 3; save it again with Keras 3 as one of these")
    config = whole_file.get("config")
    if not isinstance(config, dict):
        config = {}
    rows = config.get("layers")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise refuse("its config.json lists no layers")
    if len(rows) > MOST_LAYERS:
        raise refuse(f"it has {len(rows):,} layers, and {MOST_LAYERS} is the limit")
    if whole_file["class_name"] == "Functional":
        rows = _in_order(rows, config)
    shape, rows = _input(rows, config)
    return _checked(shape, rows)


def _parse(text: bytes) -> Any:
    if len(text) > MOST_CHARACTERS:
        raise refuse(f"its config.json has more than {MOST_CHARACTERS:,} characters")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a key comes twice")
        return dict(pairs)

    def never(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=once, parse_constant=never)
    except (ValueError, RecursionError) as error:  # ValueError: also what is no UTF-8, and numbers of 5,000 digits
        raise refuse("its config.json cannot be read") from error


def _check_everywhere(value: Any, depth: int = 0) -> None:
    """Refuse serialised objects from outside the lists, wherever they hide: compile settings and metrics too."""
    if depth > MOST_DEPTH:
        raise refuse(f"its config.json nests more than {MOST_DEPTH} deep")
    if isinstance(value, float) and not isfinite(value):  # 1e999
        raise refuse("its config.json holds a number without bounds")
    if isinstance(value, list):
        for part in value:
            _check_everywhere(part, depth + 1)
    if isinstance(value, dict):
        _check_object(value)
        for part in value.values():
            _check_everywhere(part, depth + 1)


def _check_object(value: Mapping[str, Any]) -> None:
    if not {"module", "class_name", "registered_name"} & set(value):
        return
    name, module, registered = (value.get(key) for key in ("class_name", "module", "registered_name"))
    if name == "__keras_tensor__" and module is None and registered is None:
        return
    own = isinstance(name, str) and NAME.fullmatch(name)
    if not own or module not in MODULES or registered not in (None, name):
        parts = [part for part in (module, name, registered) if part is not None]
        raise refuse(
            f"it holds {short('.'.join(map(str, parts)))}, which is not one of Keras' own parts that it may hold"
        )
    if module == "keras.layers" and name not in SETTINGS and name != "InputLayer":
        raise refuse(f"it has a layer of type {short(name)}, which this app does not know how to freeze and train")


def _in_order(rows: list[dict[str, Any]], config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the layers of a Functional model from its input to its output, each fed by the one before it alone."""
    chain = refuse("it is no chain: every layer must take the output of the one before it, and nothing else")
    follows: dict[str | None, dict[str, Any]] = {}
    for row in rows:
        before = _source(row, chain)
        if before in follows:
            raise chain
        follows[before] = row
    ordered: list[dict[str, Any]] = []
    name: str | None = None
    while name in follows and len(ordered) < len(rows):
        ordered.append(follows[name])
        name = _name(ordered[-1])
    ends = [_end(config.get(key), chain) for key in ("input_layers", "output_layers")]
    if len(ordered) != len(rows) or not rows or ends != [_name(ordered[0]), _name(ordered[-1])]:
        raise chain
    return ordered


def _source(row: dict[str, Any], chain: DataError) -> str | None:
    """Return the name of the one layer that feeds this one; None for the input."""
    nodes = row.get("inbound_nodes")
    if nodes == [] and row.get("class_name") == "InputLayer":
        return None
    try:
        (node,) = nodes  # type: ignore[misc]
        (tensor,) = node["args"]
        name, number, output = tensor["config"]["keras_history"]
        free = all(value is None or isinstance(value, bool) for value in node.get("kwargs", {}).values())
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise chain from error
    if not isinstance(name, str) or (number, output) != (0, 0) or not free:
        raise chain
    return name


def _end(value: Any, chain: DataError) -> Any:
    """Return the layer's name of ``["name", 0, 0]`` or ``[["name", 0, 0]]``."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, list) or len(value) != 3 or value[1:] != [0, 0]:
        raise chain
    return value[0]


def _name(row: dict[str, Any]) -> str:
    config = row.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    if not isinstance(name, str) or not NAME.fullmatch(name) or row.get("name", name) != name:
        raise refuse(f"a layer is named {short(name)}; names are letters, digits, dots, dashes and underscores")
    return name


def _input(rows: list[dict[str, Any]], config: dict[str, Any]) -> tuple[Shape, list[dict[str, Any]]]:
    """Return the shape of one input image, and the layers after the input."""
    given = config.get("build_input_shape")
    if rows and rows[0].get("class_name") == "InputLayer":
        _name(rows[0])
        given, rows = rows[0]["config"].get("batch_shape"), rows[1:]
    shape = tuple(given[1:]) if isinstance(given, list) and given[:1] == [None] else None
    if shape not in FEEDABLE or not all(type(n) is int for n in shape):
        raise refuse(f"its input is {short(given)}, and the app's images are (28, 28, 1) with values from 0 to 1")
    return shape, rows


def _checked(shape: Shape, rows: list[dict[str, Any]]) -> Network:
    found, names = Network(shape, ()), set()
    for row in rows:
        layer = _layer(row, shape)
        if layer.name in names:
            raise refuse(f"two layers are named {short(layer.name)}")
        names.add(layer.name)
        found, shape = Network(found.input_shape, (*found.layers, layer)), layer.output_shape
        if found.n_weights > MOST_WEIGHTS:
            raise refuse(f"it has more than {MOST_WEIGHTS:,} weights")
        if sum(layer.multiply_adds for layer in found.layers) > MOST_MULTIPLY_ADDS:
            raise refuse(f"one image takes more than {MOST_MULTIPLY_ADDS:,} multiplications")
    last = found.layers[-1] if found.layers else None
    if last is None or last.type != "Dense" or last.settings["activation"] != "softmax" or len(shape) != 1:
        raise refuse("its last layer is no Dense layer with softmax, the place where a new target's classes go")
    if not CLASSES[0] <= found.n_classes <= CLASSES[1]:
        raise refuse(f"it tells {found.n_classes:,} classes apart, and the app can show {CLASSES[0]} to {CLASSES[1]:,}")
    return found


def _layer(row: dict[str, Any], shape: Shape) -> Layer:
    kind, config, name = row.get("class_name"), row.get("config"), _name(row)
    if not isinstance(kind, str) or kind not in SETTINGS or row.get("module") != "keras.layers" or not config:
        raise refuse(f"it has a layer of type {short(kind)}, which this app does not know how to freeze and train")
    settings = _settings(kind, name, config)
    try:
        made, n_weights, multiply_adds = outcome(kind, settings, shape)
        if min(made, default=0) < 1 or ("axis" in settings and settings["axis"] not in (-1, len(shape))):
            raise ValueError
    except ValueError as error:
        raise refuse(f"its layer {name} ({kind}) does not fit what comes into it") from error
    if prod(made) > MOST_VALUES:
        raise refuse(
            f"its layer {name} puts out {prod(made):,} numbers for one image, and {MOST_VALUES:,} is the limit"
        )
    return Layer(kind, name, settings, made, n_weights, multiply_adds)


def _settings(kind: str, name: str, config: dict[str, Any]) -> Settings:
    known, found = SETTINGS[kind], {}
    _check_dtype(name, config.get("dtype"))
    for key, value in config.items():
        if key in UNUSED or key.endswith(UNUSED_ENDINGS):
            continue
        if key not in known:
            raise refuse(f"its layer {name} ({kind}) has the setting {short(key)}, which the app does not know")
        try:
            found[key] = known[key](value)
        except ValueError as error:
            raise refuse(f"{key} of its layer {name} ({kind}) is {short(value)}, not {error}") from error
    missing = [key for key in known if key not in found and key not in DEFAULTS]
    if missing:
        raise refuse(f"its layer {name} ({kind}) does not say its {missing[0]}")
    return {**{key: DEFAULTS[key] for key in known if key in DEFAULTS}, **found}


def _check_dtype(name: str, value: Any) -> None:
    if isinstance(value, dict):
        value = value.get("config", {}).get("name") if isinstance(value.get("config"), dict) else value
    if value not in (None, "float32"):
        raise refuse(f"its layer {name} computes in {short(value)}; save the model with float32")
