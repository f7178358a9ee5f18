"""Where examples come from and where what was learned is tried: the camera, or the pad."""

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import StreamlitInvalidLayoutContextError

from pages.ui.components.camera import Recorder, camera
from pages.ui.components.pad import drawing_pad
from pages.ui.inputs import answers
from pages.ui.inputs.answers import Answers
from pages.ui.session import sets, state
from pages.ui.words.text import _, tell
from tlcore import inputs
from tlcore.errors import DataError, LabError
from tlcore.prediction import PredictorInfo, collected
from tlcore.sentences import Sentence
from tlcore.teaching import Examples

PATIENCE_S = 10.0
ROUTE = "/api/teach"  # of server/teach.py


def by_camera(examples: Examples) -> None:
    """Show the camera, a button that records into each class while it is held, and what is answered."""
    kind = examples.kind.name
    classes = examples.classes()
    can_answer = sum(bool(one.examples) for one in classes) > 1
    camera(
        f"teach_{kind}",
        url=_route(f"{kind}/answers") if can_answer else "",
        record_url=_route(f"{kind}/examples"),
        class_names=[one.name for one in classes],
        classes=[Recorder(one.id, one.name, len(one.examples)) for one in classes],
        hint=_("Turn on the camera and hold a class's button for a second: that records about five examples."),
    )


def _route(what: str) -> str:
    """Return the address of a route, to which the browser adds parameters."""
    address = sets.signed(f"{ROUTE}/{what}")
    return address if "?" in address else f"{address}?"


def by_pad(examples: Examples) -> None:
    """Show the pad, what is answered to it, and a button that adds the drawing to each class."""
    left, right = st.columns([2, 3], gap="large")
    with right:
        answer_at = st.container(key="answer").empty()
        answers.save_buttons("answer_taught", ".st-key-answer", _("What you taught"))
        with st.container(horizontal=True, key="add_drawing"):
            for one in examples.classes():
                words = _("Add to {name} ({n})").format(name=one.name, n=len(one.examples))
                key = f"add_{one.id}"
                st.button(words, key=key, icon=":material/add:", on_click=_add_drawing, args=(examples, one.id))
        _upload(examples)
    with left:
        pad(examples, answer_at)


@st.fragment(key="teach_pen")
def pad(examples: Examples, at: DeltaGenerator) -> None:
    """Show the pad here and the answer in ``at``, an ``st.empty()``: a stroke runs this alone."""
    value = drawing_pad(
        "teach_pad",
        label=_("Draw an example of one of your classes"),
        rev=state.get("teach_rev", 0),
        answers=".answers",
        hint=_("Draw anything"),
    )
    form, item, hint = examples.kind.form, None, _("Draw something, then add it to its class.")
    try:
        item = inputs.modality(form.modality).accept(value["strokes"], form, centred=True)
    except DataError as error:
        hint = tell(error)
    state.put(teach_item=item)
    try:
        at.html(answered(examples, item, hint))
    except StreamlitInvalidLayoutContextError:  # the page has run again since, and the place is not its own any more
        st.rerun()


def answered(examples: Examples, item: np.ndarray | None, hint: str) -> str:
    """Return what is answered to a drawing, as HTML."""
    name = collected.name_of(state.person().id, examples.kind.name)
    title = Sentence("What you taught")
    info = PredictorInfo(name, title, examples.names(), "taught", examples.kind.form)
    found = {}
    if item is not None:
        try:
            found = state.lab().serving.predict(item, [name], PATIENCE_S)
        except LabError as error:
            hint = tell(error)
    shares = found.get(name)
    if isinstance(shares, list) and len(shares) != len(info.class_names):
        found = {}  # a class came or went in another tab
    picture = None if item is None else inputs.modality(info.form.modality).preview(item)
    return answers.large(info, _("What you taught"), Answers(item, hint, found), picture)


def _add_drawing(examples: Examples, label: int) -> None:
    item = state.get("teach_item")
    if item is None:
        state.put(teach_error=_("The pad is blank. Draw something first."))
        return
    if _kept(examples, label, item):
        state.put(teach_rev=state.get("teach_rev", 0) + 1)  # a clear pad for the next


def _upload(examples: Examples) -> None:
    """Take picture files of drawings into a class; the camera's buttons do that for photographs."""
    with st.expander(_("Add picture files"), icon=":material/upload_file:"):
        names = {one.id: one.name for one in examples.classes()}
        label = st.selectbox(_("Into the class"), list(names), format_func=names.__getitem__, key="upload_class")
        key = f"teach_files_{state.get('teach_files', 0)}"
        files = st.file_uploader(
            _("Pictures of drawings (JPEG, PNG, HEIC and others, up to 10 MB each)"),
            accept_multiple_files=True,
            max_upload_size=10,
            key=key,
        )
        if st.button(_("Add the pictures"), disabled=not files, key="add_files") and label is not None:
            form = examples.kind.form
            for file in files:
                try:
                    item = inputs.modality(form.modality).accept(file.getvalue(), form, centred=True)
                except DataError as error:
                    state.put(teach_error=f"{file.name}: {tell(error)}")
                    continue
                if item is None or not _kept(examples, label, item):
                    break
            state.put(teach_files=state.get("teach_files", 0) + 1)
            st.rerun()


def _kept(examples: Examples, label: int, item: np.ndarray) -> bool:
    try:
        collected.keep(examples, label, item, state.lab().serving.predict, PATIENCE_S)
    except LabError as error:
        state.put(teach_error=tell(error))
        return False
    return True
