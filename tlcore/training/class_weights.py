"""What an image counts in the loss where each class is to count alike."""

import numpy as np


def balanced(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the weight of each class, float32, shape (n_classes,): n / (classes with images × images of the class).

    As scikit-learn's ``class_weight="balanced"``, and as Keras' ``fit(class_weight=...)`` takes them; over the labels
    their mean is 1. A class without images has weight 0.

    Examples
    --------
    >>> [round(weight, 3) for weight in balanced(np.array([0, 0, 0, 1]), 3).tolist()]
    [0.667, 2.0, 0.0]
    """
    counts = np.bincount(labels, minlength=n_classes)
    there = counts > 0
    weights = np.zeros(n_classes, np.float32)
    weights[there] = len(labels) / (there.sum() * counts[there])
    return weights
