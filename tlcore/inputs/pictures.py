"""From a picture file to white ink on black: what a phone, a scanner or a screen saves."""

import numpy as np
from PIL import Image

from tlcore.errors import DataError
from tlcore.sentences import Sentence

from . import decoding, digits
from .photographs import find_ink

FAINT = 0.1  # a difference below this part of full white is not seen
DEPTHS = (255, 1023, 4095, 16383, 65535)  # the greatest value of a camera's or a scanner's pixel

REFUSALS = {
    decoding.UNREADABLE: Sentence(
        "This is not a picture the app can read. Give a PNG, JPEG, HEIC, AVIF, WebP, TIFF, BMP or GIF file."
    ),
    decoding.TOO_LARGE: Sentence(
        "This picture has more than {most} million pixels, or a side of more than {side:,}. "
        "Make it smaller and try again.",
        most=decoding.MOST_PIXELS // 1_000_000,
        side=decoding.MOST_SIDE,
    ),
    decoding.TOO_LONG: Sentence("This animation is too long to look through. Save the finished drawing as a picture."),
    decoding.NOT_INSTALLED: Sentence(
        "HEIC pictures need the package pi-heif (pip install pi-heif). Or save it as a JPEG."
    ),
    decoding.DAMAGED: Sentence("This picture is damaged and cannot be read. Save it again and retry."),
}


def read_digit(content: bytes | Image.Image) -> np.ndarray:
    """Read a picture file of one digit as white ink on black: float32, shape (h, w), values in [0, 1].

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
    return image


def read_image(content: bytes | Image.Image) -> np.ndarray:
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
    return find_ink(_channels(decoded(content)))


def decoded(content: bytes | Image.Image) -> Image.Image:
    """Return a picture file as ``decoding.decode`` does, a picture as it is; raises as ``read_image``."""
    if isinstance(content, Image.Image):
        return content
    try:
        return decoding.decode(content)
    except decoding.Refused as refused:
        refusal = REFUSALS[refused.code]
        raise DataError(refusal.template, **refusal.values) from refused


def coloured(picture: Image.Image) -> Image.Image:
    """Return a picture in red, green and blue; what is transparent becomes white."""
    if picture.mode == "RGBA":
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    if picture.mode == "F":  # more than 8 bits a pixel
        values = unit(picture) * 255
        return Image.fromarray(np.round(values).astype(np.uint8)).convert("RGB")
    return picture.convert("RGB")


def middle_square(picture: Image.Image, size: tuple[int, ...]) -> np.ndarray:
    """Return the middle square of a picture, scaled to (width, height): uint8, as high and wide, grey or RGB."""
    side, (across, high) = min(picture.size), picture.size
    left, top = (across - side) // 2, (high - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.asarray(square.resize((size[0], size[1]), Image.Resampling.BICUBIC), np.uint8)


def unit(picture: Image.Image) -> np.ndarray:
    """Return a picture of mode F, which holds more than 8 bits a pixel, as values in [0, 1]: float32, (h, w)."""
    values = np.clip(np.nan_to_num(np.asarray(picture, np.float32)), 0, DEPTHS[-1])
    return values / next(most for most in DEPTHS if values.max() <= most)


def _channels(picture: Image.Image) -> np.ndarray:
    """Return float32 (h, w, c) in [0, 1]: brightness or red, green and blue, on white, and opacity where it varies."""
    if picture.mode == "F":
        return unit(picture)[..., None]
    if picture.mode != "RGBA":
        return _few(_as_floats(picture))
    white = Image.new("RGBA", picture.size, "white")
    seen, alpha = _as_floats(Image.alpha_composite(white, picture).convert("RGB")), _as_floats(picture.getchannel("A"))
    # White ink on a transparent ground is lost on white: the opacity itself may be the drawing.
    return np.concatenate([_few(seen), alpha], axis=-1) if np.ptp(alpha) > FAINT else _few(seen)


def _as_floats(picture: Image.Image) -> np.ndarray:
    pixels = np.asarray(picture, np.float32) / 255
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _few(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., :1] if (pixels[..., :1] == pixels).all() else pixels
