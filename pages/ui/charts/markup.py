"""A chart that is made of HTML, with the buttons that save it, as ``figure`` has them for those of Plotly."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import streamlit as st
from streamlit.components.v2 import component

from . import saving

Cell = str | float | None

_HERE = Path(__file__)

_buttons = component(
    "transfer_lab_save_markup",
    css=saving.with_style(),
    js=saving.with_script(_HERE.with_suffix(".js")),
    isolate_styles=False,  # it looks for the chart in the page
)


def show_markup(html: str, key: str, alt: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Show a chart that is HTML, one element, and below it the buttons.

    Parameters
    ----------
    alt : what it shows: its buttons are named by that
    head, rows : its numbers, as the CSV has them; a number without end becomes an empty cell
    """
    with st.container(key=f"drawn_{key}", gap=None):
        st.html(html)
        finite = [[None if isinstance(cell, float) and not isfinite(cell) else cell for cell in row] for row in rows]
        save_buttons(key, f".st-key-drawn_{key} [data-testid=stHtml] > *", alt, head, finite)


def save_buttons(
    key: str, of: str, alt: str, head: Sequence[str], rows: Sequence[Sequence[Cell]] | None = None
) -> None:
    """Show the buttons of a chart that stands elsewhere in the page, where ``of``, a CSS selector, finds it.

    Parameters
    ----------
    rows : None where the chart's own elements have them, each in its ``data-row``
    """
    data = {"of": of, "name": key, "head": list(head), "rows": rows, "words": saving.words(alt, table=False)}
    _buttons(key=f"save_{key}", data=data)
