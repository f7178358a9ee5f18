"""Pictures: drawn, uploaded or picked; uint8, shape (height, width, channels), 0..255."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from tlcore.sentences import Sentence
from tlcore.spec import InputForm

from . import copies, digits, drawing, grid, pictures
from .modality import Modality, check_item

PICTURE = Sentence("A picture (JPEG, HEIC, PNG, WebP, AVIF, TIFF, GIF or BMP, up to 10 MB)")  # read whole


class Images(Modality):
    """Pictures. Those of one channel are light ink on black, as MNIST's are."""

    name = "image"
    title = Sentence("Drawings")
    ways = ("draw", "sample", "upload", "grid")
    uploads = Sentence("A picture of one digit (JPEG, HEIC, PNG, WebP, AVIF, TIFF, GIF or BMP, up to 10 MB)")
    noises = (
        Sentence("**Random grey pixels**"),
        Sentence("**Shuffled images**: the pixels of test images in random order: the ink is right, the shape is gone"),
    )
    augments = Sentence("small shifts, turns and zoom; never mirrored")
    centres = True

    def accept(self, raw: Any, form: InputForm, *, centred: bool = True, whole: bool = False) -> np.ndarray | None:
        """Return a drawing, inked squares, a picture file or an item as one item.

        Parameters
        ----------
        raw : strokes as a browser sends them, ``{"cells": rows}`` of a grid, the bytes of a picture file, a picture
            that is decoded already, or an item
        centred : bring the ink into MNIST's form; else the picture is only scaled
        whole : a picture file is no ink on a ground: its middle square in grey, as sets of own pictures are read
        """
        if isinstance(raw, np.ndarray):
            return check_item(raw, form)
        if whole and isinstance(raw, bytes | Image.Image):
            square = pictures.middle_square(pictures.coloured(pictures.decoded(raw)).convert("L"), form.shape[1::-1])
            return np.repeat(square[..., None], form.shape[-1], axis=2)
        ink = _ink(raw, centred)
        if digits.is_blank(ink):
            return None
        digits.check_enough(ink)
        height, width, channels = form.shape
        bring = digits.normalise if centred else digits.shrink
        image = as_pixels(bring(ink, min(height, width)))
        above, before = (height - len(image)) // 2, (width - len(image)) // 2
        rest = ((above, height - len(image) - above), (before, width - len(image) - before))
        return np.repeat(np.pad(image, rest)[..., None], channels, axis=2)

    def preview(self, item: np.ndarray) -> np.ndarray:
        return item[..., 0] if item.shape[-1] != 3 else item

    def augment(self, items: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
        return copies.moved(items, seed)


def _ink(raw: Any, centred: bool) -> np.ndarray:
    """Return what a person gave as ink: float32 (h, w), values in [0, 1], white on black."""
    if isinstance(raw, bytes | Image.Image):
        return pictures.read_digit(raw)
    if isinstance(raw, dict):
        cells = grid.check_cells(raw.get("cells"))
        return grid.thickened(cells) if centred else cells
    return drawing.render(drawing.check_strokes(raw))


def as_pixels(image: np.ndarray) -> np.ndarray:
    """Return an image in [0, 1] as uint8.

    >>> as_pixels(np.array([0.0, 0.2, 1.0])).tolist()
    [0, 51, 255]
    """
    return np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)
