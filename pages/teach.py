"""Teach: show a few examples of your own classes, and try at once what a frozen network makes of them."""

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.inputs import program
from pages.ui.session import sets, state
from pages.ui.teaching import showing
from pages.ui.teaching.cards import called, cards
from pages.ui.teaching.taking import take_along
from pages.ui.teaching.told import told
from pages.ui.words.text import _, plain, tell
from tlcore import teaching
from tlcore.errors import LabError
from tlcore.prediction import collected, programs
from tlcore.teaching import Examples

LEAST_TO_TRAIN = 3
FILL_S = 60.0  # the network may have to be loaded first


def begin(examples: Examples) -> None:
    """Offer examples to begin with."""
    names = ", ".join(teaching.ready_made.class_names(examples.kind.name))
    n = teaching.ready_made.N_EACH
    words = {
        "photo": _("Begin with hand signs: {names} ({n} photographs each)"),
        "image": _("Begin with digits: {names} ({n} of each)"),
    }[examples.kind.name]
    if st.button(words.format(names=names, n=n), key="begin", icon=":material/auto_awesome:", type="primary"):
        try:
            with st.spinner(_("Adding the examples …"), show_time=True):
                collected.fill(examples, state.lab().serving.predict, FILL_S)
        except LabError as error:
            st.error(tell(error))
            return
        st.rerun()


def on_with(examples: Examples) -> None:
    """Offer the examples as the target of a training."""
    pages = {
        "train.py": (_("Train with these examples"), ":material/play_arrow:"),
        "layers.py": (_("See the layers that read them"), ":material/layers:"),
    }
    few = [one.name for one in examples.classes() if len(one.examples) < LEAST_TO_TRAIN]
    with st.container(horizontal=True, key="teach_on"):
        for page, (label, icon) in pages.items():
            if st.button(label, key=f"on_{page[:-3]}", icon=icon, disabled=bool(few)):
                try:
                    with st.spinner(_("Keeping the examples as a set of your own …"), show_time=True):
                        names = ", ".join(one.name for one in examples.classes() if one.examples)
                        card = teaching.as_set(examples, state.person().id, _("Taught: {names}").format(names=names))
                except LabError as error:
                    st.error(tell(error))
                    return
                sets.use(card.name)
                st.switch_page(page)
    if few:
        words = _("A training needs {n} examples of each class. Too few: {names}.")
        st.caption(words.format(n=LEAST_TO_TRAIN, names=plain(", ".join(few))))


def asked_by_programs(examples: Examples) -> None:
    """Show how a program asks what was taught, once there is something to tell apart."""
    kind = examples.kind.name
    with suppress(LabError):
        info = programs.taught_by(state.person(), kind)
        program.use_from_program([replace(info, name=programs.taught_name(kind))])


frame.heading(
    _("Teach"),
    _("Show it a few examples of each class. A network that never saw them learns in under a second. Then try it."),
)
kinds = {"photo": _("Camera"), "image": _("Pad")}
with st.container(horizontal=True, vertical_alignment="center", key="teach_top"):
    chosen = st.segmented_control(
        _("What you teach it with"),
        list(kinds),
        format_func=kinds.__getitem__,
        default="photo",
        required=True,
        key="teach_kind",
        wrap=True,
        persist_state="session",
        label_visibility="collapsed",
    )
    own = teaching.of(state.person().id, chosen, called())
    is_empty = not any(one.examples for one in own.classes())
    if is_empty:
        begin(own)
if is_empty:
    (at_a_glance.hands if chosen == "photo" else at_a_glance.digits)()
if state.get("teach_warm") != chosen:
    collected.warm(state.lab().serving.predict, chosen, state.person().id)
    state.put(teach_warm=chosen)
if error := state.take("teach_error"):
    st.warning(error)
(showing.by_camera if chosen == "photo" else showing.by_pad)(own)
place = st.container(key="teach_score_at")
cards(own)  # before the score, which may take a second
with place:
    told(own)
if not is_empty:
    on_with(own)
    take_along(own)
    asked_by_programs(own)
frame.next_page("layers.py", _("Next: the network behind it"))
