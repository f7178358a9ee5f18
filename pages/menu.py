"""The frame around every page: navigation, errors in one sentence, and the strip that says where we are."""

from pathlib import Path

import streamlit as st

from pages.ui import presenting
from pages.ui.frame import complain, top
from pages.ui.words.text import _

ICON = Path(__file__).parent / "ui" / "icon.png"

st.set_page_config(page_title=_("Transfer Lab"), page_icon=str(ICON), layout="wide")
home = st.Page("home.py", title=_("Home"), default=True)
bar = [  # side by side in the bar
    home,
    st.Page("teach.py", title=_("Teach")),
    st.Page("layers.py", title=_("Layers")),
    st.Page("train.py", title=_("Train")),
    st.Page("heads.py", title=_("Compare heads")),
    st.Page("draw.py", title=_("Try")),
    st.Page("runs.py", title=_("Runs")),
]
understand = [
    st.Page("evidence.py", title=_("Evidence")),
    st.Page("race.py", title=_("Race")),
    st.Page("how_it_works.py", title=_("How it works")),
    st.Page("break_it.py", title=_("Break it")),
]
own = [st.Page("data.py", title=_("Data"))]
page = st.navigation({"": bar, _("Understand"): understand, _("Data"): own}, position="top")
try:
    top(page.url_path, strip=page.url_path not in ("", "teach"))  # nothing is set up there
    page.run()
    presenting.controls(page, [*bar, *understand, *own])
except Exception as error:
    complain(error)
