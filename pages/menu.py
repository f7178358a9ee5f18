"""The frame around every page: navigation, errors in one sentence, and the strip that says where we are."""

from pathlib import Path

import streamlit as st

from pages.ui import languages, presenting
from pages.ui.frame import complain, top
from pages.ui.session import presented
from pages.ui.words.text import _

ICON = Path(__file__).parent / "ui" / "icon.png"
presentation = presented.now()


def listed(file: str, title: str, default: bool = False) -> st.Page:
    """Return a page; a presentation of some pages leaves the others out of the menu, where links still find them."""
    name = file.removesuffix(".py")
    hidden = presentation is not None and presentation.pages and name not in presentation.pages
    return st.Page(file, title=title, visibility="hidden" if hidden else "visible", default=default)


st.set_page_config(page_title=_("Transfer Lab"), page_icon=str(ICON), layout="wide")
bar = [  # side by side in the bar
    listed("home.py", _("Home"), default=True),
    listed("teach.py", _("Teach")),
    listed("layers.py", _("Layers")),
    listed("train.py", _("Train")),
    listed("heads.py", _("Compare heads")),
    listed("draw.py", _("Try")),
    listed("runs.py", _("Runs")),
    listed("data.py", _("Data")),
]
understand = [
    listed("evidence.py", _("Evidence")),
    listed("race.py", _("Race")),
    listed("how_it_works.py", _("How it works")),
    listed("break_it.py", _("Break it")),
]
room = [listed("room.py", _("Room")), listed("lesson_plans.py", _("Lesson plans"))]
menus = {"": bar, _("Understand"): understand, _("Room"): room, languages.TITLE: languages.entries()}
page = st.navigation(menus, position="top")
try:
    presenting.look(presentation)
    languages.turn(page, [*bar, *understand, *room])
    top(page.url_path, strip=page.url_path not in ("", "teach", "room", "lesson_plans"))  # nothing is set up there
    page.run()
    presenting.controls(page, [*bar, *understand, *room], presentation)
except Exception as error:
    complain(error)
