"""Many pictures at once: a ZIP, a folder or files go in, a table of answers with thumbnails and a CSV come out."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from pages.ui.components.file_drop import check_arrived, file_drop
from pages.ui.session import many, sets, state
from pages.ui.words.text import PERCENT, _, ngettext, plain, shown, tell
from tlcore import inputs
from tlcore.datasets import own_sets
from tlcore.datasets.looks import Look
from tlcore.errors import LabError
from tlcore.inputs.embedded import thumbnail
from tlcore.prediction import PredictorInfo
from tlcore.prediction.many import Answered, Row, as_csv

KEY = "many_drop"
PAGE = 200  # rows with their thumbnails


def section(info: PredictorInfo, title: str) -> None:
    """Show the place for pictures, folded, or the answers; nothing where a model reads no picture files.

    Parameters
    ----------
    info, title : of the model that is asked
    """
    modality = inputs.modality(info.form.modality)
    if "upload" not in modality.ways or info.form.dtype != "uint8":
        return
    label = _("Many pictures at once: a table of answers")
    with st.expander(label, key="many", icon=":material/table_view:", expanded=many.is_open()):
        try:
            _inside(info, title, modality.centres)
        except LabError as error:
            st.warning(tell(error))


def _inside(info: PredictorInfo, title: str, centres: bool) -> None:
    look = many.looking()
    if look is not None and look.error is not None:
        many.cancel(look)
        st.error(tell(look.error), icon=":material/error:")
        look = None
    if look is not None:
        progress(look)
        return
    if found := many.shown():
        table(found)
        return
    if error := state.take("many_error"):
        st.error(error, icon=":material/error:")
    if (stand_in := sets.stand_in()) is None:
        st.info(_("This browser blocks cookies, so the pictures would belong to nobody. Allow cookies and reload."))
        return
    st.markdown(_("**{model}** is asked about each picture; no labels are needed.").format(model=plain(title)))
    centred = centres and bool(state.get("normalise", True))

    def arrived() -> None:
        sending = check_arrived(state.get(KEY, {}).get("arrived"))
        try:
            if sending:
                many.arrived(sending, info, title, centred, state.reads_whole(info.name))
        except LabError as error:
            state.put(many_error=tell(error))

    file_drop(KEY, _("Pictures without labels"), stand_in=stand_in, on_arrived=arrived, classes=False)
    limits = own_sets.limits()
    words = _(
        "A ZIP or a folder of pictures, or several files: up to {n:,} pictures and {mb:,} MB. They are deleted after "
        "an hour."
    )
    st.caption(words.format(n=limits.pictures, mb=limits.mb))


@st.fragment(run_every=0.5)
def progress(look: Look) -> None:
    """Show how far it is, and the way to end it."""
    if look.ended:
        st.rerun()
    words = _("Reading the pictures …")
    if look.total:
        half = look.total // 2
        words = (
            _("{n:,} of {total:,} pictures read").format(n=look.done, total=half)
            if look.done <= half
            else _("{n:,} of {total:,} pictures answered").format(n=look.done - half, total=half)
        )
    st.progress(min(1.0, look.done / look.total) if look.total else 0.0, text=words)
    st.button(_("Cancel"), key="cancel_many", icon=":material/close:", on_click=many.cancel, args=(look,))


def table(found: Answered) -> None:
    """Show the answers: how many of each, the rows in the chosen order, the CSV, and the way to other pictures."""
    read = [row for row in found.rows if row.at >= 0]
    words = ngettext("{n:,} picture, answered by {model}", "{n:,} pictures, answered by {model}", len(read))
    st.markdown("**" + words.format(n=len(read), model=plain(found.model)) + "**")
    counts = Counter(row.label for row in read)
    all_of_them = _("All ({n})").format(n=len(read))
    choices = ["", *(name for name in found.class_names if counts[name])]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = st.selectbox(
            _("Answer"),
            choices,
            format_func=lambda name: f"{name} ({counts[name]})" if name else all_of_them,
            key=f"many_label_{found.id}",
            width=220,
        )
        orders = {"given": _("As given"), "least": _("Least sure first"), "most": _("Surest first")}
        order = st.selectbox(
            _("Order"), list(orders), format_func=orders.__getitem__, key=f"many_order_{found.id}", width=220
        )
        st.download_button(
            _("Download as CSV"),
            lambda: as_csv(found),
            file_name="answers.csv",
            mime="text/csv",
            key="many_csv",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button(_("Other pictures"), key="many_again", icon=":material/refresh:", on_click=many.show, args=("",))
    _rows(found, sorted_rows([row for row in read if label in ("", row.label)], order))
    if refused := [row for row in found.rows if row.at < 0]:
        words = ngettext("{n} file could not be read", "{n} files could not be read", len(refused))
        with st.expander(words.format(n=len(refused))):
            st.dataframe([{_("file"): row.name, _("why"): shown(row.error)} for row in refused], hide_index=True)


def sorted_rows(rows: Sequence[Row], order: str) -> list[Row]:
    """Return rows as given, or by how sure the model is: "least" or "most" first."""
    if order == "given":
        return list(rows)
    return sorted(rows, key=lambda row: row.probability if order == "least" else -row.probability)


def _rows(found: Answered, rows: Sequence[Row]) -> None:
    """Show a page of rows; a click on a head sorts it."""
    n_pages = max(1, -(-len(rows) // PAGE))
    page = 1
    if n_pages > 1:
        page = int(st.number_input(_("Page (1 to {n})").format(n=n_pages), 1, n_pages, key=f"many_page_{found.id}"))
    rows = rows[PAGE * (page - 1) : PAGE * page]
    modality = inputs.modality(found.batch.form.modality)
    pictures = modality.previews(found.batch.items([row.at for row in rows]))
    st.dataframe(
        [
            {
                _("picture"): thumbnail(picture),
                _("file"): row.name,
                _("answer"): row.label,
                _("confidence"): 100 * row.probability,
                _("second guess"): row.second,
                _("its confidence"): 100 * row.second_probability,
            }
            for row, picture in zip(rows, pictures, strict=True)
        ],
        hide_index=True,
        row_height=56,
        height=480 if len(rows) > 7 else "content",
        column_config={
            _("picture"): st.column_config.ImageColumn(width="small"),
            _("confidence"): st.column_config.NumberColumn(format=PERCENT),
            _("its confidence"): st.column_config.NumberColumn(format=PERCENT),
        },
        alt=_("Every picture with the model's answer, how sure it is, and its second guess"),
    )
