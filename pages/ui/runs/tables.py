"""A plain HTML table: every text as it is, one header row, the first column as row headers; wide ones scroll inside."""

from collections.abc import Sequence
from html import escape

import streamlit as st


def show(heads: Sequence[str], rows: Sequence[Sequence[str]], label: str, marked: Sequence[int] = ()) -> None:
    """Show a table.

    Parameters
    ----------
    heads : of the columns, that of the row headers included; none for a table of names and values
    rows : of texts, the row's header first
    label : what the table shows, for screen readers
    marked : numbers of the rows that stand out
    """
    st.html(markup(heads, rows, label, marked))


def markup(heads: Sequence[str], rows: Sequence[Sequence[str]], label: str, marked: Sequence[int] = ()) -> str:
    """Return the HTML of a table.

    Examples
    --------
    >>> markup([], [["Note", "<b>"]], "Settings")
    '<div class="plain-table" role="region" aria-label="Settings" tabindex="0"><table><tbody><tr><th scope="row">Note\
</th><td>&lt;b&gt;</td></tr></tbody></table></div>'
    """
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    head = f"<thead><tr>{head}</tr></thead>" if heads else ""
    body = "".join(_row(row, at in marked) for at, row in enumerate(rows))
    table = f"<table>{head}<tbody>{body}</tbody></table>"
    return f'<div class="plain-table" role="region" aria-label="{escape(label)}" tabindex="0">{table}</div>'


def _row(row: Sequence[str], marked: bool) -> str:
    first, *rest = row
    cells = "".join(f"<td>{escape(text)}</td>" for text in rest)
    style = ' class="marked"' if marked else ""
    return f'<tr{style}><th scope="row">{escape(first)}</th>{cells}</tr>'
