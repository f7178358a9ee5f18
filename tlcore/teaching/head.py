"""A linear head on the features of a few examples: logistic regression, fitted in the space that these span.

Features are scaled to length 1, each example by itself, so that nothing about one depends on the others. A hundred
examples of 1,280 features span a hundred directions: there the same head is found ten times sooner.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

C = 100.0  # of scikit-learn: how much the examples count against small weights; their features have length 1
MOST_STEPS = 300
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Weights, float32 (d, n_classes), and biases (n_classes,) for features of length 1; a softmax over their sums.

    A class without examples has the bias -inf and is never answered.
    """

    weights: np.ndarray
    bias: np.ndarray

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities, float32 (n, n_classes), for features (n, d) of any length."""
        scores = units(x) @ self.weights + self.bias
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def units(x: np.ndarray) -> np.ndarray:
    """Return rows of length 1; a row of zeros stays one."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), TINY)


def fit(x: np.ndarray, y: np.ndarray, n_classes: int) -> LinearHead:
    """Fit the head.

    Parameters
    ----------
    x : float32 array, shape (n, d)
    y : int array, shape (n,), values 0..n_classes-1; at least two of them occur
    """
    x = units(x)
    z, directions, middle = spanned(x)
    model = regression().fit(z, y)
    coefficients, intercepts = two_sided(model)
    weights = np.zeros((x.shape[1], n_classes), np.float32)
    bias = np.full(n_classes, -np.inf, np.float32)
    weights[:, model.classes_] = directions @ coefficients.T
    bias[model.classes_] = intercepts - middle @ weights[:, model.classes_]
    return LinearHead(weights, bias)


def spanned(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the examples in the directions that they span, (n, r), those directions, (d, r), and the examples' mean.

    A penalty on the length of weights, and a bias that has none, find the same head in both. Examples that are all
    alike span nothing: they get one direction, in which none has a part.
    """
    middle = x.mean(axis=0)
    centred = (x - middle).astype(np.float64)
    values, vectors = np.linalg.eigh(centred @ centred.T)
    kept = values > 1e-9 * max(float(values[-1]), TINY)
    if not kept.any():
        return np.zeros((len(x), 1)), np.zeros((x.shape[1], 1)), middle
    lengths, vectors = np.sqrt(values[kept]), vectors[:, kept]
    return vectors * lengths, centred.T @ (vectors / lengths), middle


def regression(**options: Any) -> Any:
    """Return the unfitted estimator of scikit-learn."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=MOST_STEPS, tol=1e-4, **options)


def two_sided(model: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return coefficients and intercepts with a row for each class; of two classes scikit-learn keeps one row."""
    if len(model.coef_) > 1:
        return model.coef_, model.intercept_
    return np.concatenate([np.zeros_like(model.coef_), model.coef_]), np.concatenate([[0.0], model.intercept_])
