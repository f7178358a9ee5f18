"""The training items whose features are nearest to those of an item that was asked about."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tlcore import datasets, features, inputs, sources
from tlcore.errors import DataError
from tlcore.prediction import ModelName
from tlcore.sentences import Sentence
from tlcore.spec import PIXELS

from .models import Model, opened

MOST_TRAINING = 2000  # items among which the nearest are looked for
N_NEAREST = 8


@dataclass(frozen=True, eq=False)
class Nearest:
    """The nearest training items: pictures of them, their class names and distances.

    ``typical`` is the median distance of the item to all ``n`` training items that were searched.
    """

    images: np.ndarray
    labels: tuple[str, ...]
    distances: np.ndarray
    typical: float
    layer: str
    n: int


def nearest(name: str, x: np.ndarray, folder: str) -> Nearest | Sentence:
    """Return what a model learned from that is nearest to ``x``, shape (1, *form.shape), or why that cannot be said."""
    try:
        images, labels, known = _training(name, folder)
    except DataError as error:  # a set that is not on this computer: the rest of the answer stands
        return error.sentence
    model = opened(name, folder)
    distances = np.linalg.norm(known - _rows(model, x), axis=1)
    first = np.argsort(distances, kind="stable")[:N_NEAREST]
    names = tuple(model.class_names[labels[row]] for row in first)
    return Nearest(images[first], names, distances[first], float(np.median(distances)), model.layer, len(distances))


@lru_cache(maxsize=8)
def _training(name: str, folder: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pictures of training items of a model, with their labels and features."""
    model = opened(name, folder)
    spec = model.training
    asked = ModelName.parse(name)
    if asked.kind == "source" and not sources.info(asked.id).trained:
        raise DataError("This network is untrained: it has not learned from any images, so there are none to compare.")
    if spec is None:
        raise DataError("It is not known which images this model was trained on, so none can be compared.")
    most = min(MOST_TRAINING // len(model.class_names), datasets.max_per_class(spec.target, spec.split))
    # The first n of a class are the same for every n: these are items that the model did learn from.
    data = datasets.load(replace(spec, per_class=min(spec.per_class or most, most)))
    pictures = inputs.modality(data.form.modality).previews(data.x_train)
    return pictures, data.y_train, _rows(model, data.x_train)


def _rows(model: Model, x: np.ndarray) -> np.ndarray:
    if model.network is None or model.layer == PIXELS:
        return inputs.modality(model.form.modality).flat(x)
    return _extract(model)(x).reshape(len(x), -1)


@lru_cache(maxsize=8)
def _extract(model: Model) -> Callable[[np.ndarray], np.ndarray]:
    return features.compiled(features.submodel(model.network, model.layer))  # type: ignore[arg-type]
