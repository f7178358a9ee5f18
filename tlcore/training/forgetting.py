"""How much of its own task a network forgets while it learns another: its old head on its trained layers.

The layers that were trained, up to the last hidden one, go under the head that the source had when it was new, and
answer test images of the source's own task. That is the one way in which forgetting is measured here.

References
----------
McCloskey and Cohen (1989), "Catastrophic interference in connectionist networks: the sequential learning problem".
"""

import logging
from typing import TYPE_CHECKING

import numpy as np

from tlcore import datasets, features, sources
from tlcore.errors import LabError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FineTuneSpec, Forgetting, SourceInfo

if TYPE_CHECKING:
    import keras

N_IMAGES = 1000  # test images of the source's own task, always the same

log = logging.getLogger(__name__)
_before: dict[str, float] = {}  # what sources knew untouched, by their files' sums: it is the same for every run


def why_not(card: SourceInfo) -> Sentence:
    """Return why a source's forgetting cannot be measured here; NOTHING where it can."""
    if not card.trained:
        return Sentence("This source has learned nothing yet, so it can forget nothing.")
    if not _is_known(card.task) and card.dataset:
        return Sentence("What it forgets of its own task is not measured: the test images of that task are not here.")
    if not _is_known(card.task):
        return Sentence(
            "What it forgets of its own task is not measured: it is not known which images {source} learned from.",
            source=card.title,
        )
    if not datasets.has_test(card.task):
        return Sentence(
            "What it forgets of its own task is not measured: the test images of {task} are not on this computer.",
            task=datasets.info(card.task).title,
        )
    return NOTHING


def _is_known(task: str) -> bool:
    return task in datasets.SOURCES or datasets.at_hand(task) is not None


def measure(model: "keras.Model", spec: FineTuneSpec) -> Forgetting | Sentence:
    """Return how well a trained network still knows its source's own task, or why that is not measured.

    NOTHING where the source has learned nothing that could be forgotten.

    Parameters
    ----------
    model : what ``spec`` has trained; it is not changed
    """
    card = sources.info(spec.source)
    if not card.trained:
        return NOTHING
    if reason := why_not(card):
        return reason
    try:
        images, labels = datasets.own_test(card.task, N_IMAGES)
    except LabError as error:  # that the target was learned counts, whatever became of the source's images
        log.warning("the source's own task cannot be read: %s", error)
        return error.sentence
    source = sources.load(spec.source)
    trained = model if spec.data.scale else sources.scaled(model, card.form)
    before = _before.get(card.sha256) if card.sha256 else None
    if before is None:
        before = _before[card.sha256] = _accuracy(source, source, images, labels)
    after = _accuracy(trained, source, images, labels)
    return Forgetting(datasets.info(card.task).title, len(labels), before, after)


def _accuracy(body: "keras.Model", source: "keras.Model", images: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy of a network's layers up to the last hidden one under the source's head."""
    last = features.last_hidden(sources.describe(body)).layer
    hidden = features.activations(features.submodel(body, last), images)
    return float((np.asarray(head(source)(hidden)).argmax(axis=1) == labels).mean())


def head(model: "keras.Model") -> "keras.Model":
    """Return what comes after a network's last hidden layer."""
    return features.split(model, features.last_hidden(sources.describe(model)).layer)[1]
