"""Labels and predictions in, an honest score out: accuracy with its interval, confusion matrix, per-class scores."""

from dataclasses import dataclass
from math import comb, sqrt

import numpy as np

from tlcore.spec import Evaluation

from .balance import balanced
from .intervals import wilson


def confusion_matrix(y_true: np.ndarray, y_pred: np.ndarray, n_classes: int) -> np.ndarray:
    """Return int64 counts, shape (n_classes, n_classes): rows are true classes, columns answers.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    flat = np.bincount(y_true * n_classes + y_pred, minlength=n_classes * n_classes)
    return flat.reshape(n_classes, n_classes)


def evaluate(
    y_true: np.ndarray, y_pred: np.ndarray, n_classes: int, probabilities: np.ndarray | None = None
) -> Evaluation:
    """Score answers against labels.

    Parameters
    ----------
    y_true, y_pred : int arrays, shape (n,), values in 0..n_classes-1
    probabilities : float array, shape (n, n_classes), rows sum to 1; gives the loss
    """
    n, n_right = len(y_true), int((y_true == y_pred).sum())
    low, high = wilson(n_right, n)
    loss = None
    if probabilities is not None and n:
        loss = float(losses(y_true, probabilities).mean())
    counts = confusion_matrix(np.asarray(y_true), np.asarray(y_pred), n_classes)
    confusion = tuple(tuple(int(count) for count in row) for row in counts)
    return Evaluation(n_right / n if n else 0.0, low, high, n, confusion, loss, balanced(counts))


def per_class(confusion: np.ndarray) -> list[dict[str, float]]:
    """Return precision, recall, F1 and the number of test images of every class.

    A class that was never answered has precision 0, one without images recall 0, as in scikit-learn.

    Examples
    --------
    >>> per_class(np.array([[1, 0], [1, 1]]))[0]["precision"]
    0.5
    """
    counts = np.asarray(confusion, dtype=float)
    right = np.diag(counts)
    answered, present = counts.sum(axis=0), counts.sum(axis=1)
    precision = np.divide(right, answered, out=np.zeros_like(right), where=answered > 0)
    recall = np.divide(right, present, out=np.zeros_like(right), where=present > 0)
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(right), where=total > 0)
    return [
        {"precision": float(p), "recall": float(r), "f1": float(f), "n": int(k)}
        for p, r, f, k in zip(precision, recall, f1, present, strict=True)
    ]


def no_clear_winner(first: Evaluation, second: Evaluation) -> bool:
    """Return True when the difference of two headlines is within the noise of the test.

    The two 95 % intervals of independent proportions are combined (square root of the sum of squares of the
    facing half-widths), Newcombe (1998), method 10.
    """
    better, worse = sorted((first, second), key=lambda score: -score.headline)
    noise = sqrt((better.headline - better.interval[0]) ** 2 + (worse.interval[1] - worse.headline) ** 2)
    return better.headline - worse.headline <= noise


def most_confused(confusion: np.ndarray, n: int = 10) -> list[tuple[int, int, int]]:
    """Return the off-diagonal cells with the most images: (true class, answer, count), most first, none empty.

    Examples
    --------
    >>> most_confused(np.array([[5, 2, 0], [1, 5, 3], [0, 0, 5]]), n=2)
    [(1, 2, 3), (0, 1, 2)]
    """
    counts = np.asarray(confusion).copy()
    np.fill_diagonal(counts, 0)
    order = np.argsort(-counts, axis=None, kind="stable")[:n]
    rows, columns = np.unravel_index(order, counts.shape)
    return [(int(i), int(j), int(counts[i, j])) for i, j in zip(rows, columns, strict=True) if counts[i, j]]


def losses(y_true: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return each image's cross-entropy in nats: -log of the true class's probability, at most 16.1.

    Parameters
    ----------
    y_true : int array, shape (n,), values in 0..k-1
    probabilities : float array, shape (n, k)
    """
    own = np.asarray(probabilities, float)[np.arange(len(y_true)), y_true]
    return -np.log(np.clip(own, 1e-7, 1.0))


@dataclass(frozen=True)
class Paired:
    """Two models on the same images: how many images only one of them got right.

    ``p`` is the chance of a split at least as uneven when neither is better.
    """

    n: int
    only_first: int
    only_second: int
    p: float

    @property
    def clear(self) -> bool:
        return self.p < 0.05


def paired(first_right: np.ndarray, second_right: np.ndarray) -> Paired:
    """Compare two models image by image with McNemar's exact test.

    Images that both get right or both get wrong say nothing about which is better; those that only one gets right
    are, if neither is better, tosses of a coin.

    Parameters
    ----------
    first_right, second_right : bool arrays, shape (n,): the same images in the same order

    References
    ----------
    McNemar (1947), "Note on the sampling error of the difference between correlated proportions or percentages",
    in its exact (binomial) form.

    Examples
    --------
    >>> paired(np.array([True, True, True, False]), np.array([False, False, True, False]))
    Paired(n=4, only_first=2, only_second=0, p=0.5)
    """
    only_first = int((first_right & ~second_right).sum())
    only_second = int((second_right & ~first_right).sum())
    tosses = only_first + only_second
    tail = sum(comb(tosses, k) for k in range(min(only_first, only_second) + 1))
    return Paired(len(first_right), only_first, only_second, min(1.0, 2 * tail / 2**tosses))
