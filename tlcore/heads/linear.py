"""The linear SVM: one weight vector per class with the widest margin."""

from typing import Any

import numpy as np

from tlcore.sentences import Sentence

from .head import Head
from .knobs import directions, penalty
from .machine import Machine

MEAN_LENGTH = Sentence("one factor for all features, so that the mean length is 1")


class LinearSVM(Head):
    name = "linear_svm"
    effort = (0.02, 1.2e-7)
    title = Sentence("Linear SVM")
    loss = "hinge"
    scales = True
    has_temperature = True
    scaling = MEAN_LENGTH
    note = Sentence("One weight vector per class with the widest margin (LinearSVC, squared hinge, C = 1).")
    grid = tuple({"C": c} for c in (0.01, 0.1, 1.0, 10.0, 100.0))
    knobs = (penalty(1.0), directions())

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.svm import LinearSVC

        return LinearSVC(C=1.0, max_iter=5000, random_state=seed)

    def machine(self, estimator: Any, scale: float) -> Machine:
        settings = {"kernel": "linear", "C": float(estimator.C), "gamma": "scale"}
        return Machine(settings, lambda x: (x * np.float32(scale)).astype(float), lambda a, b: a @ b.T, exact=False)
