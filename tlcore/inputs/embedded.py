"""Pictures inside addresses: a page that holds them asks for no file."""

from base64 import b64encode
from io import BytesIO

import numpy as np
from PIL import Image

SMALL = 64  # pixels of a thumbnail


def address(pixels: np.ndarray) -> str:
    """Return uint8 pixels, shape (h, w), (h, w, 2: grey and opacity) or (h, w, 3), as a PNG inside an address.

    There is no media file, and so nothing to race with.
    """
    content = BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return f"data:image/png;base64,{b64encode(content.getvalue()).decode()}"


def thumbnail(pixels: np.ndarray) -> str:
    """Return a picture, uint8, (h, w) or (h, w, 3), at most 64 pixels wide and high, as an address of a few KB."""
    picture = Image.fromarray(pixels)
    if max(picture.size) <= SMALL:
        return address(pixels)
    picture.thumbnail((SMALL, SMALL))
    content = BytesIO()
    picture.save(content, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{b64encode(content.getvalue()).decode()}"
