"""From an image of a digit to the small square image that the models read.

Every image here is float32, values in [0, 1], white ink on black. NumPy and Pillow only.
"""

import numpy as np
from PIL import Image

from tlcore.errors import DataError

BOX = 20 / 28  # MNIST scales a digit's longest side to so much of the image's
FAINT = 0.1  # ink below this part of full white is not seen
ROUND = (0.72, 1.35)  # height to width of a dot; the boldest digits that can be read are longer or less solid
SOLID, MIDDLE = 0.745, 0.97  # a dot's ink: more of its box, or of the ellipse in it, than any digit's (a disc: π/4, 1)


def is_blank(image: np.ndarray) -> bool:
    """Say whether there is nothing to read: no pixel with a fifth of full white."""
    return image.size == 0 or float(image.max()) < 2 * FAINT


def check_enough(image: np.ndarray) -> None:
    """Refuse a lone dot, which a model would call a zero, and be sure of it.

    Raises
    ------
    DataError
        The ink is one solid spot about as high as wide.
    """
    inked = image > 0.4 * image.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    ink = inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    down, across = (np.linspace(-1, 1, 2 * length + 1)[1::2] for length in ink.shape)
    middle = down[:, None] ** 2 + across**2 < 0.65  # well within the ellipse: a small one is lopsided
    solid = ink.mean() > SOLID or ink[middle].mean() > MIDDLE
    if solid and ROUND[0] < ink.shape[0] / ink.shape[1] < ROUND[1]:
        raise DataError("A lone dot is too little to read. Draw a whole digit.")


def normalise(image: np.ndarray, side: int) -> np.ndarray:
    """Bring a drawing into MNIST's form: cropped to its ink, scaled to 5/7 of the side, centre of mass in the middle.

    Parameters
    ----------
    image : float32 array, shape (h, w), values in [0, 1], white ink on black

    Returns
    -------
    float32 array, shape (side, side), values in [0, 1]; black for a blank image

    References
    ----------
    LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition", III.A.
    """
    if is_blank(image):
        return np.zeros((side, side), np.float32)
    inked = image > FAINT * image.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    ink = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX * side / max(ink.shape)
    height, width = (max(1, round(length * scale)) for length in ink.shape)
    ink = _resize(ink, height, width)
    ink = np.clip(ink / ink.max(), 0, 1)  # a thin line fades as it shrinks; MNIST's ink is always white
    top, left = (_start(ink.sum(axis=axis), side) for axis in (1, 0))
    result = np.zeros((side, side), np.float32)
    result[top : top + height, left : left + width] = ink
    return result


def _start(mass: np.ndarray, side: int) -> int:
    """Return where to put the first pixel so that the centre of ``mass`` comes to the middle, all ink inside."""
    centre = float(mass @ np.arange(len(mass)) / mass.sum())
    return min(max(round(side / 2 - centre), 0), side - len(mass))


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """Scale the whole image down to (side, side) as it lies, without MNIST's crop and centring; bars make it square."""
    height, width = image.shape
    longest = max(height, width)
    top, left = (longest - height) // 2, (longest - width) // 2
    square = np.pad(image, ((top, longest - height - top), (left, longest - width - left)))
    return np.clip(_resize(square, side, side), 0, 1)


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    # Pillow's filters take the mean over all pixels that fall into one; HAMMING is sharp and, unlike LANCZOS, never
    # rings into negative ink.
    scaled = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(scaled.resize((width, height), Image.Resampling.HAMMING), np.float32)
