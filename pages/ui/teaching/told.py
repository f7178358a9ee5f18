"""How well the classes are told apart, honestly: each example is asked of a head that learned from the others."""

import streamlit as st

from pages.ui import frame
from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, ngettext, tell
from tlcore.errors import LabError
from tlcore.prediction import collected
from tlcore.teaching import LEAST_TO_TEST, Examples, Score

PATIENCE_S = 30.0


def told(examples: Examples) -> None:
    """Show the score of the examples there are; counted again only when these have changed."""
    classes = examples.classes()
    if sum(bool(one.examples) for one in classes) < 2:
        nothing, n = _("Nothing to tell apart yet"), sum(len(one.examples) for one in classes)
        count = ngettext("{n} example", "{n} examples", n).format(n=n)  # that one was added is heard from the first on
        frame.finding(nothing, _("Two classes with an example each are enough to begin."), f"{count}. {nothing}")
        return
    asked = (examples.kind.name, examples.state())
    kept = state.get("teach_score")
    place = st.empty()
    if kept is None or kept[0] != asked:
        with place.container():
            frame.finding(_("Counting again …"), _("Each example is asked of a head that has not seen it."))
        try:
            score = collected.score_of(examples, state.person().id, state.lab().serving.predict, PATIENCE_S)
        except LabError as error:
            place.warning(tell(error))
            return
        kept = asked, score
        state.put(teach_score=kept)
    with place.container(gap="xsmall"):
        frame.finding(*words(kept[1], [one.name for one in classes]))
        with st.popover(_("How this is tested"), icon=":material/info:", type="tertiary"):
            st.markdown(how(kept[1]))


def words(score: Score, names: list[str]) -> tuple[str, str]:
    """Return the headline and what belongs to it."""
    headline = _("Right about {n} of {total} examples it had not seen: {share}").format(
        n=score.n_right, total=score.n, share=percent(score.share)
    )
    more = [
        _("95 % interval: {interval}.").format(interval=between(*score.interval)),
        _("Always answering the largest class would reach {share}.").format(share=percent(score.guess)),
    ]
    worst, (right, n) = min(enumerate(score.by_class), key=lambda row: row[1][0] / row[1][1] if row[1][1] else 1.0)
    if n and right < n:
        more.append(
            _("Weakest: {name}, {right} of {n}. Add examples of it.").format(name=names[worst], right=right, n=n)
        )
    more.append(test_words(score))
    more.append(_("Examples recorded in one go look alike, so on new ones it will do less well."))
    return headline, " ".join(more)


def how(score: Score) -> str:
    """Return how that was counted."""
    said = [_("Each example is left out in turn and asked of a head that learned from the others.")]
    if score.n < score.n_examples:
        words = _("Of {total} examples {n} drawn ones were left out.")
        said.append(words.format(n=score.n, total=score.n_examples))
    if score.n_test:
        said.append(_("The test set is asked of a head that learned from the older examples alone."))
    return " ".join(said)


def test_words(score: Score) -> str:
    """Return how a head does on the newest examples that learned from the older ones, or when there will be a test."""
    if not score.n_test:
        words = _("With {n} examples of each class, the newest fifth of each becomes a test set.")
        return words.format(n=LEAST_TO_TEST)
    words = _(
        "Test set, the newest fifth of each class: right about {n} of {total}, {share} (95 % interval {interval})."
    )
    interval = between(*score.test_interval)
    return words.format(n=score.test_right, total=score.n_test, share=percent(score.test_share), interval=interval)
