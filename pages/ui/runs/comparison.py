"""A comparison of ways to learn one task: what each reached, which is better, and what a tie saves."""

from collections.abc import Sequence

import streamlit as st

from pages.ui.session import state
from pages.ui.words import names
from pages.ui.words.text import _, plain, shown
from tlcore.evidence import ways
from tlcore.evidence.contest import Contest, Entrant
from tlcore.evidence.ways import Trained
from tlcore.sentences import percent
from tlcore.spec import ComparisonResult, ComparisonSpec
from tlcore.store import Run

from . import contest
from .view import Chart, View
from .words import per_class, target


class ComparisonView(View[ComparisonSpec, ComparisonResult]):
    def title(self, spec: ComparisonSpec) -> str:
        return _("Comparison on {target}, {n}: {ways}").format(
            target=target(spec.data), n=per_class(spec.data), ways=", ".join(map(way_name, spec.ways))
        )

    def stopping(self) -> str:
        return _("Stopping. The ways that are finished are kept.")

    def chart(self, spec: ComparisonSpec) -> Chart:
        return Chart(x_max=float(spec.tuning.epochs))

    def result(self, run: Run, result: ComparisonResult) -> None:
        trained = ways.trained(result, state.lab().store)
        if not trained:
            st.info(_("Stopped before the first way was finished."))
            return
        if result.complete:
            _verdict(trained, run.id)
        for column, each in zip(st.columns(len(trained)), trained, strict=True):
            with column:
                _reached(each)
        st.caption(
            _(
                "Each way learned alone, so the times compare: they count the features of the training images, "
                "compiling and learning, not validation and test. They all learned from the same images."
            )
        )


def way_name(way: str) -> str:
    """Return what a way is called."""
    return shown(ways.title(way))


def _entrant(each: Trained) -> Entrant:
    return each.entrant(way_name(each.way.name))


def _verdict(trained: Sequence[Trained], key: str) -> None:
    """Say which way is better, in large type, and what it saves where they tie."""
    entrants = list(map(_entrant, trained))
    found = contest.find(entrants)
    if found is None:
        return
    st.subheader(plain(shown(found.headline)), anchor=False)
    if saved := _saved(found, trained):
        st.markdown(saved)
    st.caption(plain(f"{shown(found.tested)} {shown(found.scope)}"))
    contest.offer(found, entrants, key)


def _saved(found: Contest, trained: Sequence[Trained]) -> str:
    """Return what the quickest of those that tie saves against the slowest; "" where one is better."""
    named = {way_name(each.way.name): each.way for each in trained}
    saving = ways.saving({name: named[name] for name in found.ranking.ties})
    return plain(shown(saving)) if saving else ""


def _reached(each: Trained) -> None:
    way, entrant = each.way, _entrant(each)
    score = each.run.result.tests(entrant.model, each.run.seed).get(each.run.seed)
    if score is None:
        st.metric(plain(entrant.label), "–", border=True)
        st.caption(plain(shown(each.run.error)) or names.states()[each.run.state].capitalize())
        return
    st.metric(plain(entrant.label), percent(score.accuracy), border=True)
    words = _("{low} to {high} (95 %). {seconds:.2f} s to learn.").format(
        low=percent(score.low), high=percent(score.high), seconds=way.learn_s
    )
    if way.from_cache:
        words += " " + _("The features had been kept; the time counts what computing them took then.")
    st.caption(words)
    if st.button(_("Open"), key=f"way_{each.run.id}", help=_("This run, with its proof and curves.")):
        state.watch("run", each.run.id)
        st.switch_page("runs.py")
