"""One image through an SVM and a forest of one run: the sum of the one beside the votes of the other.

Needs scikit-learn or Keras and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from . import choices, forest, svm
from .forest import OpenedForest
from .svm import OpenedSVM

N_LOOKED_AT = 1000  # test images among which those to pick from are looked for


@dataclass(frozen=True, eq=False)
class Candidates:
    """Test images to pick from: the first as they come, then those that the two answer differently.

    ``items`` are as the heads take them, ``images`` their pictures; ``labels``, ``svm`` and ``forest`` are classes.
    """

    items: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    svm: np.ndarray
    forest: np.ndarray


@dataclass(frozen=True, eq=False)
class Together:
    """What both make of one image. ``pair`` is the SVM's own answer and its runner-up."""

    pair: tuple[int, int]
    svm: OpenedSVM
    forest: OpenedForest

    @property
    def forest_label(self) -> int:
        return int(self.forest.probabilities.argmax())


@lru_cache(maxsize=4)
def candidates(run_id: str, svm_file: str, forest_file: str, folder: str) -> Candidates:
    """Return test images to pick from; raises as ``together``."""
    answers = []
    for file, opens in ((svm_file, "svm"), (forest_file, "forest")):
        run, head, data = choices.read(run_id, file, opens, folder)
        items, labels = data.x_test[:N_LOOKED_AT], data.y_test[:N_LOOKED_AT]
        answers.append(head.predict(choices.feature_rows(run, file, items)))
    rows = choices.chosen((answers[0] == answers[1]).astype(float))
    images = choices.pictures(data, items[rows])
    return Candidates(items[rows], images, labels[rows], answers[0][rows], answers[1][rows])


def together(run_id: str, svm_file: str, forest_file: str, item: np.ndarray, folder: str) -> Together:
    """Send one item through an SVM and a forest of a run, and open both.

    Parameters
    ----------
    item : as the heads take it, of the run's form

    Raises
    ------
    SpecError
        No such run or head.
    DataError
        A file is missing or damaged.
    """
    run, head, _data = choices.read(run_id, svm_file, "svm", folder)
    scores = head.scores(choices.feature_rows(run, svm_file, item[None]))[0]
    best, second = (int(label) for label in np.argsort(-scores, kind="stable")[:2])
    one = svm.opened_on(run_id, svm_file, (best, second), item, folder)
    return Together((best, second), one, forest.opened_on(run_id, forest_file, item, folder))
