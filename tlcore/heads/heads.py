"""Classifiers on a feature matrix: a registry of scikit-learn heads; fit with a curve, score, save, load."""

import io
import os
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from tlcore.errors import DataError, SpecError
from tlcore.machine import scratch
from tlcore.sentences import Sentence
from tlcore.spec import check_choice

MOST_BYTES = 2 * 2**30  # of an unpacked head: a k-NN that keeps 55,000 × 5,408 features has 1.2 GB
N_TREES = 200
TREES_A_POINT = 10
N_EPOCHS = 60  # of the dense head
CURVE_SIZES = 8
N_COMPONENTS = 120  # in front of the RBF SVM: 0.05 points of accuracy for a tenth of the time (bench/svc_rbf)
MOST_FOR_PCA = 10_000  # images that show the strongest directions; more move them no further

OnPoint = Callable[[str, float, float | None, float | None], None]  # series, x, loss, accuracy


Curve = Literal["images", "trees", "epochs"]
Loss = Literal["hinge", "log_loss", "error", "out_of_bag"]

# What the x of a curve counts, and what its loss is.
CURVES: dict[Curve, Sentence] = {
    "images": Sentence("training images"),
    "trees": Sentence("trees"),
    "epochs": Sentence("epochs"),
}
LOSSES: dict[Loss, Sentence] = {
    "hinge": Sentence("hinge loss"),
    "log_loss": Sentence("log-loss"),
    "error": Sentence("error rate"),
    "out_of_bag": Sentence("out-of-bag error"),
}
MEAN_LENGTH = Sentence("one factor for all features, so that the mean length is 1")


@dataclass(frozen=True)
class HeadInfo:
    """A head's card.

    Attributes
    ----------
    curve, loss : what its learning curve counts, and which loss it draws
    scales : whether one factor scales all features, so that the mean length is 1
    scaling, note : how its input is scaled and what it is, for people
    """

    name: str
    title: Sentence
    curve: Curve
    loss: Loss
    scales: bool
    scaling: Sentence
    note: Sentence


HEADS: dict[str, HeadInfo] = {
    info.name: info
    for info in (
        HeadInfo(
            "linear_svm",
            Sentence("Linear SVM"),
            "images",
            "hinge",
            True,
            MEAN_LENGTH,
            Sentence("One weight vector per class with the widest margin (LinearSVC, squared hinge, C = 1)."),
        ),
        HeadInfo(
            "rbf_svm",
            Sentence("RBF SVM"),
            "images",
            "error",
            False,
            Sentence("none: gamma is set from the features' variance"),
            Sentence(
                "Support vectors under a Gaussian kernel (SVC, C = 10, gamma = scale), on the {n} strongest "
                "directions of the features (PCA).",
                n=N_COMPONENTS,
            ),
        ),
        HeadInfo(
            "random_forest",
            Sentence("Random forest"),
            "trees",
            "out_of_bag",
            False,
            Sentence("none: trees only compare"),
            Sentence("{n} trees, each on its own resample; the images a tree did not see test it.", n=N_TREES),
        ),
        HeadInfo(
            "logistic_regression",
            Sentence("Logistic regression"),
            "images",
            "log_loss",
            True,
            MEAN_LENGTH,
            Sentence("A softmax over one weight vector per class (C = 10)."),
        ),
        HeadInfo(
            "knn",
            Sentence("k-nearest neighbours"),
            "images",
            "error",
            False,
            Sentence("none: plain distances"),
            Sentence(
                "The answer of the nearest training images (k = 5, or fewer labels than that), weighted by distance."
            ),
        ),
        HeadInfo(
            "dense",
            Sentence("Dense layer"),
            "epochs",
            "log_loss",
            True,
            MEAN_LENGTH,
            Sentence("64 ReLU units and a softmax, trained by Adam for {n} epochs.", n=N_EPOCHS),
        ),
    )
}


def info(name: str) -> HeadInfo:
    """Return a head's card; a SpecError lists the heads when there is none of that name."""
    check_choice("head", name, tuple(HEADS))
    return HEADS[name]


