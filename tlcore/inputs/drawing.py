"""From a person's drawing or picture to the 28×28 image that the models read.

Every image here is float32, values in [0, 1], white ink on black. NumPy and Pillow only.
"""

import io
import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageOps

from tlcore.errors import DataError

from .photographs import find_ink

SIDE = 28  # of MNIST's images
BOX = 20  # MNIST scales a digit's longest side to so many pixels
FAINT = 0.1  # ink below this part of full white is not seen

MOST_STROKES = 200
MOST_POINTS = 5000
REACH = (-1.0, 2.0)  # a captured pen may leave the pad; what lies beyond this is moved to the limit
WIDTHS = (0.004, 0.5)  # of the pad's side
OVERSAMPLED = 4  # each pixel of a rendering is the mean of 4×4

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
MOST_PIXELS = 25_000_000
MOST_SIDE = 20_000  # Pillow keeps a pointer for every row: a picture of one column takes far more than its pixels
MOST_SCANS = 50  # a JPEG has ten; each is a walk over all pixels, and one of 0.2 MB can ask for a minute of them
START_OF_SCAN = b"\xff\xda"
LONGEST = 1000  # larger pictures are made smaller: a digit needs no more

# For the whole process and not around each call: warnings.catch_warnings is not safe among threads.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


# ------------------------------------------------------------------ strokes


def check_strokes(value: object) -> list[dict[str, Any]]:
    """Return the strokes that came from a browser, checked: ``[{"width": w, "points": [[x, y], ...]}, ...]``.

    Widths and coordinates are in units of the pad's side and are moved into their limits; a stroke without points is
    left out; other keys are dropped.

    Raises
    ------
    DataError
        Not a list of such strokes, a number that is not finite, or more than 200 strokes or 5,000 points.
    """
    if not isinstance(value, list | tuple):
        raise _unreadable("it is not a list of strokes")
    if len(value) > MOST_STROKES:
        raise _unreadable(f"it has more than {MOST_STROKES} strokes")
    checked, n_points = [], 0
    for stroke in value:
        if not isinstance(stroke, Mapping) or not isinstance(stroke.get("points"), list | tuple):
            raise _unreadable("a stroke has no points")
        n_points += len(stroke["points"])
        if n_points > MOST_POINTS:
            raise _unreadable(f"it has more than {MOST_POINTS:,} points")
        width = min(max(_number(stroke.get("width")), WIDTHS[0]), WIDTHS[1])
        if stroke["points"]:
            checked.append({"width": width, "points": [_point(point) for point in stroke["points"]]})
    return checked


