"""Whether a head that came from a file can answer: the right estimator, every array of the length that it must have.

Compiled code reads past the end of an array whose length does not fit, so a stranger's head is looked at first.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .fitting import make
from .head import FittedHead
from .rbf_svm import OFF

MOST_TREES = 1000
N_ASKED = 8


def check(head: FittedHead, n_features: int, n_classes: int) -> None:
    """Raise a ValueError when a head cannot be one that ``fit`` made for so many features and classes."""
    if not (np.isfinite(head.scale) and np.isfinite(head.temperature) and head.temperature > 0):
        raise ValueError("scale or temperature")
    if head.reduce is not None:
        n_features = _pca(head.reduce, n_features)
    own = make(head.name, (10 * n_classes, n_features), n_classes, 0)
    _check(head.estimator, own, n_features, n_classes)
    x = np.random.default_rng(0).random((N_ASKED, n_features_of(head, n_features)), np.float32)
    answers = head.predict_proba(x)
    if answers.shape != (N_ASKED, n_classes) or not np.isfinite(answers).all():
        raise ValueError("answers")
    if np.abs(answers.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("answers do not sum to 1")


def n_features_of(head: FittedHead, n_features: int) -> int:
    """Return how many features a head is given, before a PCA of its own."""
    return head.reduce.n_features_in_ if head.reduce is not None else n_features


def _check(estimator: Any, own: Any, n_features: int, n_classes: int) -> None:
    _need(type(estimator) is type(own), "another estimator")
    if type(own).__name__ == "Pipeline":
        _need([name for name, _step in estimator.steps] == [name for name, _step in own.steps], "steps")
        pca, own_last = estimator.steps[0][1], own.steps[-1][1]
        if not (isinstance(pca, str) and pca == OFF):
            n_features = _pca(pca, n_features)
        _check(estimator.steps[-1][1], own_last, n_features, n_classes)
        return
    _need(np.array_equal(estimator.classes_, np.arange(n_classes)), "classes")
    _need(estimator.n_features_in_ == n_features, "features")
    if look := LOOKS.get(type(estimator).__name__):
        look(estimator, n_features, n_classes)


def _need(good: Any, what: str) -> None:
    if not bool(good):
        raise ValueError(what)


def _numbers(array: Any, *shape: int) -> None:
    _need(isinstance(array, np.ndarray) and array.dtype.kind in "fiu" and array.shape == shape, "an array")
    _need(np.isfinite(array).all(), "finite numbers")


def _pca(pca: Any, n_features: int) -> int:
    """Return how many directions are left."""
    _need(type(pca).__name__ == "PCA" and pca.whiten is False, "a PCA")
    n = int(pca.n_components_)
    _numbers(pca.components_, n, n_features)
    _numbers(pca.mean_, n_features)
    _need(pca.n_features_in_ == n_features, "features")
    return n


def _linear(own: Any, n_features: int, n_classes: int) -> None:
    rows = n_classes if n_classes > 2 else 1
    _numbers(own.coef_, rows, n_features)
    _numbers(own.intercept_, rows)


def _svc(own: Any, n_features: int, n_classes: int) -> None:
    pairs = n_classes * (n_classes - 1) // 2
    n = len(own.support_vectors_)
    _need(
        own.kernel in ("rbf", "linear", "poly") and own._sparse is False and own.probability in (False, "deprecated"),
        "kernel",
    )
    _need(own.decision_function_shape == "ovr" and own.break_ties is False and np.isfinite(own._gamma), "settings")
    _need(len(own._probA) == len(own._probB) == 0, "probabilities")
    _numbers(own.support_, n)
    _numbers(own.support_vectors_, n, n_features)
    _numbers(own._n_support, n_classes)
    _need(own._n_support.sum() == n and (own._n_support >= 0).all(), "support vectors")
    for name in ("dual_coef_", "_dual_coef_"):
        _numbers(getattr(own, name), n_classes - 1, n)
    for name in ("intercept_", "_intercept_"):
        _numbers(getattr(own, name), pairs)


def _forest(own: Any, n_features: int, n_classes: int) -> None:
    _need(0 < len(own.estimators_) <= MOST_TREES and own.n_outputs_ == 1 and own.n_classes_ == n_classes, "trees")
    for tree in own.estimators_:
        _need(type(tree).__name__ == "DecisionTreeClassifier" and tree.n_features_in_ == n_features, "a tree")
        _need(tree.n_outputs_ == 1 and tree.n_classes_ == n_classes, "a tree's classes")
        _nodes(tree.tree_, n_features, n_classes)


def _nodes(tree: Any, n_features: int, n_classes: int) -> None:
    """Every node's children come after it, so that every walk ends, and inside the tree."""
    n = tree.node_count
    _need(tree.n_features == n_features and tree.n_outputs == 1 and tree.max_n_classes == n_classes, "a tree's shape")
    _numbers(tree.value, n, 1, n_classes)
    left, right, here = tree.children_left, tree.children_right, np.arange(n)
    leaf = left == -1
    _need(n > 0 and np.array_equal(leaf, right == -1), "leaves")
    for children in (left, right):
        _need(((children > here) & (children < n))[~leaf].all(), "children")
    _need(((tree.feature >= 0) & (tree.feature < n_features))[~leaf].all(), "a tree's features")


def _neighbours(own: Any, n_features: int, n_classes: int) -> None:
    n = len(own._fit_X)
    _numbers(own._fit_X, n, n_features)
    _numbers(own._y, n)
    _need(own._y.dtype.kind == "i" and n > 0 and own._y.min() >= 0 and own._y.max() < n_classes, "labels")
    _need(own._fit_method == "brute" and own._tree is None and own.n_samples_fit_ == n, "brute force")
    _need(isinstance(own.n_neighbors, int) and 0 < own.n_neighbors <= n and own.outputs_2d_ is False, "neighbours")
    _need(own.effective_metric_ == "euclidean" and own.weights in ("distance", "uniform"), "metric")


def _dense(own: Any, n_features: int, n_classes: int) -> None:
    _need(own.activation == "relu" and own.out_activation_ in ("softmax", "logistic"), "activation")
    sizes = [n_features, *(weights.shape[1] for weights in own.coefs_)]
    _need(own.n_layers_ == len(sizes) and sizes[-1] == (n_classes if n_classes > 2 else 1), "layers")
    for i, (weights, biases) in enumerate(zip(own.coefs_, own.intercepts_, strict=True)):
        _numbers(weights, sizes[i], sizes[i + 1])
        _numbers(biases, sizes[i + 1])


LOOKS: Mapping[str, Callable[[Any, int, int], None]] = {
    "LinearSVC": _linear,
    "LogisticRegression": _linear,
    "SVC": _svc,
    "RandomForestClassifier": _forest,
    "KNeighborsClassifier": _neighbours,
    "MLPClassifier": _dense,
}
