"""What transfer did, in one line at the top of a page: recorded where nothing is one's own. Beside it the button."""

from contextlib import suppress

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui import frame
from pages.ui.inputs import hand_answers, three_answers
from pages.ui.runs import comparison as comparison_view
from pages.ui.runs.recorded import numbers, provenance
from pages.ui.session import state
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, shown
from tlcore import sources
from tlcore.errors import LabError
from tlcore.evidence import recorded_comparison, shown_hands
from tlcore.prediction import taught
from tlcore.prediction.taught import SCRATCH, TRANSFER
from tlcore.spec import FINE_TUNE, ComparisonSpec
from tlcore.spec import SCRATCH as FROM_SCRATCH


def show(name: str, headline: str, more: str = "", recorded: str = "") -> DeltaGenerator:
    """Show what was found; return the place beside it, for the button that goes on from there.

    Parameters
    ----------
    name : of this finding, by which the style sheet keeps room for it until it is there
    recorded : how it was measured, where that was not here
    """
    with st.container(key=f"glance_{name}", horizontal=True, vertical_alignment="center", gap="small"):
        frame.finding(headline, more)
        row = st.container(
            horizontal=True, vertical_alignment="center", gap="small", key="go_on_from_there", width="content"
        )
    if recorded:
        with row.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
            st.markdown(recorded)
    return row


def digits(more: str = "") -> DeltaGenerator:
    """Show what the network that is on Home reads of the test digits, with transfer and from scratch."""
    card = taught.card()
    known = three_answers.span(sources.info(card.source).class_names)
    words = _("{after} of the test digits right with transfer, {scratch} from scratch")
    more = more or _("A network that knew only {known} saw {n} examples of each digit; from scratch it saw the same.")
    return show(
        "digits",
        words.format(after=percent(card.share(TRANSFER).mean), scratch=percent(card.share(SCRATCH).mean)),
        more.format(known=known, n=card.per_class),
        three_answers.provenance(card),
    )


def hands(more: str = "") -> DeltaGenerator:
    """Show what a network for photographs reads of hand signs, with transfer and from scratch."""
    if not shown_hands.is_recorded():
        return st.container(horizontal=True)
    card = shown_hands.load()
    words = _("{after} of the hand signs right with transfer, {scratch} from scratch")
    more = more or _("MobileNetV2 saw {n} photographs of each sign. The test photographs show other people.")
    return show(
        "hands",
        words.format(after=percent(card.share(TRANSFER).mean), scratch=percent(card.share(SCRATCH).mean)),
        more.format(n=card.per_class),
        hand_answers.provenance(card),
    )


def comparison() -> DeltaGenerator:
    """Show the verdict of this person's newest comparison; of the one that ships while there is none."""
    with suppress(LabError):
        for run in state.access().runs(kind=ComparisonSpec.kind, states=("done",), limit=1):
            found, _trained = comparison_view.find(run.result)  # type: ignore[arg-type]
            if found:
                return show("comparison", shown(found.headline), _("The verdict of your newest comparison."))
    card = recorded_comparison.load(recorded_comparison.file_for(state.get("target")))
    return show("comparison", shown(card.headline), numbers(card), provenance(card))


def done_right() -> DeltaGenerator:
    """Show what fine-tuning reaches where nothing is broken, and what the same network reaches from scratch."""
    card = recorded_comparison.load()
    words = _("{tuned} right with transfer, {scratch} from scratch")
    more = _("Fine-tuning done right, with {n} labels per class. Each mistake below takes some of that away.")
    return show(
        "done_right",
        words.format(tuned=percent(card.tests[FINE_TUNE][0]), scratch=percent(card.tests[FROM_SCRATCH][0])),
        more.format(n=card.spec.data.per_class),
        provenance(card),
    )
