"""Runs side by side: which is better, their curves on one chart, what differs, what each reached, proved and took."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, plain, shown, whole_words
from tlcore.errors import SpecError
from tlcore.evidence import side_by_side
from tlcore.evidence.contest import Contest
from tlcore.store import Run

from . import contest, lanes, tables, view_of
from .lanes import Lane
from .words import balanced


def show(ids: Sequence[str]) -> None:
    """Show runs side by side, those of a comparison one by one; what is no longer there is left out."""
    runs = side_by_side.expanded(_there(ids), state.lab().store)
    if len(runs) > side_by_side.MOST:
        words = _("{total} runs with those of the comparisons: the first {n} are shown.")
        st.caption(words.format(total=len(runs), n=side_by_side.MOST))
        runs = runs[: side_by_side.MOST]
    if len(runs) < 2:
        st.info(_("Fewer than two of these runs are still there, so there is nothing to compare."))
        return
    specs = [run.spec for run in runs]
    labels = side_by_side.labels([run.name or view_of(run.spec).lane(run.spec) for run in runs], specs, shown)
    found = _verdict(runs, labels)
    if any(state.lab().store.points(run.id, limit=1) or not run.final for run in runs):
        lanes.show(
            [Lane(*pair) for pair in zip(labels, runs, strict=True)], "compared", _("Curves of the runs compared")
        )
    _tables(runs, labels, found)
    if found:
        contest.offer(found, side_by_side.entrants(runs, labels), "compared")
    with st.container(horizontal=True):
        for label, run in zip(labels, runs, strict=True):
            words = _("Open {run}").format(run=plain(label))
            st.button(words, key=f"open_{run.id}", on_click=state.watch, args=("run", run.id))


def _there(ids: Sequence[str]) -> list[Run]:
    found = []
    for run_id in ids:
        with suppress(SpecError):  # removed for good, or a word that somebody typed into the address
            run = state.lab().store.get(run_id)
            found += [] if run.deleted else [run]
    return found


def _verdict(runs: Sequence[Run], labels: Sequence[str]) -> Contest | None:
    """Say in large type which is better, with its test; or why that cannot be said."""
    entrants = side_by_side.entrants(runs, labels)
    if not entrants:
        st.info(_("These runs learned different tasks: accuracies on different images cannot be compared."))
        return None
    if not all(run.final for run in runs):
        st.caption(_("The verdict appears here when all of them have finished."))
        return None
    found = contest.find(entrants)
    if found is None:
        st.info(_("Fewer than two of these runs have a tested model, so there is nothing to test against another."))
        return None
    st.subheader(plain(whole_words(shown(found.headline))), anchor=False)
    st.caption(plain(f"{shown(found.tested)} {shown(found.scope)}"))
    return found


def _tables(runs: Sequence[Run], labels: Sequence[str], found: Contest | None) -> None:
    """Show what each reached and the settings that differ; those that all share are a fold away."""
    settings = side_by_side.side_by_side([run.spec for run in runs])
    rows = {setting.differs: [] for setting in settings}
    for setting in settings:
        rows[setting.differs].append(
            (shown(setting.name), *(shown(value) if value else "–" for value in setting.values))
        )
    heads = ["", *labels]
    reached = _reached(runs, labels, found)
    tables.show(heads, [*reached, *rows.get(True, [])], _("The runs compared"), marked=(0,))
    if same := rows.get(False):
        with st.expander(_("The same in all ({n} settings)").format(n=len(same))):
            tables.show([], [row[:2] for row in same], _("Settings that all runs share"))


def _reached(runs: Sequence[Run], labels: Sequence[str], found: Contest | None) -> list[tuple[str, ...]]:
    scores = [side_by_side.score(run) for run in runs]
    proofs = [side_by_side.proof(run) for run in runs]
    rows = [
        (
            _("Accuracy"),
            *(
                balanced(percent(score.headline), score.balanced) if score else names.states()[run.state]
                for score, run in zip(scores, runs, strict=True)
            ),
        ),
        (_("95 % interval"), *(between(*score.interval) if score else "–" for score in scores)),
    ]
    if found:
        rows.append((_("Against the best"), *(_against(found, label) for label in labels)))
    rows.append((_("Time to learn"), *(map(_took, runs))))
    if any(run.result.cpu_s for run in runs):
        rows.append((_("Processor time to learn"), *(map(_cpu, runs))))
    if any(map(side_by_side.forgot, runs)):
        rows.append((_("The source's own task"), *(side_by_side.forgot(run) or "–" for run in runs)))
    if any(proofs):
        rows.append((_("Freezing"), *(shown(proof) if proof else "–" for proof in proofs)))
    return rows


def _against(found: Contest, label: str) -> str:
    """Return how a run stands to the best: its lead and its probability, corrected for the number of tests."""
    if label == found.ranking.best:
        return _("the best")
    rival = next((rival for rival in found.ranking.rivals if rival.name == label), None)
    if rival is None:
        return "–"
    points = _("{n:.1f} points below").format(n=100 * rival.lead)
    words = (
        points if found.ranking.tested == "intervals" else _("{points}, p = {p:.2g}").format(points=points, p=rival.p)
    )
    return words if rival.clear else _("{words}: a tie").format(words=words)


def _cpu(run: Run) -> str:
    return _("{n:.2f} s").format(n=run.result.cpu_s) if run.result.cpu_s else "–"


def _took(run: Run) -> str:
    seconds = run.result.learn_s
    if not seconds:
        return "–"
    words = _("{n:.2f} s").format(n=seconds)
    return _("{time}, features kept before").format(time=words) if run.result.from_cache else words
