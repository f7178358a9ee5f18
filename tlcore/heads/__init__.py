"""scikit-learn classifiers on a feature matrix."""

from .heads import (
    CURVES,
    HEADS,
    LOSSES,
    N_EPOCHS,
    N_TREES,
    FittedHead,
    answer_alone,
    balanced_order,
    best_temperature,
    check,
    fit,
    load,
    make,
    save,
)

__all__ = [
    "CURVES",
    "FittedHead",
    "HEADS",
    "LOSSES",
    "N_EPOCHS",
    "N_TREES",
    "answer_alone",
    "balanced_order",
    "best_temperature",
    "check",
    "fit",
    "load",
    "make",
    "save",
]
