"""Where a head comes from: what stands in its file, so that another lab can answer by it."""

from dataclasses import dataclass

from .data import DataSpec
from .forms import InputForm
from .jobs import ByHand, Input


@dataclass(frozen=True)
class Origin:
    """What a head's features come from, and what it was trained on.

    Attributes
    ----------
    source, title : the network's name and title; also where the head sees the items themselves
    seed : with which an untrained network was made
    scale : whether the network is given scaled pixels
    weights : SHA-256 over the weights up to ``layer``; "" where the items themselves are the features, or of a head
        that an older version saved
    """

    source: str
    title: str
    seed: int
    scale: bool
    layer: str
    weights: str
    input: Input
    class_names: tuple[str, ...]
    form: InputForm
    data: DataSpec
    by_hand: tuple[ByHand, ...] = ()
