"""Which of several trained models is better, said alike wherever two of them meet, and the way to be surer."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.session import state
from pages.ui.words.text import _, ngettext, plain, shown, tell
from tlcore.errors import LabError
from tlcore.evidence import Contest, Entrant, contest

MOST_RUNS = 100  # that are looked through for repetitions


def show(entrants: Sequence[Entrant], key: str, repeat: bool = True) -> Contest | None:
    """Say which of them is better, what the test covers, and where few labels leave it open offer more seeds."""
    found = find(entrants)
    if found is None:
        return None
    say = st.success if found.clear else st.info
    say(plain(shown(found.verdict)), icon=":material/flag:" if found.clear else ":material/balance:")
    st.caption(plain(shown(found.scope)))
    if repeat:
        offer(found, entrants, key)
    return found


def find(entrants: Sequence[Entrant]) -> Contest | None:
    """Return which of them is better, by all runs of this person; None where fewer than two were tested."""
    return contest.contest(entrants, state.lab().folder, state.access().runs(limit=MOST_RUNS))


def offer(found: Contest, entrants: Sequence[Entrant], key: str) -> None:
    """Offer more seeds where few labels leave open which is better."""
    if found.offer:
        _more_seeds(entrants, key)


def _more_seeds(entrants: Sequence[Entrant], key: str) -> None:
    if contest.under_way(entrants, state.access().runs(limit=MOST_RUNS)):
        _waiting(entrants)
        return
    st.button(
        _("Repeat with {n} seeds").format(n=contest.SEEDS),
        key=f"repeat_{key}",
        icon=":material/repeat:",
        help=_(
            "Trains each of them again on other images of the same classes, so that the result depends less on which "
            "images were picked."
        ),
        on_click=_repeat,
        args=(entrants,),
    )
    if message := state.take("repeat_error"):
        st.error(message)


def _repeat(entrants: Sequence[Entrant]) -> None:
    try:
        for spec in contest.repetitions(entrants, state.access().runs(limit=MOST_RUNS)):
            state.start(spec)
    except LabError as error:
        state.put(repeat_error=tell(error))


@st.fragment(run_every=1.0)
def _waiting(entrants: Sequence[Entrant]) -> None:
    """Say how many repetitions are still to come; when none is, the page runs again."""
    n = len(contest.under_way(entrants, state.access().runs(limit=MOST_RUNS)))
    if not n:
        st.rerun()
    st.caption(ngettext("{n} repetition is still to come.", "{n} repetitions are still to come.", n).format(n=n))
