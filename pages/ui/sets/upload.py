"""Where pictures come in: the field for files, what it takes, and how far the look at them is."""

from html import escape

import streamlit as st

from pages.ui.components.file_drop import check_arrived, file_drop
from pages.ui.session import sets, state
from pages.ui.words.text import _, tell
from tlcore.datasets import own_sets
from tlcore.datasets.looks import Look
from tlcore.errors import LabError

KEY = "file_drop"


def show() -> None:
    """Show the field for files, or why this browser cannot send any; below it what can be sent."""
    if error := state.take("upload_error"):
        st.error(error, icon=":material/error:")
    if (stand_in := sets.stand_in()) is None:
        st.warning(_("This browser blocks cookies, so the pictures would belong to nobody. Allow cookies and reload."))
    else:
        file_drop(KEY, _("Your own pictures"), stand_in=stand_in, on_arrived=_arrived)


def taken() -> None:
    """Say what can be sent, and how much."""
    rows = [
        (_("ZIP or folder"), _("a folder for each class; train and test folders stay as they are"), "cats/1.jpg"),
        (_("Pictures"), _("JPEG, PNG, WebP, GIF, BMP, TIFF or HEIC; you name their class"), "IMG_1.jpg"),
        ("CSV", _("a label and its pixels in each row; or a path and a label, beside a ZIP"), "7,0,0,31,255 …"),
        ("NPZ", _("arrays x and y, or train, val and test as in MedMNIST"), "train_images"),
        ("IDX", _("the files in which MNIST is published"), "train-images-idx3-ubyte.gz"),
    ]
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(words)}</td><td><code>{escape(example)}</code></td></tr>"
        for name, words, example in rows
    )
    st.html(f'<div class="plain-table taken"><table><tbody>{body}</tbody></table></div>')
    label = _("Pictures without labels? Have a model answer all of them on Try.")
    st.page_link("draw.py", label=label, icon=":material/table_view:")
    limits = own_sets.limits()
    st.caption(
        _(
            "Up to {pictures:,} pictures and {mb:,} MB. At least 2 classes, with 3 pictures each. Only you and the "
            "host of this server see them; you can delete them at any time."
        ).format(pictures=limits.pictures, mb=limits.mb)
    )


def _arrived() -> None:
    sending = check_arrived(state.get(KEY, {}).get("arrived"))
    if not sending:
        return
    try:
        sets.arrived(sending)
    except LabError as error:
        state.put(upload_error=tell(error))


def failed(look: Look) -> bool:
    """Say why a look found nothing to use; return whether it did, and where files go is shown again."""
    if look.error is None:
        return False
    sets.cancel(look)
    st.error(tell(look.error), icon=":material/error:")
    return True


@st.fragment(run_every=0.5)
def progress(look: Look) -> None:
    """Show how many pictures are read, and the way to end it."""
    if look.ended:
        st.rerun()
    words = _("Reading the pictures …")
    if look.total:
        words = _("{n:,} of {total:,} pictures read").format(n=look.done, total=look.total)
        if look.left_s is not None:
            words += " · " + _("about {n:.0f} s left").format(n=max(1.0, look.left_s))
    st.progress(min(1.0, look.done / look.total) if look.total else 0.0, text=words)
    st.button(_("Cancel"), key="cancel_look", icon=":material/close:", on_click=sets.cancel, args=(look,))
