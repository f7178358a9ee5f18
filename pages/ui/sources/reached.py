"""What the network reaches when it is cut: under every cut, in one headline, and with its own layers trained again."""

import time
from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, ngettext, plain, tell, titled
from tlcore import datasets
from tlcore.errors import LabError
from tlcore.evidence import recorded_cuts
from tlcore.evidence.recorded_cuts import RecordedCuts
from tlcore.features.freezing import Freezing, up_to
from tlcore.prediction.what_if import Answer, Cuts, CutScores, Move, cuts_of, is_averaged
from tlcore.spec import Evaluation, SourceInfo

PATIENCE_S = 0.75  # so long a page's end waits for both answers before it looks again from time to time


@dataclass(frozen=True)
class Asked:
    """A question and what has come of it: an answer, or why there is none, or nothing yet."""

    question: Cuts | Move
    answer: CutScores | Answer | None = None
    why_not: str = ""
    recorded: RecordedCuts | None = None  # what ships, until there is an answer

    @property
    def waits(self) -> bool:
        return self.answer is None and not self.why_not

    @property
    def scores(self) -> CutScores | None:
        """What is shown of every cut: the answer, else the recorded one."""
        if isinstance(self.answer, CutScores):
            return self.answer
        return self.recorded.scores if self.recorded else None


def ask(question: Cuts | Move, wait_s: float = 0.0) -> Asked:
    """Ask the process beside the server; the answer is kept there for all who ask the same."""
    try:
        return Asked(question, state.lab().what_if.soon(question, wait_s))
    except LabError as error:
        return Asked(question, why_not=tell(error))


def ask_every_cut(source: SourceInfo) -> Asked:
    """Ask for every cut of a source, with the draft's target, labels and seed; where it waits, take what ships."""
    data = state.data_draft()
    asked = ask(Cuts(source.name, data.target, data.seed, data.per_class))
    if not asked.waits:
        return asked
    with suppress(LabError):  # a damaged recording: the answer itself will come
        return replace(asked, recorded=recorded_cuts.of(asked.question))  # type: ignore[arg-type]
    return asked


def from_here(source: SourceInfo, frozen: Freezing) -> Move | None:
    """Return the question for the network's own layers after the boundary.

    None where none of them would train, or training them takes too long for a question.
    """
    data, boundary = state.data_draft(), frozen.boundary
    if is_averaged(source.name):
        return None
    cut = boundary.layer if boundary else None
    if frozen.cost.n_trainable == 0 or cut not in (None, *cuts_of(source.name, "dense")):
        return None
    if frozen.names != up_to(frozen.layers, cut).names:  # layers after the boundary are frozen too: no plain cut
        return None
    return Move(source.name, data.target, cut, "dense", data.seed, data.per_class)


def headline(scores: CutScores) -> str:
    """Return what was found, in one line.

    Examples
    --------
    >>> def at(n_right): return Evaluation(n_right / 2000, n_right / 2000 - 0.01, n_right / 2000 + 0.01, 2000, ())
    >>> def of(*n_right): return CutScores(Cuts(), tuple(zip(["", "conv", "dense"], map(at, n_right))), 25, 1.0)
    >>> headline(of(1700, 1960, 1120))
    'Features work best after conv: 98.0 % right with 5 labels per class. After dense: 56.0 %.'
    >>> headline(of(1700, 1800, 1960))
    'Features work best after dense: 98.0 % right with 5 labels per class. On raw pixels: 85.0 %.'
    >>> headline(of(1700, 1701, 1120))
    "No layer's features help here: 85.0 % right after conv with 5 labels per class, 85.0 % on raw pixels."
    """
    tests = scores.by_cut
    pixels = tests.pop("")
    if not tests:
        return _("Raw pixels: {pixels}.").format(pixels=percent(pixels.headline))
    best = max(tests, key=lambda name: tests[name].headline)
    names = list(tests)
    later = min(names[names.index(best) :], key=lambda name: tests[name].headline)
    n_classes = len(datasets.info(scores.cuts.target).class_names)
    n = scores.n_images // n_classes
    labels = ngettext("{n} label per class", "{n} labels per class", n).format(n=f"{n:,}")
    values = {
        "best": best,
        "share": percent(tests[best].headline),
        "labels": labels,
        "pixels": percent(pixels.headline),
        "later": later,
        "less": percent(tests[later].headline),
    }
    if tests[best].interval[0] <= pixels.interval[1]:
        return _(
            "No layer's features help here: {share} right after {best} with {labels}, {pixels} on raw pixels."
        ).format(**values)
    if tests[later].interval[1] < tests[best].interval[0]:
        return _("Features work best after {best}: {share} right with {labels}. After {later}: {less}.").format(
            **values
        )
    return _("Features work best after {best}: {share} right with {labels}. On raw pixels: {pixels}.").format(**values)


def show_headline(asked: Asked) -> None:
    """Show what was found; of the same height before it is."""
    with st.container(key="finding"):
        if asked.scores:
            st.header(plain(headline(asked.scores)), anchor=False)
        elif asked.why_not:
            st.warning(asked.why_not)
        else:
            st.header(_("Measuring the accuracy at each cut …"), anchor=False)


