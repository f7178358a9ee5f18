"""From a picture file to white ink on black: what a phone, a scanner or a screen saves."""

import numpy as np
from PIL import Image

from tlcore.errors import DataError

from . import decoding, digits
from .photographs import find_ink

FAINT = 0.1  # a difference below this part of full white is not seen

SENTENCES = {
    decoding.UNREADABLE: (
        "This is not a picture the app can read. Give a PNG, JPEG, HEIC, AVIF, WebP, TIFF, BMP or GIF file."
    ),
    decoding.TOO_LARGE: (
        "This picture has more than {most} million pixels, or a side of more than {side:,}. "
        "Make it smaller and try again."
    ),
    decoding.TOO_LONG: "This animation is too long to look through. Save the finished drawing as a picture.",
    decoding.NOT_INSTALLED: "HEIC pictures need the package pi-heif (pip install pi-heif). Or save it as a JPEG.",
    decoding.DAMAGED: "This picture is damaged and cannot be read. Save it again and retry.",
}


def read_digit(content: bytes, normalised: bool = True) -> np.ndarray:
    """Read a picture file as the models take it: float32, shape (28, 28), white ink on black.

    Parameters
    ----------
    normalised : centred and scaled as in MNIST; else only shrunk

    Raises
    ------
    DataError
        As ``read_image``, or the picture holds nothing, or a lone dot.
    """
    image = read_image(content)
    if digits.is_blank(image):
        raise DataError(
            "This picture is blank: there is nothing to read. Give one with a single digit, "
            "dark on light or light on dark."
        )
    digits.check_enough(image)
    return digits.normalise(image) if normalised else digits.shrink(image)


def read_image(content: bytes) -> np.ndarray:
    """Read a picture file as white ink on black.

    Turned as its EXIF says, transparency laid on white, dark ink on light paper recognised and inverted, the shading
    of photographed paper removed, at most 1,000 pixels a side (larger ones are made smaller). Of an animation it is
    the finished drawing, of a TIFF the first page.

    Returns
    -------
    float32 array, shape (h, w), values in [0, 1]

    Raises
    ------
    DataError
        Not a PNG, JPEG, HEIC, AVIF, WebP, TIFF, BMP or GIF file, damaged, or of more than 25 million pixels or
        20,000 a side.
    """
    try:
        picture = decoding.decode(content)
    except decoding.Refused as refused:
        raise DataError(
            SENTENCES[refused.code], most=decoding.MOST_PIXELS // 1_000_000, side=decoding.MOST_SIDE
        ) from refused
    return find_ink(_grey(picture))


def _grey(picture: Image.Image) -> np.ndarray:
    """Return float32 (h, w) in [0, 1]: the brightness, on white where the picture is transparent."""
    if picture.mode == "F":
        return np.clip(np.asarray(picture) / 65535, 0, 1)
    if picture.mode != "RGBA":
        return _as_floats(picture.convert("L"))
    white = Image.new("RGBA", picture.size, "white")
    grey, alpha = _as_floats(Image.alpha_composite(white, picture).convert("L")), _as_floats(picture.getchannel("A"))
    # White ink on a transparent ground is lost on white: the opacity itself is then the drawing.
    return alpha if np.ptp(grey) < FAINT <= np.ptp(alpha) else grey


def _as_floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32) / 255
