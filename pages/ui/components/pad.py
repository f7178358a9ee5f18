"""The drawing pad: strokes in, strokes out; every pixel of it lives in ``pad.js``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypedDict

from streamlit.components.v2 import component

from pages.ui.words.text import _, language
from tlcore.errors import DataError
from tlcore.inputs.drawing import check_strokes

_HERE = Path(__file__)

# Once, at import: registering inside the function would log a warning and restart every pad on the page.
_pad = component(
    "transfer_lab_pad",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)

# Brush widths in units of the pad's side. A digit fills about 0.7 of the pad and becomes 20 pixels high,
# so the medium brush becomes the 2 to 3 pixels that MNIST's pens left.
BRUSHES = {"thin": 0.05, "medium": 0.085, "fat": 0.13}


class PadValue(TypedDict):
    """What is on the pad.

    ``rev`` is the revision the drawing started from; ``final`` is False while the pen is down.
    """

    rev: int
    strokes: list[dict[str, Any]]
    final: bool


def drawing_pad(
    key: str,
    *,
    label: str,
    strokes: Sequence[dict[str, Any]] = (),
    rev: int = 0,
    result: str = "",
    answers: str = "",
    hint: str = "",
    on_change: Callable[[], None] | None = None,
) -> PadValue:
    """Show a pad to draw on and return what is on it.

    The browser owns the drawing. ``strokes`` replaces it only when ``rev`` differs from the revision the browser
    took last, so a rerun in the middle of a stroke disturbs nothing.

    Parameters
    ----------
    key : the widget's key; the same key on another page shows the same drawing
    label : what the pad is for, read out by screen readers
    strokes : content of revision ``rev``, ``{"width": w, "points": [[x, y], ...]}`` in units of the pad's side
    rev : raise it by one together with new ``strokes`` ("Pick a sample", "Reset")
    result : the answer in words, shown under the pad and announced to screen readers
    answers : a CSS selector of what answers the drawing, whose ``data-image`` changes with each answer: while the pen
        is down the drawing so far is then sent only as fast as answers come; without it, every 0.12 s
    hint : on the blank pad; to draw a 7 when not given
    on_change : called before the rerun that a change causes

    Returns
    -------
    PadValue
        Checked: at most 200 strokes and 5,000 points. The pad is [0, 1] both ways; a pen that left it, in [-1, 2].
    """
    pad = _pad(
        key=key,
        data={
            "key": key,
            "rev": rev,
            "strokes": list(strokes),
            "label": label,
            "result": result,
            "answers": answers,
            "brushes": BRUSHES,
            "language": language(),
            "words": words() | ({"hint": hint} if hint else {}),
        },
        # Not named "value": Streamlit unwraps a lone "value" and then finds no callback for what is in it.
        on_drawing_change=on_change or _nothing,
    )
    return check_value(pad.get("drawing"), strokes=strokes, rev=rev)


def check_value(value: object, *, strokes: Sequence[dict[str, Any]] = (), rev: int = 0) -> PadValue:
    """Return what a browser sent as a pad's value, or revision ``rev``'s own strokes where that is not usable.

    A value of another revision was drawn before ``strokes`` replaced it. Anything that is no drawing counts as blank:
    the pad never sends such a thing, so no one is left without an explanation.

    Parameters
    ----------
    value : untrusted; ``st.session_state[key]["drawing"]`` is the same value before the pad is shown
    strokes, rev : as given to `drawing_pad`

    Examples
    --------
    >>> check_value(None)
    {'rev': 0, 'strokes': [], 'final': True}
    """
    if not isinstance(value, dict) or isinstance(value.get("rev"), bool) or value.get("rev") != rev:
        return {"rev": rev, "strokes": list(strokes), "final": True}
    try:
        drawn = check_strokes(value.get("strokes"))
    except DataError:
        drawn = []
    return {"rev": rev, "strokes": drawn, "final": value.get("final") is not False}


def words() -> dict[str, str]:
    """Return the sentences of the pad in the reader's language."""
    return {
        "hint": _("Draw a 7"),
        "keys": _("Draw with a mouse, a pen or a finger. Delete or Escape clears, Control and Z undoes."),
        "brush": _("Brush"),
        "thin": _("Thin"),
        "medium": _("Medium"),
        "fat": _("Fat"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "clear": _("Clear"),
        "full": _("The pad is full. Undo or clear to go on."),
        "blank": _("The pad is blank."),
    }


def _nothing() -> None:
    """Streamlit lists a state value in the result only when it has a callback."""
