"""What the networks before and after transfer read in a drawing: the two that Home compares."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tlcore import inputs, prediction, sources
from tlcore.errors import DataError
from tlcore.prediction import ModelName, taught

from . import strokes

BEFORE, AFTER = "before", "after"
Predict = Callable[..., dict[str, list[float] | str]]


def item(content: bytes) -> np.ndarray:
    """Return kept strokes as the networks read them.

    Raises
    ------
    DataError
        Nothing is drawn, or a lone dot.
    """
    form = taught.card().form
    drawn = inputs.modality(form.modality).accept(strokes.unpacked(content), form, centred=True)
    if drawn is None:
        raise DataError("The pad is blank. Draw something first.")
    return drawn


def answered(drawn: np.ndarray, predict: Predict, timeout_s: float) -> dict[str, Any]:
    """Return what each network reads: ``{"before": ["3", 0.98], "after": ["7", 0.91]}``; None where one is silent."""
    card = taught.card()
    networks = {
        BEFORE: (str(ModelName.source(card.source)), sources.info(card.source).class_names),
        AFTER: (str(ModelName.taught(taught.TRANSFER)), card.class_names),
    }
    shares = predict(drawn, [name for name, _ in networks.values()], timeout_s)
    return {way: _read(shares[name], names) for way, (name, names) in networks.items()}


def _read(shares: list[float] | str, names: Sequence[str]) -> list[Any] | None:
    if isinstance(shares, str):
        return None
    verdict = prediction.verdict(names, shares)
    return [verdict.label, round(verdict.probability, 3)]
