"""A hand before a phone's camera: kept small and without what a phone writes into its pictures, and read twice."""

import io
from typing import Any

import numpy as np
from PIL import Image

from tlcore import prediction
from tlcore.inputs import frames
from tlcore.prediction import signs

from .drawn import AFTER, BEFORE, Predict

QUALITY = 85


def item(content: bytes) -> np.ndarray:
    """Return a JPEG that a phone sent as the networks read it, uint8 (96, 96, 3); raises as ``frames.read``."""
    return frames.read(content, signs.form())


def warm(predict: Predict) -> None:
    """Have the process that answers load both, hardly waiting for it."""
    predict(np.zeros(signs.form().shape, signs.form().dtype), list(signs.NAMES), 0.1)


def packed(photograph: np.ndarray) -> bytes:
    """Return an item as it is kept: a JPEG of its pixels alone, some 3 KB."""
    out = io.BytesIO()
    Image.fromarray(photograph).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def answered(photograph: np.ndarray, predict: Predict, timeout_s: float) -> dict[str, Any]:
    """Return the sign that is read without transfer and with it, as ``drawn.answered``; None where one is silent."""
    found = predict(photograph, list(signs.NAMES), timeout_s)
    answers: dict[str, Any] = {}
    for way, name in zip((BEFORE, AFTER), signs.NAMES, strict=True):
        shares = found[name]
        answers[way] = None
        if not isinstance(shares, str):
            verdict = prediction.verdict(signs.class_names(), shares)
            answers[way] = [verdict.label, round(verdict.probability, 3)]
    return answers
