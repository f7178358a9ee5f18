"""The kind of input: two ears, six bands, eight moments."""

from typing import Any

import numpy as np

from tlcore.errors import DataError
from tlcore.inputs import Modality, check_item
from tlcore.sentences import Sentence
from tlcore.spec import InputForm

FORM = InputForm("sonar", (8, 6, 2), "int16")
LOUD = 1000  # about the largest number in an echo


class Sonar(Modality):
    name = "sonar"
    ways = ("sample", "upload")
    uploads = Sentence("An echo as text: eight lines of twelve whole numbers")

    def accept(self, raw: Any, form: InputForm, **options: Any) -> np.ndarray | None:
        if isinstance(raw, np.ndarray):
            return check_item(raw, form)
        try:
            rows = [[int(number) for number in line.split(",")] for line in raw.decode().strip().splitlines()]
            item = np.array(rows, form.dtype).reshape(form.shape)
        except (ValueError, OverflowError) as error:
            raise DataError("This is not an echo: it needs eight lines of twelve whole numbers.") from error
        return item if item.any() else None

    def preview(self, item: np.ndarray) -> np.ndarray:
        """Return the left ear in red and the right ear in blue."""
        loud = (np.clip(item / LOUD, 0, 1) * 255).astype(np.uint8)
        return np.stack([loud[..., 0], np.zeros_like(loud[..., 0]), loud[..., 1]], axis=-1)

    def flat(self, items: np.ndarray) -> np.ndarray:
        return np.clip(items.reshape(len(items), -1) / np.float32(2 * LOUD) + np.float32(0.5), 0, 1)
