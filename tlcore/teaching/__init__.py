"""Classes of one's own, learned from a handful of examples on the features of a frozen network."""

from . import ready_made
from .examples import KINDS, LEAST_CLASSES, MOST_CLASSES, MOST_EXAMPLES, Example, Examples, Kind, OwnClass, kind, of
from .handing_on import as_set, set_of
from .head import LinearHead, fit, regression, units
from .scores import LEAST_TO_TEST, MOST_LEFT_OUT, Score, as_numbers, held_out, left_out, of_numbers, score

__all__ = [
    "Example",
    "Examples",
    "KINDS",
    "Kind",
    "LEAST_CLASSES",
    "LEAST_TO_TEST",
    "LinearHead",
    "MOST_CLASSES",
    "MOST_EXAMPLES",
    "MOST_LEFT_OUT",
    "OwnClass",
    "Score",
    "as_numbers",
    "as_set",
    "fit",
    "held_out",
    "kind",
    "left_out",
    "of",
    "of_numbers",
    "ready_made",
    "regression",
    "score",
    "set_of",
    "units",
]
