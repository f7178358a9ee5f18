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
        raw : the bytes of a picture file, or an item
        """
        if isinstance(raw, np.ndarray):
            return check_item(raw, form)
        picture = _coloured(pictures.decoded(raw if isinstance(raw, bytes) else b""))
        height, width, _channels = form.shape
        side, (across, high) = min(picture.size), picture.size
        left, top = (across - side) // 2, (high - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        return np.asarray(square.resize((width, height), Image.Resampling.BICUBIC), np.uint8)

    def preview(self, item: np.ndarray) -> np.ndarray:
        return item

    def augment(self, items: np.ndarray, seed: int | Sequence[int]) -> np.ndarray:
        return copies.moved(items, seed)


def _coloured(picture: Image.Image) -> Image.Image:
    """Return a picture in red, green and blue; what is transparent becomes white."""
    if picture.mode == "RGBA":
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    if picture.mode == "F":  # more than 8 bits a pixel
        values = pictures.unit(picture) * 255
        return Image.fromarray(np.round(values).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")
