"""The frame around every page: navigation, errors in one sentence, and the strip that says where we are."""

import logging
import secrets
from pathlib import Path

import streamlit as st

from pages.ui.frame import strip
from pages.ui.text import _, tell
from tlcore.errors import LabError

ICON = Path(__file__).parent / "ui" / "icon.png"

st.set_page_config(page_title=_("Transfer Lab"), page_icon=str(ICON), layout="wide")
page = st.navigation(
    [
        st.Page("home.py", title=_("Home"), default=True),
        st.Page("layers.py", title=_("Layers")),
        st.Page("train.py", title=_("Train")),
        st.Page("heads.py", title=_("Heads")),
        st.Page("draw.py", title=_("Draw")),
        st.Page("runs.py", title=_("Runs")),
    ],
    position="top",
)
try:
    strip()
    page.run()
except LabError as error:
    st.error(tell(error))
except Exception:  # a bug: the person gets one line, the log the rest
    log_id = secrets.token_hex(4)
    logging.getLogger(__name__).exception("page %s failed, log id %s", page.title, log_id)
    st.error(
        _("Something went wrong on this page; the log has it under {log_id}. Reload, or go on elsewhere.").format(
            log_id=log_id
        )
    )
