"""A grid of squares to ink by keyboard: the way to draw without a pointer."""

from collections.abc import Callable
from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.words.text import _
from tlcore.errors import DataError
from tlcore.inputs.grid import SIDE, check_cells

_HERE = Path(__file__)
_grid = component(
    "transfer_lab_pixel_grid",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def pixel_grid(key: str, on_change: Callable[[], None] | None = None) -> list[str]:
    """Show the grid; return its rows, each a text of 0 and 1 with 1 where there is ink, checked.

    Parameters
    ----------
    on_change : called before the rerun that a change causes
    """
    words = {
        "label": _("Grid of {n} by {n} squares").format(n=SIDE),
        "keys": _("Arrow keys move, the space bar inks, Shift and an arrow draw a line. Delete clears."),
        "place": _("row {row}, column {column}"),
        "inked": _("inked"),
        "clear": _("Clear"),
    }
    grid = _grid(key=key, data={"key": key, "side": SIDE, "words": words}, on_cells_change=on_change or _nothing)
    return check_value(grid.get("cells"))


def check_value(value: object) -> list[str]:
    """Return the rows a browser sent; a blank grid where they are none.

    Examples
    --------
    >>> set("".join(check_value("junk")))
    {'0'}
    """
    try:
        check_cells(value)
    except DataError:
        return ["0" * SIDE] * SIDE
    return list(value)  # type: ignore[call-overload]


def _nothing() -> None:
    """Streamlit lists a state value in the result only when it has a callback."""
