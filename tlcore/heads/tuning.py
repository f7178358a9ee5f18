"""Hyperparameters of heads, chosen on validation images alone: the test images see only what was chosen."""

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from tlcore.evaluation import evaluate
from tlcore.sentences import Sentence, join
from tlcore.spec import NOBODY, Listener, Tried

from .fitting import fit
from .head import HEADS, info
from .knobs import PCA
from .order import balanced_order
from .rbf_svm import OFF

MOST_IMAGES = 5000  # training images that a value is tried on; the chosen one is fitted on all of them


def choose(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    listener: Listener = NOBODY,
    fixed: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[Mapping[str, Any], tuple[Tried, ...]]:
    """Fit every setting of a head's grid; return the one with the best accuracy on ``validation``, and all of them.

    Where the classes of ``validation`` are lopsided it is the balanced accuracy.

    Parameters
    ----------
    x, y : training features (n, d) and labels (n,), as ``heads.fit`` takes them
    validation : features and labels; never the test images
    listener : asked between two settings whether to stop; at least one is tried
    fixed : settings that stay as they are, by scikit-learn's names

    Raises
    ------
    SpecError
        No head of that name.
    """
    head = info(name)
    rows = balanced_order(y)[:MOST_IMAGES]
    tried: list[Tried] = []
    candidates = [{**params, **fixed} for params in head.grid]
    if len(candidates := [each for i, each in enumerate(candidates) if each not in candidates[:i]]) < 2:
        return fixed, ()  # nothing to choose: without a grid, or all of it is fixed
    for params in candidates:
        if not head.can_fit(params, len(rows)) or tried and listener.should_stop():
            continue
        began = time.perf_counter()
        fitted, _seconds = fit(name, x[rows], y[rows], validation, seed=seed, params=params)
        answers, n_classes = fitted.predict(validation[0]), int(max(y.max(), validation[1].max())) + 1
        accuracy = evaluate(validation[1], answers, n_classes).headline
        tried.append(Tried(params, accuracy, time.perf_counter() - began))
    if not tried:  # no setting fits so few images
        return fixed, ()
    best = max(tried, key=lambda one: one.accuracy)  # the first of equals
    return best.params, tuple(tried)


def describe(name: str, params: Mapping[str, Any]) -> Sentence:
    """Return a head's setting in a few words.

    Examples
    --------
    >>> [str(describe(*setting)) for setting in (("rbf_svm", {"svc__C": 10.0}), ("random_forest", {"max_depth": None}))]
    ['C = 10', 'largest depth = none']
    """
    head = HEADS.get(name)
    titles: dict[str, Sentence] = {PCA: Sentence("PCA")}
    if head:
        titles |= {head.weighs: Sentence("class weights")}
        titles |= {knob.key: knob.title for knob in head.knobs} | dict(head.settings)
    return join(
        (
            Sentence("{setting} = {value}", setting=titles.get(setting, setting), value=_value(value))
            for setting, value in params.items()
        ),
        ", ",
    )


def _value(value: Any) -> Sentence | str:
    if isinstance(value, list | tuple):
        return "-".join(map(str, value))
    if value is None:
        return Sentence("none")
    if value == OFF:
        return Sentence("off")
    return f"{value:g}" if isinstance(value, int | float) else str(value)
