"""Why a model answers as it does."""

from .choices import N_CHOICES, Choices
from .explanation import Explanation, HeatMap, Seen, explain, seen
from .forest import OpenedForest
from .maps import BeforeAndAfter, Plane
from .nearest import Nearest
from .svm import Dual, OpenedSVM

__all__ = [
    "BeforeAndAfter",
    "Choices",
    "Dual",
    "Explanation",
    "HeatMap",
    "N_CHOICES",
    "Nearest",
    "OpenedForest",
    "OpenedSVM",
    "Plane",
    "Seen",
    "explain",
    "seen",
]
