"""A head: the class whose mean is nearest."""

from typing import Any

from tlcore.heads import Head
from tlcore.sentences import Sentence


class SonarCentroid(Head):
    name = "sonar_centroid"
    title = Sentence("Nearest centre")
    note = Sentence("The class whose mean is nearest.")
    grid = ({"shrink_threshold": 0.2}, {"shrink_threshold": None})
    settings = {"shrink_threshold": Sentence("shrinking")}

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.neighbors import NearestCentroid

        return NearestCentroid()
