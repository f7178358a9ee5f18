"""One picture file of a set: decoded small and upright, in the process that reads the set, which is under limits."""

import io

import numpy as np
from PIL import Image, ImageOps

from tlcore.inputs.decoding import APART, HEIF, HERE, MOST_PIXELS, MOST_SCANS, MOST_SIDE, START_OF_SCAN, finished

from .nouns import FORMS
from .stack import Damaged, Picture

FORMATS = (*HERE, *APART)
ENDINGS = (
    ".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".heic", ".heif",
)  # fmt: skip
MOST_FILE = 30 * 2**20  # bytes of one picture
ENOUGH = 2 * FORMS["photo"].shape[0]  # pixels a side: a JPEG is decoded no larger than it must
ORIENTATION = 0x0112  # the EXIF tag


def know_heif() -> None:
    """Let Pillow read HEIC where that is installed."""
    try:
        import pi_heif
    except ImportError:
        return
    pi_heif.register_heif_opener()


def is_picture(name: str) -> bool:
    """Return whether a file's name ends as a picture's."""
    return name.lower().endswith(ENDINGS)


def decoded(content: bytes, enough: int = ENOUGH) -> Picture:
    """Return the picture of a file; of an animation the frame with most on it, of a TIFF the first page.

    Parameters
    ----------
    enough : pixels a side that a JPEG keeps at least

    Raises
    ------
    Damaged
        It is no picture, is cut off, or has too many pixels.
    """
    if len(content) > MOST_FILE:
        raise Damaged(huge=True)
    formats = HEIF if _is_heif(content) else FORMATS
    try:
        with Image.open(io.BytesIO(content), formats=formats) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
                raise Damaged(huge=True)
            if picture.format in ("JPEG", "MPO"):
                if content.count(START_OF_SCAN) > MOST_SCANS * getattr(picture, "n_frames", 1):
                    raise Damaged
                picture.draft(None, (enough, enough))
            elif picture.format in ("GIF", "PNG", "WEBP", "AVIF"):
                picture = finished(picture)
            turned = picture.getexif().get(ORIENTATION, 1)
            upright = ImageOps.exif_transpose(picture)
            turned = turned if isinstance(turned, int) and 2 <= turned <= 8 else 1
            return Picture(_pixels(upright), width, height, turned)
    except Damaged:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Damaged(huge=True) from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they come upon in a damaged file
        raise Damaged from error


def _is_heif(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] not in (b"avif", b"avis")


def _pixels(picture: Image.Image) -> np.ndarray:
    """Return a picture as uint8, shape (h, w) or (h, w, 3); what is transparent becomes white."""
    if picture.mode.startswith(("I", "F")):  # more than 8 bits a pixel
        values = np.asarray(picture, np.float32)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if picture.mode.startswith("I;16") or high > 255:
            values = (values - low) * (255 / max(high - low, 1e-6))
        return np.clip(np.nan_to_num(values), 0, 255).astype(np.uint8)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"), np.uint8)


# -- into the form of the set ----------------------------------------------------------------------------------------


def fitted(pixels: np.ndarray, form: str) -> np.ndarray:
    """Return the middle square of a picture as an item of a form of ``FORMS``, as an uploaded photograph is taken.

    Parameters
    ----------
    pixels : uint8, shape (h, w) or (h, w, 3)

    Returns
    -------
    uint8, shape (28, 28, 1) of the form "image", (96, 96, 3) of "photo"
    """
    side, _side, channels = FORMS[form].shape
    if channels == 1 and pixels.ndim == 3:
        pixels = np.round(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)  # ITU-R 601
    picture = Image.fromarray(pixels)
    width, height = picture.size
    if (width, height) != (side, side):
        short_side = min(width, height)
        left, top = (width - short_side) // 2, (height - short_side) // 2
        box = (left, top, left + short_side, top + short_side)
        picture = picture.resize((side, side), Image.Resampling.BICUBIC, box)
    if channels == 3 and picture.mode != "RGB":
        picture = picture.convert("RGB")
    item = np.asarray(picture, np.uint8)
    return item if channels == 3 else item[..., None]


def reformed(item: np.ndarray, form: str) -> np.ndarray:
    """Return an item of one form as one of another."""
    return item if item.shape == FORMS[form].shape else fitted(item[..., 0] if item.shape[-1] == 1 else item, form)


TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (3, True), 6: (1, False), 7: (1, True), 8: (3, False)}


def turned_back(item: np.ndarray, orientation: int) -> np.ndarray:
    """Return an upright item as its file has it: for who does not want it turned.

    ``TURNS`` are the quarter turns to the left, then whether it is mirrored (left and right), that undo EXIF's.
    """
    quarters, mirrored = TURNS.get(orientation, (0, False))
    turned = np.rot90(item, quarters)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
