"""From an image of a digit to the 28×28 pixels that the models read.

Every image here is float32, values in [0, 1], white ink on black. NumPy and Pillow only.
"""

import numpy as np
from PIL import Image

from tlcore.errors import DataError

SIDE = 28  # of MNIST's images
BOX = 20  # MNIST scales a digit's longest side to so many pixels
FAINT = 0.1  # ink below this part of full white is not seen
ROUND = (0.72, 1.35)  # height to width of a dot; the boldest digits that can be read are longer or less solid
SOLID = 0.745  # of its box is a dot's ink; a disc has π/4


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
    inked = image > 0.5 * image.max()
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    ink = inked[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if ROUND[0] < ink.shape[0] / ink.shape[1] < ROUND[1] and ink.mean() > SOLID:
        raise DataError("A lone dot is too little to read. Draw a whole digit.")


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
