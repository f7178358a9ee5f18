"""How a model did on images that were not used for training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Balanced:
    """What stands for the accuracy where the test classes are lopsided: see ``evaluation.balance``.

    ``accuracy`` is the mean of the classes' recalls, scikit-learn's ``balanced_accuracy_score``; ``low`` and ``high``
    bound its 95 % interval. All are in [0, 1].
    """

    accuracy: float
    low: float
    high: float
    majority: int  # the class with the most test images
    guess: float  # the accuracy of always answering it
    chance: float  # the balanced accuracy of that: 1 / number of classes
    ratio: float  # test images of the largest class for each of the smallest


@dataclass(frozen=True)
class Evaluation:
    """How a model did on images that were not used for training.

    ``confusion[i][j]`` counts images of class i that were called j; ``low`` and ``high`` bound the 95 % interval
    of the accuracy; ``loss`` is the mean cross-entropy in nats, None where a model gives no probabilities.
    """

    accuracy: float
    low: float = 0.0
    high: float = 1.0
    n: int = 0
    confusion: tuple[tuple[int, ...], ...] = ()
    loss: float | None = None
    balanced: Balanced | None = None  # None: the classes have about as many test images each

    @property
    def headline(self) -> float:
        """The number that stands for this test: the balanced accuracy where the classes are lopsided."""
        return self.balanced.accuracy if self.balanced else self.accuracy

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of ``headline``."""
        return (self.balanced.low, self.balanced.high) if self.balanced else (self.low, self.high)
