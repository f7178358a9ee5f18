"""Logistic regression: a softmax over one weight vector per class."""

from typing import Any

from tlcore.sentences import Sentence

from .head import Head
from .knobs import directions, penalty
from .linear import MEAN_LENGTH


class Logistic(Head):
    name = "logistic_regression"
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

        return LogisticRegression(C=10.0, max_iter=300, tol=1e-3, random_state=seed)
