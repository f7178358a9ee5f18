"""The formulas of fine-tuning as code: the loss, its gradient, a step with frozen layers, the SVM's dual problem.

What needs Keras or scikit-learn is asked for in a child process.
"""

from collections.abc import Callable, Sequence
from math import log
from typing import TYPE_CHECKING, Any

import numpy as np

from tlcore import sources
from tlcore.features.freezing import Freezing

from .svm import TOLERANCE, Dual
from .svm import dual as dual_of

if TYPE_CHECKING:
    import keras

Slopes = tuple[np.ndarray, list[np.ndarray]]
C = 1.0  # of the support vector machine


def cross_entropy(shares: np.ndarray) -> float:
    """Return J = −(1/B) Σ log p(yᵢ | xᵢ), the objective of every fine-tuning here.

    Parameters
    ----------
    shares : float array, shape (B,): the probability given to each image's true class

    Examples
    --------
    >>> round(cross_entropy(np.array([0.5, 0.5])), 4)
    0.6931
    """
    return float(np.mean([cost(float(share)) for share in shares]))


def cost(share: float) -> float:
    """Return −log p, what one image adds to the sum; Keras clips p at 1e-7 too."""
    return -log(min(max(share, 1e-7), 1.0))


def gradients(model: "keras.Model", x: np.ndarray, y: np.ndarray) -> Slopes:
    """Return the shares of the true classes, and ∂J/∂w of every weight array in the model's order, frozen ones too.

    In inference mode: dropout is off, and a BatchNormalization uses its stored averages. No gradient moves those, so
    theirs is 0.
    """
    return of_batch(model, x, y, compiled=False)()


def of_batch(model: "keras.Model", x: np.ndarray, y: np.ndarray, compiled: bool = True) -> Callable[[], Slopes]:
    """Return ``gradients`` of a batch as a function of the weights that the model has when it is called.

    Compiled it pays from about twenty calls on.
    """
    import keras
    import tensorflow as tf

    Freezing(sources.describe(model)).apply(model)
    weights = {variable.path: variable.value for variable in model.trainable_weights}

    def compute() -> tuple[Any, dict[str, Any]]:
        with tf.GradientTape() as tape:
            tape.watch(list(weights.values()))
            answers = model(x, training=False)
            loss = tf.reduce_mean(keras.losses.sparse_categorical_crossentropy(y, answers))
        return answers, tape.gradient(loss, weights)

    computed = tf.function(compute, autograph=False) if compiled else compute

    def now() -> Slopes:
        answers, found = computed()
        arrays = [
            np.asarray(found.get(variable.path, np.zeros(variable.shape, np.float32))) for variable in model.weights
        ]
        return answers.numpy()[np.arange(len(y)), y], arrays

    return now


def descend(
    model: "keras.Model", start: Sequence[np.ndarray], gradient: Sequence[np.ndarray], rate: float, frozen: set[str]
) -> None:
    """Set w ← w₀ − η m ∂J/∂w, where m is 0 for the weights of frozen layers and 1 for the rest."""
    still = [layer.name in frozen for layer in model.layers for _ in layer.weights]
    model.set_weights(
        [w if keep else w - np.float32(rate) * g for w, g, keep in zip(start, gradient, still, strict=True)]
    )


def svm_dual(x: np.ndarray, y: np.ndarray) -> tuple[Dual, np.ndarray, np.ndarray]:
    """Fit scikit-learn's linear SVC; return its dual problem term by term, every row's α, and what it decides of each.

    Parameters
    ----------
    x : float array, shape (n, d)
    y : array of +1 and −1, shape (n,)
    """
    from sklearn.svm import SVC

    machine = SVC(kernel="linear", C=C, tol=TOLERANCE).fit(x, y)
    alpha = np.zeros(len(y))
    alpha[machine.support_] = np.abs(machine.dual_coef_[0])
    return dual_of(alpha, y, x @ x.T, C), alpha, machine.decision_function(x)
