"""What a run left, as files to take along."""

from collections.abc import Sequence
from functools import partial
from itertools import chain

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, language, plain, shown, tell
from tlcore import exports
from tlcore.errors import LabError
from tlcore.exports import Part
from tlcore.exports.report import session
from tlcore.people import Access
from tlcore.sentences import Sentence
from tlcore.store import Entry, Run, Store

from . import mlflow

MOST_MADE, KEPT_S = 8, 600  # files that were made for somebody, and how long: a phone may ask twice


def menu(run: Run) -> None:
    """Offer everything a run left, in one menu."""
    with st.popover(_("Download"), icon=":material/download:", key=f"menu_{run.id}"):
        offers = exports.offers(run, state.lab().store)
        parts = [*chain(*(parts for name, parts in offers.items() if exports.EXPORTERS[name].in_menu))]
        _buttons(run, [part for part in parts if part.make is None], "menu_")
        if made := [part for part in parts if part.make is not None]:
            st.markdown(_("**For phones, browsers and other programs**"))
            words = _(
                "The file is tried on test images before it is handed out. TFLite takes networks and heads of dense "
                "layers; ONNX takes all of them."
            )
            made_on_request(run.id, run.id[:6], made, words)
        mlflow.send(run)


def download(run: Run, exporter: str) -> None:
    """Offer one form of a run, where it has that."""
    _buttons(run, exports.EXPORTERS[exporter].parts(run, state.lab().store))


def _buttons(run: Run, parts: list[Part] | tuple[Part, ...], place: str = "") -> None:
    """Offer files; of one that is missing or damaged that is said, and nothing else."""
    for part in parts:
        try:
            part.check()
        except LabError as error:
            st.warning(tell(error))
            continue
        st.download_button(
            shown(part.title),
            part.read if part.read_in is None else partial(part.read_in, language()),
            file_name=f"{run.id[:6]}{part.suffix}",
            mime=part.mime,
            key=f"{place}download_{run.id}{part.suffix}",
            icon=":material/download:",
            on_click="ignore",
        )


def made_on_request(of: str, stem: str, parts: Sequence[Part], words: str, version: str = "") -> None:
    """Offer files that are made, and tried, when somebody asks for them: one is chosen, made, told of, downloaded.

    Parameters
    ----------
    of : what they are made of, in the keys of what is shown here
    stem : how the files' names begin
    words : what is known of them before
    version : changes with what they are made of: what was made of another is made again
    """
    titles = {part.suffix: shown(part.title) for part in parts}
    chosen = st.selectbox(_("Model and format"), list(titles), format_func=titles.__getitem__, key=f"made_of_{of}")
    part = next(part for part in parts if part.suffix == chosen)
    st.caption(words)
    if st.button(_("Make the file"), key=f"make_{of}", icon=":material/build:"):
        _make(f"{of}{version}", stem, part, _("Making and trying the file: about 10 seconds."))


def report_of_today(entries: Sequence[Entry]) -> None:
    """Offer one report of everything that was begun today, where one of it was tested."""
    since = session.day_began()
    begun = [entry for entry in entries if entry.created >= since]
    if not any(entry.over and entry.accuracy is not None for entry in begun):
        return
    st.download_button(
        _("Report of today's runs"),
        partial(_report_since, state.access(), state.lab().store, [entry.id for entry in begun], since, language()),
        file_name=f"runs-{session.date_of(since)}.html",
        mime="text/html",
        key="report_of_today",
        icon=":material/summarize:",
        help=_("One page to read and to print: which model did best on each task, and a chapter for each run."),
        on_click="ignore",
    )


def _report_since(access: Access, store: Store, ids: Sequence[str], since: float, language: str) -> bytes:
    runs = session.of_session(access.runs(ids=ids, limit=len(ids)), since)
    return session.written(runs, store, language, since)


def code(run: Run, variant: str) -> None:
    """Offer what one way to write a run as code gives: script and notebook, and what is packed when it is asked for."""
    offers = exports.offers(run, state.lab().store)
    parts = [part for name in ("code", "notebook") for part in offers.get(name, ()) if part.suffix.startswith(variant)]
    with st.container(horizontal=True):
        _buttons(run, [part for part in parts if part.make is None], "code_")
    for part in parts:
        label = shown(part.title)
        if part.make and st.button(label, key=f"pack_{run.id}{part.suffix}", icon=":material/folder_zip:"):
            _make(run.id, run.id[:6], part, _("Packing network and images: about 10 seconds."))


def _make(of: str, stem: str, part: Part, waiting: str) -> None:
    """Make a file, say what trying it gave, and offer it."""
    name = f"{stem}{part.suffix}"
    try:
        with st.spinner(waiting, show_time=True):
            content, told = _content(of, part.suffix, part)
    except LabError as error:
        st.warning(tell(error))
        return
    st.markdown(plain(shown(told)))
    st.download_button(
        _("Download {file}").format(file=name),
        content,
        file_name=name,
        mime=part.mime,
        key=f"made_{of}{part.suffix}",
        icon=":material/download:",
        on_click="ignore",
    )


@st.cache_data(max_entries=MOST_MADE, ttl=KEPT_S, show_spinner=False)
def _content(of: str, suffix: str, _part: Part) -> tuple[bytes, Sentence]:
    assert _part.make is not None
    return _part.make()
