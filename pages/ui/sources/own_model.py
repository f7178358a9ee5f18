"""A person's own model as a source: the upload, why it cannot be used, taking it off the list."""

import streamlit as st

from pages.ui.inputs.chosen_file import is_good
from pages.ui.session import state
from pages.ui.words.text import _, plain, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.sources import uploads
from tlcore.sources.foreign.archive import MOST_BYTES, look_at
from tlcore.sources.foreign.network import Pixels
from tlcore.spec import SourceInfo

MEGABYTES = MOST_BYTES // 2**20
# What a black and a white pixel were in the training; None: found by trying.
VALUES = (None, (0.0, 1.0), (0.0, 255.0), (-1.0, 1.0), (1.0, 0.0), (255.0, 0.0), (1.0, -1.0))


def own_model() -> None:
    """Show the upload: a file that cannot be used is refused as soon as it is chosen."""
    with st.expander(_("Use your own model"), icon=":material/upload_file:"):
        st.caption(
            _(
                "A .keras file of Keras 3: layers one after the other, from one image to a softmax over the classes. "
                "Only layers and weights are read; no code in the file is run. Only you see it in the list."
            )
        )
        file = st.file_uploader(
            _("Model file (.keras, up to {n} MB with its optimizer)").format(n=MEGABYTES),
            max_upload_size=MEGABYTES,  # every type: the refusal says more than "not allowed"
            key=f"model_file_{state.get('model_files', 0)}",
        )
        good = file is not None and is_good("model_looked_at", file.file_id, file.getvalue, look_at)
        names = st.text_input(
            _("Its classes, with commas between"),
            placeholder="0, 1, 2",
            help=_("What its outputs stand for, in order: shown when it answers a drawing. Empty: numbers from 0."),
            key="model_classes",
        )
        values = st.selectbox(
            _("Pixel values it was trained on"),
            VALUES,
            format_func=_values_words,
            help=_(
                "Images here are white on black. If you leave this, the lab tries each range on ten known digits "
                "of each class and keeps the best."
            ),
            key="model_values",
        )
        if st.button(_("Add the model"), disabled=not good, key="add_model", type="primary") and file is not None:
            _add(file.getvalue(), file.name, names, values)


def _values_words(values: Pixels | None) -> str:
    if values is None:
        return _("Detect automatically")
    words = uploads.way_words(values, _)
    return words[:1].upper() + words[1:]


def _add(content: bytes, name: str, class_names: str, values: Pixels | None) -> None:
    listed = [part for part in class_names.split(",") if part.strip()]
    try:
        with st.spinner(_("Trying the model in a process of its own: about 10 seconds."), show_time=True):
            added = uploads.add(content, name, listed, owner=state.person().id, pixels=values)
    except LabError as error:
        st.error(tell(error), icon=":material/error:")
        return
    state.put(added_source=added.name, model_files=state.get("model_files", 0) + 1)
    st.rerun()


def findings(source: SourceInfo) -> None:
    """Show what was seen when an uploaded model was added: what it reads, and what it is given."""
    sentences = uploads.findings(source, _)
    if not sentences:
        return
    *changes, reads = sentences
    if uploads.is_doubtful(source):
        st.warning(reads, icon=":material/help:")
    else:
        changes.append(reads)
    if changes:
        st.caption(" ".join(changes))


def removal(source: SourceInfo) -> None:
    """Show the button that takes an uploaded model off the list, and the one that puts it back."""
    if sources.is_uploaded(source.name) and state.may_remove(source):
        st.button(
            _("Remove this model"), key="remove_model", icon=":material/delete:", on_click=_remove, args=(source.name,)
        )
    if name := state.get("removed_source"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.info(_("{title} was removed. Runs that used it stay.").format(title=plain(sources.info(name).title)))
            st.button(_("Undo"), key="undo_removal", icon=":material/undo:", on_click=_put_back, args=(name,))


def _remove(name: str) -> None:
    uploads.remove(name)
    state.put(removed_source=name)
    state.use_source(state.DEFAULTS["source"])


def _put_back(name: str) -> None:
    uploads.remove(name, removed=False)
    state.take("removed_source")
    state.use_source(name)
