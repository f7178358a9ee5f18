"""How well features will transfer, told before anything is trained: scores of one layer's activations and labels.

A score ranks the cuts of a network; it predicts no accuracy. scikit-learn is imported inside functions.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tlcore.errors import SpecError
from tlcore.sentences import Sentence

MOST_FOLDS = 5
MOST_COMPONENTS = 30  # of the H-score
IMAGES_A_COMPONENT = 5  # fewer, and the covariance of the features explains every label: all cuts score alike
ROWS = 1000  # of the distance matrix at a time


@dataclass(frozen=True)
class Score:
    """A score: ``ranks`` says what it can tell apart, ``formula`` takes features, labels and a seed."""

    name: str
    title: Sentence
    ranks: str
    note: Sentence
    reference: str
    formula: Callable[[np.ndarray, np.ndarray, int], float]
    of_answers: bool = False  # reads the class probabilities of the source instead of features

    def measure(self, x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
        """Return the score of features.

        Parameters
        ----------
        x : float array, shape (n, d)
        y : int array, shape (n,), values 0..k-1, at least two of each

        Raises
        ------
        SpecError
            A class has fewer than two images.
        """
        if min(Counter(y.tolist()).values()) < 2:
            raise SpecError("A transferability score needs 2 labelled images of each class. Use more labels per class.")
        x = np.asarray(x, np.float64)
        return float(self.formula(x if self.of_answers else compact(x), y, seed))


def compact(x: np.ndarray) -> np.ndarray:
    """Return as few features with the same inner products: (n, n) in place of (n, d) where d is larger.

    Distances, the linear SVM the evidence and the principal directions depend on nothing else, and 500 images of
    7,744 features then cost a tenth of the time.
    """
    if x.shape[1] <= len(x):
        return x
    values, vectors = np.linalg.eigh(x @ x.T)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def loo_1nn(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Return the leave-one-out accuracy of the nearest neighbour under the Euclidean distance.

    Examples
    --------
    >>> loo_1nn(np.array([[0.0], [0.1], [5.0], [5.2]]), np.array([0, 0, 1, 0]))
    0.5
    """
    squares, right = (x * x).sum(axis=1), 0
    for first in range(0, len(x), ROWS):
        rows = np.arange(first, min(first + ROWS, len(x)))
        distances = squares[None, :] - 2 * x[rows] @ x.T  # the row's own square shifts all alike
        distances[np.arange(len(rows)), rows] = np.inf
        right += int((y[distances.argmin(axis=1)] == y[rows]).sum())
    return right / len(x)


