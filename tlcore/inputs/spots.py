"""Connected spots of a mask, their boxes and sizes. NumPy only: the server process holds no SciPy."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spots:
    """The connected spots of a mask; the arrays of length n belong to the spots 1 to n.

    ``labels`` has the mask's shape, 0 outside; ``top``, ``left`` and ``bottom``, ``right`` are half-open boxes.
    """

    labels: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    left: np.ndarray
    right: np.ndarray
    area: np.ndarray

    @property
    def n(self) -> int:
        return len(self.area)


def connected(mask: np.ndarray, corners: bool = True) -> Spots:
    """Number the connected spots of a mask, shape (h, w); without ``corners`` a pixel has four neighbours, not eight.

    Rows are cut into runs, and runs that touch are joined by taking over the smaller number until nothing changes:
    a million pixels are some thousand runs.

    Examples
    --------
    >>> spots = connected(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], bool))
    >>> spots.n, spots.area.tolist(), spots.bottom.tolist()
    (2, [3, 2], [2, 4])
    """
    height, width = mask.shape
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, start = np.nonzero(edges == 1)
    end = np.nonzero(edges == -1)[1]  # exclusive
    if not len(rows):
        nothing = np.zeros(0, np.int64)
        return Spots(np.zeros(mask.shape, np.int32), nothing, nothing, nothing, nothing, nothing)
    stride = width + 2
    above = (rows - 1) * stride  # a run touches those of the row above that end and begin within its own reach
    near = 0 if corners else 1
    first = np.searchsorted(rows * stride + end, above + start + near, "left")
    n_touching = np.searchsorted(rows * stride + start, above + end - near, "right") - first
    below = np.repeat(np.arange(len(rows)), n_touching)
    offset = np.arange(len(below)) - np.repeat(np.cumsum(n_touching) - n_touching, n_touching)
    roots = _joined(len(rows), below, np.repeat(first, n_touching) + offset)
    _, number = np.unique(roots, return_inverse=True)
    order = np.argsort(number, kind="stable")
    starts = np.flatnonzero(np.diff(number[order], prepend=-1))
    labels = np.zeros(mask.shape, np.int32)
    labels[mask.astype(bool)] = np.repeat(number + 1, end - start)
    return Spots(
        labels,
        top=np.minimum.reduceat(rows[order], starts),
        bottom=np.maximum.reduceat(rows[order], starts) + 1,
        left=np.minimum.reduceat(start[order], starts),
        right=np.maximum.reduceat(end[order], starts),
        area=np.add.reduceat((end - start)[order], starts),
    )


def _joined(n: int, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return for each of ``n`` runs the smallest run that it is joined to by the pairs, directly or not."""
    root = np.arange(n)
    while True:
        a, b = root[one], root[other]
        apart = a != b
        if not apart.any():
            return root
        np.minimum.at(root, np.maximum(a, b)[apart], np.minimum(a, b)[apart])
        while not np.array_equal(root, root[root]):
            root = root[root]


def filled(mask: np.ndarray) -> np.ndarray:
    """Return the mask with its holes filled: what no way leads to from outside."""
    outside = connected(~np.pad(mask, 1), corners=False).labels
    return (outside != outside[0, 0])[1:-1, 1:-1]
