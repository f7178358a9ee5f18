"""The random forest: trees on resampled images, tested on those that each did not see."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from tlcore.sentences import Sentence

from .head import Head
from .knobs import Knob, directions

N_TREES = 200
TREES_A_POINT = 10


class Forest(Head):
    name = "random_forest"
    weighs = "class_weight"
    effort = (0.35, 1.2e-6)
    title = Sentence("Random forest")
    curve = "trees"
    loss = "out_of_bag"
    scaling = Sentence("none: trees only compare")
    note = Sentence("{n} trees, each on its own resample; each tree is tested on the images it did not see.", n=N_TREES)
    grid = tuple({"max_depth": depth} for depth in (2, 4, 8, 16, None))
    settings = {"max_depth": Sentence("largest depth")}
    knobs = (
        Knob(
            "trees",
            Sentence("trees"),
            Sentence("More trees steady the answer and take longer."),
            N_TREES,
            1,
            1000,
            param="n_estimators",
        ),
        Knob(
            "depth",
            Sentence("largest depth"),
            Sentence("Questions in a row that a tree may ask. Shallow trees cannot learn images by heart."),
            low=1,
            high=50,
            blank=Sentence("no limit"),
            param="max_depth",
        ),
        directions(),
    )
    trusted = ("sklearn.tree._tree.Tree",)

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            n_estimators=N_TREES, warm_start=True, oob_score=True, n_jobs=-1, random_state=seed
        )

    def steps(self, estimator: Any, x: np.ndarray, y: np.ndarray, seed: int, drawn: bool) -> Iterator[float]:
        """Grow by steps: the same trees as all at once, but tested out of bag at every step."""
        last = estimator.n_estimators
        for n_trees in (*range(TREES_A_POINT, last if drawn else 0, TREES_A_POINT), last):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # few trees leave some images without an out-of-bag answer
                estimator.set_params(n_estimators=n_trees).fit(x, y)
            yield float(n_trees)

    def trees(self, estimator: Any) -> list[Any]:
        return list(estimator.estimators_)