def make(
    name: str, shape: tuple[int, int], n_classes: int, seed: int, params: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    """Return the unfitted estimator, a scikit-learn Pipeline or classifier, for features of that ``shape`` (n, d).

    ``params`` take the place of the head's own settings, by scikit-learn's names.

    Raises
    ------
    SpecError
        No head of that name.
    """
    info(name)
    return _own(name, shape, n_classes, seed).set_params(**params)


def _own(name: str, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
    """The head with its own settings."""
    from sklearn.decomposition import PCA
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC, LinearSVC

    n_train, n_features = shape
    if name == "linear_svm":
        return LinearSVC(C=1.0, max_iter=5000, random_state=seed)
    if name == "rbf_svm":
        svc = SVC(C=10.0, gamma="scale", cache_size=1000, random_state=seed)  # gamma: see _fit_rbf_svm
        return make_pipeline(PCA(min(N_COMPONENTS, n_features, n_train - 1), random_state=seed), svc)
    if name == "random_forest":
        return RandomForestClassifier(
            n_estimators=TREES_A_POINT, warm_start=True, oob_score=True, n_jobs=-1, random_state=seed
        )
    if name == "logistic_regression":
        return LogisticRegression(C=10.0, max_iter=300, tol=1e-3, random_state=seed)
    if name == "knn":
        return KNeighborsClassifier(
            n_neighbors=min(5, max(1, n_train // n_classes)), weights="distance", algorithm="brute", n_jobs=-1
        )
    return MLPClassifier((64,), batch_size=min(64, n_train), learning_rate_init=1e-3, random_state=seed)


@dataclass
class FittedHead:
    """A fitted estimator with what it needs to answer: ``scale`` multiplies the features first.

    ``temperature`` turns decision values into probabilities; it is fitted on validation images.
    """

    name: str
    estimator: Any
    scale: float = 1.0
    temperature: float = 1.0
    params: Mapping[str, Any] = field(default_factory=dict)  # in place of the head's own settings

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return the most probable class of every row: int64, shape (n,)."""
        return self.scores(x).argmax(axis=1)

    def scores(self, x: np.ndarray) -> np.ndarray:
        """Return decision values where the estimator has them, else probabilities: shape (n, n_classes)."""
        x = x * np.float32(self.scale) if self.scale != 1.0 else x
        if self.name == "rbf_svm" and len(self.estimator.classes_) > 2:
            return np.concatenate([_rbf_scores(self.estimator, x[i : i + 1000]) for i in range(0, len(x), 1000)])
        if hasattr(self.estimator, "decision_function"):
            values = self.estimator.decision_function(x)
            return np.stack([-values, values], axis=1) if values.ndim == 1 else values
        return self.estimator.predict_proba(x)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return float32 probabilities, shape (n, n_classes).

        Decision values go through a softmax whose temperature was fitted on validation images (Guo et al. 2017,
        "On calibration of modern neural networks", section 4.2); the answer itself does not change by it.
        """
        scores = self.scores(x)
        if hasattr(self.estimator, "decision_function"):
            scores = _softmax(scores / self.temperature)
        return scores.astype(np.float32)


def fit(
    name: str,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray] | None,
    *,
    seed: int,
    on_point: OnPoint | None = None,
    params: Mapping[str, Any] = MappingProxyType({}),
) -> tuple[FittedHead, float]:
    """Fit one head; return it with the seconds its own fit took, the curve's fits not counted.

    Parameters
    ----------
    x : float32 array, shape (n, d)
    y : int array, shape (n,), values 0..n_classes-1, every class present
    validation : features and labels for the curve and the temperature; never the test images. Without them there is
        no curve, and the temperature stays 1
    on_point : receives the head's curve: series ``train`` or ``validation``, x in ``info(name).curve``, loss, accuracy
    params : in place of the head's own settings, by scikit-learn's names

    Raises
    ------
    SpecError
        No head of that name.
    """
    card = info(name)
    scale = float(1.0 / np.linalg.norm(x, axis=1).mean()) if card.scales else 1.0
    head = FittedHead(name, None, scale, params=params)
    on_point = on_point if validation else None
    if card.curve == "images" and on_point and validation:
        _learning_curve(head, x, y, validation, seed, on_point)
    fitter = {"trees": _grow_trees, "epochs": _run_epochs}.get(card.curve, _fit_once)
    fit_s = fitter(head, x, y, validation or (x[:0], y[:0]), seed, on_point)
    if validation and hasattr(head.estimator, "decision_function"):
        head.temperature = best_temperature(head.scores(validation[0]), validation[1])
    return head, fit_s


def _fit_once(
    head: FittedHead,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    on_point: OnPoint | None,
) -> float:
    began = time.perf_counter()
    head.estimator = make(head.name, x.shape, int(y.max()) + 1, seed, head.params)
    if head.name == "rbf_svm":
        _fit_rbf_svm(head.estimator, x, y)
    else:
        head.estimator.fit(x * np.float32(head.scale), y)
    fit_s = time.perf_counter() - began
    if on_point:
        _both_points(head, x, y, validation, len(x), on_point)
    return fit_s


def _fit_rbf_svm(pipeline: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Fit a PCA on some of the images and an SVC on all, with the kernel that ``x`` itself would have.

    ``scale`` on the projected features would be another: their mean is zero and part of their variance is gone.
    """
    pca, svc = pipeline.named_steps.values()
    pca.fit(x[balanced_order(y)[:MOST_FOR_PCA]])
    svc.set_params(gamma=float(1.0 / (x.shape[1] * max(x.var(), 1e-12)))).fit(pca.transform(x), y)


def _rbf_scores(pipeline: Any, x: np.ndarray) -> np.ndarray:
    """Return what the pipeline's ``decision_function`` does, a column a class, five times quicker.

    libsvm takes one support vector of one image after the other; here they are one product of matrices.
    """
    from sklearn.metrics.pairwise import rbf_kernel

    pca, svc = pipeline.named_steps.values()
    kernel = rbf_kernel(pca.transform(x), svc.support_vectors_.astype(x.dtype), svc._gamma)
    ends, dual, n_classes = np.cumsum(svc.n_support_), svc.dual_coef_, len(svc.classes_)
    of_class = [slice(end - n, end) for n, end in zip(svc.n_support_, ends, strict=True)]
    pairs = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
    votes, sums = np.zeros((len(x), n_classes)), np.zeros((len(x), n_classes))
    for (i, j), bias in zip(pairs, svc.intercept_, strict=True):
        value = kernel[:, of_class[i]] @ dual[j - 1, of_class[i]] + kernel[:, of_class[j]] @ dual[i, of_class[j]] + bias
        votes[:, i] += value >= 0
        votes[:, j] += value < 0
        sums[:, i] += value
        sums[:, j] -= value
    return votes + sums / (3 * (np.abs(sums) + 1))  # sums only break ties between votes, as in scikit-learn


def _learning_curve(
    head: FittedHead,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    on_point: OnPoint,
) -> None:
    """Fit on growing, nested, balanced parts of the training images."""
    order = balanced_order(y)
    for n in np.unique(np.geomspace(2 * (y.max() + 1), len(x), CURVE_SIZES).astype(int))[:-1]:
        part = order[:n]
        _fit_once(head, x[part], y[part], validation, seed, on_point)


def _grow_trees(
    head: FittedHead,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    on_point: OnPoint | None,
) -> float:
    import warnings

    head.estimator, fit_s = make(head.name, x.shape, int(y.max()) + 1, seed, head.params), 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few trees leave some images without an out-of-bag answer
        # Growing by steps gives the same trees as all at once, but tests them out of bag at every step.
        for n_trees in range(TREES_A_POINT if on_point else N_TREES, N_TREES + 1, TREES_A_POINT):
            began = time.perf_counter()
            head.estimator.set_params(n_estimators=n_trees).fit(x, y)
            fit_s += time.perf_counter() - began
            if on_point:
                oob = float(head.estimator.oob_score_)
                on_point("train", n_trees, 1.0 - oob, oob)
                right = float((head.predict(validation[0]) == validation[1]).mean())
                on_point("validation", n_trees, 1.0 - right, right)
    return fit_s


def _run_epochs(
    head: FittedHead,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    on_point: OnPoint | None,
) -> float:
    head.estimator, fit_s = make(head.name, x.shape, int(y.max()) + 1, seed, head.params), 0.0
    scaled, classes = x * np.float32(head.scale), np.arange(y.max() + 1)
    for epoch in range(1, N_EPOCHS + 1):
        head.estimator.set_params(random_state=(seed + epoch) % 2**32)  # else every epoch shuffles alike
        began = time.perf_counter()
        head.estimator.partial_fit(scaled, y, classes=classes)
        fit_s += time.perf_counter() - began
        if on_point:
            _both_points(head, x, y, validation, epoch, on_point)
    return fit_s


def _both_points(
    head: FittedHead,
    x: np.ndarray,
    y: np.ndarray,
    validation: tuple[np.ndarray, np.ndarray],
    at: float,
    on_point: OnPoint,
) -> None:
    few = balanced_order(y)[:2000]  # enough to draw the training curve, and quick
    for series, (images, labels) in (("train", (x[few], y[few])), ("validation", validation)):
        scores = head.scores(images)
        accuracy = float((scores.argmax(axis=1) == labels).mean())
        on_point(series, float(at), _loss(head, scores, labels, accuracy), accuracy)


def _loss(head: FittedHead, scores: np.ndarray, y: np.ndarray, accuracy: float) -> float:
    kind = HEADS[head.name].loss
    if kind == "hinge":
        return hinge_loss(scores, y)
    if kind == "log_loss":
        p = _softmax(scores) if hasattr(head.estimator, "decision_function") else scores
        return float(-np.log(np.clip(p[np.arange(len(y)), y], 1e-7, 1.0)).mean())
    return 1.0 - accuracy


def hinge_loss(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the mean multi-class hinge loss: how far the right class fails to lead by 1.

    References
    ----------
    Crammer and Singer (2001), "On the algorithmic implementation of multiclass kernel-based vector machines".

    Examples
    --------
    >>> hinge_loss(np.array([[2.0, 0.0], [0.5, 0.0]]), np.array([0, 0]))
    0.25
    """
    rows = np.arange(len(y))
    own, others = scores[rows, y], scores.copy()
    others[rows, y] = -np.inf
    return float(np.maximum(0.0, 1.0 + others.max(axis=1) - own).mean())


def best_temperature(scores: np.ndarray, y: np.ndarray) -> float:
    """Return the temperature of the softmax over ``scores`` with the least log-loss on labels ``y``."""
    grid, rows = np.geomspace(0.01, 10.0, 61), np.arange(len(y))
    losses = [-np.log(np.clip(_softmax(scores / t)[rows, y], 1e-7, 1.0)).mean() for t in grid]
    return float(grid[int(np.argmin(losses))])


def balanced_order(y: np.ndarray) -> np.ndarray:
    """Return row numbers so that every leading part holds the classes as evenly as it can.

    Examples
    --------
    >>> balanced_order(np.array([0, 0, 1, 1])).tolist()
    [0, 2, 1, 3]
    """
    rank = np.empty(len(y), int)
    for label in np.unique(y):
        rows = np.flatnonzero(y == label)
        rank[rows] = np.arange(len(rows))
    return np.lexsort((y, rank))


def _softmax(values: np.ndarray) -> np.ndarray:
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def save(head: FittedHead, path: Path, move: Callable[[Path, Path], object] = os.replace) -> int:
    """Write a head as a skops file, whole or not at all; return its size in bytes."""
    from skops.io import dumps

    estimator = copy(head.estimator)
    vars(estimator).pop("_optimizer", None)  # Adam's moments: two thirds of a dense head, of no use to answer
    state = {"name": head.name, "estimator": estimator, "scale": head.scale, "temperature": head.temperature}
    content = dumps(state, compression=ZIP_DEFLATED, compresslevel=1)
    scratch.write_whole(path, lambda temporary: temporary.write_bytes(content), move)
    return len(content)


# What a head's file may hold beyond skops' own defaults. Fixed here, never taken from the file.
_TRUSTED = ("sklearn.tree._tree.Tree",)


def load(path: Path) -> FittedHead:
    """Read a head that ``save`` wrote; nothing in the file is ever run.

    Raises
    ------
    DataError
        The file is missing, damaged, or holds types a head does not have.
    """
    from skops.io import loads

    try:
        content = Path(path).read_bytes()
        with ZipFile(io.BytesIO(content)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
                raise ValueError("larger than any head")
        state = loads(content, trusted=list(_TRUSTED))
        info(state["name"])
        return FittedHead(state["name"], state["estimator"], float(state["scale"]), float(state["temperature"]))
    except FileNotFoundError as error:
        raise DataError("The head's file {name} is missing. Train it again.", name=Path(path).name) from error
    except Exception as error:  # skops raises many kinds for a damaged file
        raise DataError(
            "The head's file {name} cannot be read: it is damaged or was not made here. Train it again.",
            name=Path(path).name,
        ) from error


def answer_alone(head: FittedHead) -> FittedHead:
    """Make ``head`` quick for single images: one thread, since starting more costs more than it gives."""
    if "n_jobs" in head.estimator.get_params():
        head.estimator.set_params(n_jobs=1)
    return head


def check(names: tuple[str, ...]) -> None:
    """Raise a SpecError when ``names`` is empty or names an unknown head."""
    if not names:
        raise SpecError("No head was chosen. Pick at least one of: {heads}.", heads=", ".join(HEADS))
    for name in names:
        info(name)
