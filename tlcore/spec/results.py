"""What came out of a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """One experiment of a sweep, and what came out once it was done.

    ``score`` is the test accuracy in [0, 1], of a transferability score its own number; None where the experiment
    failed, which ``error`` explains. ``multiply_adds`` counts the training's arithmetic, None where nothing counts it.
    """

    target: str
    source: str  # "random" where nothing was learned before: from scratch, or on raw pixels
    cut: str
    method: str
    per_class: int
    seed: int
    score: float | None = None
    train_score: float | None = None  # accuracy on the training images
    n_test: int = 0
    n_features: int = 0
    fit_s: float = 0.0
    seconds: float = 0.0  # all of it: drawing, fitting, testing
    multiply_adds: float | None = None
    error: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, int, int]:
        """What was asked, without the outcome."""
        return self.target, self.source, self.cut, self.method, self.per_class, self.seed
