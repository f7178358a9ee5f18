"""What a run reports while it works: points of its curves, and how far it is."""

from dataclasses import dataclass

from tlcore.sentences import NOTHING, Sentence


@dataclass(frozen=True)
class MetricPoint:
    """One measured point of one curve.

    ``x`` is in the unit of the curve's axis: epochs for networks (1.5: half-way through the second),
    training images for learning curves, trees for forests. ``loss`` and ``accuracy`` may each be missing.
    """

    series: str  # "train", "validation", or a head: "linear_svm · features"
    x: float
    loss: float | None = None
    accuracy: float | None = None
    elapsed_s: float = 0.0


@dataclass(frozen=True)
class Progress:
    """How far a run has come, in steps of its own choosing."""

    step: int = 0
    n_steps: int = 0
    message: Sentence = NOTHING
    left_s: float | None = None
    images_per_s: float | None = None
    first_step_s: float | None = None  # tracing and compiling; timed apart
