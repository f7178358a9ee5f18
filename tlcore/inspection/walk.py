"""Gradient descent where a single number moves: a loss along one line, and the steps of each rate.

Numbers in, numbers out: nothing here needs Keras.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

N_PLACES = 121  # of the curve
N_STEPS = 12
BEFORE, BEYOND = 0.2, 1.25  # how much of the first rate that is too large the curve shows before the start, and beyond

Loss = Callable[[float], float]


@dataclass(frozen=True)
class Step:
    """Where a walk stands: ``at`` on the line, the loss there and its slope."""

    at: float
    loss: float
    slope: float


@dataclass(frozen=True)
class Walk:
    """A loss along a line, and the walks down it.

    ``losses[i]`` belongs to ``places[i]``. ``steps[r]`` begins at the start, where ``at`` is 0, and each further one
    is ``at`` less rate times slope; a walk ends after ``N_STEPS`` steps, or with the one that leaves the curve.
    """

    places: tuple[float, ...]
    losses: tuple[float, ...]
    steps: tuple[tuple[Step, ...], ...]


def walk(loss: Loss, slope: Loss, rates: Sequence[float]) -> Walk | None:
    """Return the curve and the walk of every rate; None where the start is flat, so that no step leads anywhere.

    The curve reaches a little beyond the first step of the smallest rate whose first step raises the loss.

    Examples
    --------
    >>> parabola = walk(lambda x: (x - 1) ** 2, lambda x: 2 * (x - 1), (0.25, 1.25))
    >>> [step.at for step in parabola.steps[0]][:4], [step.at for step in parabola.steps[1]][:2]
    ([0.0, 0.5, 0.75, 0.875], [0.0, 2.5])
    """
    fall = -slope(0.0)
    if not fall or not isfinite(fall):
        return None
    firsts = [rate * fall for rate in rates]
    too_far = next((first for first in firsts if loss(first) > loss(0.0)), firsts[-1])
    low, high = -BEFORE * too_far, BEYOND * too_far
    places = tuple(low + (high - low) * i / (N_PLACES - 1) for i in range(N_PLACES))
    walks = tuple(_steps(loss, slope, rate, places[0], places[-1]) for rate in rates)
    return Walk(places, tuple(map(loss, places)), walks)


def _steps(loss: Loss, slope: Loss, rate: float, low: float, high: float) -> tuple[Step, ...]:
    at, steps = 0.0, []
    while True:
        steps.append(Step(at, loss(at), slope(at)))
        if len(steps) > N_STEPS or not min(low, high) <= at <= max(low, high):
            return tuple(steps)
        at -= rate * steps[-1].slope
