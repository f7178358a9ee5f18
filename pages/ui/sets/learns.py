"""What the next run learns from a set: how many of each class, how lopsided, how many wrong labels."""

import streamlit as st

from pages.ui.runs import settings, spoiling
from pages.ui.session import state
from pages.ui.words.text import _, plain
from tlcore import datasets
from tlcore.datasets import own_sets


def show() -> None:
    """Show it where an own set is the target."""
    name = state.get("target")
    if not own_sets.is_own(name):
        return
    title = plain(datasets.info(name).title)
    st.header(_("What the next run learns from {title}").format(title=title), anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        settings.labels()
        spoiling.controls()
    with right:
        spoiling.counts()
