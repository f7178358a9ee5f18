"""The keys of a presenter, and of the remote in their hand: one page on, one page back, and a black screen."""

from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.words.text import _

_HERE = Path(__file__)
_keys = component(
    "transfer_lab_presenter_keys",
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def presenter_keys(back: str, on: str) -> None:
    """Listen to the keys while this is on the page.

    Parameters
    ----------
    back, on : keys of the buttons that Page Up and Page Down press
    """
    words = {"black": _("The screen is black. Press B or Escape to bring the picture back.")}
    _keys(key="presenter_keys", data={"PageUp": back, "PageDown": on, "words": words})
