"""A head that was downloaded as a .skops file, added to the models that answer."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell, titled
from tlcore import datasets, prediction
from tlcore.errors import LabError
from tlcore.prediction import own_heads
from tlcore.prediction.own_heads import MOST_BYTES, OwnHead

from .chosen_file import is_good


def own_head() -> None:
    """Show the upload, and what was uploaded, which can be removed."""
    with st.expander(_("Use a head you downloaded"), icon=":material/upload_file:"):
        st.caption(
            _(
                "A .skops file that this lab or another one saved (Runs, Download). It answers exactly as it did "
                "there, provided this lab also has the network that its features come from. No code in the file is "
                "run. Only you see it in the list."
            )
        )
        file = st.file_uploader(
            _("Head (.skops, up to {n} MB)").format(n=MOST_BYTES // 2**20),
            max_upload_size=MOST_BYTES // 2**20,  # every type: the refusal says more than "not allowed"
            key=f"head_file_{state.get('head_files', 0)}",
        )
        good = file is not None and is_good("head_looked_at", file.file_id, file.getvalue, own_heads.look_at)
        if st.button(_("Add the head"), disabled=not good, key="add_head", type="primary") and file is not None:
            _add(file.getvalue(), file.name)
        if message := state.take("head_added"):
            st.success(message)
        for card in state.own_heads_on_offer():
            _line(card)
        if name := state.get("removed_head"):
            words = _("Put {title} back").format(title=own_heads.info(name).title)
            st.button(words, key="undo_head", icon=":material/undo:", on_click=_put_back, args=(name,))


def _add(content: bytes, name: str) -> None:
    try:
        with st.spinner(_("Trying the head in a process of its own: about 10 seconds."), show_time=True):
            card = own_heads.add(content, name, state.sources_on_offer(), owner=state.person().id)
    except LabError as error:
        st.error(tell(error), icon=":material/error:")
        return
    (info,) = prediction.of_own([card])
    words = _("{title} answers now: it is chosen under Answer from.").format(title=plain(shown(info.title)))
    state.put(head_added=words, head_files=state.get("head_files", 0) + 1, removed_head=None, head_chosen=info.name)
    st.rerun()


def _line(card: OwnHead) -> None:
    """Show what an uploaded head is and what it was trained on, with the button that removes it."""
    info = next(iter(prediction.of_own([card])), None)
    if info is None:
        return
    data, origin = card.origin.data, card.origin
    labels = _("all labels") if data.per_class is None else _("{n} labels per class").format(n=data.per_class)
    try:
        task = titled(datasets.info(data.target).title)
    except LabError:  # an extension's that is gone
        task = data.target
    on = _("raw pixels") if origin.input == "pixels" else f"{origin.layer}, {titled(origin.title)}"
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(plain(f"{shown(info.title)} · {on} · {task}, {labels}"), width="stretch")
        if state.may_remove(card):
            key = f"remove_{card.name}"
            st.button(_("Remove"), key=key, icon=":material/delete:", on_click=_remove, args=(card.name,))


def _remove(name: str) -> None:
    own_heads.remove(name)
    state.put(removed_head=name)


def _put_back(name: str) -> None:
    own_heads.remove(name, removed=False)
    state.take("removed_head")
