"""ROC and precision-recall curves of a model's probabilities, each with its area and the area's 95 % interval.

The curves and areas are scikit-learn's; the intervals are percentiles of a bootstrap over the test images. For a child
process: scikit-learn is imported here when it is needed.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np

from . import outputs

N_DRAWS = 1000  # of the bootstrap
AT_ONCE = 2_000_000  # numbers of a bootstrap that are in memory at a time
MOST_POINTS = 200  # of a curve
MACRO = -1  # in place of a class: the mean over all of them, one against the rest


@dataclass(frozen=True)
class Curve:
    """One curve, both coordinates in [0, 1], with the area under it and the ends of its 95 % interval."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    area: float
    low: float
    high: float


@dataclass(frozen=True)
class Curves:
    """Both curves of one class against the rest, or of all classes together.

    ``roc`` is the true-positive rate over the false-positive rate, its area scikit-learn's ``roc_auc_score``;
    ``precision_recall`` precision over recall, its area ``average_precision_score``. ``share`` of the test images
    are of the class: the precision of a model that knows nothing.
    """

    label: int  # MACRO for all classes together
    roc: Curve
    precision_recall: Curve
    share: float
    seed: int  # of the bootstrap
    n_draws: int = N_DRAWS


def of_outputs(path: str, model: str, seed: int = 0) -> tuple[Curves, ...]:
    """Return the curves of one model of a run, from the file of what it answered; raises what ``outputs.load`` does."""
    said = outputs.load(Path(path), model)
    return curves(said.labels, said.probabilities, seed)


def curves(labels: np.ndarray, probabilities: np.ndarray, seed: int = 0, n_draws: int = N_DRAWS) -> tuple[Curves, ...]:
    """Return the curves of every class that has test images, and with three or more of them the macro average.

    Parameters
    ----------
    labels : int array, shape (n,), values 0..k-1
    probabilities : float array, shape (n, k)
    seed : of the bootstrap, which draws each class's images anew, as many as there are

    References
    ----------
    Efron (1979), "Bootstrap methods: another look at the jackknife": percentile intervals. Fawcett (2006), "An
    introduction to ROC analysis".
    """
    present = [int(label) for label in np.unique(labels)]
    if len(present) < 2:
        return ()
    drawn = np.zeros((2, len(present), n_draws))
    rng, n = np.random.default_rng(seed), len(labels)
    for first in range(0, n_draws, step := max(1, AT_ONCE // n)):
        counts = _draws(labels, min(step, n_draws - first), rng)
        for at, label in enumerate(present):
            drawn[:, at, first : first + step] = areas(labels == label, probabilities[:, label], counts)
    found = tuple(
        _of_class(label, labels, probabilities[:, label], drawn[:, at], seed) for at, label in enumerate(present)
    )
    return found if len(found) < 3 else (*found, _macro(found, drawn.mean(axis=1), seed))


def areas(positive: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the area under the ROC curve and the average precision, for each row of ``counts``.

    Parameters
    ----------
    positive : bool array, shape (n,)
    scores : float array, shape (n,), higher for what is more likely positive
    counts : int array, shape (draws, n): how often each image is in a draw

    Returns
    -------
    two float64 arrays, shape (draws,)
        What scikit-learn's ``roc_auc_score`` and ``average_precision_score`` give with ``sample_weight``.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # equal scores are one threshold
    counts, positive = counts[:, order].astype(float), positive[order]
    true = np.cumsum(counts * positive, axis=1)[:, ends]
    false = np.cumsum(counts * ~positive, axis=1)[:, ends]
    n_true, n_false = true[:, -1:], false[:, -1:]
    gained = np.diff(true, axis=1, prepend=0.0)
    before = true - gained / 2
    roc = (np.diff(false, axis=1, prepend=0.0) * before).sum(axis=1) / (n_true * n_false)[:, 0]
    precision = np.divide(true, true + false, out=np.zeros_like(true), where=true + false > 0)
    return roc, (gained * precision).sum(axis=1) / n_true[:, 0]


def _draws(labels: np.ndarray, n_draws: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each image is drawn, int, shape (n_draws, n): of each class as many as there are."""
    counts = np.zeros((n_draws, len(labels)), np.int32)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        for draw in range(n_draws):
            counts[draw, rows] = np.bincount(rng.integers(0, len(rows), len(rows)), minlength=len(rows))
    return counts


def _of_class(label: int, labels: np.ndarray, scores: np.ndarray, drawn: np.ndarray, seed: int) -> Curves:
    from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

    positive = labels == label
    false_rate, true_rate, _thresholds = roc_curve(positive, scores)
    precision, recall, _thresholds = precision_recall_curve(positive, scores)
    return Curves(
        label,
        _curve(false_rate, true_rate, roc_auc_score(positive, scores), drawn[0]),
        _curve(recall[::-1], precision[::-1], average_precision_score(positive, scores), drawn[1]),
        float(positive.mean()),
        seed,
        drawn.shape[1],
    )


def _macro(found: Sequence[Curves], drawn: np.ndarray, seed: int) -> Curves:
    """Return the mean of the classes' curves, at the same false-positive rates and at the same recalls."""
    grid = np.linspace(0.0, 1.0, MOST_POINTS)
    rates = np.mean([np.interp(grid, each.roc.x, each.roc.y) for each in found], axis=0)
    precisions = np.mean([_precision_at(grid, each.precision_recall) for each in found], axis=0)
    roc, average = (
        float(np.mean([curve.area for curve in each]))
        for each in ([c.roc for c in found], [c.precision_recall for c in found])
    )
    return Curves(
        MACRO,
        _curve(np.append(0.0, grid), np.append(0.0, rates), roc, drawn[0]),
        _curve(grid, precisions, average, drawn[1]),
        float(np.mean([each.share for each in found])),
        seed,
        drawn.shape[1],
    )


def _precision_at(recalls: np.ndarray, curve: Curve) -> np.ndarray:
    """Return the precision at the first threshold that reaches each recall."""
    at = np.searchsorted(np.asarray(curve.x), recalls - 1e-9)
    return np.asarray(curve.y)[np.minimum(at, len(curve.y) - 1)]


def _curve(x: np.ndarray, y: np.ndarray, area: float, drawn: np.ndarray) -> Curve:
    kept = np.unique(np.linspace(0, len(x) - 1, MOST_POINTS).round().astype(int))
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Curve(tuple(map(float, x[kept])), tuple(map(float, y[kept])), float(area), float(low), float(high))


def curves_csv(found: Sequence[Curves], class_names: Sequence[str]) -> str:
    """Return the points of curves as CSV with a header line, the area and its interval on every row.

    Examples
    --------
    >>> line = Curve((0.0, 1.0), (0.0, 1.0), 0.5, 0.4, 0.6)
    >>> print(curves_csv([Curves(0, line, line, 0.5, 7)], ["cat"]).splitlines()[1])
    cat,roc,0.0,0.0,0.5,0.4,0.6,7
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["class", "curve", "x", "y", "area", "area_low", "area_high", "bootstrap_seed"])
    for each in found:
        name = "macro" if each.label == MACRO else class_names[each.label]
        for kind, curve in (("roc", each.roc), ("precision_recall", each.precision_recall)):
            for x, y in zip(curve.x, curve.y, strict=True):
                writer.writerow([name, kind, x, y, curve.area, curve.low, curve.high, each.seed])
    return text.getvalue()
