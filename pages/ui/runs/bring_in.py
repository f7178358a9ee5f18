"""Bring in what a lab exported: a run, a model, a head, settings; and what is said of a run that came so."""

import streamlit as st

from pages.ui.inputs.chosen_file import is_good
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import archives
from tlcore.archives import kinds, reading
from tlcore.errors import LabError
from tlcore.prediction import own_heads
from tlcore.sources import uploads
from tlcore.store import Run

from .words import describe

MEGABYTES = reading.MOST_BYTES // 2**20


def offer() -> None:
    """Show where a file goes; one that cannot be used is refused as soon as it is chosen."""
    with st.expander(_("Import a file"), icon=":material/upload_file:", key="import_file"):
        st.caption(
            _(
                "The ZIP of a run, a model (.keras), a head (.skops) or settings (.json), as a lab exports them. Every "
                "file is checked, and no code in it is run. What you import belongs to you."
            )
        )
        file = st.file_uploader(
            _("File (up to {n} MB)").format(n=MEGABYTES),
            max_upload_size=MEGABYTES,  # every type: the refusal says more than "not allowed"
            key=f"archive_file_{state.get('archive_files', 0)}",
        )
        good = file is not None and is_good("archive_looked_at", file.file_id, file.getvalue, kinds.look_at)
        if good and file is not None and kinds.kind_of(file.getvalue()) == "settings":
            st.markdown(plain(describe(kinds.settings(file.getvalue()))))
            label = _("Train with these settings")
        else:
            label = _("Import")
        if st.button(label, disabled=not good, key="import", type="primary") and file is not None:
            _bring_in(file.getvalue(), file.name)


def _bring_in(content: bytes, name: str) -> None:
    owner = state.person().id
    try:
        kind = kinds.kind_of(content)
        if kind == "settings":
            state.watch("run", state.start(kinds.settings(content)).id)
        else:
            with st.spinner(_("Checking the file in a process of its own: about 10 seconds."), show_time=True):
                _kept(kind, content, name, owner)
    except LabError as error:
        st.error(tell(error), icon=":material/error:")
        return
    state.put(archive_files=state.get("archive_files", 0) + 1)
    st.rerun()


def _kept(kind: kinds.Kind, content: bytes, name: str, owner: str) -> None:
    if kind == "network":
        card = uploads.add(content, name, owner=owner)
        words = _("{title} is among the source models now: choose it under Layers.").format(title=plain(card.title))
        state.put(imported=words)
    elif kind == "head":
        head = own_heads.add(content, name, state.sources_on_offer(), owner=owner)
        state.put(imported=_("{title} answers now: choose it on Try.").format(title=plain(head.title)))
    else:
        state.access().check_room()
        state.watch("run", archives.take(archives.look_at(content), state.lab().store, owner).id)


def said() -> None:
    """Say what was brought in that is no run."""
    if words := state.take("imported"):
        st.success(words)


def origin(run: Run) -> None:
    """Say of an imported run where it comes from, and what of it is not here."""
    came = run.provenance
    if not came.imported:
        return
    words = _("Imported from another lab, where it was run {id}; {version} wrote the archive.")
    sentences = [words.format(id=came.imported, version=plain(came.made_with)), *map(shown, came.left_out)]
    st.caption(plain(" ".join(sentences)))
