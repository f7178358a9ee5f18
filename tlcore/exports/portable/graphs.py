"""A model as one TensorFlow function of items as stored, as far as it goes: what the converters begin with.

Imported in the process that converts, never in the server.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tlcore import inputs
from tlcore.errors import DataError
from tlcore.features.extraction import graph
from tlcore.heads import FittedHead
from tlcore.inputs.modality import Modality
from tlcore.prediction import Pieces

SAME = 1e-12
Function = Callable[[Any], Any]  # of TensorFlow tensors


def whole(pieces: Pieces) -> Function | None:
    """Return items -> probabilities, float32 (n, n_classes); None where the head can be none."""
    if pieces.head is None:
        return graph(pieces.network, "float32")
    rest = dense_layers(pieces.head) or neighbours(pieces.head)
    if rest is None:
        return None
    before = prepared(pieces)
    return lambda items: rest(before(items))


def prepared(pieces: Pieces) -> Function:
    """Return items -> what the head's own estimator takes: float32 (n, d).

    Raises
    ------
    DataError
        The head takes the raw numbers of a modality that has its own idea of these.
    """
    import tensorflow as tf

    head = pieces.head
    assert head is not None
    features = _raw(pieces) if pieces.network is None else graph(pieces.network, "float32")

    def run(items: Any) -> Any:
        rows = features(items)
        rows = tf.reshape(rows, (-1, int(np.prod(rows.shape[1:]))))
        if head.reduce is not None:
            axes = np.float32(head.reduce.components_.T)
            rows = tf.matmul(rows, axes) - np.float32(head.reduce.mean_ @ head.reduce.components_.T)
        return rows * np.float32(head.scale)

    return run


def _raw(pieces: Pieces) -> Function:
    import tensorflow as tf

    form = pieces.form
    if type(inputs.modality(form.modality)).flat is not Modality.flat:
        raise DataError(
            "A head on the raw numbers of {modality} cannot be put into a file of its own. Train it on features.",
            modality=form.modality,
        )
    if np.dtype(form.dtype).kind == "f":
        return lambda items: tf.cast(items, tf.float32)
    if form.dtype == "uint8":  # looked up: a division becomes a product, and a forest asks for the last digit
        shares = np.arange(256, dtype=np.float32) / np.float32(255)
        return lambda items: tf.gather(shares, tf.cast(items, tf.int32))
    return lambda items: tf.cast(items, tf.float32) / np.float32(np.iinfo(form.dtype).max)


def dense_layers(head: FittedHead) -> Function | None:
    """Return features -> probabilities of a head that is a chain of dense layers; None where it is not."""
    import tensorflow as tf
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import LinearSVC

    estimator = head.estimator
    if isinstance(estimator, LinearSVC | LogisticRegression):
        weights, biases = [estimator.coef_.T], [estimator.intercept_]
    elif isinstance(estimator, MLPClassifier) and estimator.activation == "relu":
        weights, biases = [*estimator.coefs_], [*estimator.intercepts_]
    else:
        return None
    if weights[-1].shape[1] == 1:  # two classes
        low = 0.0 if isinstance(estimator, MLPClassifier) else -1.0
        weights[-1] = np.concatenate([low * weights[-1], weights[-1]], axis=1)
        biases[-1] = np.concatenate([low * biases[-1], biases[-1]])

    def run(rows: Any) -> Any:
        for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            rows = tf.matmul(tf.nn.relu(rows) if i else rows, np.float32(weight)) + np.float32(bias)
        return tf.nn.softmax(rows / np.float32(temperature(head)))

    return run


def neighbours(head: FittedHead) -> Function | None:
    """Return features -> probabilities of k nearest neighbours weighted by 1 / distance; None of any other head."""
    import tensorflow as tf
    from sklearn.neighbors import KNeighborsClassifier

    estimator = head.estimator
    if not isinstance(estimator, KNeighborsClassifier) or estimator.weights != "distance":
        return None
    known = np.float64(estimator._fit_X)
    lengths = (known**2).sum(axis=1)
    classes = np.eye(len(estimator.classes_))[estimator._y]

    def run(rows: Any) -> Any:
        rows = tf.cast(rows, tf.float64)  # as scikit-learn does it: near twins differ in the last digits
        squares = tf.reduce_sum(rows**2, axis=1, keepdims=True) - 2 * tf.matmul(rows, known.T) + lengths
        nearest, at = tf.math.top_k(-squares, estimator.n_neighbors)
        same = tf.cast(nearest > -SAME, tf.float64)  # squared distance of an item that was trained on
        near = 1 / tf.sqrt(tf.maximum(-nearest, SAME))
        weights = tf.where(tf.reduce_max(same, axis=1, keepdims=True) > 0, same, near)
        votes = tf.reduce_sum(tf.gather(classes, at) * weights[:, :, None], axis=1)
        return tf.cast(votes / tf.reduce_sum(votes, axis=1, keepdims=True), tf.float32)

    return run


def temperature(head: FittedHead) -> float:
    """Return what a head's scores are divided by before the softmax."""
    return head.temperature if hasattr(head.estimator, "decision_function") else 1.0
