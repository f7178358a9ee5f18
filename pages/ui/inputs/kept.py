"""A drawing kept with its label, as a sample of one's own that the next training may use; and all that were kept."""

import numpy as np
import streamlit as st

from pages.ui.components.picture_buttons import picture_buttons
from pages.ui.session import state
from pages.ui.words.text import _, ngettext, tell
from tlcore import inputs
from tlcore.datasets import drawings
from tlcore.datasets.mnist import DIGITS, FORM
from tlcore.errors import DataError
from tlcore.prediction import PredictorInfo

from . import pictures


def that_was(item: np.ndarray, first: PredictorInfo) -> None:
    """Ask what the item was; an answer keeps it."""
    if not drawings.fits(first.form):
        return
    names = DIGITS if set(first.class_names) <= set(DIGITS) else first.class_names
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="keep"):
        st.markdown(_("That was a"), width="content")
        st.pills(
            _("What the drawing was"),
            names,
            key="that_was",
            label_visibility="collapsed",
            width="stretch",
            on_change=_keep,
            args=(item,),
            wrap=True,
        )
    if error := state.take("keep_error"):
        st.warning(error)
    if last := state.get("just_kept"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(
                _("Kept as {label}. The next training can learn from it: Train, Settings.").format(label=last[1])
            )
            st.button(_("Undo"), key="unkeep", type="tertiary", on_click=_remove, args=(last[0],))


def mine() -> None:
    """Show all that this person has kept, to look at and delete; nothing while there is none."""
    kept, removed = state.own_drawings(), state.get("removed_drawing")
    if not kept and not removed:
        return
    words = ngettext("My drawings ({n})", "My drawings ({n})", len(kept)).format(n=len(kept))
    with st.expander(words, key="my_drawings"):
        if kept:
            preview = inputs.modality(FORM.modality).preview
            at = picture_buttons(
                "kept_drawings",
                _("My drawings"),
                [pictures.address(preview(drawing.item)) for drawing in kept],
                [_("Drawing {n}, kept as {label}").format(n=i, label=one.label) for i, one in enumerate(kept, 1)],
                rev=hash(tuple(drawing.name for drawing in kept)) % 2**31,
            )
            st.caption(_("Kept as {label}.").format(label=kept[at].label))
            st.button(
                _("Delete this drawing"),
                key="delete_drawing",
                icon=":material/delete:",
                help=_("Runs that learned from it keep their copy."),
                on_click=_remove,
                args=(kept[at].name,),
            )
        if removed:
            st.button(_("Restore the deleted drawing"), key="undelete_drawing", on_click=_bring_back, args=(removed,))


def _keep(item: np.ndarray) -> None:
    label = state.get("that_was")
    state.put(that_was=None)
    if label is None:
        return
    try:
        kept = drawings.keep(state.person().id, item, label)
    except DataError as error:
        state.put(keep_error=tell(error))
        return
    state.put(just_kept=(kept.name, label))


def _remove(name: str) -> None:
    try:
        drawings.remove(state.person().id, name)
    except DataError as error:
        state.put(keep_error=tell(error))
        return
    state.put(just_kept=None, removed_drawing=name)


def _bring_back(name: str) -> None:
    try:
        drawings.bring_back(state.person().id, name)
    except DataError as error:
        state.put(keep_error=tell(error))
    state.put(removed_drawing=None)
