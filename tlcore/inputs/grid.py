"""Squares that a person inked one by one, by keyboard: checked, and made into ink. NumPy only."""

import numpy as np

from tlcore.errors import DataError

SIDE = 28  # squares
BESIDE = 0.6  # ink that an inked square leaves in the four next to it: one square alone is thinner than any pen


def check_cells(value: object) -> np.ndarray:
    """Return the squares that came from a browser: float32, shape (28, 28), 1 where there is ink.

    Raises
    ------
    DataError
        Not 28 texts of 28 zeros and ones.
    """
    rows = value if isinstance(value, list | tuple) else ()
    if len(rows) != SIDE or not all(
        isinstance(row, str) and len(row) == SIDE and set(row) <= {"0", "1"} for row in rows
    ):
        raise DataError(
            "This grid cannot be read: it is not {n} rows of {n} squares. Clear it and start again.", n=SIDE
        )
    return np.array([[float(square) for square in row] for row in rows], np.float32)


def thickened(cells: np.ndarray) -> np.ndarray:
    """Return the squares with ink beside each inked one, as a pen would leave it: float32, shape (30, 30)."""
    ink = np.pad(cells, 1)
    near = [np.roll(ink, step, axis) for axis in (0, 1) for step in (-1, 1)]
    return np.maximum(ink, BESIDE * np.max(near, axis=0))
