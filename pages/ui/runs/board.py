"""Draw, pick or upload, and every chosen model answers: the part that Home and Draw share."""

from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.components.pad import drawing_pad
from pages.ui.inputs import answers
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore.errors import DataError, LabError
from tlcore.inputs import digits, drawing
from tlcore.prediction import PredictorInfo


def drawn_image(normalise: bool, on_change: Callable[[], None] | None) -> np.ndarray | None:
    """Show the pad; return the 28×28 image of what is on it, None while it is blank.

    Raises
    ------
    DataError
        There is a lone dot on it.
    """
    value = drawing_pad("pad", label=_("Draw a digit from 0 to 9"), answers=".answers", on_change=on_change)
    pixels = drawing.render(value["strokes"])
    if digits.is_blank(pixels):
        return None
    digits.check_enough(pixels)
    return digits.normalise(pixels) if normalise else digits.shrink(pixels)


@st.fragment(key="pen")
def pad_and_answers(
    infos: Sequence[PredictorInfo],
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
    hint : what to do, while the pad is blank
    at, seen_at : each an ``st.empty()``
    on_change : called before a stroke's run; ``st.rerun`` in it runs other fragments too, this one is "pen"
    """
    try:
        image = drawn_image(normalise, on_change)
    except DataError as error:
        image, hint = None, tell(error)
    state.put(on_easel=image)
    if seen_at is not None:
        show_seen(image, normalise, seen_at)
    answer(image, infos, hint, at)


def show_seen(image: np.ndarray | None, normalise: bool, at: DeltaGenerator) -> None:
    """Show the 28×28 image itself, in words too; nothing while there is none."""
    if image is None:
        at.empty()
        return
    words = (
        _("Exactly what the models see: 28 × 28 pixels, the ink scaled to 20 and its centre of mass in the middle.")
        if normalise
        else _("Exactly what the models see: 28 × 28 pixels, only shrunk.")
    )
    at.html(answers.seen(image, words))


def answer(image: np.ndarray | None, infos: Sequence[PredictorInfo], hint: str, at: DeltaGenerator) -> None:
    """Show what every model of ``infos`` says to the image, in an ``st.empty()``."""
    if not infos:
        at.info(_("No model is chosen to answer. Pick some below."))
        return
    if image is None:
        at.info(hint)
        return
    serving = state.lab().serving
    if not serving.ready:
        at.info(
            _("The models are loading. This takes a few seconds after the server starts; draw on, they answer then.")
        )
    try:
        found = serving.predict(image, [info.name for info in infos])
    except LabError as error:
        at.warning(tell(error))
        return
    at.html(answers.cards(infos, found, image))
