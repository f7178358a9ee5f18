"""Features on a plane: the same test images before and after fine-tuning, at the same layer.

Needs Keras and scikit-learn and is asked for in a child process (``what_if.WhatIf.ask``).
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tlcore import datasets, features, inputs, prediction, sources
from tlcore.errors import SpecError
from tlcore.evidence.transferability import compact
from tlcore.heads import balanced_order
from tlcore.spec import check_choice
from tlcore.store import Store

METHODS = ("pca", "tsne")
N_IMAGES = 500
SEED = 0  # of t-SNE


@dataclass(frozen=True, eq=False)
class Plane:
    """Features on two axes.

    Attributes
    ----------
    points : float32, shape (n, 2)
    kept : share of the features' variance that the two axes show; None for t-SNE, whose distances have no unit
    neighbours : int64, shape (n,): the class of each image's nearest other image, in all dimensions
    """

    points: np.ndarray
    kept: float | None
    neighbours: np.ndarray


@dataclass(frozen=True, eq=False)
class BeforeAndAfter:
    """Pictures of the same test images, as the source and as the fine-tuned network see them."""

    images: np.ndarray
    labels: np.ndarray
    before: Plane
    after: Plane
    same: bool  # the features did not change: everything up to this layer was frozen


def before_and_after(run_id: str, layer: str, method: str, folder: str) -> BeforeAndAfter:
    """Return the maps of a finished fine-tuning at one layer. The same question has the same answer every time.

    Raises
    ------
    SpecError
        No such run, or layer of it, or method.
    DataError
        The run's model is missing or damaged.
    """
    check_choice("method", method, METHODS)
    images, labels, matrices = _features(run_id, layer, folder)
    before, after = (plane(x, labels, method) for x in matrices)
    return BeforeAndAfter(images, labels, before, after, bool((matrices[0] == matrices[1]).all()))


def plane(x: np.ndarray, labels: np.ndarray, method: str) -> Plane:
    """Lay features on a plane.

    Parameters
    ----------
    x : float array, shape (n, d)
    labels : int array, shape (n,)
    method : "pca", or "tsne": van der Maaten and Hinton (2008), "Visualizing data using t-SNE", started from PCA
    """
    from sklearn.decomposition import PCA

    nearest = labels[_nearest_other(x)]
    x = compact(x)  # distances and directions stay; 576 images of 11,520 numbers take 0.15 s, not 1.4
    reduced = PCA(min(50, *x.shape), svd_solver="full").fit(x)
    points = reduced.transform(x)
    if method == "pca":
        return Plane(points[:, :2].astype(np.float32), float(reduced.explained_variance_ratio_[:2].sum()), nearest)
    from sklearn.manifold import TSNE

    perplexity = min(30.0, (len(x) - 1) / 3)
    found = TSNE(2, perplexity=perplexity, init="pca", random_state=SEED, n_jobs=1).fit_transform(points)
    return Plane(found.astype(np.float32), None, nearest)


def _nearest_other(x: np.ndarray) -> np.ndarray:
    """Return for every row the position of the nearest other row."""
    x = x - x.mean(axis=0)
    squares = (x * x).sum(axis=1)
    distances = squares[:, None] + squares[None] - 2 * (x @ x.T)
    np.fill_diagonal(distances, np.inf)
    return distances.argmin(axis=1)


@lru_cache(maxsize=4)
def _features(run_id: str, layer: str, folder: str) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    run = Store(Path(folder)).get(run_id)
    if not run.result.network:
        raise SpecError("Run {run_id} did not fine-tune a network, so it has no before and after.", run_id=run_id)
    data = datasets.load(run.spec.data)
    rows = balanced_order(data.y_test)[:N_IMAGES]
    n_classes = len(data.class_names)
    source = sources.load(run.spec.source, n_classes=n_classes, seed=run.spec.seed, scale=run.spec.data.scale)
    networks = (source, prediction.load_model(run, Path(folder)))
    x = data.x_test[rows]
    matrices = [features.extract(network, x, layer).astype(float) for network in networks]
    return inputs.modality(data.form.modality).previews(x), data.y_test[rows], matrices
