"""Examples to begin with for who has nothing at hand: of sets that ship."""

from collections.abc import Iterator

import numpy as np

from tlcore import datasets

N_EACH = 5
SEED = 2
SETS = {"photo": ("hands", ("1", "3", "5")), "image": ("mnist", ("1", "4", "7"))}  # by kind: the set, and its classes


def class_names(kind: str) -> tuple[str, ...]:
    """Return the classes of the examples to begin with."""
    return SETS[kind][1]


def items(kind: str) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ``N_EACH`` items of each class with its name, always the same: all classes in turn."""
    target, names = SETS[kind]
    source = datasets.get(target)
    labels, rng = source.labels("train"), np.random.default_rng(SEED)
    drawn = {name: rng.permutation(np.flatnonzero(labels == _label(target, name)))[:N_EACH] for name in names}
    for n in range(N_EACH):
        for name in names:
            yield name, source.items("train", drawn[name][n : n + 1])[0]


def _label(target: str, name: str) -> int:
    return datasets.info(target).class_names.index(name)
