"""The room: the host opens one, everybody joins by phone, and what they do stands on the wall."""

import streamlit as st

from pages.ui import frame
from pages.ui.room import host
from pages.ui.session import room, state
from pages.ui.words.text import _, tell
from tlcore.errors import LabError

frame.heading(_("Room"), _("Open a room: everybody joins by phone, and what they draw appears here."))
try:
    mine = room.mine()
except LabError as error:
    st.error(tell(error))
    st.stop()
if message := state.take("room_error"):
    st.warning(message)
if mine is None:
    host.opening()
else:
    host.running(mine)
