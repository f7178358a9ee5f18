"""Classes of one's own, learned from a handful of examples on the features of a frozen network."""

from . import ready_made
from .examples import KINDS, LEAST_CLASSES, MOST_CLASSES, MOST_EXAMPLES, Example, Examples, Kind, OwnClass, kind, of
from .handing_on import as_set
from .head import LinearHead, fit, regression
from .scores import MOST_LEFT_OUT, Score, as_numbers, left_out, of_numbers, score

__all__ = [
    "Example",
    "Examples",
    "KINDS",
    "Kind",
    "LEAST_CLASSES",
    "LinearHead",
    "MOST_CLASSES",
    "MOST_EXAMPLES",
    "MOST_LEFT_OUT",
    "OwnClass",
    "Score",
    "as_numbers",
    "as_set",
    "fit",
    "kind",
    "left_out",
    "of",
    "of_numbers",
    "ready_made",
    "regression",
    "score",
]
