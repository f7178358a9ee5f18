"""A person's rooms in a session: which one is on the page, and what they do with it."""

from collections.abc import Callable

import streamlit as st

from pages.ui.words.text import tell
from server.address import base_path
from tlcore.errors import LabError
from tlcore.rooms import Rooms, places
from tlcore.store import Room

from . import state


def rooms() -> Rooms:
    """Return the rooms of the lab."""
    return Rooms(state.lab().store)


def mine() -> Room | None:
    """Return the room that this person runs and chose, else the newest that is open; None where there is none."""
    running = rooms().run_by(state.person())
    chosen = [one for one in running if one.id == state.get("room_id")]
    return next(iter([*chosen, *(one for one in running if one.closed is None)]), None)


def others(room: Room) -> tuple[Room, ...]:
    """Return the other open rooms that this person runs."""
    return tuple(one for one in rooms().run_by(state.person()) if one.closed is None and one.id != room.id)


def opened() -> None:
    """Open a room in a callback, and show it."""
    try:
        state.put(room_id=rooms().open(state.person()).id)
    except LabError as error:
        state.put(room_error=tell(error))


def do(act: Callable[..., object], *arguments: object) -> None:
    """Do it in a callback; what is refused is said where the page shows errors."""
    try:
        act(*arguments)
    except LabError as error:
        state.put(room_error=tell(error))


def offered_places() -> tuple[str, ...]:
    """Return the addresses under which phones may reach this server.

    Raises
    ------
    SpecError
        TRANSFER_LAB_PUBLIC_URL is no address.
    """
    host, port = str(st.get_option("server.address") or "0.0.0.0"), int(st.get_option("server.port"))
    url = str(st.context.url or "")
    opened = url.rsplit("/", 1)[0] if url.count("/") > 2 else url
    return places.offered(host, port, base_path(), bool(st.get_option("server.sslCertFile")), opened)


def join_path() -> str:
    """Return the address of the page that phones open, on this server."""
    return f"{base_path()}/join"
