"""Which images train, which validate: drawn by seed, class by class, in the same proportion in every part."""

from collections.abc import Sequence

import numpy as np

from tlcore.errors import SpecError
from tlcore.spec import SPLITS, DataSpec, check_choice, check_number

from .source import info

MOST_VALIDATION = 1000  # validation images beside a training set of n per class: enough for a curve, quick to score


def max_per_class(target: str, split: str) -> int:
    """Return the largest ``per_class``: the training images of the smallest class. Reads no data."""
    sizes = info(target).sizes
    check_choice("split", split, SPLITS)
    kept = apportion(_n_validation(sum(sizes), split), sizes)
    return min(size - part for size, part in zip(sizes, kept, strict=True))


def split_sizes(target: str, split: str) -> tuple[int, int, int]:
    """Return how many images train, validate and test when all are used. Reads no data.

    Examples
    --------
    >>> split_sizes("mnist", "article")
    (55000, 5000, 10000)
    """
    entry = info(target)
    n_validation = _n_validation(entry.n_train, split)
    return entry.n_train - n_validation, n_validation, entry.n_test


def n_validation(spec: DataSpec) -> int:
    """Return how many labelled images a run keeps for validation. Reads no data.

    Examples
    --------
    >>> n_validation(DataSpec("mnist", per_class=5)), n_validation(DataSpec("mnist", per_class=None))
    (1000, 6000)
    """
    whole = split_sizes(spec.target, spec.split)[1]
    return whole if spec.per_class is None else min(MOST_VALIDATION, whole)


def check_per_class(spec: DataSpec) -> None:
    """Raise a SpecError, which says the most there are, when ``spec`` asks for too many images of a class."""
    most = max_per_class(spec.target, spec.split)
    if spec.per_class is None:
        return
    if isinstance(spec.per_class, int) and spec.per_class > most:
        raise SpecError(
            "{title} has at most {most:,} training images of every class in this split. Received: {value:,}. Use "
            "{most:,} or fewer, or all of them.",
            title=info(spec.target).title,
            most=most,
            value=spec.per_class,
        )
    check_number("per_class", spec.per_class)


def long_tailed(sizes: Sequence[int], imbalance: float) -> list[int]:
    """Return how many images each class keeps: all of the first, fewer by the same factor from class to class.

    Every class keeps at least one.

    References
    ----------
    Cui et al. (2019), "Class-balanced loss based on effective number of samples", section 5.1.

    Examples
    --------
    >>> long_tailed([100, 100, 100], 100), long_tailed([5, 5], 1)
    ([100, 10, 1], [5, 5])
    """
    last = max(len(sizes) - 1, 1)
    return [max(1, round(n * imbalance ** (-k / last))) if n else 0 for k, n in enumerate(sizes)]


def training_sizes(spec: DataSpec) -> list[int]:
    """Return how many training images of each class a run learns from, drawings of its own left aside.

    Reads no data.

    Examples
    --------
    >>> training_sizes(DataSpec("mnist_5_9", per_class=100, imbalance=10.0))
    [100, 56, 32, 18, 10]
    """
    sizes = info(spec.target).sizes
    kept = apportion(_n_validation(sum(sizes), spec.split), sizes)
    pools = [size - part for size, part in zip(sizes, kept, strict=True)]
    return long_tailed([n if spec.per_class is None else min(n, spec.per_class) for n in pools], spec.imbalance)


def divide(
    labels: np.ndarray, split: str, per_class: int | None, seed: int, imbalance: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training and of the validation images: disjoint, stratified, in random order.

    Parameters
    ----------
    labels : int array, shape (n,), values 0..k-1
    split : "standard" or "article"
    per_class : training images of each class; None for all
    imbalance : as ``long_tailed`` takes it, of the training images alone
    """
    rng = np.random.default_rng(seed)
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in range(int(labels.max()) + 1)]
    kept = apportion(_n_validation(len(labels), split), [len(images) for images in members])
    shown = kept if per_class is None else apportion(min(MOST_VALIDATION, sum(kept)), kept)
    validation = np.concatenate([images[:n] for images, n in zip(members, shown, strict=True)])
    pools = [images[n:] for images, n in zip(members, kept, strict=True)]
    wanted = long_tailed([len(pool[:per_class]) for pool in pools], imbalance)
    train = np.concatenate([pool[:n] for pool, n in zip(pools, wanted, strict=True)])
    return rng.permutation(train), rng.permutation(validation)


def apportion(n: int, sizes: Sequence[int]) -> list[int]:
    """Divide ``n`` in proportion to ``sizes`` by largest remainders.

    >>> apportion(10, [50, 30, 25])
    [5, 3, 2]
    """
    total = sum(sizes)
    shares = [n * size // total for size in sizes]
    order = sorted(range(len(sizes)), key=lambda k: -(n * sizes[k] % total))
    for k in order[: n - sum(shares)]:
        shares[k] += 1
    return shares


def draw(labels: np.ndarray, n: int | None) -> np.ndarray:
    """Return the positions of ``n`` images, drawn by class in proportion and the same at every call; None: all."""
    if n is None or n >= len(labels):
        return np.arange(len(labels))
    rng = np.random.default_rng(0)  # fixed: the test images do not depend on a seed
    members = [rng.permutation(np.flatnonzero(labels == label)) for label in range(int(labels.max()) + 1)]
    kept = apportion(n, [len(images) for images in members])
    return np.sort(np.concatenate([images[:k] for images, k in zip(members, kept, strict=True)]))


def _n_validation(n: int, split: str) -> int:
    check_choice("split", split, SPLITS)
    return max(1, round(n / (10 if split == "standard" else 12)))  # of a few own pictures one at least
