"""Anything that answers: networks and heads by name, and the warm process that asks them."""

from .names import ModelName
from .predictors import (
    REFERENCE_SURE,
    Predictor,
    PredictorInfo,
    Verdict,
    available,
    checked_file,
    first_choice,
    form_of,
    load_model,
    of_run,
    predictor,
    verdict,
)

__all__ = [
    "ModelName",
    "Predictor",
    "PredictorInfo",
    "REFERENCE_SURE",
    "Verdict",
    "available",
    "checked_file",
    "first_choice",
    "form_of",
    "load_model",
    "of_run",
    "predictor",
    "verdict",
]
