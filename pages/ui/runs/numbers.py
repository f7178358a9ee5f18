"""A number field that says its range."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _
from tlcore.spec import RANGES


def number(key: str, label: str, words: str, **options: object) -> None:
    """Show a number field with its range and one line of help."""
    low, high, default = RANGES[key]
    high = options.pop("most", high)
    st.number_input(
        label,
        min_value=low,
        max_value=high,  # type: ignore[arg-type]
        help=_("{words} From {low:,} to {high:,}; usually {default}.").format(
            words=words,
            low=low,
            high=high,
            default=min(default, high),  # type: ignore[type-var]
        ),
        **options,  # type: ignore[arg-type]
        **state.keyed(key),
    )
