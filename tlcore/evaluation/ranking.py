"""Which of several is better: the best against each of the others, image by image or seed by seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import atan, cos, pi, sin, sqrt

import numpy as np

from tlcore.spec import Evaluation

from .balance import paired_by_class, weights
from .intervals import t_95
from .scores import no_clear_winner, paired

SURE = 0.05  # a difference is called one below this probability
FEWEST_SEEDS = 3  # that say how much the draw of the images matters


@dataclass(frozen=True)
class Rival:
    """One that the best is held against.

    Attributes
    ----------
    lead : accuracy of the best less its own, in [0, 1]
    p : the chance of a difference at least as large if neither were better, after Holm's correction for all rivals
    low, high : 95 % interval of the lead over seeds; None where single images were compared
    """

    name: str
    lead: float
    p: float
    low: float | None = None
    high: float | None = None

    @property
    def clear(self) -> bool:
        return self.p < SURE


@dataclass(frozen=True)
class Ranking:
    """The best, and its rivals from the nearest to the farthest.

    ``tested`` is what decided: "seeds", single "images", or "intervals" where neither was to be had; ``n`` counts them
    (of intervals the images).
    """

    best: str
    rivals: tuple[Rival, ...]
    tested: str
    n: int
    accuracies: Mapping[str, float]

    @property
    def ties(self) -> tuple[str, ...]:
        """The best and all that are not clearly worse."""
        return (self.best, *(rival.name for rival in self.rivals if not rival.clear))


def rank(
    seeds: Mapping[str, Mapping[int, float]],
    right: Mapping[str, np.ndarray],
    scores: Mapping[str, Evaluation],
    labels: np.ndarray | None = None,
) -> Ranking:
    """Rank two or more by the best evidence there is: seeds that all share, single answers, separate intervals.

    Parameters
    ----------
    seeds : by name, the accuracy for each seed
    right, labels : as in ``by_images``; without all of the names they are not used
    scores : by name
    """
    shared = sorted(set.intersection(*map(set, seeds.values())))
    if len(shared) >= FEWEST_SEEDS:
        return by_seeds({name: [of[seed] for seed in shared] for name, of in seeds.items()})
    return by_images(right, labels) if right.keys() == scores.keys() else by_intervals(scores)


def by_images(right: Mapping[str, np.ndarray], labels: np.ndarray | None = None) -> Ranking:
    """Rank models by their answers to the same images, with McNemar's exact test.

    With ``labels``, int shape (n,), by their balanced accuracies, with ``balance.paired_by_class``.

    Parameters
    ----------
    right : by name, whether each answer was right: bool arrays, shape (n,), the same images in the same order

    Examples
    --------
    >>> found = by_images({"a": np.arange(9) < 2, "b": np.arange(9) < 9})
    >>> found.best, found.rivals[0].p
    ('b', 0.015625)
    """
    each = None if labels is None else weights(labels)
    reached = {name: float(np.average(of, weights=each)) for name, of in right.items()}
    order = sorted(right, key=lambda name: -reached[name])
    best = order[0]
    ps = holm([_chance(right[best], right[name], labels) for name in order[1:]])
    accuracies = {name: reached[name] for name in order}
    leads = [accuracies[best] - accuracies[name] for name in order[1:]]
    return Ranking(best, tuple(map(Rival, order[1:], leads, ps)), "images", len(right[best]), accuracies)


def _chance(first: np.ndarray, second: np.ndarray, labels: np.ndarray | None) -> float:
    return paired(first, second).p if labels is None else paired_by_class(first, second, labels)


def by_seeds(accuracies: Mapping[str, Sequence[float]]) -> Ranking:
    """Rank methods by their accuracies over the same seeds.

    A seed that is hard for one is hard for all: seeds are blocks, and the noise is what is left after the means of
    methods and seeds are taken off. Of two methods that is the paired t-test.

    Parameters
    ----------
    accuracies : by name; each one value for every seed, two seeds at least, in the same order

    References
    ----------
    Fisher (1935), "The design of experiments": randomised blocks.
    """
    order = sorted(accuracies, key=lambda name: -float(np.mean(accuracies[name])))
    table = np.array([accuracies[name] for name in order], float)  # (methods, seeds)
    n_methods, n_seeds = table.shape
    means = table.mean(axis=1)
    left = table - means[:, None] - table.mean(axis=0) + table.mean()
    freedom = max((n_methods - 1) * (n_seeds - 1), 1)
    error = sqrt(2 * float((left**2).sum()) / freedom / n_seeds)
    leads = [float(means[0] - mean) for mean in means[1:]]
    ps = holm([student_p(lead / error, freedom) if error > 1e-12 else float(lead < 1e-12) for lead in leads])
    half = t_95(freedom) * error
    rivals = zip(order[1:], leads, ps, strict=True)
    found = tuple(Rival(name, lead, p, lead - half, lead + half) for name, lead, p in rivals)
    return Ranking(order[0], found, "seeds", n_seeds, dict(zip(order, map(float, means), strict=True)))


def by_intervals(scores: Mapping[str, Evaluation]) -> Ranking:
    """Rank models that were tested on different images, or whose single answers were not kept."""
    order = sorted(scores, key=lambda name: -scores[name].headline)
    best = scores[order[0]]
    rivals = [
        Rival(name, best.headline - scores[name].headline, float(no_clear_winner(best, scores[name])))
        for name in order[1:]
    ]
    n = min(score.n for score in scores.values())
    return Ranking(order[0], tuple(rivals), "intervals", n, {name: scores[name].headline for name in order})


def holm(ps: Sequence[float]) -> list[float]:
    """Return the probabilities of several tests, corrected for their number.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure".

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected, least = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        least = max(least, min(1.0, (len(ps) - rank) * ps[i]))
        corrected[i] = least
    return corrected


def student_p(t: float, freedom: int) -> float:
    """Return the two-sided probability of Student's t.

    References
    ----------
    Abramowitz and Stegun (1964), 26.7.3 and 26.7.4.

    Examples
    --------
    >>> round(student_p(2.776, 4), 4), round(student_p(12.706, 1), 4)
    (0.05, 0.05)
    """
    angle = atan(abs(t) / sqrt(freedom))
    odd = freedom % 2
    total, term = 0.0, cos(angle) if odd else 1.0
    for k in range(3 if odd else 2, freedom + 1, 2):
        total += term
        term *= (k - 1) / k * cos(angle) ** 2
    within = 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
    return max(0.0, 1.0 - within)
