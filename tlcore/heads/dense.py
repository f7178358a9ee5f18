"""A dense layer: 64 units and a softmax, trained as a network is."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tlcore.sentences import Sentence

from .head import Head
from .knobs import Knob, directions
from .linear import MEAN_LENGTH

N_EPOCHS = 60


class Dense(Head):
    name = "dense"
    effort = (0.15, 1.2e-6)
    n_steps = N_EPOCHS
    title = Sentence("Dense layer")
    curve = "epochs"
    loss = "log_loss"
    scales = True
    scaling = MEAN_LENGTH
    note = Sentence("64 ReLU units and a softmax, trained by Adam for {n} epochs.", n=N_EPOCHS)
    grid = tuple({"hidden_layer_sizes": (units,)} for units in (16, 64, 256))
    settings = {"hidden_layer_sizes": Sentence("units")}
    knobs = (
        Knob(
            "units",
            Sentence("units"),
            Sentence("Units of the hidden layer: more can tell finer differences, and take longer."),
            64,
            1,
            1000,
            param="hidden_layer_sizes",
        ),
        directions(),
    )
    shed = ("_optimizer",)  # Adam's moments: two thirds of the file

    def make(self, shape: tuple[int, int], n_classes: int, seed: int) -> Any:
        from sklearn.neural_network import MLPClassifier

        return MLPClassifier((64,), batch_size=min(64, shape[0]), learning_rate_init=1e-3, random_state=seed)

    def steps(self, estimator: Any, x: np.ndarray, y: np.ndarray, seed: int, drawn: bool) -> Iterator[float]:
        classes = np.arange(y.max() + 1)
        for epoch in range(1, N_EPOCHS + 1):
            estimator.set_params(random_state=(seed + epoch) % 2**32)  # else every epoch shuffles alike
            estimator.partial_fit(x, y, classes=classes)
            yield float(epoch)
