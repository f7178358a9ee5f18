"""The pictures of a set on which a model and their labels disagree most: those to look at when a set is cleaned."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tlcore import datasets, prediction
from tlcore.datasets import own_sets
from tlcore.errors import SpecError
from tlcore.evaluation import losses
from tlcore.evaluation.outputs import Outputs
from tlcore.spec import EvaluateSpec
from tlcore.store import Run

MOST = 3000  # training pictures that a model is asked about
AT_ONCE = 200
Where = tuple[str, int]  # the part of a set, and the position in it, from 0


@dataclass(frozen=True)
class Doubt:
    """One picture of a set with its label, the model's answer, and the loss: -log of the label's probability."""

    where: Where
    label: str
    answer: str
    probability: float  # of the answer
    loss: float


def of_test(run: Run, said: Outputs) -> list[Doubt]:
    """Return the test pictures of a run on an own set, the highest loss first.

    Parameters
    ----------
    said : what its model answered to them

    Raises
    ------
    SpecError
        It tested training pictures too, whose places were not kept.
    """
    spec = run.spec
    n_learned = getattr(run.result, "n_learned", 0)
    if isinstance(spec, EvaluateSpec) and (spec.part != "test" or n_learned):
        raise SpecError("This test mixed training and test images. Test on the test images alone to clean the set.")
    places: list[Where] = [("test", row) for row in range(len(said.labels))]
    return _sorted(places, said.labels, said.probabilities, run.result.class_names)


def of_training(model: str, target: str, folder: str) -> list[Doubt]:
    """Ask a model about the training pictures of an own set, ``MOST`` at most; the highest loss first.

    The model learned from some of them, so a low loss says little; a high one is worth a look. Needs Keras or
    scikit-learn and is asked for in a child process.

    Raises
    ------
    SpecError, DataError
        There is no such model or set, or it cannot be read.
    """
    asked, source = prediction.predictor(model, Path(folder)), datasets.get(target)
    labels = source.labels("train")
    rows = np.sort(np.random.default_rng(0).permutation(len(labels))[:MOST])
    parts = (rows[at : at + AT_ONCE] for at in range(0, len(rows), AT_ONCE))
    shares = np.concatenate([asked.predict_proba(source.items("train", part)) for part in parts])
    order = np.array([list(asked.class_names).index(name) for name in datasets.info(target).class_names])
    places: list[Where] = [("train", row) for row in rows.tolist()]
    return _sorted(places, order[labels[rows]], shares, asked.class_names)


def of_class(name: str, label: str, part: str) -> list[Where]:
    """Return where the pictures of one class of an own set stand."""
    k = own_sets.card_of(name).class_names.index(label)
    return [(part, row) for row in np.flatnonzero(datasets.get(name).labels(part) == k).tolist()]


def _sorted(places: Sequence[Where], labels: np.ndarray, shares: np.ndarray, names: Sequence[str]) -> list[Doubt]:
    loss, answers = losses(labels, shares), shares.argmax(axis=1)
    return [
        Doubt(places[i], names[int(labels[i])], names[int(answers[i])], float(shares[i, answers[i]]), float(loss[i]))
        for i in np.argsort(-loss, kind="stable").tolist()
    ]
