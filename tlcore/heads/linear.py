"""The linear SVM: one weight vector per class with the widest margin."""

from typing import Any

import numpy as np

from tlcore.sentences import Sentence

from .head import Head
from .knobs import directions, penalty
from .machine import Machine

WIDE = 10_000  # features, beyond which rows that are fewer are turned into as many numbers first
MEAN_LENGTH = Sentence("one factor for all features, so that the mean length is 1")


class LinearSVM(Head):
    name = "linear_svm"
    weighs = "class_weight"
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

    def fit(self, estimator: Any, x: np.ndarray, y: np.ndarray) -> None:
        """Fit in the space that the rows span, where there are many more features than rows: the same weights, sooner.

        The weights of a linear SVM are a sum of its rows, so whatever lies outside of that space is zero in them. 200
        photographs of 27,648 pixels take half a second in place of twenty.
        """
        if x.shape[1] <= max(WIDE, len(x)):
            return super().fit(estimator, x, y)
        values, vectors = np.linalg.eigh((x @ x.T).astype(np.float64))
        kept = values > 1e-7 * values[-1]
        length, vectors = np.sqrt(values[kept]), vectors[:, kept]
        estimator.fit(vectors * length, y)  # (n, k): rows with the same inner products
        estimator.coef_ = estimator.coef_ @ (vectors / length).T @ x
        estimator.n_features_in_ = x.shape[1]

    def machine(self, estimator: Any, scale: float) -> Machine:
        settings = {"kernel": "linear", "C": float(estimator.C), "gamma": "scale"}
        return Machine(settings, lambda x: (x * np.float32(scale)).astype(float), lambda a, b: a @ b.T, exact=False)
