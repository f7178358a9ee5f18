"""What the experiments of one sweep share: the images, and the activations at each cut, computed once."""

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from tlcore import datasets, features, inputs, sources
from tlcore.evaluation import evaluate
from tlcore.evaluation.balance import lopsided
from tlcore.spec import NOBODY, PIXELS, Cell, Listener, SweepSpec

from .transferability import compact


class Bench:
    """The material of one sweep's experiments.

    Attributes
    ----------
    pool : the images of all cells
    extract_s : seconds that features took so far

    Parameters
    ----------
    cache : folder of kept activations
    listener : asked whether to stop
    """

    def __init__(self, spec: SweepSpec, cache: Path | None = None, listener: Listener = NOBODY):
        self.spec, self.cache, self.listener = spec, cache, listener
        self.pool = datasets.pool(spec.target, spec.split, product(spec.per_class, spec.seeds), spec.n_test)
        self.extract_s = 0.0
        self._models: dict[str, Any] = {}
        self._features: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = {}
        self._compacted: tuple[tuple, np.ndarray] = ((), np.empty((0, 0)))

    def features(self, cell: Cell) -> tuple[np.ndarray, np.ndarray]:
        """Return the activations at a cell's cut, of all labelled and of the test images: float32, shape (n, d)."""
        key = source, cut = cell.source, cell.cut
        if key not in self._features:
            if source not in self._models and cut != PIXELS:
                self._models[source] = sources.load(source, seed=self.spec.seed)
            tables = []
            for images in (self.pool.images, self.pool.x_test):
                made = features.cached_extract(self._models.get(source), images, cut, self.cache, self.pool.form)
                self.extract_s += made.seconds
                tables.append(made.x)
            self._features[key] = tables[0], tables[1]
        return self._features[key]

    def score(self, answers: np.ndarray) -> float:
        """Return the accuracy of answers to the test images, int shape (n,), balanced where classes are lopsided."""
        return evaluate(self.pool.y_test, answers, len(self.pool.class_names)).headline

    @property
    def balanced(self) -> bool:
        """Whether ``score`` is a balanced accuracy."""
        return lopsided(np.bincount(self.pool.y_test))

    def table(self, cell: Cell) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a cell's features and labels, and the features of the test images.

        Raw photographs have most of their length in common: the mean of the training ones is taken off, or the control
        would be weaker than it need be.
        """
        x, x_test = self.features(cell)
        rows = self.pool.rows[cell.per_class, cell.seed]
        x, y = x[rows], self.pool.labels[rows]
        if cell.cut == PIXELS and not inputs.modality(self.pool.form.modality).placed:
            mean = x.mean(axis=0)
            x, x_test = x - mean, x_test - mean
        return x, y, x_test

    def compacted(self, cell: Cell) -> np.ndarray:
        """Return as few features with the same inner products; scores of the same features come one after the other."""
        same = replace(cell, method="").key
        if self._compacted[0] != same:
            self._compacted = same, compact(self.table(cell)[0])
        return self._compacted[1]

    def images(self, cell: Cell) -> datasets.Data:
        """Return a cell's images for a network.

        There are no validation images: nothing is chosen by them, and scoring them would take longer than the training.
        """
        pool, rows = self.pool, self.pool.rows[cell.per_class, cell.seed]
        x, y = pool.images[rows], pool.labels[rows]
        return datasets.Data(x, y, x[:0], y[:0], pool.x_test, pool.y_test, pool.class_names, pool.form, pool.hash)
