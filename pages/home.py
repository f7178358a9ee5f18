"""What this is; draw at once; latest runs."""

import streamlit as st

from pages.ui import frame
from pages.ui.inputs import board
from pages.ui.runs.run import run_rows
from pages.ui.session import state
from pages.ui.words.text import _
from tlcore import datasets

frame.heading(
    _("See transfer learning work"),
    _(
        "A network that learned one task already knows much of the next. Freeze what it knows, train the rest on a few "
        "images, and watch what that saves."
    ),
)


form = datasets.catalogue()[0].form
shipped = [info for info in state.models(limit=0) if info.kind == "source" and info.form == form]
left, right = st.columns([2, 3], gap="large")
with right:
    st.subheader(_("What the models answer"), anchor=False)
    answers_at = st.empty()
with left:
    st.subheader(_("Draw a digit"), anchor=False)
    hint = _("Draw something on the pad: {n} models trained beforehand answer while you draw.")
    board.pad_and_answers(shipped, form, hint.format(n=len(shipped)), answers_at)

st.subheader(_("Three steps"), anchor=False)
steps = [
    ("layers.py", _("1 · Freeze"), _("Choose which layers of the source network stay as they are.")),
    ("train.py", _("2 · Train"), _("Train the rest on the new task and watch loss and accuracy live.")),
    ("heads.py", _("3 · Compare"), _("Put an SVM, a random forest and others on the same features.")),
]
for column, (page, title, words) in zip(st.columns(3), steps, strict=True):
    with column.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.write(words)
        st.page_link(page, label=_("Go there"), icon=":material/arrow_forward:")

st.subheader(_("Latest runs"), anchor=False)
runs = state.access().runs(limit=5)
if runs:
    run_rows(runs)
else:
    st.info(_("Nothing has been trained here yet. One click on the Train page gives a result in about 15 seconds."))
    st.page_link("train.py", label=_("Open Train"), icon=":material/play_arrow:")
