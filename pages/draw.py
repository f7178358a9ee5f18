"""Draw a digit; every model answers."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import frame
from pages.ui.closer import inside
from pages.ui.components.pad import check_value
from pages.ui.inputs import answers
from pages.ui.runs import board
from pages.ui.session import state
from pages.ui.words.text import _, tell
from tlcore import datasets, prediction
from tlcore.errors import DataError
from tlcore.inputs import pictures

frame.heading(_("Draw"), _("Draw a digit. Every model answers while you draw: the shipped ones, and what you trained."))


def picked_image() -> np.ndarray | None:
    """Show test images to pick from; return the picked one."""
    target = st.selectbox(
        _("Samples of"),
        [card.name for card in datasets.catalogue() if card.offline],
        format_func=lambda name: datasets.info(name).title,
        key="sample_target",
        persist_state="session",
    )
    images, labels = state.samples(target, 12)
    names = datasets.info(target).class_names
    st.html(answers.gallery(images, [f"{i + 1}" for i in range(len(images))]))
    number = st.pills(
        _("Which image"), range(len(images)), format_func=lambda i: f"{i + 1}", default=0, key="sample_number"
    )
    if number is None:
        return None
    st.caption(_("Its true class is {name}.").format(name=names[labels[number]]))
    return images[number][..., 0]


def uploaded_image(normalise: bool) -> np.ndarray | None:
    """Take a picture of one digit: any file, as Streamlit's own check of types knows neither .jfif nor .heic."""
    file = st.file_uploader(
        _("A picture of one digit (JPEG, HEIC, PNG, WebP, AVIF, TIFF, GIF or BMP, up to 10 MB)"),
        max_upload_size=10,
        key="upload",
    )
    if file is None:
        return None
    kept = state.get("picture_read")
    if kept is None or kept[0] != (file.file_id, normalise):  # a picture is read once, not at each run of the page
        kept = (file.file_id, normalise), *_read(file.getvalue(), normalise)
        state.put(picture_read=kept)
    _key, image, error = kept
    if error is not None:
        st.error(tell(error))
    return image


def _read(content: bytes, normalise: bool) -> tuple[np.ndarray | None, DataError | None]:
    try:
        return pictures.read_digit(content, normalise), None
    except DataError as error:
        return None, error


def easel(infos: list[prediction.PredictorInfo]) -> None:
    """Show where the image comes from, the image and the answers.

    No fragment: the pad's own may write into places only that are made anew by a run of the whole page.
    """
    hint = _("Draw something, pick a sample or upload a picture: {n} models will answer here.").format(n=len(infos))
    left, right = st.columns([2, 3], gap="large")
    answers_at = right.empty()
    with left:
        ways = {"draw": _("Draw"), "sample": _("Pick a sample"), "upload": _("Upload")}
        way = st.segmented_control(
            _("The image comes from"), ways, format_func=ways.__getitem__, default="draw", required=True, key="way"
        )
        if way == "sample":
            show(picked_image(), True, infos, hint, answers_at, st.empty())
        else:
            paper = st.container()  # above the switch, which is read before it
            normalise = st.toggle(
                _("Centre and scale as MNIST does"),
                value=True,
                key="normalise",
                persist_state="session",
                help=_("Off: the drawing is only shrunk. Draw small or in a corner and watch the answers break."),
            )
            seen_at = st.empty()
            with paper:
                if way == "draw":
                    board.pad_and_answers(infos, hint, answers_at, normalise=normalise, seen_at=seen_at, on_change=drew)
                else:
                    show(uploaded_image(normalise), normalise, infos, hint, answers_at, seen_at)
    with right:
        why(infos)


def show(
    image: np.ndarray | None,
    normalise: bool,
    infos: list[prediction.PredictorInfo],
    hint: str,
    answers_at: DeltaGenerator,
    seen_at: DeltaGenerator,
) -> None:
    """Show what the models see of an image that is not drawn, and what they answer."""
    state.put(on_easel=image)
    board.show_seen(image, normalise, seen_at)
    board.answer(image, infos, hint, answers_at)


@st.fragment(key="why")
def why(infos: list[prediction.PredictorInfo]) -> None:
    image = state.get("on_easel")
    if infos and image is not None:
        inside.why(image, infos)


def drew() -> None:
    """Have the explanation follow the pad where it comes, goes or is open; else a stroke runs the pad alone."""
    value = check_value(state.get("pad", {}).get("drawing"))
    comes_or_goes = (not value["strokes"]) != (state.get("on_easel") is None)
    if comes_or_goes or (state.get("why") and value["final"]):
        st.rerun(["pen", "why"])


everyone = state.models()
chosen = state.get("models", prediction.first_choice(everyone))
easel([info for info in everyone if info.name in chosen])
with st.expander(_("Models that answer ({n} of {total})").format(n=len(chosen), total=len(everyone))):
    st.pills(
        _("Models"),
        [info.name for info in everyone],
        selection_mode="multi",
        default=prediction.first_choice(everyone),
        format_func={info.name: info.title for info in everyone}.__getitem__,
        key="models",
        label_visibility="collapsed",
    )
frame.next_page("runs.py", _("Next: all runs"))
