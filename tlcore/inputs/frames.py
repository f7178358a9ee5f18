"""A picture that a camera sent: a small JPEG, decoded here. Whatever else was sent is refused in one sentence."""

import io

import numpy as np
from PIL import Image

from tlcore.errors import DataError
from tlcore.spec import InputForm

from .modality import modality

SIDE = 224  # pixels, of what a camera sends
MOST_SIDE = 640  # of a picture that a browser made smaller before it sent it
MOST_BYTES = 512 * 2**10
JPEG = b"\xff\xd8\xff"


def read(content: bytes, form: InputForm) -> np.ndarray:
    """Return a camera's picture as an item of ``form``: its middle square, or of a drawing its ink.

    Parameters
    ----------
    content : untrusted; the bytes of a JPEG

    Raises
    ------
    DataError
        It is no JPEG, damaged, of more than 640 pixels a side or half a megabyte, or holds nothing that can be read.
    """
    if len(content) > MOST_BYTES:
        raise DataError("This picture has more than {n} KB. Send a smaller one.", n=MOST_BYTES // 2**10)
    if content[:3] != JPEG:
        raise DataError("A camera's picture must be a JPEG, and this is not. Reload the page and try again.")
    width, height = _size(content)
    if max(width, height) > MOST_SIDE:
        raise DataError(
            "This picture has {width} × {height} pixels, and the limit is {most} a side. Send a smaller one.",
            width=width,
            height=height,
            most=MOST_SIDE,
        )
    item = modality(form.modality).accept(content, form)
    if item is None:
        raise DataError("This picture is blank: there is nothing to read.")
    return item


def _size(content: bytes) -> tuple[int, int]:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as picture:
            return picture.size
    except Exception as error:  # Pillow raises whatever it comes upon in a damaged head
        raise DataError("This picture is damaged and cannot be read. Save it again and retry.") from error
