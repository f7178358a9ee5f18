"""Finished experiments as curves over labels: means with bands over seeds, and what transfer saves. Pure functions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, inf, isinf, log

import numpy as np

from tlcore.evaluation import mean_interval
from tlcore.spec import Cell

from .once import once

RESAMPLES = 2000
Curve = Mapping[int, Mapping[int, float]]  # labels per class -> seed -> accuracy


@dataclass(frozen=True)
class Band:
    """A mean over seeds at one place of an axis, with the 95 % interval of that mean."""

    x: float
    mean: float
    low: float
    high: float
    n_seeds: int


@dataclass(frozen=True)
class Saving:
    """How many labels per class the control needs for the accuracy that transfer reaches with ``per_class``.

    ``k`` is their ratio; infinite where the control does not get there with the most labels measured (``most``).
    ``low`` and ``high`` bound its 95 % interval over resampled seeds.
    """

    per_class: int
    accuracy: float
    needed: float
    k: float
    low: float
    high: float
    n_seeds: int
    most: int

    @property
    def open_ended(self) -> bool:
        return isinf(self.k)


@once
def curve(cells: Iterable[Cell], method: str, source: str | None = None, cut: str | None = None) -> Curve:
    """Return the accuracies of one method by labels and seed; failed experiments are left out."""
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for cell in cells:
        chosen = cell.method == method and source in (None, cell.source) and cut in (None, cell.cut)
        if chosen and cell.score is not None:
            found[cell.per_class][cell.seed] = cell.score
    return {n: found[n] for n in sorted(found)}


def bands(curve: Mapping[int, Mapping[int, float]]) -> list[Band]:
    """Return the mean at each place of a curve with its interval over seeds."""
    return [Band(x, *mean_interval(list(by_seed.values())), len(by_seed)) for x, by_seed in curve.items()]


def means(curve: Curve) -> dict[int, float]:
    return {n: float(np.mean(list(by_seed.values()))) for n, by_seed in curve.items()}


def complete(*curves: Curve) -> list[Curve]:
    """Return the curves on the labels and the seeds that all of them have."""
    labels = set.intersection(*(set(one) for one in curves)) if curves else set()
    seeds = [set(one[n]) for one in curves for n in labels]
    common = set.intersection(*seeds) if seeds else set()
    return [{n: {seed: one[n][seed] for seed in sorted(common)} for n in sorted(labels) if common} for one in curves]


def labels_needed(means: Mapping[int, float], accuracy: float) -> float:
    """Return the labels at which a curve first reaches an accuracy, interpolated on the logarithm of the labels.

    Infinite when it never does; its fewest labels when it starts there.

    Examples
    --------
    >>> round(labels_needed({1: 0.5, 10: 0.7, 100: 0.9}, 0.8), 2)
    31.62
    """
    labels = sorted(means)
    return float(_needed(labels, np.array([[means[n] for n in labels]]), np.array([accuracy]))[0])


def _needed(labels: Sequence[int], means: np.ndarray, accuracy: np.ndarray) -> np.ndarray:
    """Return ``labels_needed`` of many curves, shape (m, n_labels), each for its own accuracy, shape (m,)."""
    heights = np.maximum.accumulate(means, axis=1)  # a dip keeps the height that was reached
    reached = heights >= accuracy[:, None]
    first, rows, logs = reached.argmax(axis=1), np.arange(len(means)), np.log(labels)
    low, high = heights[rows, np.maximum(first - 1, 0)], heights[rows, first]
    part = np.divide(accuracy - low, high - low, out=np.zeros(len(means)), where=high > low)
    found = np.exp(logs[np.maximum(first - 1, 0)] + part * (logs[first] - logs[np.maximum(first - 1, 0)]))
    found[first == 0] = labels[0]
    return np.where(reached.any(axis=1), found, inf)


def saving(transfer: Curve, control: Curve, per_class: int, seed: int = 0) -> Saving | None:
    """Return what transfer saves at one number of labels; None when the curves share no seed there.

    The interval resamples the seeds with replacement, the same ones for both curves: they were given the same images.
    """
    transfer, control = complete(transfer, control)
    if per_class not in transfer:
        return None
    labels = list(transfer)
    a, b = (np.array([list(one[n].values()) for n in labels]) for one in (transfer, control))  # (labels, seeds)
    at, n_seeds = labels.index(per_class), a.shape[1]
    # The first draw is the seeds as they are, the others are resampled.
    draws = np.random.default_rng(seed).integers(n_seeds, size=(RESAMPLES + 1, n_seeds))
    draws[0] = np.arange(n_seeds)
    accuracy = a[at][draws].mean(axis=1)
    needed = _needed(labels, b[:, draws].mean(axis=2).T, accuracy)
    low, high = (float(np.sort(needed[1:])[int(share * RESAMPLES)]) / per_class for share in (0.025, 0.975))
    found = float(needed[0])
    return Saving(per_class, float(accuracy[0]), found, found / per_class, low, high, n_seeds, labels[-1])


def crossover(transfer: Curve, control: Curve) -> float | None:
    """Return the labels from which on the control's mean is at least transfer's; None when there is no such number.

    Examples
    --------
    >>> crossover({1: {0: 0.8}, 100: {0: 0.8}}, {1: {0: 0.7}, 100: {0: 0.9}})
    10.0
    """
    transfer, control = complete(transfer, control)
    a, b = means(transfer), means(control)
    lead = [(n, a[n] - b[n]) for n in sorted(a)]
    if not lead or lead[-1][1] > 0:
        return None
    for (n, ahead), (m, behind) in reversed(list(zip(lead, lead[1:], strict=False))):
        if ahead > 0:
            part = ahead / (ahead - behind)
            return round(exp(log(n) + part * (log(m) - log(n))), 6)
    return float(lead[0][0])


def differences(first: Curve, second: Curve) -> dict[int, list[float]]:
    """Return first less second, seed by seed, at the labels both have."""
    first, second = complete(first, second)
    return {n: [first[n][seed] - second[n][seed] for seed in first[n]] for n in first}


def savings(transfer: Curve, control: Curve, labels: Sequence[int]) -> list[Saving]:
    """Return what transfer saves at each of these numbers of labels, where it can be told."""
    return [found for n in labels if (found := saving(transfer, control, n)) is not None]
