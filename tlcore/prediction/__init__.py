"""Anything that answers: networks and heads by name, and the warm process that asks them."""

from .names import ModelName
from .predictors import (
    Predictor,
    PredictorInfo,
    Verdict,
    available,
    checked_file,
    first_choice,
    form_of,
    form_of_model,
    load_model,
    main_choice,
    of_home,
    of_own,
    of_run,
    predictor,
    verdict,
)

__all__ = [
    "ModelName",
    "Predictor",
    "PredictorInfo",
    "Verdict",
    "available",
    "checked_file",
    "first_choice",
    "form_of",
    "form_of_model",
    "load_model",
    "main_choice",
    "of_home",
    "of_own",
    "of_run",
    "predictor",
    "verdict",
]
