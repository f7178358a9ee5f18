"""An SVM opened up: the sum over its support vectors, and the dual problem at its solution.

Needs scikit-learn or Keras and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from tlcore import heads
from tlcore.datasets import Data
from tlcore.errors import SpecError
from tlcore.heads import HEADS
from tlcore.store import Run

from . import choices
from .choices import Choices

MOST_IMAGES = 2000  # training images of a pair; their kernel matrix then takes 32 MB
TOLERANCE = 1e-4  # of the solver; ten times finer than scikit-learn's default, so that the residual stays below 1e-3


@dataclass(frozen=True)
class Dual:
    """The dual problem of a support vector machine at its solution, term by term.

    The objective is ``sum_alpha - quadratic / 2``. ``diagonal`` is the part of ``quadratic`` with i = j.
    ``balance`` is the sum of alpha_i y_i, which must be 0; every alpha lies in [``smallest``, ``largest``], which
    must lie in [0, C]. ``residual`` says how far the optimality conditions are missed; ``primal`` is the value of
    the primal objective, which the dual one can never exceed.
    """

    sum_alpha: float
    quadratic: float
    diagonal: float
    balance: float
    smallest: float
    largest: float
    residual: float
    primal: float

    @property
    def value(self) -> float:
        return self.sum_alpha - self.quadratic / 2


@dataclass(frozen=True, eq=False)
class OpenedSVM:
    """The machine that tells two classes apart, and its answer to one image.

    Attributes
    ----------
    vectors : uint8, shape (m, h, w) or (m, h, w, 3): pictures of the support vectors, the weightiest for this image
        first
    labels : int64, shape (m,): their classes
    exact : whether the head itself answers by this machine; else it is one like it, fitted to the pair
    weights : float64, shape (m,): alpha_i y_i; y is +1 for the first class of the pair
    kernels : float64, shape (m,): K(x_i, x)
    decision : what scikit-learn's ``decision_function`` says; above 0: the first class
    """

    kernel: str
    exact: bool
    C: float
    gamma: float | None
    n: int
    n_all: int  # training images of the pair before the limit
    n_at_limit: int  # support vectors with alpha = C
    vectors: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    kernels: np.ndarray
    intercept: float
    decision: float
    dual: Dual
    choices: Choices

    @property
    def shown_sum(self) -> float:
        return float(self.weights @ self.kernels + self.intercept)


def dual(alpha: np.ndarray, y: np.ndarray, kernel: np.ndarray, C: float) -> Dual:
    """Return the dual problem's terms at ``alpha``.

    Maximise sum_i alpha_i - 1/2 sum_ij alpha_i alpha_j y_i y_j K_ij subject to 0 <= alpha_i <= C and
    sum_i alpha_i y_i = 0.

    Parameters
    ----------
    alpha : float array, shape (n,)
    y : array of +1 and -1, shape (n,)
    kernel : float array, shape (n, n), K(x_i, x_j)

    References
    ----------
    Cortes and Vapnik (1995), "Support-vector networks". The residual is the violation of the most violating pair,
    by which LIBSVM stops: Chang and Lin (2011), "LIBSVM: a library for support vector machines", section 4.1.2.
    """
    weights = alpha * y
    values = kernel @ weights  # of the machine without its intercept
    up = np.where(y > 0, alpha < C, alpha > 0)
    low = np.where(y > 0, alpha > 0, alpha < C)
    gap = y - values
    highest, lowest = gap[up].max(), gap[low].min()
    # Half-way between the two is an intercept that splits what is left of the violation evenly.
    slack = np.maximum(0.0, 1.0 - y * (values + (highest + lowest) / 2))
    quadratic = float(weights @ values)
    return Dual(
        sum_alpha=float(alpha.sum()),
        quadratic=quadratic,
        diagonal=float((alpha**2 * np.diag(kernel)).sum()),
        balance=float(weights.sum()),
        smallest=float(alpha.min()),
        largest=float(alpha.max()),
        residual=float(max(0.0, highest - lowest)),
        primal=quadratic / 2 + C * float(slack.sum()),
    )


def opened(run_id: str, file: str, pair: tuple[int, int], choice: int, folder: str) -> OpenedSVM:
    """Open a finished run's SVM on a pair of classes, for one of its ``choices``.

    An SVM of several classes is a set of machines for two. The RBF head is one for every pair, and this is exactly
    that one. The linear head keeps weights instead of alphas (one class against the rest, squared hinge), so a
    machine with the same kernel, C and scaling is fitted to the pair.

    Raises
    ------
    SpecError
        No such run, head, class or image.
    DataError
        The head's file is missing or damaged.
    """
    material = _pair(run_id, file, tuple(pair), folder)
    choices.check_choice(choice, len(material.choices.labels))
    return _answer(material, material.candidates[choice : choice + 1])


def opened_on(run_id: str, file: str, pair: tuple[int, int], item: np.ndarray, folder: str) -> OpenedSVM:
    """Open a finished run's SVM on a pair of classes for any item of the run's form; raises as ``opened``."""
    material = _pair(run_id, file, tuple(pair), folder)
    return _answer(material, material.prepare(item[None]))


def _answer(material: "_Pair", x: np.ndarray) -> OpenedSVM:
    kernels = material.kernel(material.vectors, x)[:, 0]
    order = np.argsort(-np.abs(material.weights * kernels), kind="stable")
    return OpenedSVM(
        **material.facts,
        vectors=material.images[order],
        labels=material.labels[order],
        weights=material.weights[order],
        kernels=kernels[order],
        decision=float(material.machine.decision_function(x)[0]),
        choices=material.choices,
    )


@dataclass(frozen=True, eq=False)
class _Pair:
    """What does not depend on the image that is asked about."""

    machine: Any
    kernel: Any  # (a, b) -> K, shape (len(a), len(b))
    prepare: Callable[[np.ndarray], np.ndarray]  # items -> what the kernel sees
    vectors: np.ndarray  # support vectors as features
    images: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    candidates: np.ndarray
    choices: Choices
    facts: dict[str, Any]


@lru_cache(maxsize=8)
def _pair(run_id: str, file: str, pair: tuple[int, int], folder: str) -> _Pair:
    from sklearn.svm import SVC

    run, head, data = choices.read(run_id, file, "svm", folder)
    _check_pair(pair, data)
    own = HEADS[head.name].machine(head.estimator, head.scale)
    assert own is not None
    settings, kernel = own.settings, own.kernel
    prepare = _preparing(run, file, head, own.prepare)
    members = np.flatnonzero(np.isin(data.y_train, pair))
    rows = members[heads.balanced_order(data.y_train[members])[:MOST_IMAGES]]
    x = prepare(data.x_train[rows])
    y = np.where(data.y_train[rows] == pair[0], 1, -1)
    machine = SVC(**settings, tol=TOLERANCE, cache_size=500).fit(x, y)
    weights, support = machine.dual_coef_[0], machine.support_
    alpha = np.zeros(len(rows))
    alpha[support] = np.abs(weights)
    few = np.flatnonzero(np.isin(data.y_test, pair))[:1000]
    t = prepare(data.x_test[few])
    values = machine.decision_function(t)
    chosen = choices.chosen(np.abs(values))
    return _Pair(
        machine,
        kernel,
        prepare,
        vectors=x[support],
        images=choices.pictures(data, data.x_train[rows[support]]),
        labels=data.y_train[rows[support]],
        weights=weights,
        candidates=t[chosen],
        choices=Choices(choices.pictures(data, data.x_test[few[chosen]]), data.y_test[few[chosen]], values[chosen]),
        facts={
            "kernel": settings["kernel"],
            "exact": own.exact,
            "C": settings["C"],
            "gamma": settings["gamma"] if settings["kernel"] == "rbf" else None,
            "n": len(rows),
            "n_all": len(members),
            "n_at_limit": int((alpha == settings["C"]).sum()),
            "intercept": float(machine.intercept_[0]),
            "dual": dual(alpha, y, kernel(x, x), settings["C"]),
        },
    )


def _preparing(
    run: Run, file: str, head: heads.FittedHead, prepare: Callable[[np.ndarray], np.ndarray]
) -> Callable[[np.ndarray], np.ndarray]:
    return lambda items: prepare(head.reduced(choices.feature_rows(run, file, items)))


def _check_pair(pair: tuple[int, int], data: Data) -> None:
    if pair[0] == pair[1] or not set(pair) <= set(range(len(data.class_names))):
        raise SpecError("An SVM tells two different classes apart. Received: {pair}. Pick two.", pair=pair)
