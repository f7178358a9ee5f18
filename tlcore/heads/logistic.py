"""Logistic regression: a softmax over one weight vector per class."""

from typing import Any

from tlcore.sentences import Sentence

from .head import Head
from .knobs import directions, penalty
from .linear import MEAN_LENGTH

MANY = 2000  # features


class Logistic(Head):
    name = "logistic_regression"
    weighs = "class_weight"
    effort = (0.05, 7e-8)
    title = Sentence("Logistic regression")
    loss = "log_loss"
    scales = True
    has_temperature = True
    scaling = MEAN_LENGTH
    note = Sentence("A softmax over one weight vector per class (C = 10).")
    grid = tuple({"C": c} for c in (0.1, 1.0, 10.0, 100.0))
    knobs = (penalty(10.0), directions())

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.linear_model import LogisticRegression

        # What ends the search is the largest slope of any one weight, and the more there are, the smaller each is.
        tol = 1e-3 * min(1.0, MANY / shape[1])
        return LogisticRegression(C=10.0, max_iter=300, tol=tol, random_state=seed)
