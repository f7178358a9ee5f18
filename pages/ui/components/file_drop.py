"""Files on their way to the server: chosen or dropped, sent in pieces with a progress bar, never through a widget."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamlit.components.v2 import component

from pages.ui.words.text import _, language
from server.address import base_path
from tlcore.datasets.arriving import DIGITS, PIECE

_HERE = Path(__file__)
ROUTE = "/api/uploads"
PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic")

_drop = component(
    "transfer_lab_file_drop",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def file_drop(
    key: str,
    label: str,
    *,
    stand_in: str = "",
    on_arrived: Callable[[], None] | None = None,
    classes: bool = True,
) -> str:
    """Show where files go; return the id of the sending in the rerun that its arrival causes, else "".

    Loose pictures are asked for their class first, and are sent as ``class/name``. An upload goes on while another page
    is shown.

    Parameters
    ----------
    label : what the files are for, read out by screen readers
    stand_in : what shows the server for whose account this browser sends; "" where there are none
    on_arrived : called before that rerun; ``check_arrived(st.session_state[key]["arrived"])`` is then the id
    classes : off: loose pictures have none, and are sent as they are
    """
    drop = _drop(
        key=key,
        data={
            "key": key,
            "url": base_path() + ROUTE,
            "stand_in": stand_in,
            "piece": PIECE,
            "pictures": PICTURES,
            "classes": classes,
            "label": label,
            "language": language(),
            "words": _words(),
        },
        on_arrived_change=on_arrived or _nothing,
    )
    return check_arrived(drop.get("arrived"))


def check_arrived(value: object) -> str:
    """Return the id that a browser sent where it can be one, else "".

    Examples
    --------
    >>> check_arrived("0123456789abcdef"), check_arrived("../secret"), check_arrived({"id": 1})
    ('0123456789abcdef', '', '')
    """
    is_id = isinstance(value, str) and len(value) == DIGITS and set(value) <= set("0123456789abcdef")
    return str(value) if is_id else ""


def _words() -> dict[str, Any]:
    return {
        "drop": _("Drop a ZIP, a folder or pictures here"),
        "files": _("Choose files"),
        "folder": _("Choose a folder"),
        "of_class": _("Which class do these {n} pictures belong to?"),
        "of_class_one": _("Which class does this picture belong to?"),
        "add_class": _("Add to this class"),
        "class_line": _("{name}: {n} pictures"),
        "more": _("Add the pictures of the next class, or send these."),
        "one_class": _("Add the pictures of a second class: a classifier needs two."),
        "remove": _("Remove {name}"),
        "send": _("Send {n} pictures"),
        "cancel": _("Cancel"),
        "again": _("Try again"),
        "other": _("Choose other files"),
        "gathering": _("Looking through the folder …"),
        "sending": _("{done} of {total} MB"),
        "left": _("{time} left"),
        "seconds": _("{n} s"),
        "minutes": _("{m} min {s} s"),
        "progress": _("Upload"),
        "lost": _("Connection lost, trying again."),
        "failed": _("The files could not be sent: the connection is lost, or a file was changed meanwhile."),
        "nothing": _("There are no files in it."),
        "arrived": _("Everything has arrived."),
        "cancelled": _("Cancelled. Nothing was kept."),
    }


def _nothing() -> None:
    """Streamlit lists a trigger in the result only when it has a callback."""
