"""Hyperparameters of heads, chosen on validation images alone: the test images see only what was chosen."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tlcore.spec import Tried

from . import heads

MOST_IMAGES = 5000  # training images that a value is tried on; the chosen one is fitted on all of them

# The values of each head, in scikit-learn's names: the simplest model first, for a tie goes to the earlier.
GRIDS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "linear_svm": tuple({"C": c} for c in (0.01, 0.1, 1.0, 10.0, 100.0)),
    "rbf_svm": tuple({"svc__C": c} for c in (0.1, 1.0, 10.0, 100.0)),
    "random_forest": tuple({"max_depth": depth} for depth in (2, 4, 8, 16, None)),
    "logistic_regression": tuple({"C": c} for c in (0.1, 1.0, 10.0, 100.0)),
    "knn": tuple({"n_neighbors": k} for k in (25, 15, 9, 5, 3, 1)),
    "dense": tuple({"hidden_layer_sizes": (units,)} for units in (16, 64, 256)),
}
TITLES = {
    "C": "C",
    "svc__C": "C",
    "max_depth": "largest depth",
    "n_neighbors": "k",
    "hidden_layer_sizes": "units",
}


def choose(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    should_stop: Callable[[], bool] = lambda: False,
) -> tuple[Mapping[str, Any], tuple[Tried, ...]]:
    """Fit every setting of a head's grid; return the one that is right most often on ``validation``, and all of them.

    Parameters
    ----------
    x, y : training features (n, d) and labels (n,), as ``heads.fit`` takes them
    validation : features and labels; never the test images
    should_stop : asked between two settings; at least one is tried

    Raises
    ------
    SpecError
        No head of that name.
    """
    heads.info(name)
    rows = heads.balanced_order(y)[:MOST_IMAGES]
    tried: list[Tried] = []
    for params in GRIDS[name]:
        if params.get("n_neighbors", 0) > len(rows) or tried and should_stop():
            continue
        began = time.perf_counter()
        head, _seconds = heads.fit(name, x[rows], y[rows], validation, seed=seed, params=params)
        accuracy = float((head.predict(validation[0]) == validation[1]).mean())
        tried.append(Tried(params, accuracy, time.perf_counter() - began))
    best = max(tried, key=lambda one: one.accuracy)  # the first of equals
    return best.params, tuple(tried)


def words(params: Mapping[str, Any]) -> str:
    """Return a setting in words.

    Examples
    --------
    >>> words({"svc__C": 10.0}), words({"max_depth": None}), words({"hidden_layer_sizes": (64,)})
    ('C = 10', 'largest depth = none', 'units = 64')
    """
    return ", ".join(f"{TITLES[name]} = {_value(value)}" for name, value in params.items())


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "-".join(map(str, value))
    return "none" if value is None else f"{value:g}"
