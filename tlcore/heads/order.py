"""An order of labelled rows whose every leading part is balanced."""

import numpy as np


def balanced_order(y: np.ndarray) -> np.ndarray:
    """Return row numbers so that every leading part holds the classes as evenly as it can.

    Examples
    --------
    >>> balanced_order(np.array([0, 0, 1, 1])).tolist()
    [0, 2, 1, 3]
    """
    rank = np.empty(len(y), int)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        rank[rows] = np.arange(len(rows))
    return np.lexsort((y, rank))
