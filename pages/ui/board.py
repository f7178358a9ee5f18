"""Draw, pick or upload, and every chosen model answers: the part that Home and Draw share."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from pages.ui import answers, state
from pages.ui.pad import drawing_pad
from pages.ui.text import _, tell
from tlcore import drawing
from tlcore.errors import LabError
from tlcore.prediction import PredictorInfo


def drawn_image(key: str, normalise: bool) -> np.ndarray | None:
    """Show the pad; return the 28×28 image of what is on it, None while it is blank."""
    value = drawing_pad(key, label=_("Draw a digit from 0 to 9"))
    pixels = drawing.render(value["strokes"])
    if drawing.is_blank(pixels):
        return None
    return drawing.normalise(pixels) if normalise else drawing.shrink(pixels)


def answer(image: np.ndarray, infos: Sequence[PredictorInfo]) -> None:
    """Show what every model of ``infos`` says to the image."""
    serving = state.lab().serving
    if not serving.ready:
        st.info(
            _("The models are loading. This takes a few seconds after the server starts; draw on, they answer then.")
        )
        st.skeleton(height=180)
    try:
        found = serving.predict(image, [info.name for info in infos])
    except LabError as error:
        st.warning(tell(error))
        return
    st.html(answers.cards(infos, found, image))
