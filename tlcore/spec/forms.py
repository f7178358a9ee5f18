"""What one item that a model reads looks like, before anything is computed from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputForm:
    """The form of one item as data sets store it and models take it.

    Two things that meet, a data set and a network, must have the same form.
    """

    modality: str  # a name in ``inputs``: "image"
    shape: tuple[int, ...]  # of one item: (height, width, channels)
    dtype: str = "uint8"  # of its numbers as stored; of an image 0..255
