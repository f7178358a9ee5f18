"""A model asked from a program: the tokens for it, and programs to copy."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.runs.words import when
from pages.ui.session import state, tokens
from pages.ui.words.text import _, plain, shown, tell
from tlcore.errors import LabError
from tlcore.people.tokens import MOST_NAME
from tlcore.prediction import PredictorInfo, programs
from tlcore.store import Token


def use_from_program(infos: Sequence[PredictorInfo]) -> None:
    """Show how a program asks one of these models, where there is one; folded, and made when it is opened."""
    if not infos:
        return
    box = st.expander(_("Use from a program"), key="program", icon=":material/terminal:", on_change="rerun")
    if not box.open:
        return
    with box:
        st.caption(
            _(
                "A program sends a picture and gets the model's answer. It needs a token, which asks in your name: "
                "keep it like a password."
            )
        )
        _making()
        for token in tokens.mine():
            _line(token)
        _snippets(infos)


def _making() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label, example = _("Name of a new token"), _("such as robot or website")
        st.text_input(label, key="token_name", max_chars=MOST_NAME, placeholder=example)
        st.button(_("Make a token"), key="make_token", icon=":material/key:", on_click=tokens.make)
    if error := state.take("token_error"):
        st.error(error)
    if text := tokens.shown():
        st.success(_("Copy it now: the lab does not keep it. Once it is hidden, nobody can see it again."))
        st.code(text, language=None, wrap_lines=True)
        st.button(_("Hide it"), key="hide_token", icon=":material/visibility_off:", on_click=tokens.hide)


def _line(token: Token) -> None:
    """Show what a token is called, when it was made and used, and the button that ends it."""
    name = token.name or _("without a name")
    used = _("last used {when}").format(when=when(token.used)) if token.used else _("never used")
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        words = _("made {when}").format(when=when(token.made))
        st.markdown(plain(f"{name} · {words} · {used}"), width="stretch")
        key = f"revoke_{token.id}"
        st.button(_("Revoke"), key=key, icon=":material/block:", on_click=tokens.revoke, args=(token.id,))


def _snippets(infos: Sequence[PredictorInfo]) -> None:
    """Show a program that asks the model, in the chosen language."""
    called = {info.name: shown(info.title) for info in infos}
    model = infos[0].name
    if len(called) > 1:
        model = st.selectbox(_("Model"), list(called), format_func=called.__getitem__, key="program_model")
    try:
        programs.model_for(state.person(), model, state.lab().store)
    except LabError as error:
        st.info(tell(error))
        return
    written = {snippet.title: snippet for snippet in programs.snippets(tokens.url(tokens.ASKED), model)}
    titles = list(written)
    chosen = st.segmented_control(
        _("Written in"), titles, default=titles[0], required=True, key="program_language", wrap=True
    )
    snippet = written[chosen]
    st.code(snippet.code, language=snippet.language, wrap_lines=True)
    words = _("Put your token where {place} stands. All that can be sent and answered: [OpenAPI]({url}).")
    st.caption(words.format(place=f"`{programs.TOKEN}`", url=tokens.url(tokens.DESCRIBED)))
