"""Where on the image the cells of a layer's output lie, followed through the Keras graph."""

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import sources

if TYPE_CHECKING:
    import keras

Axis = tuple[float, float]  # the pixel that the first cell is centred on, and the pixels from one cell to the next
Grid = tuple[Axis, Axis]  # down and across


def grids(model: "keras.Model") -> dict[str, Grid]:
    """Return where the cells of every layer's output lie on the image that the model is given.

    Left out is a layer whose output is not a grid over the image (a flat row, a mean, places that were moved). Where
    branches join, they lie on each other: the first one counts.
    """
    image = model.inputs[0]
    found: dict[int, Grid] = {id(image): ((0.0, 1.0), (0.0, 1.0))} if len(image.shape) == 4 else {}
    by_name = {}
    for call in sources.calls(model):
        before = next((tensor for tensor in call.input_tensors if id(tensor) in found), None)
        grid = (
            None
            if before is None
            else _after(call.operation, found[id(before)], before.shape, call.output_tensors[0].shape)
        )
        if grid is not None:
            found[id(call.output_tensors[0])] = by_name[call.operation.name] = grid
    return by_name


def placed_on(cam: np.ndarray, grid: Grid, shape: Sequence[int]) -> np.ndarray:
    """Return a map over the image, of its ``shape`` (h, w): each cell lies at the centre of what it sees.

    Between cells the map is linear, beyond the outermost constant.
    """
    rows, columns = (np.arange(n) for n in shape)
    down, across = (start + step * np.arange(n) for n, (start, step) in zip(cam.shape, grid, strict=True))
    wide = np.stack([np.interp(columns, across, row) for row in cam])
    return np.stack([np.interp(rows, down, column) for column in wide.T], axis=1).astype(np.float32)


def _after(layer: Any, grid: Grid, before: Sequence[Any], after: Sequence[Any]) -> Grid | None:
    """Return the grid of a layer's output from that of its input, whose shapes are (batch, h, w, channels)."""
    if len(after) != 4:
        return None
    kind = type(layer).__name__
    axes = []
    for i, (start, step) in enumerate(grid):
        n, m = before[1 + i], after[1 + i]
        window = getattr(layer, "kernel_size", getattr(layer, "pool_size", None))
        if kind in ("Resizing", "UpSampling2D"):
            axes.append((start + step * (n / m - 1) / 2, step * n / m))
        elif kind in ("ZeroPadding2D", "Cropping2D", "CenterCrop"):
            axes.append((start + step * _first(layer, kind, i, n, m), step))
        elif window is not None and "Transpose" not in kind:
            axes.append(_windowed(start, step, n, window[i], layer.strides[i], _dilation(layer, i), layer.padding))
        elif n == m and kind not in ("Reshape", "Permute"):
            axes.append((start, step))
        else:
            return None
    return axes[0], axes[1]


def _windowed(start: float, step: float, n: int, window: int, stride: int, dilation: int, padding: str) -> Axis:
    """Return the axis of a convolution's or a pooling's output over an input of ``n`` cells."""
    extent = (window - 1) * dilation + 1
    padded = max((ceil(n / stride) - 1) * stride + extent - n, 0) // 2 if padding == "same" else 0
    return start + step * ((extent - 1) / 2 - padded), step * stride


def _dilation(layer: Any, i: int) -> int:
    rate = getattr(layer, "dilation_rate", 1)
    return rate if isinstance(rate, int) else rate[i]


def _first(layer: Any, kind: str, i: int, n: int, m: int) -> int:
    """Return which cell of its input the first of a layer's output is; padding lies before the first."""
    if kind == "CenterCrop":
        return (n - m) // 2
    return -layer.padding[i][0] if kind == "ZeroPadding2D" else layer.cropping[i][0]
