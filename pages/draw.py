"""Draw a digit; every model answers."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import frame
from pages.ui.closer import inside
from pages.ui.components.pad import check_value
from pages.ui.inputs import answers, board
from pages.ui.session import state
from pages.ui.words.text import _, shown, tell
from tlcore import datasets, inputs, prediction
from tlcore.errors import DataError
from tlcore.spec import InputForm

frame.heading(_("Draw"), _("Draw a digit. Every model answers while you draw: the shipped ones, and what you trained."))


def key(name: str, form: InputForm) -> str:
    """Return the key of a widget whose choices depend on what is asked about."""
    return name if form == datasets.catalogue()[0].form else f"{name}_{form.modality}_{form}"


def picked_item(form: InputForm) -> np.ndarray | None:
    """Show test items of that form to pick from; return the picked one."""
    targets = [card.name for card in datasets.catalogue() if card.offline and card.form == form]
    if not targets:
        st.info(_("No data set at hand has such items."))
        return None
    target = st.selectbox(
        _("Samples of"),
        targets,
        format_func=lambda name: datasets.info(name).title,
        key=key("sample_target", form),
        persist_state="session",
    )
    items, labels = state.samples(target, 12)
    names = datasets.info(target).class_names
    pictures = inputs.modality(form.modality).previews(items)
    st.html(answers.gallery(pictures, [f"{i + 1}" for i in range(len(items))]))
    number = st.pills(
        _("Which image"),
        range(len(items)),
        format_func=lambda i: f"{i + 1}",
        default=0,
        key=key("sample_number", form),
        wrap=True,
    )
    if number is None:
        return None
    st.caption(_("Its true class is {name}.").format(name=names[labels[number]]))
    return items[number]


def uploaded_item(form: InputForm, normalise: bool) -> np.ndarray | None:
    """Take a file of one item: any file, as Streamlit's own check of types knows neither .jfif nor .heic."""
    file = st.file_uploader(
        shown(inputs.modality(form.modality).uploads),
        max_upload_size=10,
        key="upload",
    )
    if file is None:
        return None
    kept, asked = state.get("picture_read"), (file.file_id, form, normalise)
    if kept is None or kept[0] != asked:  # a picture is read once, not at each run of the page
        kept = asked, *_read(file.getvalue(), form, normalise)
        state.put(picture_read=kept)
    _key, item, error = kept
    if error is not None:
        st.error(tell(error))
    return item


def _read(content: bytes, form: InputForm, normalise: bool) -> tuple[np.ndarray | None, DataError | None]:
    try:
        return inputs.modality(form.modality).accept(content, form, centred=normalise), None
    except DataError as error:
        return None, error


def easel(infos: list[prediction.PredictorInfo], form: InputForm) -> None:
    """Show where the item comes from, the item and the answers.

    No fragment: the pad's own may write into places only that are made anew by a run of the whole page.
    """
    hint = _("Draw something, pick a sample or upload a picture: {n} models will answer here.").format(n=len(infos))
    left, right = st.columns([2, 3], gap="large")
    answers_at = right.empty()
    with left:
        words = {"draw": _("Draw"), "sample": _("Pick a sample"), "upload": _("Upload")}
        ways = [way for way in words if way in inputs.modality(form.modality).ways]
        way = st.segmented_control(
            _("The image comes from"),
            ways,
            format_func=words.__getitem__,
            default=ways[0],
            required=True,
            key=key("way", form),
            wrap=True,
        )
        if way == "sample":
            show(picked_item(form), form, True, infos, hint, answers_at, st.empty())
        else:
            paper = st.container()  # above the switch, which is read before it
            normalise = inputs.modality(form.modality).centres and st.toggle(
                _("Centre and scale as MNIST does"),
                value=True,
                key="normalise",
                persist_state="session",
                help=_("Off: the drawing is only shrunk. Draw small or in a corner and watch the answers break."),
            )
            seen_at = st.empty()
            with paper:
                if way == "draw":
                    board.pad_and_answers(
                        infos, form, hint, answers_at, normalise=normalise, seen_at=seen_at, on_change=drew
                    )
                else:
                    show(uploaded_item(form, normalise), form, normalise, infos, hint, answers_at, seen_at)
    with right:
        why(infos)


def show(
    item: np.ndarray | None,
    form: InputForm,
    normalise: bool,
    infos: list[prediction.PredictorInfo],
    hint: str,
    answers_at: DeltaGenerator,
    seen_at: DeltaGenerator,
) -> None:
    """Show what the models see of an item that is not drawn, and what they answer."""
    state.put(on_easel=item)
    board.show_seen(item, form, normalise, seen_at)
    board.answer(item, infos, hint, answers_at)


@st.fragment(key="why")
def why(infos: list[prediction.PredictorInfo]) -> None:
    item = state.get("on_easel")
    if infos and item is not None:
        inside.why(item, infos)


def drew() -> None:
    """Have the explanation follow the pad where it comes, goes or is open; else a stroke runs the pad alone."""
    value = check_value(state.get("pad", {}).get("drawing"))
    comes_or_goes = (not value["strokes"]) != (state.get("on_easel") is None)
    if comes_or_goes or (state.get("why") and value["final"]):
        st.rerun(["pen", "why"])


def picked_form(infos: Sequence[prediction.PredictorInfo]) -> InputForm:
    """Return which kind of items are asked about; where models read several, a person picks."""
    forms = list(dict.fromkeys(info.form for info in infos)) or [datasets.catalogue()[0].form]
    if len(forms) == 1:
        return forms[0]
    return st.selectbox(_("Models that read"), forms, format_func=lambda form: f"{form.modality} · {form}", key="form")


everyone = state.models()
form = picked_form(everyone)
everyone = [info for info in everyone if info.form == form]
chosen = state.get(key("models", form), prediction.first_choice(everyone))
easel([info for info in everyone if info.name in chosen], form)
with st.expander(_("Models that answer ({n} of {total})").format(n=len(chosen), total=len(everyone))):
    st.pills(
        _("Models"),
        [info.name for info in everyone],
        selection_mode="multi",
        default=prediction.first_choice(everyone),
        format_func={info.name: info.title for info in everyone}.__getitem__,
        key=key("models", form),
        label_visibility="collapsed",
        wrap=True,
    )
frame.next_page("runs.py", _("Next: all runs"))
