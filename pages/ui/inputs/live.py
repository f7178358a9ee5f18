"""The camera's answer while somebody holds something in front of it, and pictures of what it may be shown."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import streamlit as st

from pages.ui.components.camera import answers_url, camera
from pages.ui.runs import tables
from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, tell
from tlcore import datasets, inputs
from tlcore.errors import LabError
from tlcore.evidence import camera_hands
from tlcore.evidence.camera_hands import CameraHands, Row
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
    grounds(first)


def grounds(first: PredictorInfo) -> None:
    """Say how well hands are read on other grounds than the photographs', where the model knows hands."""
    if not camera_hands.is_recorded():
        return
    try:
        found = camera_hands.load()
    except LabError as error:
        st.warning(tell(error))
        return
    if set(first.class_names) != set(found.class_names):
        return
    st.markdown(ground_words(found))
    if found.asks_for_plain:
        st.page_link("teach.py", label=_("Teach it your own hands, where you are"), icon=":material/school:")
    with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
        words = _(
            "Measured on {date} ({machine}) by `{command}`: {n:,} test photographs of hands, cut out, turned by up to "
            "15°, moved off the centre and laid on other grounds, then sent as the camera sends them. Two ways learned "
            "from {labels} photographs of each sign with {seeds} seeds; the better one counts."
        )
        values = {"date": found.date, "machine": found.machine, "command": found.command}
        st.markdown(words.format(**values, n=found.rows[0].n, labels=found.per_class, seeds=len(found.seeds)))
        tables.show(*ground_table(found), _("Hands read correctly on each ground"))


def ground_words(found: CameraHands) -> str:
    """Return the recorded figures as sentences, with what to do where they are low."""
    best = {name: found.best(name) for name in camera_hands.GROUNDS}
    words = _(
        "Recorded, with hands turned and off the centre: {plain} are read correctly on a plain ground, {skin} on a "
        "skin-coloured one, {dark} on a dark one, {busy} on a busy one."
    ).format(**{name: percent(row.share, 0) for name, row in best.items()})
    sentences = [_("**Plain background, please.**"), words] if found.asks_for_plain else [words]
    if found.often_outside:
        words = _(
            "Of {plain} on a plain ground the lab says that they look like nothing it was trained on, of {skin} on a "
            "skin-coloured one, {dark} on a dark one, {busy} on a busy one: then change the background, not the sign."
        )
        sentences.append(words.format(**{name: percent(row.outside or 0.0, 0) for name, row in best.items()}))
    return " ".join(sentences)


def ground_table(found: CameraHands) -> tuple[list[str], list[list[str]]]:
    """Return heads and rows of a table: each ground with what both ways read of it, and what they call outside."""
    titles = {"plain": _("plain"), "busy": _("busy"), "dark": _("dark"), "skin": _("skin-coloured")}
    ways = {"head": _("Logistic regression on features"), "network": _("Last stage thawed")}
    rows = {(row.ground, row.way): row for row in found.rows}
    read = [[_cell(rows[ground, way]) for way in ways] for ground in titles]
    counted = all(row.n_outside for row in found.rows)
    outside = [[percent(rows[ground, way].outside or 0.0) for way in ways] if counted else [] for ground in titles]
    heads = [_("{way}, called outside").format(way=title) for title in ways.values()] if counted else []
    lines = [[titles[ground], *each, *other] for ground, each, other in zip(titles, read, outside, strict=True)]
    return [_("ground"), *ways.values(), *heads], lines


def _cell(row: Row) -> str:
    return f"{percent(row.share)} ({between(*row.interval)})"


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
