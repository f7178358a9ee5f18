"""What stands under a recorded result of another task than the one that is chosen."""

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, titled
from tlcore import datasets


def of_another_task(target: str) -> None:
    """Say on what something was recorded, where that is not the task that is chosen now."""
    if target != state.get("target"):
        st.caption(
            _("Recorded on {target}, not on what is chosen now.").format(target=titled(datasets.info(target).title))
        )
