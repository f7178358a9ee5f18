"""What one item that a model reads looks like, before anything is computed from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputForm:
    """The form of one item as data sets store it and models take it.

    Two things that meet, a data set and a network, have the same form.

    Examples
    --------
    >>> print(InputForm("image", (96, 96, 3)), InputForm("image", (28, 28, 1)), sep=", ")
    96 × 96 × 3, 28 × 28
    """

    modality: str  # a name in ``inputs``: "image"
    shape: tuple[int, ...]  # of one item; of an image (height, width, channels)
    dtype: str = "uint8"  # of its numbers as stored; of an image 0..255

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))  # JSON has lists

    def __str__(self) -> str:
        shown = self.shape[:-1] if len(self.shape) > 2 and self.shape[-1] == 1 else self.shape
        return " × ".join(map(str, shown))
