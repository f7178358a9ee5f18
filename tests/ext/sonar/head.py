"""A head: the class whose mean is nearest."""

from typing import Any

from tlcore.heads import Head, Knob
from tlcore.sentences import Sentence


class SonarCentroid(Head):
    name = "sonar_centroid"
    title = Sentence("Nearest centre")
    note = Sentence("The class whose mean is nearest.")
    grid = ({"shrink_threshold": 0.2}, {"shrink_threshold": None})
    knobs = (
        Knob(
            "shrink",
            Sentence("shrinking"),
            Sentence("Draws the centres together."),
            low=0.01,
            high=10.0,
            blank=Sentence("none"),
            param="shrink_threshold",
        ),
    )
    settings = {"shrink_threshold": Sentence("shrinking")}

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.neighbors import NearestCentroid

        return NearestCentroid()
