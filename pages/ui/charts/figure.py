"""A chart on a page, with the buttons that save it: every page shows its Plotly figures through here."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st
from streamlit.components.v2 import component

from . import saving
from .plots import CONFIG
from .values import csv_of

_HERE = Path(__file__)

_buttons = component(
    "transfer_lab_save_chart",
    css=saving.with_style(),
    js=saving.with_script(_HERE.with_suffix(".js")),
    isolate_styles=False,  # it looks for the chart beside it
)


def show_figure(
    figure: go.Figure,
    key: str,
    alt: str,
    on_select: Literal["ignore", "rerun"] | Callable[[], None] = "ignore",
    selection_mode: Literal["points", "box"] | Iterable[Literal["points", "box"]] = ("points", "box"),
) -> Any:
    """Show a figure.

    Parameters
    ----------
    alt : what it shows, for who does not see it; its buttons are named by that too
    on_select, selection_mode : as ``st.plotly_chart`` takes them; ``key`` holds what was selected
    """
    with st.container(key=f"drawn_{key}", gap=None):
        event = st.plotly_chart(
            figure, key=key, config=CONFIG, alt=alt, on_select=on_select, selection_mode=selection_mode
        )
        _buttons(key=f"save_{key}", data={"csv": csv_of(figure), "name": key, "words": saving.words(alt)})
    return event
