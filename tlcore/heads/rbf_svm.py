"""The SVM under a Gaussian kernel, on the strongest directions of the features."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tlcore.sentences import Sentence

from .head import Head
from .knobs import Knob, directions, penalty
from .machine import Machine
from .order import balanced_order

N_COMPONENTS = 120  # 0.05 points of accuracy for a tenth of the time (bench/svc_rbf)
MOST_FOR_PCA = 10_000  # images that show the strongest directions; more move them no further
OFF = "passthrough"  # scikit-learn's word for a step that does nothing
ROWS = 1000  # of the kernel at a time


class RbfSVM(Head):
    name = "rbf_svm"
    weighs = "svc__class_weight"
    effort = (0.3, 2.6e-7)
    title = Sentence("RBF SVM")
    has_temperature = True
    scaling = Sentence("none: gamma is set from the features' variance")
    note = Sentence(
        "Support vectors under a Gaussian kernel (SVC, C = 10, gamma = scale), on the {n} strongest directions of the "
        "features (PCA).",
        n=N_COMPONENTS,
    )
    grid = tuple({"svc__C": c} for c in (0.1, 1.0, 10.0, 100.0))
    settings = {"svc__C": Sentence("C")}
    knobs = (
        penalty(10.0, param="svc__C"),
        Knob(
            "kernel",
            Sentence("kernel"),
            Sentence("How two images are compared."),
            "rbf",
            choices={
                "rbf": Sentence("Gaussian (rbf)"),
                "linear": Sentence("linear"),
                "poly": Sentence("cubic polynomial (poly)"),
            },
            param="svc__kernel",
        ),
        Knob(
            "gamma",
            Sentence("gamma"),
            Sentence(
                "1 / width² of the kernel: a large value sees only close neighbours. Empty: set from the variance."
            ),
            low=1e-6,
            high=100.0,
            blank=Sentence("scale"),
            param="svc__gamma",
        ),
        directions(N_COMPONENTS, param="pca__n_components"),
    )

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.decomposition import PCA
        from sklearn.pipeline import make_pipeline
        from sklearn.svm import SVC

        svc = SVC(C=10.0, gamma="scale", cache_size=1000, random_state=seed)  # gamma: see fit
        return make_pipeline(PCA(min(N_COMPONENTS, shape[1], shape[0] - 1), random_state=seed), svc)

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        params = super().params(values)
        if params.get("svc__gamma", 0) is None:
            params["svc__gamma"] = "scale"
        if params.get("pca__n_components", 0) is None:
            del params["pca__n_components"]
            params["pca"] = OFF
        return params

    def fit(self, estimator: Any, x: np.ndarray, y: np.ndarray) -> None:
        """Fit a PCA on some of the images and an SVC on all, with the kernel that ``x`` itself would have.

        ``scale`` on the projected features would be another: their mean is zero and part of their variance is gone.
        """
        pca, svc = estimator.named_steps.values()
        if pca != OFF:
            few = x[balanced_order(y)[:MOST_FOR_PCA]]
            pca.set_params(n_components=min(pca.n_components, x.shape[1], max(1, len(few) - 1))).fit(few)
        if svc.gamma == "scale":
            svc.set_params(gamma=float(1.0 / (x.shape[1] * max(x.var(), 1e-12))))
        svc.fit(_projected(estimator, x), y)

    def scores(self, estimator: Any, x: np.ndarray) -> np.ndarray:
        if len(estimator.classes_) < 3:
            return super().scores(estimator, x)
        return np.concatenate([_scores(estimator, x[first : first + ROWS]) for first in range(0, len(x), ROWS)])

    def machine(self, estimator: Any, scale: float) -> Machine:
        svc = estimator[-1]
        gamma = float(svc._gamma)  # what "scale" came to on all classes

        def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            if svc.kernel != "rbf":
                return _kernel(svc, a, b)
            distances = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None] - 2 * (a @ b.T)
            return np.exp(-gamma * np.maximum(distances, 0.0))

        settings = {"kernel": svc.kernel, "C": float(svc.C), "gamma": gamma}
        return Machine(
            settings, lambda x: _projected(estimator, x).astype(float), kernel, exact=svc.class_weight is None
        )


def _projected(pipeline: Any, x: np.ndarray) -> np.ndarray:
    pca = pipeline.named_steps["pca"]
    return x if pca == OFF else pca.transform(x)


def _kernel(svc: Any, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return K(a, b) as the machine computes it."""
    from sklearn.metrics.pairwise import pairwise_kernels

    settings = {"gamma": svc._gamma, "degree": svc.degree, "coef0": svc.coef0}
    return pairwise_kernels(a, b, metric=svc.kernel, filter_params=True, **settings)


def _scores(pipeline: Any, x: np.ndarray) -> np.ndarray:
    """Return what the pipeline's ``decision_function`` does, a column a class, five times quicker.

    libsvm takes one support vector of one image after the other; here they are one product of matrices.
    """
    svc = pipeline[-1]
    kernel = _kernel(svc, _projected(pipeline, x), svc.support_vectors_.astype(x.dtype))
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
