"""How far a model's own certainty can be believed: on test images, and on images that show nothing."""

from dataclasses import dataclass

import numpy as np

N_BINS = 15


@dataclass(frozen=True)
class Bin:
    """The answers whose top probability lies in (low, high]; ``accuracy`` and ``confidence`` are None without any."""

    low: float
    high: float
    n: int
    accuracy: float | None
    confidence: float | None  # the mean top probability


@dataclass(frozen=True)
class Calibration:
    """Reliability of a model's certainty.

    ``ece`` is the expected calibration error: the gap between certainty and accuracy, averaged over all answers.
    """

    bins: tuple[Bin, ...]
    ece: float
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class NoiseAnswer:
    """What a model says of images without a meaning.

    ``shares[j]`` is the share of images that were called class j; ``guess`` is 1 / number of classes.
    """

    n: int
    confidence: float  # the mean top probability
    sure: float  # share of images with a top probability of 0.9 or more
    shares: tuple[float, ...]
    guess: float


def calibration(probabilities: np.ndarray, right: np.ndarray, n_bins: int = N_BINS) -> Calibration:
    """Compare certainty with accuracy, bin by bin.

    Parameters
    ----------
    probabilities : float array, shape (n, k), rows sum to 1
    right : bool array, shape (n,): whether the answer was right

    References
    ----------
    Guo, Pleiss, Sun and Weinberger (2017), "On calibration of modern neural networks", equations 2, 3 and 5;
    15 bins as there.

    Examples
    --------
    >>> found = calibration(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([True, False]))
    >>> round(found.ece, 3), found.accuracy
    (0.4, 0.5)
    """
    top = np.asarray(probabilities, float).max(axis=1)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    places = np.searchsorted(edges[1:-1], top)  # (low, high]
    bins = tuple(_bin(edges[i], edges[i + 1], top[places == i], right[places == i]) for i in range(n_bins))
    gaps = [b.n * abs(b.accuracy - b.confidence) for b in bins if b.accuracy is not None and b.confidence is not None]
    n = max(len(top), 1)
    return Calibration(bins, float(sum(gaps)) / n, float(top.sum()) / n, float(np.sum(right)) / n)


def _bin(low: float, high: float, top: np.ndarray, right: np.ndarray) -> Bin:
    if not len(top):
        return Bin(float(low), float(high), 0, None, None)
    return Bin(float(low), float(high), len(top), float(right.mean()), float(top.mean()))


def of_noise(probabilities: np.ndarray) -> NoiseAnswer:
    """Sum up the answers to images that show nothing.

    Parameters
    ----------
    probabilities : float array, shape (n, k), rows sum to 1

    References
    ----------
    Hendrycks and Gimpel (2017), "A baseline for detecting misclassified and out-of-distribution examples": noise is
    often answered with high certainty.
    """
    top, k = np.asarray(probabilities, float).max(axis=1), probabilities.shape[1]
    shares = np.bincount(probabilities.argmax(axis=1), minlength=k) / len(probabilities)
    return NoiseAnswer(len(top), float(top.mean()), float((top >= 0.9).mean()), tuple(map(float, shares)), 1 / k)
