"""Photographs in colour: uploaded or picked; uint8, shape (height, width, 3), 0..255."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from tlcore.sentences import Sentence
from tlcore.spec import InputForm

from . import copies, pictures
from .modality import Modality, check_item


class Photos(Modality):
    """Photographs. What they show may stand anywhere in them."""

    name = "photo"
    title = Sentence("Photographs")
    ways = ("sample", "upload", "camera")
    uploads = Sentence("A photograph (JPEG, HEIC, PNG, WebP, AVIF, TIFF, GIF or BMP, up to 10 MB)")
    noises = (
        Sentence("**Random coloured pixels**"),
        Sentence("**Shuffled images**: the pixels of test images in random order: the colours are right, nothing else"),
    )
    augments = Sentence("small shifts, turns and zoom; never mirrored")
    placed = False

    def accept(self, raw: Any, form: InputForm, **options: Any) -> np.ndarray | None:
        """Return the middle square of a picture file, upright, as one item; or an item as it is.

        Parameters
        ----------
        raw : the bytes of a picture file, a picture that is decoded already, or an item
        """
        if isinstance(raw, np.ndarray):
            return check_item(raw, form)
        picture = pictures.coloured(pictures.decoded(raw if isinstance(raw, bytes | Image.Image) else b""))
        return pictures.middle_square(picture, form.shape[1::-1])

    def preview(self, item: np.ndarray) -> np.ndarray:
        return item

    def augment(self, items: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
        return copies.moved(items, seed)
