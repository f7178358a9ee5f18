"""What this is; draw at once; latest runs."""

import streamlit as st

from pages.ui import board, frame, state
from pages.ui.run_view import run_rows
from pages.ui.text import _

frame.heading(
    _("See transfer learning work"),
    _(
        "A network that learned one task already knows much of the next. Freeze what it knows, train the rest on a few "
        "images, and watch what that saves."
    ),
)


@st.fragment
def draw_at_once() -> None:
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader(_("Draw a digit"), anchor=False)
        image = board.drawn_image("pad", normalise=True)
    with right:
        st.subheader(_("What the models answer"), anchor=False)
        if image is None:
            st.info(
                _("Draw something on the pad: {n} models trained beforehand answer while you draw.").format(
                    n=len(shipped)
                )
            )
        else:
            board.answer(image, shipped)


shipped = [info for info in state.models(limit=0) if info.kind == "source"]
draw_at_once()

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
