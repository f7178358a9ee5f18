"""Honest scores: accuracy with its interval, paired tests, calibration."""

from .comparison import compare, seeds_interval
from .intervals import Z_95, mean_interval, wilson
from .scores import confusion_matrix, evaluate, losses, most_confused, no_clear_winner, paired, per_class

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
