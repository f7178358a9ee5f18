"""How it is told that an image is outside, and how often that was right: recorded figures behind one button."""

from html import escape

import streamlit as st

from pages.ui.words.numbers import percent
from pages.ui.words.text import _, tell, titled
from tlcore.errors import DataError
from tlcore.evidence import outsiders
from tlcore.evidence.outsiders import Record, Row
from tlcore.prediction.outside import FALSE_ALARMS, N_KNOWN


def explained() -> None:
    """Show the button; nothing but a sentence where the record is damaged."""
    with st.popover(_("How the lab tells that an image is outside"), icon=":material/info:", type="tertiary"):
        st.markdown(
            _(
                "Whatever a network sees, it picks one of its classes. So the image is also compared with {n:,} images "
                "of the model's own task that were not used to train it: by the direction of their features (deep "
                "nearest neighbours, Sun et al. 2022) and by their pixels. The features always come from the shipped "
                "network: a model that saw only five images per class has learned too little for this. The limit is "
                "set on other validation images: {share} of them lie beyond it."
            ).format(n=N_KNOWN, share=percent(FALSE_ALARMS))
        )
        try:
            record = outsiders.recorded()
        except DataError as error:
            st.warning(tell(error))
            return
        st.html(table(record))
        st.caption(
            _(
                "Recorded on {date} ({machine}): {n} scribbles and {m:,} Kuzushiji characters. A digit that a model "
                "never learned looks much like those it did: not all of them are found."
            ).format(date=record.date, machine=record.machine, n=record.n_scribbles, m=record.n_characters)
        )


def table(record: Record) -> str:
    """Return what each model called outside, as an HTML table."""
    heads = (
        _("Called outside"),
        _("its test digits"),
        _("digits it never learned"),
        _("scribbles"),
        _("characters"),
        _("characters, centred"),
    )
    top = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    rows = "".join(f"<tr>{_cells(row)}</tr>" for row in record.rows)
    return f'<div class="wide"><table class="outside"><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cells(row: Row) -> str:
    shares = (row.test, row.unlearned, row.scribbles, row.characters, row.centred)
    cells = "".join(f"<td>{'–' if share is None else percent(share)}</td>" for share in shares)
    return f'<th scope="row">{escape(titled(row.title))}</th>{cells}'
