"""Two heads that read a hand's sign, taught by the same few photographs: on raw pixels, and on a network's features.

What differs is what transfer adds. The photographs ship; the heads learn when they are first asked.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from tlcore import datasets, teaching
from tlcore.errors import SpecError
from tlcore.spec import InputForm

from .collected import extractor
from .names import ModelName

TARGET = "hands"
N_EACH = 20  # photographs of each sign
SEED = 0
PIXELS, TRANSFER = WAYS = ("pixels", "transfer")
NAMES = tuple(str(ModelName.signs(way)) for way in WAYS)
AT_ONCE = 64

ProbaOf = Callable[[np.ndarray], np.ndarray]


def form() -> InputForm:
    """Return what both read."""
    return datasets.info(TARGET).form


def class_names() -> tuple[str, ...]:
    return datasets.info(TARGET).class_names


@lru_cache(maxsize=1)
def examples() -> tuple[np.ndarray, np.ndarray]:
    """Return what both learn from: items of the training photographs, drawn by a seed, and their classes."""
    source = datasets.get(TARGET)
    labels, rng = source.labels("train"), np.random.default_rng(SEED)
    rows = np.concatenate([rng.permutation(np.flatnonzero(labels == k))[:N_EACH] for k in range(len(class_names()))])
    return source.items("train", rows), labels[rows]


@lru_cache(maxsize=20)
def example(name: str) -> np.ndarray:
    """Return a photograph of a sign, uint8 (96, 96, 3), to show what is asked for; a SpecError where there is none."""
    if name not in class_names():
        raise SpecError("There is no sign {name!r}. Choose a digit from 0 to 9.", name=name)
    items, labels = examples()
    return items[labels == class_names().index(name)][0]


def proba_of(way: str) -> ProbaOf:
    """Return what gives the shares of the ten signs, float32 (n, 10), for photographs as stored.

    Raises
    ------
    SpecError
        There is no such way.
    """
    if way not in WAYS:
        raise SpecError("There is no model {name!r}. Pick one from the list.", name=str(ModelName.signs(way)))
    features = extractor(teaching.kind("photo")) if way == TRANSFER else _flat
    items, labels = examples()
    x = np.concatenate([features(items[at : at + AT_ONCE]) for at in range(0, len(items), AT_ONCE)])
    head = teaching.fit(x, labels, len(class_names()))
    return lambda asked: head.predict_proba(features(asked))


def _flat(items: np.ndarray) -> np.ndarray:
    return items.reshape(len(items), -1).astype(np.float32) / 255
