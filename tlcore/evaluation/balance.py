"""Lopsided classes: the accuracy in which each class counts alike, and what guessing would reach."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from tlcore.sentences import NOTHING, Sentence, percent
from tlcore.spec import LOPSIDED, Balanced, Evaluation

from .intervals import wilson

N_DRAWS = 100_000  # of the coins of ``paired_by_class``


def lopsided(sizes: np.ndarray) -> bool:
    """Return whether some class has ``LOPSIDED`` times another's images or more; empty classes do not count.

    Examples
    --------
    >>> lopsided(np.array([3, 2, 0])), lopsided(np.array([4, 3]))
    (True, False)
    """
    present = np.asarray(sizes)[np.asarray(sizes) > 0]
    return len(present) > 1 and bool(present.max() >= LOPSIDED * present.min())


def balanced(confusion: np.ndarray) -> Balanced | None:
    """Return the balanced accuracy of a confusion matrix; None where no class has ``LOPSIDED`` times another's images.

    It is the mean of the classes' recalls, scikit-learn's ``balanced_accuracy_score``; classes without test images
    count in neither. Its interval adds up the squared half-widths of the recalls' Wilson intervals.

    Parameters
    ----------
    confusion : int array, shape (k, k): rows are true classes, columns answers

    References
    ----------
    Zou and Donner (2008), "Construction of confidence limits about effect measures: a general approach", for sums of
    independent estimates (MOVER); Newcombe (1998) for the same with Wilson's intervals of proportions.

    Examples
    --------
    >>> found = balanced(np.array([[90, 10], [15, 15]]))
    >>> round(found.accuracy, 3), round(found.low, 3), round(found.high, 3), round(found.guess, 3)
    (0.7, 0.608, 0.787, 0.769)
    >>> balanced(np.array([[9, 1], [1, 9]])) is None
    True
    """
    counts = np.asarray(confusion)
    sizes = counts.sum(axis=1)
    if not lopsided(sizes):
        return None
    present = np.flatnonzero(sizes)
    right = np.diag(counts)[present]
    recalls = right / sizes[present]
    bounds = np.array([wilson(int(hits), int(n)) for hits, n in zip(right, sizes[present], strict=True)])
    mean = float(recalls.mean())
    below, above = (float(sqrt(((recalls - bounds[:, side]) ** 2).sum())) / len(present) for side in (0, 1))
    return Balanced(
        accuracy=mean,
        low=max(0.0, mean - below),
        high=min(1.0, mean + above),
        majority=int(sizes.argmax()),
        guess=float(sizes.max() / sizes.sum()),
        chance=1 / len(present),
        ratio=float(sizes[present].max() / sizes[present].min()),
    )


def weights(labels: np.ndarray) -> np.ndarray:
    """Return what each image counts in the balanced accuracy: float64, shape (n,), which add up to 1.

    Examples
    --------
    >>> weights(np.array([0, 0, 1])).tolist()
    [0.25, 0.25, 0.5]
    """
    sizes = np.bincount(labels)
    return 1.0 / (sizes[labels] * np.count_nonzero(sizes))


def paired_by_class(first_right: np.ndarray, second_right: np.ndarray, labels: np.ndarray) -> float:
    """Return the chance of a lead at least as large in balanced accuracy when neither of two models is better.

    As in McNemar's test the images that only one gets right are tosses of a coin; here each toss counts as much as its
    image does in the balanced accuracy. ``N_DRAWS`` draws with a fixed seed.

    Parameters
    ----------
    first_right, second_right : bool arrays, shape (n,): the same images in the same order
    labels : int array, shape (n,)

    References
    ----------
    Fisher (1935), "The design of experiments", section 21: randomisation of the signs of paired differences.

    Examples
    --------
    >>> paired_by_class(np.ones(6, bool), np.zeros(6, bool), np.array([0, 0, 0, 0, 1, 1])) < 0.05
    True
    """
    each, rng = weights(labels), np.random.default_rng(0)
    lead = abs(float((each * (first_right.astype(float) - second_right)).sum()))
    sums = np.zeros(N_DRAWS)
    for label in np.unique(labels):
        rows = labels == label
        tosses = int((first_right[rows] != second_right[rows]).sum())
        sums += each[rows][0] * (2 * rng.binomial(tosses, 0.5, N_DRAWS) - tosses)
    return float((np.count_nonzero(np.abs(sums) >= lead - 1e-12) + 1) / (N_DRAWS + 1))


def measured(test: Evaluation, class_names: Sequence[str]) -> Sentence:
    """Return why a balanced accuracy stands for a test, with what guessing reaches beside it; empty where none does."""
    found = test.balanced
    if found is None:
        return NOTHING
    return Sentence(
        "Balanced accuracy: each class counts alike, because the largest has {ratio:.1f} times as many test images as "
        "the smallest. Always guessing {majority} would reach {chance}, and be right in {guess} of the images.",
        ratio=found.ratio,
        majority=class_names[found.majority],
        chance=percent(found.chance),
        guess=percent(found.guess),
    )
