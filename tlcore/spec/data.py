"""Which images of a target task a run uses, and how they are divided."""

from dataclasses import dataclass
from typing import Literal

Split = Literal["standard", "article"]
SPLITS: tuple[Split, ...] = ("standard", "article")


@dataclass(frozen=True)
class DataSpec:
    """Which images of the target task are used, and how they are divided.

    ``scale``, ``label_noise`` and ``imbalance`` spoil the training images on purpose, to see what that does.
    """

    target: str = "mnist_5_9"
    split: Split = "standard"
    per_class: int | None = 5  # training images of each class; None: all there are
    seed: int = 0
    scale: bool = True  # False: the network is given the pixels as they are, 0..255
    label_noise: float = 0.0  # share of the training labels that is dealt out anew among its images
    imbalance: float = 1.0  # the first class has so many times the training images of the last; 1: as many
    own: str = ""  # drawings of a person's own, added to the training images: the hash of ``datasets.drawings``