def about(scores: CutScores) -> str:
    """Return what the numbers under the cuts are."""
    words = _(
        "Under each cut: test accuracy of a linear SVM trained on the network's output there, on {n:,} images of "
        "{target} and measured on {n_test:,} test images. To keep this quick, at most 1,000 training images are "
        "used."
    )
    if next(iter(scores.by_cut.values())).balanced:
        words += " " + _("The classes are lopsided, so it is the balanced accuracy, in which each class counts alike.")
    if is_averaged(scores.cuts.source):
        words += " " + _("The output is averaged over all positions in the photograph.")
    return words.format(
        n=scores.n_images,
        target=titled(datasets.info(scores.cuts.target).title),
        n_test=next(iter(scores.by_cut.values())).n,
    )


def show_retrained(asked: Asked) -> None:
    """Show what the network's own layers reach after the boundary."""
    if asked.why_not:
        st.caption(asked.why_not)
    elif not isinstance(asked.answer, Answer):
        st.markdown(_("The network's own layers: training from the boundary on …"))
    else:
        st.markdown(
            _("The network's own layers, trained from the boundary on: **{share}** ({interval}).").format(
                share=percent(asked.answer.test.headline),
                interval=_interval(asked.answer.test),
            ),
            help=plain(_cost(asked.answer) + " " + _proof(asked.answer)),
        )


def _interval(test: Evaluation) -> str:
    return _("95 % interval {interval}").format(interval=between(*test.interval))


def _cost(answer: Answer) -> str:
    return _("{n:,} weights were trained on {images:,} images in {seconds:.1f} s, tested on {n_test:,}.").format(
        n=answer.n_trainable, images=answer.n_images, seconds=answer.seconds, n_test=answer.test.n
    )


def _proof(answer: Answer) -> str:
    frozen = [row.layer for row in answer.proof if row.frozen]
    if not frozen:
        return _("Every layer trained.")
    if not all(row.ok for row in answer.proof):
        return _("A frozen layer changed, or a trained one did not. Please report this.")
    return _("Proof: the weights of {layers} are bit for bit what they were; all others changed.").format(
        layers=", ".join(frozen)
    )


def remember(*all_asked: Asked) -> None:
    """Keep what this session has seen of the test images: each look is counted where uses of them are said."""
    seen = state.get("what_if_found", {})
    for answer in (asked.answer for asked in all_asked):
        if isinstance(answer, CutScores):
            cuts = answer.cuts
            seen.setdefault((cuts.source, cuts.target, cuts.seed), {})["linear"] = answer.by_cut
        elif isinstance(answer, Answer):
            move = answer.move
            tails = seen.setdefault((move.source, move.target, move.seed), {})
            tails.setdefault(move.tail, {})[move.cut or ""] = answer.test
    state.put(what_if_found=seen)


def accuracies(asked: Asked) -> dict[str, float] | None:
    """Return what stands under the cuts: nothing yet while it is measured, None where it cannot be."""
    if asked.why_not:
        return None
    return {cut: test.headline for cut, test in asked.scores.tests} if asked.scores else {}


def provenance(asked: Asked) -> None:
    """Say that the numbers are recorded, and where they come from, while they are."""
    if asked.recorded is None:
        return
    card = asked.recorded
    with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
        words = _(
            "Measured on {date} ({machine}) by `{command}`. This server is measuring it now; its own numbers take this "
            "place."
        )
        st.markdown(words.format(date=card.date, machine=card.machine, command=card.command))


def room(tail: Move | None, source: SourceInfo) -> DeltaGenerator:
    """Show what the network's own layers reach, or that they train, and return the place for what comes of it."""
    with st.container(key="retrained"):
        place = st.empty()
    if tail is not None:
        with place:
            show_retrained(ask(tail))
    elif is_averaged(source.name):
        place.caption(_("To train the network's own layers on photographs, start a run on the Train page."))
    return place


def finish(cuts: Asked, tail: Move | None, at: DeltaGenerator) -> None:
    """End a page, which then stands: wait a little for what is still missing, then look again from time to time.

    Parameters
    ----------
    at : the ``room`` for what the network's own layers reach
    """
    until = time.monotonic() + (PATIENCE_S if state.lab().what_if.ready else 0.0)
    if cuts.waits and not ask(cuts.question, until - time.monotonic()).waits:
        st.rerun()
    remember(cuts)
    missing = [cuts.question] if cuts.waits else []
    if tail is not None:
        retrained = ask(tail, max(0.0, until - time.monotonic()))
        with at:
            show_retrained(retrained)
        remember(retrained)
        missing += [tail] if retrained.waits else []
    if missing:
        look_again(*missing)


@st.fragment(run_every=0.5)
def look_again(*questions: Cuts | Move) -> None:
    """Show the page again as soon as one of the questions is answered."""
    if not all(ask(question).waits for question in questions):
        st.rerun()
