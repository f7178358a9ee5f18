"""The nearest neighbours: the answer of the training images that are closest."""

from collections.abc import Mapping
from typing import Any

from tlcore.sentences import Sentence

from .head import Head
from .knobs import Knob, directions


class Neighbours(Head):
    name = "knn"
    effort = (0.15, 2.4e-7)
    title = Sentence("k-nearest neighbours")
    scaling = Sentence("none: plain distances")
    note = Sentence(
        "The answer of the nearest training images (k = 5, or the number of labels per class if that is smaller), "
        "weighted by distance."
    )
    grid = tuple({"n_neighbors": k} for k in (25, 15, 9, 5, 3, 1))
    settings = {"n_neighbors": Sentence("k")}
    knobs = (
        Knob(
            "k",
            Sentence("k"),
            Sentence("How many nearest training images answer together."),
            low=1,
            high=200,
            blank=Sentence("automatic"),
            param="n_neighbors",
        ),
        directions(),
    )

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.neighbors import KNeighborsClassifier

        k = min(5, max(1, shape[0] // n_classes))
        return KNeighborsClassifier(n_neighbors=k, weights="distance", algorithm="brute", n_jobs=-1)

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in super().params(values).items() if value is not None}

    def can_fit(self, params: Mapping[str, Any], n: int) -> bool:
        return params.get("n_neighbors", 0) <= n
