"""The ways to give one item to the models: draw, pick a sample, upload a file, ink squares, or show it a camera."""

from collections.abc import Callable

import numpy as np
import streamlit as st

from pages.ui.components.picture_buttons import picture_buttons
from pages.ui.components.pixel_grid import pixel_grid
from pages.ui.session import state
from pages.ui.words.text import _, shown, tell, titled
from tlcore import datasets, inputs
from tlcore.errors import DataError
from tlcore.spec import InputForm

from . import board, live, pictures
from .board import Panel

N_SAMPLES = 12

KeyOf = Callable[[str, InputForm], str]


def item(panel: Panel, key: KeyOf, on_change: Callable[[], None]) -> None:
    """Show the choice of ways and the chosen one; in the panel what its models answer to the item.

    Parameters
    ----------
    key : gives the key of a widget whose choices depend on the form
    on_change : called before a stroke's run of the pad
    """
    form = panel.form
    modality = inputs.modality(form.modality)
    words = {
        "draw": _("Draw"),
        "sample": _("Sample"),
        "upload": _("Upload"),
        "grid": _("Keyboard"),
        "camera": _("Camera"),
    }
    ways = [way for way in words if way in modality.ways]
    state.begin(key("way", form), ways[0])
    if state.get(key("way", form)) not in ways:
        state.put(**{key("way", form): ways[0]})
    way = st.segmented_control(
        _("Input"),
        ways,
        format_func=words.__getitem__,
        required=True,
        key=key("way", form),
        label_visibility="collapsed",
        wrap=True,
    )
    if way == "sample":
        panel.show(picked(form, key))
        return
    if way == "camera":
        live.answered(panel.first)
        return
    paper = st.container()  # above the switch, which is read before it
    whole = way == "upload" and state.reads_whole(panel.first.name)
    normalise = (modality.centres and not whole) and st.toggle(
        _("Centre and scale as MNIST does"),
        value=True,
        key="normalise",
        persist_state="session",
        help=_("Off: the drawing is only shrunk. Draw small or in a corner and watch the answers break."),
    )
    with paper:
        if way == "draw":
            board.pad_and_answers(panel, normalise=normalise, on_change=on_change)
        elif way == "grid":
            inked_squares(panel, normalise)
        else:
            panel.show(uploaded(form, normalise, whole))


def picked(form: InputForm, key: KeyOf) -> np.ndarray | None:
    """Show test items of that form, each its own button; return the picked one."""
    targets = [card.name for card in state.targets_on_offer() if card.offline and card.form == form]
    if not targets:
        st.info(_("No installed data set has inputs of this kind."))
        return None
    target = st.selectbox(
        _("Samples of"),
        targets,
        index=targets.index(state.get("target")) if state.get("target") in targets else 0,
        format_func=lambda name: titled(datasets.info(name).title),
        key=key("sample_target", form),
        persist_state="session",
    )
    handful = state.get("handful", 0)
    items, labels = state.samples(target, N_SAMPLES, handful)
    names = datasets.info(target).class_names
    previews = inputs.modality(form.modality).previews(items)
    at = picture_buttons(
        f"samples_{target}",
        _("Sample images"),
        [pictures.address(picture) for picture in previews],
        [_("Sample {n}").format(n=i + 1) for i in range(len(items))],
        rev=handful,
    )
    st.button(
        _("Another handful"),
        key="another_handful",
        icon=":material/casino:",
        on_click=lambda: state.put(handful=handful + 1),
    )
    st.caption(_("Its true class is {name}.").format(name=names[labels[at]]))
    return items[at]


@st.fragment(key="squares")
def inked_squares(panel: Panel, normalise: bool) -> None:
    """Show the grid, and in the panel what the models answer to what is inked."""
    item, hint = None, _("Ink some squares.")
    try:
        cells = {"cells": pixel_grid("pixel_grid", _inked)}
        item = inputs.modality(panel.form.modality).accept(cells, panel.form, centred=normalise)
    except DataError as error:
        hint = tell(error)
    panel.show(item, hint)


def _inked() -> None:
    """Have what stands beside the answer come and go with the ink."""
    board.run_with("squares", "why")


def uploaded(form: InputForm, normalise: bool, whole: bool = False) -> np.ndarray | None:
    """Take a file of one item: any file, as Streamlit's own check of types knows neither .jfif nor .heic.

    Parameters
    ----------
    whole : the model learned from pictures that are no ink on a ground, so this one is read as it is
    """
    file = st.file_uploader(
        shown(inputs.PICTURE if whole else inputs.modality(form.modality).uploads),
        max_upload_size=10,
        key="upload",
    )
    if file is None:
        return None
    kept, asked = state.get("picture_read"), (file.file_id, form, normalise, whole)
    if kept is None or kept[0] != asked:  # a picture is read once, not at each run of the page
        kept = asked, *_read(file.getvalue(), form, normalise, whole)
        state.put(picture_read=kept)
    _key, item, error = kept
    if error is not None:
        st.error(tell(error))
    return item


def _read(content: bytes, form: InputForm, normalise: bool, whole: bool) -> tuple[np.ndarray | None, DataError | None]:
    try:
        how = {"centred": normalise, **({"whole": True} if whole else {})}
        return inputs.modality(form.modality).accept(content, form, **how), None
    except DataError as error:
        return None, error
