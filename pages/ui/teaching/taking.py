"""What was taught as a file to take along: for phones, browsers and other programs."""

import streamlit as st

from pages.ui.runs import downloads
from pages.ui.words.text import _
from tlcore.exports.portable import taught
from tlcore.teaching import Examples


def take_along(examples: Examples) -> None:
    """Offer the forms in which what was taught runs elsewhere, once there is something to tell apart."""
    parts = taught.of_examples(examples)
    if not parts:
        return
    kind = examples.kind.name
    with st.expander(_("Take it along"), icon=":material/download:"):
        words = _(
            "The network and what you taught it in one file. It is tried on your examples before it is handed out; "
            "none of these is in it."
        )
        downloads.made_on_request(
            f"taught_{kind}", "taught", parts, words, version=f"{examples.folder}{examples.state()}"
        )
