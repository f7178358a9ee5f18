"""The layers that an uploaded model may have: their settings, each with what it may be, and the shapes they lead to."""

from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import Any

import numpy as np

MOST_VALUES = 2_000_000  # of one layer's output for one image

ACTIVATIONS = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "sigmoid"),
    *("hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "tanh", "softplus", "softsign", "exponential"),
    *("squareplus", "log_sigmoid", "tanh_shrink", "softmax", "log_softmax"),
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


def numbers(low: float, high: float, depth: int = 3) -> Check:
    """A number, or a list of them as deep as an image; how Keras writes an array is taken too."""

    def check(value: Any, left: int = depth) -> Any:
        if isinstance(value, dict) and value.get("class_name") in ("__numpy__", "__tensor__"):
            value = value["config"].get("value") if isinstance(value.get("config"), dict) else None
        if left and isinstance(value, list) and value:
            return tuple(check(part, left - 1) for part in value)
        return number(low, high)(value)

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


def along(n_axes: int, low: int, high: int) -> Check:
    """A whole number for each of ``n_axes``, or one for all."""

    def check(value: Any) -> Shape:
        return several(whole(low, high), [n_axes])(value if isinstance(value, list) else [value] * n_axes)

    return check


def activation(value: Any) -> str:
    if value is None:
        return "linear"
    name = value.get("config") if isinstance(value, dict) and value.get("class_name") == "function" else value
    name = name.removesuffix("_v2") if isinstance(name, str) else ""  # TensorFlow's own names
    if name not in ACTIVATIONS:
        raise ValueError("one of Keras' own activations, such as 'relu'")
    return name


flag = one_of(True, False)
ignored: Check = lambda value: None  # noqa: E731
last_axis = lambda value: whole(-1, 3)(value[0] if isinstance(value, list) and len(value) == 1 else value)  # noqa: E731
axes = lambda value: several(whole(-3, 3), [0, 1, 2, 3])(value if isinstance(value, list) else [value])  # noqa: E731
margins = several(several(whole(0, 28), [2]), [2])
channels_last = one_of("channels_last")

# What a layer's answer does not depend on once its weights are read; each is looked at, none is used.
UNUSED = ("name", "trainable", "dtype", "seed", "synchronized", "renorm_clipping", "renorm_momentum", "input_shape")
UNUSED = (*UNUSED, "batch_shape", "batch_input_shape")
UNUSED_ENDINGS = ("_initializer", "_regularizer", "_constraint")

DATA_FORMAT = {"data_format": optional(channels_last)}


def convolution(n_axes: int) -> dict[str, Check]:
    return {
        "kernel_size": along(n_axes, 1, 28),
        "strides": along(n_axes, 1, 28),
        "padding": one_of("valid", "same") if n_axes == 2 else one_of("valid", "same", "causal"),
        **DATA_FORMAT,
        "dilation_rate": along(n_axes, 1, 28),
        "activation": activation,
        "use_bias": flag,
    }


def pooling(n_axes: int) -> dict[str, Check]:
    return {
        "pool_size": along(n_axes, 1, 64),
        "strides": optional(along(n_axes, 1, 64)),
        "padding": one_of("valid", "same"),
        **DATA_FORMAT,
    }


GLOBAL_POOLING = {**DATA_FORMAT, "keepdims": flag}
DROPOUT = {"rate": number(0, 0.999)}
NORMALISED = {"axis": last_axis, "epsilon": number(1e-12, 1)}
CENTRED = {"center": flag, "scale": flag}
SIDE = whole(1, 256)

SETTINGS: dict[str, dict[str, Check]] = {
    "Conv2D": {**convolution(2), "filters": whole(1, 4096), "groups": whole(1, 4096)},
    "DepthwiseConv2D": {**convolution(2), "depth_multiplier": whole(1, 64)},
    "SeparableConv2D": {**convolution(2), "filters": whole(1, 4096), "depth_multiplier": whole(1, 64)},
    "Conv1D": {**convolution(1), "filters": whole(1, 4096), "groups": whole(1, 4096)},
    "MaxPooling2D": pooling(2),
    "AveragePooling2D": pooling(2),
    "MaxPooling1D": pooling(1),
    "AveragePooling1D": pooling(1),
    "GlobalMaxPooling2D": GLOBAL_POOLING,
    "GlobalAveragePooling2D": GLOBAL_POOLING,
    "GlobalMaxPooling1D": GLOBAL_POOLING,
    "GlobalAveragePooling1D": GLOBAL_POOLING,
    "Flatten": DATA_FORMAT,
    "Reshape": {"target_shape": several(whole(-1, MOST_VALUES), [1, 2, 3])},
    "Permute": {"dims": several(whole(1, 3), [1, 2, 3])},
    "ZeroPadding2D": {"padding": margins, **DATA_FORMAT},
    "Cropping2D": {"cropping": margins, **DATA_FORMAT},
    "UpSampling2D": {
        "size": along(2, 1, 16),
        **DATA_FORMAT,
        "interpolation": one_of("nearest", "bilinear"),
    },
    "Resizing": {
        "height": SIDE,
        "width": SIDE,
        "interpolation": one_of("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"),
        "crop_to_aspect_ratio": flag,
        "pad_to_aspect_ratio": flag,
        "fill_mode": one_of("constant"),
        "fill_value": number(-1e6, 1e6),
        "antialias": flag,
        **DATA_FORMAT,
    },
    "CenterCrop": {"height": SIDE, "width": SIDE, **DATA_FORMAT},
    "Dense": {
        "units": whole(1, 65_536),
        "activation": activation,
        "use_bias": flag,
        "quantization_config": one_of(None),
    },
    "BatchNormalization": {**NORMALISED, **CENTRED, "momentum": number(0, 1), "renorm": one_of(False)},
    "LayerNormalization": {**NORMALISED, **CENTRED, "rms_scaling": one_of(False)},
    "GroupNormalization": {**NORMALISED, **CENTRED, "groups": whole(-1, 4096)},
    "RMSNormalization": NORMALISED,
    "UnitNormalization": {"axis": last_axis},
    "Activation": {"activation": activation},
    "ReLU": {
        "max_value": optional(number(0, 1e6)),
        "negative_slope": number(0, 1e6),
        "threshold": number(0, 1e6),
    },
    "LeakyReLU": {"negative_slope": number(0, 1e6)},
    "PReLU": {"shared_axes": optional(several(whole(1, 3), [1, 2, 3]))},
    "ELU": {"alpha": number(0, 1e6)},
    "Softmax": {"axis": last_axis},
    "Rescaling": {"scale": numbers(-1e6, 1e6), "offset": numbers(-1e6, 1e6)},
    "Normalization": {
        "axis": optional(axes),
        "mean": optional(numbers(-1e6, 1e6)),
        "variance": optional(numbers(0, 1e12)),
        "invert": one_of(False),
    },
    "Identity": {},
    "ActivityRegularization": {"l1": ignored, "l2": ignored},
    "Dropout": {**DROPOUT, "noise_shape": one_of(None)},
    "AlphaDropout": {**DROPOUT, "noise_shape": one_of(None)},
    "SpatialDropout1D": DROPOUT,
    "SpatialDropout2D": {**DROPOUT, **DATA_FORMAT},
    "GaussianDropout": DROPOUT,
    "GaussianNoise": {"stddev": number(0, 1e3)},
}

# Layers that vary an image while a network trains and hand it on as it is when it answers. They are left out.
RANDOM = (
    *("RandomBrightness", "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomElasticTransform"),
    *("RandomErasing", "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert"),
    *("RandomPerspective", "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness"),
    *("RandomShear", "RandomTranslation", "RandomZoom", "AugMix", "CutMix", "MixUp", "RandAugment"),
)
RANDOM_SETTINGS = (
    *("all_ops", "alpha", "brightness_factor", "chain_depth", "contrast_factor", "data_format", "factor"),
    *("fill_mode", "fill_value", "height_factor", "hue_factor", "interpolation", "kernel_size", "mode", "num_chains"),
    *("num_ops", "saturation_factor", "scale", "sigma", "value_range", "width_factor", "x_factor", "y_factor"),
    *("bounding_box_format",),
)
SETTINGS |= dict.fromkeys(RANDOM, dict.fromkeys(RANDOM_SETTINGS, ignored))

RANK = {  # what a layer's input must have, without the batch axis
    **dict.fromkeys(("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "MaxPooling2D", "AveragePooling2D"), 3),
    **dict.fromkeys(("GlobalMaxPooling2D", "GlobalAveragePooling2D", "ZeroPadding2D", "Cropping2D"), 3),
    **dict.fromkeys(("UpSampling2D", "Resizing", "CenterCrop", "SpatialDropout2D"), 3),
    **dict.fromkeys(("Conv1D", "MaxPooling1D", "AveragePooling1D", "GlobalMaxPooling1D"), 2),
    **dict.fromkeys(("GlobalAveragePooling1D", "SpatialDropout1D"), 2),
}


def outcome(kind: str, s: Settings, shape: Shape) -> tuple[Shape, tuple[Shape, ...], int]:
    """Return a layer's output shape, the shapes of its weights as Keras orders them, and its multiply-adds an image.

    Raises
    ------
    ValueError
        The layer does not fit what comes into it.
    """
    if len(shape) != RANK.get(kind, len(shape)):
        raise ValueError
    channels = shape[-1:]
    if "Conv" in kind:
        return _convolution(kind, s, shape)
    if kind == "Dense":
        kernel = (shape[-1], s["units"])
        weights = (kernel, (s["units"],)) if s["use_bias"] else (kernel,)
        return (*shape[:-1], s["units"]), weights, prod(kernel) * prod(shape[:-1])
    if kind == "BatchNormalization":
        return shape, (channels,) * (2 + s["center"] + s["scale"]), 0
    if kind in ("LayerNormalization", "GroupNormalization"):
        if "groups" in s and (s["groups"] == 0 or shape[-1] % max(s["groups"], 1)):
            raise ValueError
        return shape, (channels,) * (s["center"] + s["scale"]), 0
    if kind == "RMSNormalization":
        return shape, (channels,), 0
    if kind == "PReLU":
        shared = s["shared_axes"] or ()
        if shared and max(shared) > len(shape):
            raise ValueError
        return shape, (tuple(1 if axis in shared else n for axis, n in enumerate(shape, start=1)),), 0
    if kind == "Normalization":
        return shape, _statistics(s, shape), 0
    return _reshaped(kind, s, shape), (), 0


def _convolution(kind: str, s: Settings, shape: Shape) -> tuple[Shape, tuple[Shape, ...], int]:
    places = _places(shape, s["kernel_size"], s["strides"], s["padding"], s["dilation_rate"])
    window, channels = s["kernel_size"], shape[-1]
    if kind in ("Conv2D", "Conv1D"):
        if channels % s["groups"] or s["filters"] % s["groups"]:
            raise ValueError
        out = s["filters"]
        kernels = ((*window, channels // s["groups"], out),)
    else:
        between = channels * s["depth_multiplier"]
        out = s.get("filters", between)
        kernels = ((*window, channels, s["depth_multiplier"]),)
        if kind == "SeparableConv2D":
            kernels = (*kernels, (1, 1, between, out))
    weights = (*kernels, (out,)) if s["use_bias"] else kernels
    return (*places, out), weights, sum(map(prod, kernels)) * prod(places)


def _places(shape: Shape, window: Shape, strides: Shape, padding: str, dilation: Sequence[int] = (1, 1)) -> Shape:
    """Return how often a window fits along each axis."""
    if padding != "valid":
        return tuple(ceil(n / step) for n, step in zip(shape, strides, strict=False))
    reach = [(k - 1) * d + 1 for k, d in zip(window, dilation, strict=False)]
    return tuple((n - r) // step + 1 for n, r, step in zip(shape, reach, strides, strict=False))


def _statistics(s: Settings, shape: Shape) -> tuple[Shape, ...]:
    """Return the shapes of the mean, the variance and the count that a layer learned; none where they were given."""
    if (s["mean"] is None) != (s["variance"] is None):
        raise ValueError
    axes = sorted(axis + len(shape) + 1 if axis < 0 else axis for axis in s["axis"] or ())
    if axes and not (axes[0] >= 1 and axes[-1] <= len(shape)):
        raise ValueError
    kept = tuple(shape[axis - 1] for axis in axes)
    if s["mean"] is None:
        return kept, kept, ()
    if np.shape(s["mean"]) != np.shape(s["variance"]) or len(np.shape(s["mean"])) > len(kept):
        raise ValueError
    np.broadcast_to(np.empty(np.shape(s["mean"])), kept)
    return ()


def _reshaped(kind: str, s: Settings, shape: Shape) -> Shape:
    if kind.endswith(("Pooling1D", "Pooling2D")):
        if kind.startswith("Global"):
            return (*(1 for _ in shape[:-1]), shape[-1]) if s["keepdims"] else shape[-1:]
        return (*_places(shape, s["pool_size"], s["strides"] or s["pool_size"], s["padding"]), shape[-1])
    if kind == "Flatten":
        return (prod(shape),)
    if kind == "Reshape":
        return _to_shape(s["target_shape"], shape)
    if kind == "Permute":
        if sorted(s["dims"]) != list(range(1, len(shape) + 1)):
            raise ValueError
        return tuple(shape[axis - 1] for axis in s["dims"])
    if kind in ("ZeroPadding2D", "Cropping2D"):
        sign, by = (1, s["padding"]) if kind == "ZeroPadding2D" else (-1, s["cropping"])
        return (*(n + sign * sum(two) for n, two in zip(shape, by, strict=False)), shape[-1])
    if kind == "UpSampling2D":
        return (shape[0] * s["size"][0], shape[1] * s["size"][1], shape[2])
    if kind in ("Resizing", "CenterCrop"):
        return (s["height"], s["width"], shape[-1])
    if kind == "Rescaling":
        for value in (s["scale"], s["offset"]):
            np.broadcast_to(np.empty(np.shape(value)), shape)
    return shape


def _to_shape(target: Sequence[int], shape: Shape) -> Shape:
    known = prod(n for n in target if n != -1)
    if target.count(-1) > 1 or known == 0 or prod(shape) % known:
        raise ValueError
    made = tuple(prod(shape) // known if n == -1 else n for n in target)
    if prod(made) != prod(shape):
        raise ValueError
    return made


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
    "mean": None,
    "variance": None,
    "invert": False,
    "fill_mode": "constant",
    "fill_value": 0.0,
    "antialias": False,
    "pad_to_aspect_ratio": False,
    "crop_to_aspect_ratio": False,
    "offset": 0.0,
    "shared_axes": None,
}
