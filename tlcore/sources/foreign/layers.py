"""The layers that an uploaded model may have: their settings, each with what it may be, and the shapes they lead to."""

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import Any

MOST_VALUES = 2_000_000  # of one layer's output for one image

ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "mish", "sigmoid"),
    *("hard_sigmoid", "hard_silu", "tanh", "softplus", "softsign", "exponential", "softmax"),
)

Shape = tuple[int, ...]
Settings = dict[str, Any]
Check = Callable[[Any], Any]  # returns the value as it is used, or raises ValueError with what it should be


def whole(low: int, high: int) -> Check:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return check


def number(low: float, high: float) -> Check:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"a number from {low} to {high}")
        return float(value)

    return check


def one_of(*choices: Any) -> Check:
    def check(value: Any) -> Any:
        if not any(type(value) is type(choice) and value == choice for choice in choices):
            raise ValueError(" or ".join(map(repr, choices)))
        return value

    return check


def optional(inner: Check) -> Check:
    return lambda value: None if value is None else inner(value)


def several(inner: Check, lengths: Sequence[int]) -> Check:
    def check(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) not in lengths:
            raise ValueError("a list")
        return tuple(inner(part) for part in value)

    return check


def pair(low: int, high: int) -> Check:
    def check(value: Any) -> tuple[int, int]:
        return several(whole(low, high), [2])(value if isinstance(value, list) else [value, value])

    return check


def activation(value: Any) -> str:
    if value is None:
        return "linear"
    if not isinstance(value, str) or value not in ACTIVATIONS:
        raise ValueError("one of Keras' own activations")
    return value


flag = one_of(True, False)
last_axis = lambda value: whole(-1, 3)(value[0] if isinstance(value, list) and len(value) == 1 else value)  # noqa: E731
margins = several(several(whole(0, 28), [2]), [2])
channels_last = one_of("channels_last")

# What a layer's answer does not depend on once its weights are read; each is looked at, none is used.
UNUSED = ("name", "trainable", "dtype", "seed", "synchronized", "renorm_clipping", "renorm_momentum", "input_shape")
UNUSED_ENDINGS = ("_initializer", "_regularizer", "_constraint")

CONVOLUTION = {
    "kernel_size": pair(1, 28),
    "strides": pair(1, 28),
    "padding": one_of("valid", "same"),
    "data_format": optional(channels_last),
    "dilation_rate": pair(1, 28),
    "activation": activation,
    "use_bias": flag,
}
POOLING = {
    "pool_size": pair(1, 28),
    "strides": optional(pair(1, 28)),
    "padding": one_of("valid", "same"),
    "data_format": optional(channels_last),
}
GLOBAL_POOLING = {"data_format": optional(channels_last), "keepdims": flag}
DROPOUT = {"rate": number(0, 0.999)}

SETTINGS: dict[str, dict[str, Check]] = {
    "Conv2D": {**CONVOLUTION, "filters": whole(1, 4096), "groups": whole(1, 4096)},
    "DepthwiseConv2D": {**CONVOLUTION, "depth_multiplier": whole(1, 64)},
    "SeparableConv2D": {**CONVOLUTION, "filters": whole(1, 4096), "depth_multiplier": whole(1, 64)},
    "MaxPooling2D": POOLING,
    "AveragePooling2D": POOLING,
    "GlobalMaxPooling2D": GLOBAL_POOLING,
    "GlobalAveragePooling2D": GLOBAL_POOLING,
    "Flatten": {"data_format": optional(channels_last)},
    "Reshape": {"target_shape": several(whole(-1, MOST_VALUES), [1, 2, 3])},
    "ZeroPadding2D": {"padding": margins, "data_format": optional(channels_last)},
    "Cropping2D": {"cropping": margins, "data_format": optional(channels_last)},
    "Dense": {
        "units": whole(1, 65_536),
        "activation": activation,
        "use_bias": flag,
        "quantization_config": one_of(None),
    },
    "BatchNormalization": {
        "axis": last_axis,
        "momentum": number(0, 1),
        "epsilon": number(1e-12, 1),
        "center": flag,
        "scale": flag,
        "renorm": one_of(False),
    },
    "LayerNormalization": {
        "axis": last_axis,
        "epsilon": number(1e-12, 1),
        "center": flag,
        "scale": flag,
        "rms_scaling": one_of(False),
    },
    "Activation": {"activation": activation},
    "ReLU": {
        "max_value": optional(number(0, 1e6)),
        "negative_slope": number(0, 1e6),
        "threshold": number(0, 1e6),
    },
    "LeakyReLU": {"negative_slope": number(0, 1e6)},
    "ELU": {"alpha": number(0, 1e6)},
    "Softmax": {"axis": last_axis},
    "Rescaling": {"scale": number(-1e6, 1e6), "offset": number(-1e6, 1e6)},
    "Dropout": {**DROPOUT, "noise_shape": one_of(None)},
    "SpatialDropout2D": {**DROPOUT, "data_format": optional(channels_last)},
    "GaussianDropout": DROPOUT,
    "GaussianNoise": {"stddev": number(0, 1e3)},
}
RANK = {  # what a layer's input must have, without the batch axis
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"), 3),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "Cropping2D"), 3),
    "SpatialDropout2D": 3,
}


