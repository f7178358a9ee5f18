"""Fit one head, with its learning curve, and the temperature that makes its scores probabilities."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from tlcore.spec import Listener, MetricPoint
from tlcore.spec.curves import Part

from .head import FittedHead, Head, info, softmax
from .knobs import PCA
from .order import balanced_order
from .rbf_svm import MOST_FOR_PCA, OFF

CURVE_SIZES = 8
MOST_SCORED = 2000  # training images: enough to draw the training curve, and quick

Labelled = tuple[np.ndarray, np.ndarray]


def make(
    name: str, shape: tuple[int, int], n_classes: int, seed: int, params: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Return the unfitted estimator, a scikit-learn Pipeline or classifier, for features of that ``shape`` (n, d).

    ``params`` take the place of the head's own settings, by scikit-learn's names.

    Raises
    ------
    SpecError
        No head of that name.
    """
    return info(name).make(shape, n_classes, seed).set_params(**params)


def fit(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    validation: Labelled | None,
    *,
    seed: int,
    listener: Listener | None = None,
    params: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[FittedHead, float]:
    """Fit one head; return it with the seconds its own fit took, the curve's fits not counted.

    Parameters
    ----------
    x : float32 array, shape (n, d)
    y : int array, shape (n,), values 0..n_classes-1, every class present
    validation : features and labels for the curve and the temperature; never the test images. Without them there is
        no curve, and the temperature stays 1
    listener : hears the head's curve: parts ``train`` and ``validation``, x in ``Head.curve``; without one no curve is
        measured
    params : in place of the head's own settings, by scikit-learn's names; under ``PCA`` so many directions that the
        features are projected on first

    Raises
    ------
    SpecError
        No head of that name.
    """
    head, began, began_cpu = info(name), time.perf_counter(), time.process_time()
    pca = _pca(x, y, params.get(PCA), seed)
    if pca:
        x = pca.transform(x).astype(np.float32)
        validation = validation and (pca.transform(validation[0]).astype(np.float32), validation[1])
    pca_s = time.perf_counter() - began if pca else 0.0
    pca_cpu_s = time.process_time() - began_cpu if pca else 0.0
    params = {key: value for key, value in params.items() if key != PCA or value == OFF}
    scale = float(1.0 / np.linalg.norm(x, axis=1).mean()) if head.scales else 1.0
    fitted = FittedHead(name, None, scale, params=params)
    draw = _Curve(head, fitted, validation, listener) if validation and listener else None
    if draw and head.curve == "images":  # growing, nested, balanced parts of the training images
        order = balanced_order(y)
        for n in np.unique(np.geomspace(2 * (y.max() + 1), len(x), CURVE_SIZES).astype(int))[:-1]:
            if head.can_fit(fitted.params, n):
                _fit(head, fitted, x[order[:n]], y[order[:n]], seed, draw)
    fit_s = _fit(head, fitted, x, y, seed, draw)
    if validation and hasattr(fitted.estimator, "decision_function"):
        fitted.temperature = best_temperature(fitted.scores(validation[0]), validation[1])
    fitted.fit_cpu_s += pca_cpu_s
    fitted.reduce = pca  # only now: what was measured above was projected before
    return fitted, fit_s + pca_s


def _pca(x: np.ndarray, y: np.ndarray, n: int | str | None, seed: int) -> Any:
    """Return a PCA fitted on some of the images; None where none is wanted."""
    if not isinstance(n, int):
        return None
    from sklearn.decomposition import PCA

    few = x[balanced_order(y)[:MOST_FOR_PCA]]
    return PCA(min(n, x.shape[1], max(1, len(few) - 1)), random_state=seed).fit(few)


def rehearse(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """Return about how many seconds a fit takes in ``Head.n_steps`` equal steps, from the first alone.

    Parameters
    ----------
    x : float32 array, shape (n, d)
    y : int array, shape (n,), values 0..n_classes-1
    """
    head = info(name)
    estimator = make(name, x.shape, int(y.max()) + 1, seed)
    began = time.perf_counter()
    next(iter(head.steps(estimator, x, y, seed, drawn=True)))
    return head.n_steps * (time.perf_counter() - began)


def _fit(head: Head, fitted: FittedHead, x: np.ndarray, y: np.ndarray, seed: int, draw: "_Curve | None") -> float:
    """Fit ``fitted`` anew and draw each step; return the seconds without the drawing."""
    began, began_cpu, fit_s, fit_cpu_s = time.perf_counter(), time.process_time(), 0.0, 0.0
    fitted.estimator = make(head.name, x.shape, int(y.max()) + 1, seed, fitted.params)
    scaled = x * np.float32(fitted.scale) if fitted.scale != 1.0 else x
    for at in head.steps(fitted.estimator, scaled, y, seed, drawn=draw is not None):
        fit_s, fit_cpu_s = fit_s + time.perf_counter() - began, fit_cpu_s + time.process_time() - began_cpu
        if draw:
            draw(at, x, y)
        began, began_cpu = time.perf_counter(), time.process_time()
    fitted.fit_cpu_s = fit_cpu_s
    return fit_s


class _Curve:
    """Measures a head where it stands, on training and validation images."""

    def __init__(self, head: Head, fitted: FittedHead, validation: Labelled, listener: Listener):
        self._head, self._fitted, self._validation, self._listener = head, fitted, validation, listener
        self._began = time.perf_counter()

    def __call__(self, at: float, x: np.ndarray, y: np.ndarray) -> None:
        if self._head.loss == "out_of_bag":
            accuracy = float(self._fitted.estimator.oob_score_)
            self._tell("train", at, 1.0 - accuracy, accuracy)
        else:
            few = balanced_order(y)[:MOST_SCORED]
            self._tell("train", at, *self._measured(x[few], y[few]))
        self._tell("validation", at, *self._measured(*self._validation))

    def _tell(self, part: Part, at: float, loss: float, accuracy: float) -> None:
        self._listener.on_metric(MetricPoint(part, at, loss, accuracy, time.perf_counter() - self._began))

    def _measured(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        scores = self._fitted.scores(x)
        accuracy = float((scores.argmax(axis=1) == y).mean())
        if self._head.loss == "hinge":
            return hinge_loss(scores, y), accuracy
        if self._head.loss == "log_loss":
            p = softmax(scores) if hasattr(self._fitted.estimator, "decision_function") else scores
            return float(-np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1.0)).mean()), accuracy
        return 1.0 - accuracy, accuracy


def hinge_loss(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the mean multi-class hinge loss: how far the right class fails to lead by 1.

    References
    ----------
    Crammer and Singer (2001), "On the algorithmic implementation of multiclass kernel-based vector machines".

    Examples
    --------
    >>> hinge_loss(np.array([[2.0, 0.0], [0.5, 0.0]]), np.array([0, 0]))
    0.25
    """
    rows = np.arange(len(y))
    own, others = scores[rows, y], scores.copy()
    others[rows, y] = -np.inf
    return float(np.maximum(0.0, 1.0 + others.max(axis=1) - own).mean())


def best_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the temperature of the softmax over ``scores`` with the least log-loss on labels ``y``."""
    grid, rows = np.geomspace(0.01, 10.0, 61), np.arange(len(y))
    losses = [-np.log(np.clip(softmax(scores / t)[rows, y], 1e-7, 1.0)).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])
