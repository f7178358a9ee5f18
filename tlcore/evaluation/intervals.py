"""95 % intervals: of a proportion, and of a mean over seeds."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

Z_95 = 1.959964  # two-sided 95 % point of the normal distribution


def wilson(n_right: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a proportion.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Examples
    --------
    >>> low, high = wilson(90, 100)
    >>> round(low, 3), round(high, 3)
    (0.826, 0.945)
    """
    if n == 0:
        return 0.0, 1.0
    share, z2 = n_right / n, Z_95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


# Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom.
_T_95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
         2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045)  # fmt: skip


def t_95(freedom: int) -> float:
    """Return the two-sided 95 % point of Student's t."""
    return _T_95[freedom - 1] if freedom <= len(_T_95) else Z_95


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return a mean with its 95 % interval by Student's t; of one value the value alone, three times.

    References
    ----------
    Student (1908), "The probable error of a mean".

    Examples
    --------
    >>> [round(x, 3) for x in mean_interval([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return mean, mean, mean
    half = t_95(n - 1) * float(np.std(values, ddof=1)) / sqrt(n)
    return mean, mean - half, mean + half