def outcome(kind: str, s: Settings, shape: Shape) -> tuple[Shape, int, int]:
    """Return a layer's output shape, its number of weights and its multiply-adds for one image.

    Raises
    ------
    ValueError
        The layer does not fit what comes into it.
    """
    if len(shape) != RANK.get(kind, len(shape)):
        raise ValueError
    if kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D"):
        return _convolution(kind, s, shape)
    if kind == "Dense":
        kernel = shape[-1] * s["units"]
        return (*shape[:-1], s["units"]), kernel + s["units"] * s["use_bias"], kernel * prod(shape[:-1])
    if kind == "BatchNormalization":
        return shape, shape[-1] * (2 + s["center"] + s["scale"]), 0
    if kind == "LayerNormalization":
        return shape, shape[-1] * (s["center"] + s["scale"]), 0
    return _reshaped(kind, s, shape), 0, 0


def _convolution(kind: str, s: Settings, shape: Shape) -> tuple[Shape, int, int]:
    places = _places(shape, s["kernel_size"], s["strides"], s["padding"], s["dilation_rate"])
    window, channels = prod(s["kernel_size"]), shape[-1]
    if kind == "Conv2D":
        if channels % s["groups"] or s["filters"] % s["groups"]:
            raise ValueError
        out, kernel = s["filters"], window * channels // s["groups"] * s["filters"]
    else:
        between = channels * s["depth_multiplier"]
        out = s.get("filters", between)
        kernel = window * between + (between * out if kind == "SeparableConv2D" else 0)
    return (*places, out), kernel + out * s["use_bias"], kernel * prod(places)


def _places(shape: Shape, window: Shape, strides: Shape, padding: str, dilation: Shape = (1, 1)) -> Shape:
    """Return how often a window fits along both axes."""
    if padding == "same":
        return tuple(ceil(n / step) for n, step in zip(shape, strides, strict=False))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=True)]
    return tuple((n - r) // step + 1 for n, r, step in zip(shape, reach, strides, strict=False))


def _reshaped(kind: str, s: Settings, shape: Shape) -> Shape:
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        return (*_places(shape, s["pool_size"], s["strides"] or s["pool_size"], s["padding"]), shape[-1])
    if kind.startswith("Global"):
        return (1, 1, shape[-1]) if s["keepdims"] else shape[-1:]
    if kind == "Flatten":
        return (prod(shape),)
    if kind == "Reshape":
        known = prod(n for n in s["target_shape"] if n != -1)
        if s["target_shape"].count(-1) > 1 or known == 0 or prod(shape) % known:
            raise ValueError
        made = tuple(prod(shape) // known if n == -1 else n for n in s["target_shape"])
        if prod(made) != prod(shape):
            raise ValueError
        return made
    if kind in ("ZeroPadding2D", "Cropping2D"):
        sign, by = (1, s["padding"]) if kind == "ZeroPadding2D" else (-1, s["cropping"])
        return (*(n + sign * sum(two) for n, two in zip(shape, by, strict=False)), shape[-1])
    return shape


# What older versions of Keras 3 left out.
DEFAULTS: Settings = {
    "data_format": "channels_last",
    "quantization_config": None,
    "noise_shape": None,
    "renorm": False,
    "rms_scaling": False,
    "keepdims": False,
    "groups": 1,
    "dilation_rate": (1, 1),
}
