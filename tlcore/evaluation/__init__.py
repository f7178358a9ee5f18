"""Honest scores: accuracy with its interval, paired tests, calibration."""

from .scores import (
    Z_95,
    Evaluation,
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
    "Evaluation",
    "Z_95",
    "confusion_matrix",
    "evaluate",
    "losses",
    "mean_interval",
    "most_confused",
    "no_clear_winner",
    "paired",
    "per_class",
    "wilson",
]
