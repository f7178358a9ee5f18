"""A person's own model as a source: the upload, why it cannot be used, taking it off the list."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.sources import uploads
from tlcore.spec import SourceInfo

MEGABYTES = uploads.MOST_BYTES // 2**20


def own_model() -> None:
    """Show the upload."""
    with st.expander(_("Use your own model"), icon=":material/upload_file:"):
        st.caption(
            _(
                "A file of Keras 3: one chain of layers from a 28 × 28 image, values 0 to 1, to a softmax. Only its "
                "layers and numbers are taken over; no code of it runs. Only you see it in the list."
            )
        )
        file = st.file_uploader(
            _("Model file (.keras, up to {n} MB)").format(n=MEGABYTES),
            type=["keras"],
            max_upload_size=MEGABYTES,
            key=f"model_file_{state.get('model_files', 0)}",
        )
        names = st.text_input(
            _("Its classes, with commas between"),
            placeholder="0, 1, 2",
            help=_("What its outputs stand for, in order: shown when it answers a drawing. Empty: numbers from 0."),
            key="model_classes",
        )
        if st.button(_("Add the model"), disabled=file is None, key="add_model", type="primary") and file is not None:
            _add(file.getvalue(), file.name, names)


def _add(content: bytes, name: str, class_names: str) -> None:
    listed = [part for part in class_names.split(",") if part.strip()]
    try:
        with st.spinner(_("Checking the model in a process of its own: about 10 seconds."), show_time=True):
            added = uploads.add(content, name, listed, owner=state.person().id)
    except LabError as error:
        st.error(tell(error), icon=":material/error:")
        return
    state.put(added_source=added.name, model_files=state.get("model_files", 0) + 1)
    st.rerun()


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
