"""A button that copies an address, and says so; on plain http too, where a browser has no clipboard for pages."""

from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.words.text import _

_HERE = Path(__file__)
_button = component(
    "transfer_lab_copy_link",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def copy_link(link: str, key: str, about: str) -> None:
    """Show the button.

    Parameters
    ----------
    link : what it copies
    about : what whoever has it can do, told once it is copied
    """
    words = {
        "copy": _("Copy link"),
        "copied": _("Copied:"),
        "failed": _("This browser does not let pages copy. Copy it yourself:"),
        "about": about,
    }
    _button(key=key, data={"link": link, "words": words}, width="content")
