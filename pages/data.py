"""Data: bring your own pictures, see what is in them, and keep them as a set to train on."""

import streamlit as st

from pages.ui import at_a_glance, frame
from pages.ui.session import sets
from pages.ui.sets import kept, learns, report, upload
from pages.ui.words.text import _, tell
from tlcore.errors import LabError

frame.heading(_("Data"), _("Does transfer work on your own pictures? Bring some, and see."))
draft = look = None
try:
    look = sets.looking()
    draft = None if look else sets.draft()
except LabError as error:
    st.warning(tell(error))
if draft:
    report.show(draft)
elif look and not upload.failed(look):
    upload.progress(look)
else:
    look = None
    kept.just_added()
    if not sets.kept():
        at_a_glance.hands()
    upload.show()
kept.show()
if draft is None and look is None:
    learns.show()
if draft is None and look is None:
    upload.taken()
frame.next_page("train.py", _("Next: train"))
