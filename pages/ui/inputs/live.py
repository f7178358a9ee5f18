"""The camera's answer while somebody holds something in front of it, and pictures of what it may be shown."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from pages.ui.components.camera import answers_url, camera
from pages.ui.session import state
from pages.ui.words.text import _
from tlcore import datasets, inputs
from tlcore.prediction import PredictorInfo
from tlcore.spec import InputForm

from . import answers

SEED = 1  # of which photograph stands for each class


def answered(first: PredictorInfo) -> None:
    """Show the camera and what ``first`` answers to it; nothing of it can be explained, as nothing is kept."""
    state.put(on_easel=None)
    signs, anything = (
        _("Turn on the camera and hold one of the signs into the square."),
        _("Turn on the camera and hold something into the square."),
    )
    camera(
        f"camera_{first.form.modality}",
        url=answers_url(first.name),
        class_names=first.class_names,
        hint=signs if _examples(first.form, tuple(first.class_names)) else anything,
    )


def examples(first: PredictorInfo) -> str:
    """Return one photograph of each class of a model as HTML, where a data set that ships has them; else nothing."""
    found = _examples(first.form, tuple(first.class_names))
    if not found:
        return ""
    words = _("Plain background, good light, the whole hand in the square: that is how the network knows them.")
    return f'<div class="signs"><p>{words}</p>{answers.gallery(found, first.class_names)}</div>'


@lru_cache(maxsize=8)
def _examples(form: InputForm, class_names: Sequence[str]) -> tuple[np.ndarray, ...]:
    for card in datasets.catalogue():
        if card.offline and card.form == form and set(class_names) <= set(card.class_names):
            return tuple(_one(card.name, card.class_names.index(name)) for name in class_names)
    return ()


def _one(target: str, label: int) -> np.ndarray:
    source = datasets.get(target)
    rows = np.flatnonzero(source.labels("train") == label)
    row = np.random.default_rng(SEED).choice(rows)
    return inputs.modality(source.info.form.modality).preview(source.items("train", np.array([row]))[0])
