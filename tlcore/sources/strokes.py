"""Pen strokes of digits as people draw them on a screen, varied by seed: what MNIST's scans hardly hold.

MNIST's writers rarely give a one its flag or its foot or bar a seven. The drawing model is trained on some of these
as well, so that it reads them. A shape is a list of strokes on a grid of 100×100, y downwards; a stroke that begins
with "~" is a smooth curve through its points, else straight lines join them.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tlcore.datasets.mnist import FORM
from tlcore.inputs.digits import normalise
from tlcore.inputs.drawing import render

SIDE = FORM.shape[0]
JITTER = 3.0  # standard deviation of each point, on the grid of 100

SHAPES: dict[int, tuple[list, ...]] = {
    0: (
        [["~", (52, 11), (30, 22), (23, 52), (36, 84), (60, 85), (77, 55), (70, 22), (52, 11)]],
        [["~", (46, 16), (27, 42), (30, 74), (52, 89), (73, 68), (70, 30), (50, 12), (38, 20)]],
    ),
    1: (
        [[(51, 10), (49, 90)]],
        [[(30, 36), (55, 11), (55, 90)]],
        [[(38, 24), (52, 11), (51, 89)]],
        [[(32, 32), (51, 11), (51, 88)], [(32, 88), (71, 88)]],
        [[(51, 12), (51, 88)], [(34, 88), (68, 88)]],
        [[(24, 50), (58, 10), (56, 90)]],
    ),
    2: (
        [["~", (26, 33), (38, 14), (60, 14), (69, 31), (56, 54), (25, 87)], [(25, 87), (77, 87)]],
        [["~", (28, 26), (50, 11), (70, 26), (60, 52), (34, 78), (27, 86), (45, 82), (76, 86)]],
    ),
    3: (
        [["~", (27, 22), (50, 11), (67, 26), (56, 44), (42, 47), (64, 55), (70, 74), (50, 89), (25, 80)]],
        [[(27, 13), (72, 13), (44, 45)], ["~", (44, 45), (68, 52), (70, 74), (52, 88), (25, 79)]],
    ),
    4: (
        [[(58, 10), (22, 65), (80, 65)], [(61, 40), (61, 90)]],
        [[(30, 12), (27, 52), (74, 52)], [(66, 12), (66, 90)]],
        [[(62, 90), (62, 11), (23, 66), (79, 66)]],
    ),
    5: (
        [[(70, 12), (35, 12), (31, 47)], ["~", (31, 47), (52, 41), (70, 57), (66, 78), (46, 89), (27, 80)]],
        [[(35, 14), (31, 47)], ["~", (31, 47), (56, 42), (70, 62), (58, 86), (28, 82)], [(35, 14), (72, 13)]],
    ),
    6: (
        [["~", (64, 12), (42, 28), (29, 58), (36, 84), (58, 88), (70, 70), (56, 55), (36, 60), (30, 72)]],
        [["~", (54, 11), (34, 44), (30, 72), (48, 89), (67, 76), (60, 56), (40, 57), (31, 70)]],
    ),
    7: (
        [[(24, 14), (76, 14), (42, 90)]],
        [[(24, 14), (76, 14), (44, 90)], [(36, 52), (74, 52)]],
        [[(25, 30), (25, 14), (75, 14), (48, 90)]],
    ),
    8: (
        [["~", (66, 24), (48, 11), (32, 26), (50, 47), (69, 70), (50, 89), (30, 70), (50, 47), (67, 24)]],
        [
            ["~", (50, 11), (33, 28), (50, 46), (67, 28), (50, 11)],
            ["~", (50, 46), (29, 67), (50, 89), (71, 67), (50, 46)],
        ],
    ),
    9: (
        [["~", (68, 30), (50, 11), (31, 27), (42, 48), (66, 36)], [(68, 22), (66, 90)]],
        [["~", (68, 28), (48, 12), (31, 32), (46, 49), (67, 34)], ["~", (68, 24), (69, 62), (54, 88), (32, 82)]],
        [["~", (66, 30), (46, 48), (32, 30), (48, 12), (67, 24), (64, 56), (50, 90)]],
    ),
}  # fmt: skip


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return ``n`` drawn digits, every class as often as the others, and their labels.

    Returns
    -------
    float32 array, shape (n, SIDE, SIDE, 1), values in [0, 1], in MNIST's form; int64 array, shape (n,)
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % len(SHAPES)
    images = []
    for label in labels:
        shape = SHAPES[int(label)][rng.integers(len(SHAPES[int(label)]))]
        moved = [[point if point == "~" else rng.normal(point, JITTER) for point in stroke] for stroke in shape]
        images.append(normalise(render(pen(moved, width=rng.uniform(0.05, 0.12)), size=112), SIDE))
    return np.stack(images)[..., None], labels.astype(np.int64)


def pen(shape: Sequence[Sequence], width: float) -> list[dict[str, Any]]:
    """Turn a shape on the grid of 100 into strokes as the drawing pad sends them."""
    lines = [curve(stroke[1:]) if isinstance(stroke[0], str) else np.array(stroke, float) for stroke in shape]
    return [{"width": width, "points": (line / 100).tolist()} for line in lines]


def curve(knots: Sequence[Sequence[float]], n: int = 12) -> np.ndarray:
    """Return a Catmull-Rom curve through the knots, ``n`` points to each piece: shape (n · (knots - 1) + 1, 2)."""
    p = np.array([knots[0], *knots, knots[-1]], float)
    t = np.linspace(0, 1, n, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return np.concatenate([*pieces, p[-2:-1]])
