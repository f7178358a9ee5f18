"""Move the boundary, let go, and see what the network would reach: the part of the Train page that answers at once."""

import streamlit as st

from pages.ui.charts import plots
from pages.ui.runs.fine_tune import proof_badge
from pages.ui.runs.words import interval
from pages.ui.session import state
from pages.ui.words.text import _, plain, shown, tell
from tlcore import sources
from tlcore.errors import LabError
from tlcore.prediction.what_if import N_IMAGES, Answer, Move, cuts_of
from tlcore.sentences import percent
from tlcore.spec import Evaluation


def tails() -> dict[str, str]:
    """Return what may be trained after the boundary, by the name a move has for it."""
    return {"linear": _("A linear SVM on the features"), "dense": _("The network's own remaining layers")}


@st.fragment
def what_if() -> None:
    """Show the slider; each move is answered from features computed once."""
    st.subheader(_("What if the boundary moved?"), anchor=False)
    st.write(
        _(
            "Let go of the slider: everything before the boundary is frozen, and what comes after it is trained again "
            "on {n:,} images of the target, at once."
        ).format(n=N_IMAGES)
    )
    names = {"": _("nothing")} | {name: name for name in sources.info(state.get("source")).cut_names}
    left, right = st.columns([1, 1], gap="large")
    with left:
        tail = st.segmented_control(
            _("After the boundary comes"),
            list(tails()),
            format_func=tails().__getitem__,
            default="linear",
            required=True,
            key="what_if_tail",
            on_change=_moved,
            persist_state="session",
            wrap=True,
        )
        cuts = ["", *cuts_of(state.get("source"), tail)]
        if state.get("what_if_cut") not in cuts:
            state.put(what_if_cut=cuts[-1])
        cut = st.select_slider(
            _("Freeze up to and with"),
            cuts,
            format_func=names.__getitem__,
            key="what_if_cut",
            on_change=_moved,
            persist_state="session",
        )
        if not state.get("what_if_moved"):
            st.info(_("Move the slider to see the accuracy the network would reach from there."))
            return
        answer = _answer(Move(state.get("source"), state.get("target"), cut or None, tail, int(state.get("seed"))))
        if answer is None:
            return
        _show(answer)
    with right:
        found = _remember(answer)
        figure = plots.cuts(found, names, tails())
        st.plotly_chart(figure, key="what_if_cuts", config=plots.CONFIG, alt=_("Test accuracy at each boundary tried"))
        proof_badge(answer.proof)


def _moved() -> None:
    state.put(what_if_moved=True)


def _answer(move: Move) -> Answer | None:
    try:
        what_if = state.lab().what_if
        if what_if.ready:
            return what_if.answer(move)
        with st.spinner(_("The first answer takes some seconds after the server starts: features are computed once.")):
            return what_if.answer(move)
    except LabError as error:
        st.warning(tell(error))
        return None


def _show(answer: Answer) -> None:
    a, b, c = st.columns(3)
    a.metric(_("Test accuracy"), percent(answer.test.accuracy), border=True)
    b.metric(_("Weights fitted"), _short(answer.n_trainable), help=f"{answer.n_trainable:,}", border=True)
    c.metric(_("Answered in"), f"{answer.seconds:.2f} s", border=True)
    st.caption(f"{interval(answer.test)} {plain(shown(answer.reason))}")


def _short(n: int) -> str:
    """Return a count that fits a phone: 121 k."""
    return f"{n:,}" if n < 10_000 else f"{n / 1000:,.0f} k"


def _remember(answer: Answer) -> dict[str, dict[str, Evaluation]]:
    """Keep this session's answers of one source, target and seed, so that the curve grows with every move."""
    move = answer.move
    kept = state.get("what_if_found", {})
    found = kept.setdefault((move.source, move.target, move.seed), {})
    found.setdefault(move.tail, {})[move.cut or ""] = answer.test
    state.put(what_if_found=kept)
    return found