def _point(value: object) -> list[float]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _unreadable("a point is not a pair of numbers")
    return [min(max(_number(part), REACH[0]), REACH[1]) for part in value]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _unreadable("it holds something that is not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise _unreadable("it holds a number without bounds") from error
    if not math.isfinite(number):
        raise _unreadable("it holds a number without bounds")
    return number


def _unreadable(reason: str) -> DataError:
    return DataError("This drawing cannot be read: {reason}. Clear the pad and draw again.", reason=reason)


def render(strokes: Sequence[Mapping[str, Any]], size: int = 280) -> np.ndarray:
    """Draw strokes with round ends and joins, antialiased; a stroke of one point is a dot.

    Parameters
    ----------
    strokes : as ``check_strokes`` returns them
    size : pixels of each side

    Returns
    -------
    float32 array, shape (size, size), values in [0, 1]
    """
    fine = size * OVERSAMPLED
    canvas = Image.new("L", (fine, fine))
    pen = ImageDraw.Draw(canvas)
    for stroke in strokes:
        radius = max(stroke["width"] * fine / 2, 0.5)
        points = _thinned([(x * fine, y * fine) for x, y in stroke["points"]], radius / 4)
        for x, y in points:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        for (x, y), (x_next, y_next) in zip(points, points[1:], strict=False):
            length = math.hypot(x_next - x, y_next - y)
            across, down = (y - y_next) / length * radius, (x_next - x) / length * radius
            corners = [(x + across, y + down), (x_next + across, y_next + down)]
            pen.polygon([*corners, (x_next - across, y_next - down), (x - across, y - down)], fill=255)
    return np.asarray(canvas.reduce(OVERSAMPLED), np.float32) / 255


def _thinned(points: list[tuple[float, float]], step: float) -> list[tuple[float, float]]:
    """Leave out points closer to the last kept one than ``step``: a pen reports many, the eye sees none of it."""
    kept = points[:1]
    for point in points[1:]:
        if math.dist(point, kept[-1]) >= step:
            kept.append(point)
    if len(points) > 1 and points[-1] != kept[-1]:
        kept.append(points[-1])
    return kept


# ------------------------------------------------------------------ 28×28


def is_blank(image: np.ndarray) -> bool:
    """Say whether there is nothing to read: no pixel with a fifth of full white."""
    return image.size == 0 or float(image.max()) < 2 * FAINT


def normalise(image: np.ndarray) -> np.ndarray:
    """Bring a drawing into MNIST's form: cropped to its ink, longest side 20 pixels, centre of mass in the middle.

    Parameters
    ----------
    image : float32 array, shape (h, w), values in [0, 1], white ink on black

    Returns
    -------
    float32 array, shape (28, 28), values in [0, 1]; black for a blank image

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", III.A.
    """
    if is_blank(image):
        return np.zeros((SIDE, SIDE), np.float32)
    inked = image > FAINT * image.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    ink = _resize(ink, height, width)
    ink = np.clip(ink / ink.max(), 0, 1)  # a thin line fades as it shrinks; MNIST's ink is always white
    top, left = (_start(ink.sum(axis=axis)) for axis in (1, 0))
    result = np.zeros((SIDE, SIDE), np.float32)
    result[top : top + height, left : left + width] = ink
    return result


def _start(mass: np.ndarray) -> int:
    """Return where to put the first pixel so that the centre of ``mass`` comes to the middle, all ink inside."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return min(max(round(SIDE / 2 - centre), 0), SIDE - len(mass))


def shrink(image: np.ndarray) -> np.ndarray:
    """Scale the whole image down to (28, 28) as it lies, without MNIST's crop and centring; bars make it square."""
    height, width = image.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = np.pad(image, ((top, side - height - top), (left, side - width - left)))
    return np.clip(_resize(square, SIDE, SIDE), 0, 1)


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    # Pillow's filters take the mean over all pixels that fall into one; HAMMING is sharp and, unlike LANCZOS, never
    # rings into negative ink.
    scaled = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(scaled.resize((width, height), Image.Resampling.HAMMING), np.float32)


# ------------------------------------------------------------------ picture files


def read_image(content: bytes) -> np.ndarray:
    """Read a picture file as white ink on black.

    Turned as its EXIF says, transparency laid on white, dark ink on light paper recognised and inverted, the shading
    of photographed paper removed, at most 1,000 pixels a side (larger ones are made smaller).

    Returns
    -------
    float32 array, shape (h, w), values in [0, 1]

    Raises
    ------
    DataError
        Not a PNG, JPEG, WebP, BMP or GIF file, damaged, or of more than 25 million pixels or 20,000 a side.
    """
    return find_ink(_read_grey(content))


def _read_grey(content: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
            if picture.width * picture.height > MOST_PIXELS or max(picture.size) > MOST_SIDE:
                raise Image.DecompressionBombError
            if picture.format == "JPEG" and content.count(START_OF_SCAN) > MOST_SCANS:
                raise OSError("too many scans")
            picture.draft(None, (LONGEST, LONGEST))  # a JPEG is decoded at a fraction of its size
            return _grey(ImageOps.exif_transpose(picture))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            "This picture has more than {most} million pixels, or a side of more than {side:,}. "
            "Make it smaller and try again.",
            most=MOST_PIXELS // 1_000_000,
            side=MOST_SIDE,
        ) from error
    except Image.UnidentifiedImageError as error:
        raise DataError("This is not a picture the app can read. Give a PNG, JPEG, WebP, BMP or GIF file.") from error
    except Exception as error:  # Pillow's decoders raise whatever they come upon in a damaged file
        raise DataError("This picture is damaged and cannot be read. Save it again and retry.") from error


def _grey(picture: Image.Image) -> np.ndarray:
    """Return float32 (h, w) in [0, 1]: the brightness, on white where the picture is transparent."""
    if picture.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion to 8 would cut them off
        bright = np.clip(np.asarray(picture, np.float32) / 65535, 0, 1)
        return _as_floats(_limited(Image.fromarray(np.round(bright * 255).astype(np.uint8))))
    if not picture.has_transparency_data:
        return _as_floats(_limited(picture.convert("RGB")).convert("L"))
    picture = _limited(picture.convert("RGBA"))
    white = Image.new("RGBA", picture.size, "white")
    grey, alpha = _as_floats(Image.alpha_composite(white, picture).convert("L")), _as_floats(picture.getchannel("A"))
    # White ink on a transparent ground is lost on white: the opacity itself is then the drawing.
    return alpha if np.ptp(grey) < FAINT <= np.ptp(alpha) else grey


def _limited(picture: Image.Image) -> Image.Image:
    picture.thumbnail((LONGEST, LONGEST))
    return picture


def _as_floats(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture, np.float32) / 255
