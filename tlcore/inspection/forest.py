"""A forest opened up: the average over its trees.

Needs scikit-learn or Keras and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tlcore import heads

from . import choices
from .choices import Choices


@dataclass(frozen=True, eq=False)
class OpenedForest:
    """The trees' answers to one image: float64, shape (n_trees, k); ``probabilities`` is the forest's own answer."""

    trees: np.ndarray
    probabilities: np.ndarray
    choices: Choices


def opened(run_id: str, file: str, choice: int, folder: str) -> OpenedForest:
    """Open a finished run's random forest, for one of its ``choices``.

    Raises
    ------
    SpecError
        No such run, head or image.
    DataError
        The head's file is missing or damaged.
    """
    head, x, known = _forest(run_id, file, folder)
    choices.check_choice(choice, len(known.labels))
    return _answer(head, x[choice : choice + 1], known)


def opened_on(run_id: str, file: str, item: np.ndarray, folder: str) -> OpenedForest:
    """Open a finished run's random forest for any item of the run's form; raises as ``opened``."""
    run, _head, _data = choices.read(run_id, file, "forest", folder)
    head, _x, known = _forest(run_id, file, folder)
    return _answer(head, head.reduced(choices.feature_rows(run, file, item[None])), known)


def _answer(head: heads.FittedHead, image: np.ndarray, known: Choices) -> OpenedForest:
    trees = np.stack([tree.predict_proba(image)[0] for tree in heads.info(head.name).trees(head.estimator)])
    return OpenedForest(trees, head.estimator.predict_proba(image)[0], known)


@lru_cache(maxsize=4)
def _forest(run_id: str, file: str, folder: str) -> tuple[heads.FittedHead, np.ndarray, Choices]:
    run, head, data = choices.read(run_id, file, "forest", folder)
    x = choices.feature_rows(run, file, data.x_test[:1000])
    sure = head.predict_proba(x).max(axis=1)
    chosen = choices.chosen(sure)
    return (
        head,
        head.reduced(x[chosen]),
        Choices(choices.pictures(data, data.x_test[chosen]), data.y_test[chosen], sure[chosen]),
    )
