"""scikit-learn classifiers on a feature matrix."""

from .heads import (
    HEADS,
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
    "FittedHead",
    "HEADS",
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
