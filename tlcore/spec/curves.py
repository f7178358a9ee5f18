"""What a run reports while it works: points of its curves, and how far it is."""

from dataclasses import dataclass
from typing import Literal

from tlcore.sentences import NOTHING, Sentence

Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class MetricPoint:
    """One measured point of one curve.

    ``x`` is in the unit of the curve's axis: epochs for networks (1.5: half-way through the second),
    training images for learning curves, trees for forests.
    ``loss`` and ``accuracy`` may each be missing.
    ``head`` and ``input`` tell the curves of a comparison apart; where there is only one they are "".
    """

    part: Part  # of the images
    x: float
    loss: float | None = None
    accuracy: float | None = None
    elapsed_s: float = 0.0
    head: str = ""
    input: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a run has come, in steps of its own choosing."""

    step: int = 0
    n_steps: int = 0
    message: Sentence = NOTHING
    left_s: float | None = None
    images_per_s: float | None = None
    first_step_s: float | None = None  # tracing and compiling; timed apart


# -- which curve, in one column of the store -------------------------------------------------------------------------

# Older versions stored a head's title: "Linear SVM · features · train".
_TITLES = {
    "Linear SVM": "linear_svm",
    "RBF SVM": "rbf_svm",
    "Random forest": "random_forest",
    "Logistic regression": "logistic_regression",
    "k-nearest neighbours": "knn",
    "Dense layer": "dense",
}


def series(point: MetricPoint) -> str:
    """Return the name of a point's curve, for a column; ``of_series`` reads it.

    Examples
    --------
    >>> series(MetricPoint("train", 1.0)), series(MetricPoint("train", 1.0, head="knn", input="pixels"))
    ('train', 'knn/pixels/train')
    """
    return f"{point.head}/{point.input}/{point.part}" if point.head else point.part


def of_series(name: str) -> dict[str, str]:
    """Return head, input and part of a curve's name, also of one that an older version stored.

    Examples
    --------
    >>> of_series("knn/pixels/train") == of_series("k-nearest neighbours · pixels · train")
    True
    >>> of_series("validation")
    {'head': '', 'input': '', 'part': 'validation'}
    """
    *first, part = name.split(" · ") if " · " in name else name.rsplit("/", 2)
    head, input = first if len(first) == 2 else ("", "")
    return {"head": _TITLES.get(head, head), "input": input, "part": part}