def svm_cv(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Return the accuracy of the lab's linear SVM on stratified folds, 5 or as many as the smallest class allows."""
    from sklearn.model_selection import StratifiedKFold

    from tlcore import heads

    folds = min(MOST_FOLDS, *Counter(y.tolist()).values())
    right = 0
    for train, held_out in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
        head, _ = heads.fit("linear_svm", x[train].astype(np.float32), y[train], None, seed=seed)
        right += int((head.predict(x[held_out].astype(np.float32)) == y[held_out]).sum())
    return right / len(x)


def h_score(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Return tr(cov(f)⁻¹ cov(E[f | y])) of the features' strongest directions; from 0 to the classes less one.

    More directions than images make the first covariance singular, and every cut would score the same.

    References
    ----------
    Bao et al. (2019), definition 2.
    """
    f = _strongest(x, max(1, min(MOST_COMPONENTS, len(x) // IMAGES_A_COMPONENT)))
    means = np.zeros_like(f)
    for label in np.unique(y):
        means[y == label] = f[y == label].mean(axis=0)
    covariance = f.T @ f / len(f)
    between = means.T @ means / len(f)
    return float(np.trace(np.linalg.pinv(covariance, hermitian=True) @ between))


def _strongest(x: np.ndarray, most: int) -> np.ndarray:
    """Return the centred features on at most that many principal directions: (n, most)."""
    centred = x - x.mean(axis=0)
    _values, vectors = np.linalg.eigh(centred.T @ centred)
    return centred @ vectors[:, ::-1][:, :most]


def logme(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Return the log marginal evidence per image of a Bayesian linear regression on each class, their mean.

    References
    ----------
    You et al. (2021), algorithm 1, with the fixed-point iteration of its improved version.
    """
    n, d = x.shape
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    squares = s * s
    return float(np.mean([_evidence(u, squares, (y == label).astype(float), n, d) for label in np.unique(y)]))


def _evidence(u: np.ndarray, squares: np.ndarray, target: np.ndarray, n: int, d: int) -> float:
    projected = u.T @ target
    explained, rest = projected**2, float(target @ target - projected @ projected)
    alpha = beta = 1.0
    for _ in range(100):
        ratio = alpha / beta
        gamma = float((squares / (squares + ratio)).sum())
        weights = float((squares * explained / (squares + ratio) ** 2).sum())
        residual = float((explained / (1 + squares / ratio) ** 2).sum()) + rest
        alpha, beta = gamma / (weights + 1e-9), (n - gamma) / (residual + 1e-9)
        if abs(alpha / beta - ratio) <= 1e-3 * ratio:
            break
    log_det = float(np.log(alpha + beta * squares).sum()) + (d - len(squares)) * np.log(alpha)
    evidence = (
        d * np.log(alpha) + n * np.log(beta) - log_det - beta * residual - alpha * weights - n * np.log(2 * np.pi)
    )
    return evidence / (2 * n)


def leep(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    """Return the mean log-probability of the labels given the source's answers; 0 is best.

    Parameters
    ----------
    x : class probabilities of the source model, shape (n, n_source_classes)

    References
    ----------
    Nguyen et al. (2020), equation 2.

    Examples
    --------
    >>> leep(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1, 0]))
    0.0
    """
    joint = np.stack([x[y == label].sum(axis=0) for label in range(int(y.max()) + 1)]) / len(x)  # (k, n_source)
    given = joint / np.maximum(joint.sum(axis=0), 1e-12)
    answers = np.take_along_axis(x @ given.T, y[:, None], axis=1)
    return float(np.log(np.clip(answers, 1e-12, 1.0)).mean())


SCORES: dict[str, Score] = {
    score.name: score
    for score in (
        Score(
            "loo_1nn",
            Sentence("Nearest neighbour"),
            "cuts",
            Sentence("The share of labelled images whose nearest other labelled image has the same label."),
            "Cover and Hart (1967), Nearest neighbor pattern classification",
            loo_1nn,
        ),
        Score(
            "svm_cv",
            Sentence("Linear SVM, cross-validated"),
            "cuts",
            Sentence("The accuracy of the linear head on folds of the labelled images that it was not fitted on."),
            "Stone (1974), Cross-validatory choice and assessment of statistical predictions",
            svm_cv,
        ),
        Score(
            "h_score",
            Sentence("H-score"),
            "cuts",
            Sentence(
                "How much of the spread of the features lies between the classes, on their strongest directions (PCA)."
            ),
            "Bao et al. (2019), An information-theoretic approach to transferability in task transfer learning",
            h_score,
        ),
        Score(
            "logme",
            Sentence("LogME"),
            "cuts",
            Sentence(
                "The evidence of a Bayesian linear model of the labels. Unreliable where features outnumber images."
            ),
            "You et al. (2021), LogME: practical assessment of pre-trained models for transfer learning",
            logme,
        ),
        Score(
            "leep",
            Sentence("LEEP"),
            "sources",
            Sentence(
                "How well the source's own answers predict the new labels. One number per source, so it cannot rank "
                "cuts."
            ),
            "Nguyen et al. (2020), LEEP: a new measure to evaluate transferability of learned representations",
            leep,
            of_answers=True,
        ),
    )
}
