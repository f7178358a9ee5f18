"""Draw, pick or upload, and every chosen model answers. The pad is Home's too."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.components.pad import drawing_pad
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import inputs
from tlcore.errors import DataError, LabError
from tlcore.prediction import PredictorInfo
from tlcore.spec import InputForm

from . import answers


def drawn_item(form: InputForm, normalise: bool, on_change: Callable[[], None] | None) -> np.ndarray | None:
    """Show the pad; return what is on it as an item of ``form``, None while it is blank.

    Raises
    ------
    DataError
        There is a lone dot on it.
    """
    value = drawing_pad("pad", label=_("Draw a digit from 0 to 9"), answers=".answers", on_change=on_change)
    return inputs.modality(form.modality).accept(value["strokes"], form, centred=normalise)


@st.fragment(key="pen")
def pad_and_answers(
    infos: Sequence[PredictorInfo],
    form: InputForm,
    hint: str,
    at: DeltaGenerator,
    *,
    normalise: bool = True,
    seen_at: DeltaGenerator | None = None,
    on_change: Callable[[], None] | None = None,
) -> None:
    """Show the pad here, in the place ``at`` what the models answer, and in ``seen_at`` what they see.

    The places are made outside: a stroke of the pen runs this fragment alone, and sends these elements and none of
    the columns and switches around them, which cost the server more than the answer itself.

    Parameters
    ----------
    infos : models that read ``form``
    hint : what to do, while the pad is blank
    at, seen_at : each an ``st.empty()``
    on_change : called before a stroke's run; ``st.rerun`` in it runs other fragments too, this one is "pen"
    """
    try:
        item = drawn_item(form, normalise, on_change)
    except DataError as error:
        item, hint = None, tell(error)
    state.put(on_easel=item)
    if seen_at is not None:
        show_seen(item, form, normalise, seen_at)
    answer(item, infos, hint, at)


def show_seen(item: np.ndarray | None, form: InputForm, normalise: bool, at: DeltaGenerator) -> None:
    """Show the item itself, in words too; nothing while there is none."""
    if item is None:
        at.empty()
        return
    modality = inputs.modality(form.modality)
    words = _("Exactly what the models see: {form} numbers.")
    if modality.centres:
        words = (
            _("Exactly what the models see: {form} pixels, scaled and centred as in MNIST.")
            if normalise
            else _("Exactly what the models see: {form} pixels, only shrunk.")
        )
    at.html(answers.seen(modality.preview(item), words.format(form=form)))


def answer(item: np.ndarray | None, infos: Sequence[PredictorInfo], hint: str, at: DeltaGenerator) -> None:
    """Show what every model of ``infos`` says to the item, in an ``st.empty()``."""
    if not infos:
        at.info(_("No model is chosen to answer. Pick some below."))
        return
    if item is None:
        at.info(hint)
        return
    serving = state.lab().serving
    if not serving.ready:
        at.info(
            _("The models are loading. This takes a few seconds after the server starts; draw on, they answer then.")
        )
    try:
        found = serving.predict(item, [info.name for info in infos])
    except LabError as error:
        at.warning(tell(error))
        return
    at.html(answers.cards(infos, found, item))
