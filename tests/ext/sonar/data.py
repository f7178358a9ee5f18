"""Two sets of echoes: the calls that the network learned from, and the shapes that it is taught."""

import numpy as np

from tlcore.datasets import DatasetInfo, DataSource, Raw

from .echo import FORM, LOUD

N_TRAIN, N_TEST = 80, 40  # of each class


class Echoes(DataSource):
    """Made-up echoes: each class has a band for every moment, which the second ear hears a moment later."""

    def __init__(self, name: str, title: str, bands: dict[str, list[int]], seed: int):
        self.bands, self.seed = bands, seed
        self.info = DatasetInfo(
            name, title, tuple(bands), FORM, (N_TRAIN,) * len(bands), N_TEST * len(bands), True, "made up by a test"
        )

    def read(self) -> Raw:
        x_train, y_train = self._made(N_TRAIN, self.seed)
        return Raw(x_train, y_train, *self._made(N_TEST, self.seed + 1))

    def _made(self, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(len(self.bands)), n)
        items = rng.normal(0, 0.25 * LOUD, (len(labels), *FORM.shape))
        for item, label in zip(items, labels, strict=True):
            shift = rng.integers(0, 2)
            for moment, band in enumerate(list(self.bands.values())[label]):
                item[moment, (band + shift) % 6, 0] += LOUD
                item[(moment + 1) % 8, (band + shift) % 6, 1] += LOUD
        return np.round(items).astype(FORM.dtype), labels.astype(np.int64)


CALLS = Echoes(
    "sonar_calls",
    "Calls",
    {
        "high": [4] * 8,
        "low": [1] * 8,
        "step": [1, 1, 1, 1, 4, 4, 4, 4],
        "zigzag": [1, 4, 1, 4, 1, 4, 1, 4],
    },
    seed=1,
)
SHAPES = Echoes(
    "sonar_shapes",
    "Shapes",
    {"rising": [0, 0, 1, 2, 2, 3, 4, 4], "falling": [4, 4, 3, 2, 2, 1, 0, 0], "level": [2] * 8},
    seed=3,
)
