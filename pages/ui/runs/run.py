"""One run on a page, in whatever state it is: waiting, running, done, stopped or failed."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.components.copy_link import copy_link
from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, ngettext, plain, shown, tell
from tlcore import jobs
from tlcore.engine.forecast import SHORT_S
from tlcore.errors import LabError
from tlcore.store import Run

from . import chart as charts
from . import spoiling, view_of
from .words import BADGES, balanced, title


def run_rows(runs: Sequence[Run]) -> None:
    """Show runs as a short list: what, state, accuracy, and a way to open each."""
    for run in runs:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"row_{run.id}"):
            colour, icon = BADGES[run.state]
            st.badge(names.states()[run.state], color=colour, icon=icon)
            st.markdown(plain(title(run)), width="stretch")
            accuracy, interval = run.accuracy, run.result.interval
            reached = "–" if accuracy is None else f"**{balanced(percent(accuracy), run.result.balanced)}**"
            st.markdown(reached, width="content")
            if interval:
                st.caption(f"({between(*interval)})", width="content")
            if st.button(_("Open"), key=f"open_{run.id}"):
                open_run(run)


def open_run(run: Run) -> None:
    """Go to the Runs page with this run open."""
    state.watch("run", run.id)
    st.switch_page("runs.py")


def show(run: Run, slot: str, heading: bool = True) -> None:
    """Show a run with its curves or its progress, and Stop while it goes.

    Parameters
    ----------
    heading : whether its title, Stop and its link stand above; else the page has ``controls`` elsewhere
    """
    view = view_of(run.spec)
    chart = view.chart(run.spec)
    if heading:
        _heading(run, slot, badge=chart is None)  # a chart says the state itself
        spoiling.told(run.spec.data)
    if not state.person().owns(run):
        st.caption(
            _("Shared with you by link. You can watch; only its owner or the host can stop or change it.")
            if run.owner
            else _("Everybody can watch this run; only the host of this lab can stop or change it.")
        )
    if chart is None:
        _without_chart(run)
    else:
        words = _("Error of {run}") if chart.measure == "error" else _("Loss and accuracy of {run}")
        charts.chart(slot, [charts.live(run)], words.format(run=title(run)), chart)
    if run.state == "stopped" and not run.stored and not view.tells_of_nothing:
        st.info(_("Stopped before anything was finished, so there is no result to show."))


def _heading(run: Run, slot: str, badge: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if badge:
            colour, icon = BADGES[run.state]
            st.badge(names.states()[run.state], color=colour, icon=icon)
        st.markdown(f"**{plain(title(run))}**", width="stretch")
        controls(run, slot)


def controls(run: Run, slot: str) -> None:
    """Show Stop while a run of this person's goes, and its link."""
    may_stop = not run.final and state.person().owns(run)
    if may_stop and st.button(_("Stop"), key=f"stop_{slot}", icon=":material/stop:", shortcut="Alt+S"):
        state.access().stop(run.id)
        st.toast(view_of(run.spec).stopping())
    if state.person().owns(run) and jobs.can_go_on(run, state.lab().store):
        st.button(
            _("Go on"),
            key=f"go_on_{slot}",
            icon=":material/resume:",
            help=_("Starts a new run that continues from where this one stopped; its curves include both."),
            on_click=_go_on,
            args=(run, slot),
        )
    about = _("Anyone with this link can watch the run and download its result, but cannot change anything.")
    copy_link(state.link(run, slot), key=f"link_{slot}", about=about)


def _go_on(run: Run, slot: str) -> None:
    try:
        state.watch(slot, state.go_on(run).id)
    except LabError as error:
        state.put(start_error=tell(error))


def _without_chart(run: Run) -> None:
    """Say how long a run waits, how far it is, or why it ended early."""
    if run.state == "queued" and (ahead := state.lab().forecast.ahead(run.id)):
        words = ngettext(
            "Waiting: {n:,} run comes before this one.", "Waiting: {n:,} runs come before this one.", ahead
        )
        wait = state.lab().forecast.wait_s(run.id)
        start = (
            _("It starts by itself.")
            if wait is None or wait < SHORT_S
            else _("It starts by itself, in about {seconds:.0f} s.")
        )
        n = state.lab().engine.status().n_workers
        at_a_time = _("This server runs {n} at a time.").format(n=n) if n else _("No worker is there just now.")
        st.info(" ".join((words.format(n=ahead), at_a_time, start.format(seconds=wait))))
    if not run.final:
        progress(run.id, run.state)
    if run.state == "failed":
        st.error(plain(shown(run.error)), icon=":material/error:")
    if run.state == "stopped" and run.error:
        st.info(plain(shown(run.error)))


@st.fragment(run_every=0.7)
def progress(run_id: str, seen: str) -> None:
    """Show how far a run without curves is; when its state is no longer the one ``seen``, the page runs again."""
    run = state.lab().store.get(run_id)
    if run.state != seen:
        st.rerun()
    now = run.progress
    words = _("step {step:,} of {n:,}").format(step=now.step, n=now.n_steps) if now.n_steps else ""
    if now.message:
        message = shown(now.message)
        words = _("{step}: {message}").format(step=words, message=message) if words else message
    if now.left_s is not None:
        words += _(", about {seconds:.0f} s left").format(seconds=now.left_s)
    st.progress(now.step / max(now.n_steps, 1), text=plain(words))


def show_result(run: Run) -> None:
    """Show the result of a run that has ended, where there is something to show."""
    view = view_of(run.spec)
    if run.stored or view.tells_of_nothing:
        view.result(run, run.result)
