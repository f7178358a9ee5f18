"""Honest scores: accuracy with its interval, paired tests, calibration."""

from .comparison import compare, seeds_interval
from .scores import (
    Z_95,
    confusion_matrix,
    evaluate,
    losses,
    mean_interval,
    most_confused,
    no_clear_winner,
    paired,
    per_class,
    wilson,
)

__all__ = [
    "Z_95",
    "compare",
    "confusion_matrix",
    "evaluate",
    "losses",
    "mean_interval",
    "most_confused",
    "no_clear_winner",
    "paired",
    "per_class",
    "seeds_interval",
    "wilson",
]
