"""A person's tokens in a session: what they make and revoke, and where programs ask."""

from urllib.parse import urlsplit

import streamlit as st

from pages.ui.words.text import tell
from server.address import address, base_path
from tlcore.errors import LabError
from tlcore.people.tokens import Tokens
from tlcore.store import Token

from . import state

ASKED = "/api/predict"  # of server/predict.py
DESCRIBED = "/api/openapi.json"


def mine() -> tuple[Token, ...]:
    """Return this person's tokens, the newest first."""
    return Tokens(state.lab().store).list(state.person())


def make() -> None:
    """Make a token by the name that was typed, in a callback; ``shown`` gives it until ``hide``."""
    try:
        text, token = Tokens(state.lab().store).make(state.person(), state.get("token_name", ""))
        state.put(token_made=(token.id, text), token_name="")
    except LabError as error:
        state.put(token_error=tell(error))


def shown() -> str:
    """Return the token that was just made; "" when there is none."""
    return state.get("token_made", ("", ""))[1]


def hide() -> None:
    """Forget the token that was just made: from now on nobody can see it."""
    state.put(token_made=None)


def revoke(token_id: str) -> None:
    """End a token of this person's, in a callback."""
    if state.get("token_made", ("", ""))[0] == token_id:
        hide()
    try:
        Tokens(state.lab().store).revoke(state.person(), token_id)
    except LabError as error:
        state.put(token_error=tell(error))


def url(path: str) -> str:
    """Return a route's address on the server as this browser opened it."""
    opened = urlsplit(st.context.url or "")
    return f"{opened.scheme}://{opened.netloc}{base_path()}{path}" if opened.netloc else address(path)
