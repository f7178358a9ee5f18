"""Make a network of a ``config.json``: one image in, checked layers, one softmax out. Needs no Keras."""

from collections.abc import Sequence
from math import isqrt, prod

import numpy as np

from tlcore.sources.layers import PLACING

from . import config
from .checking import FLOATS, checked
from .config import Row
from .ending import ended
from .layers import RANDOM, Shape
from .network import BYTES, RANDOM_OUT, SIDE, UNIT, Layer, Network, Pixels
from .refusals import refuse, short

SIDES = (8, 256)  # to which an image can be scaled
CLASSES = (2, 1000)
INTEGERS = ("uint8", "int8", "uint16", "int16", "int32", "int64")


def read(text: bytes) -> Network:
    """Return the network that a ``config.json`` describes. Needs no Keras.

    Raises
    ------
    DataError
        It holds anything that is not on the lists, is not one chain from one image to one softmax, or is too large;
        the sentence says which and what to do.
    """
    first, *rows = config.rows(text)
    shape, known = _input(first)
    layers, changes = ended(checked(rows, shape, known))
    n_classes = layers[-1].output_shape[0]
    if not CLASSES[0] <= n_classes <= CLASSES[1]:
        raise refuse(
            "it tells {n:,} classes apart, but only {low} to {high:,} can be shown. Give its last layer that many",
            n=n_classes,
            low=CLASSES[0],
            high=CLASSES[1],
        )
    if any(row.kind in RANDOM for row in rows):
        changes = (*changes, RANDOM_OUT)
    pixels = BYTES if _dtype(first) in INTEGERS else expected(layers)
    return Network(shape, *_picture(shape), tuple(layers), pixels, changes)


def expected(layers: Sequence[Layer]) -> Pixels | None:
    """Return the values of a black and a white pixel that the first layer is made for; None when it does not say."""
    first = next((layer for layer in layers if layer.type not in PLACING), layers[-1])
    if first.type == "Rescaling":
        scale, offset = (float(np.mean(first.settings[name])) for name in ("scale", "offset"))
        return BYTES if abs(scale) < 0.05 or abs(offset) > 10 * abs(scale) else UNIT
    if first.type == "Normalization" and first.settings["mean"] is not None:
        return BYTES if float(np.mean(first.settings["mean"])) > 2 else UNIT
    return None


def _input(row: Row) -> tuple[Shape, bool]:
    """Return the shape of one image, and whether the file gives its size."""
    given = row.config.get("batch_shape")
    if row.kind != "InputLayer" or given is None:
        raise refuse(
            "it does not say what images it takes. Begin it with keras.Input((28, 28, 1)), or train it once, before "
            "you save it"
        )
    wrong = refuse(
        "its input is {given}, but an image here is 28 × 28 with one channel. Begin it with keras.Input((28, 28, 1)); "
        "other sizes, three channels last and a row of 784 numbers also work",
        given=short(given),
    )
    if not isinstance(given, list) or not all(n is None or type(n) is int and n > 0 for n in given):
        raise wrong
    known = None not in given[1:]
    shape: Shape = tuple(n or (SIDE if place < 2 else 0) for place, n in enumerate(given[1:]))
    if _dtype(row) not in (*FLOATS, *INTEGERS):
        raise wrong
    if prod(shape) == SIDE**2:
        return shape, known
    image = len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))
    square = len(shape) == 1 and isqrt(shape[0]) ** 2 == shape[0]
    sides = shape[:2] if image else (isqrt(shape[0]),) if square else ()
    if not sides or not all(SIDES[0] <= n <= SIDES[1] for n in sides):
        raise wrong
    return shape, known


def _picture(shape: Shape) -> tuple[tuple[int, int], int]:
    """Return the height and width of the picture in an input of this shape, and its channels."""
    if prod(shape) == SIDE**2:
        return (SIDE, SIDE), 1
    height, width, channels = (*shape, 1)[:3] if len(shape) > 1 else (isqrt(prod(shape)), isqrt(prod(shape)), 1)
    return (height, width), channels


def _dtype(row: Row) -> str:
    value = row.config.get("dtype")
    if isinstance(value, dict):
        value = value.get("config", {}).get("name") if isinstance(value.get("config"), dict) else None
    return value if isinstance(value, str) else "float32" if value is None else ""
