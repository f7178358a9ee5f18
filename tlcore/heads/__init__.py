"""scikit-learn classifiers on a feature matrix."""

from .dense import N_EPOCHS, Dense
from .fitting import best_temperature, fit, make, rehearse
from .forest import N_TREES, Forest
from .head import (
    CURVES,
    HEADS,
    LOSSES,
    FittedHead,
    Head,
    answer_alone,
    check,
    check_by_hand,
    info,
    knob,
    not_default,
    register,
    title,
    values_of,
)
from .knobs import Knob
from .linear import LinearSVM
from .logistic import Logistic
from .machine import Machine
from .neighbours import Neighbours
from .order import balanced_order
from .rbf_svm import RbfSVM
from .saving import load, save

for _shipped in (LinearSVM(), RbfSVM(), Forest(), Logistic(), Neighbours(), Dense()):
    register(_shipped)

__all__ = [
    "CURVES",
    "FittedHead",
    "HEADS",
    "Head",
    "Knob",
    "LOSSES",
    "Machine",
    "N_EPOCHS",
    "N_TREES",
    "answer_alone",
    "balanced_order",
    "best_temperature",
    "check",
    "check_by_hand",
    "fit",
    "info",
    "knob",
    "load",
    "make",
    "not_default",
    "register",
    "rehearse",
    "save",
    "title",
    "values_of",
]
