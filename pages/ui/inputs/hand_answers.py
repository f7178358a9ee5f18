"""Home's second door: pick a photographed hand, and see the recorded answers of one network, before and after."""

from html import escape

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.ui.components.picture_buttons import picture_buttons
from pages.ui.session import state
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _
from tlcore import datasets
from tlcore.evidence import shown_hands
from tlcore.evidence.shown_hands import PER_CLASS, SOURCE, TARGET, Said, ShownHands
from tlcore.prediction.taught import SCRATCH, TRANSFER, Share

from . import pictures
from .answers import NOTHING

N_SHOWN = 12


@st.fragment(key="hand")
def hand(shown: ShownHands, at: DeltaGenerator) -> None:
    """Show a handful of test photographs here; in ``at``, an ``st.empty()``, what was answered to the picked one."""
    handful = state.get("hands_shown", 0)
    rows = rows_of(shown, handful)
    items = datasets.get(TARGET).items("test", np.array(rows))
    picked = picture_buttons(
        "hands",
        _("Photographs of hands"),
        [pictures.address(item) for item in items],
        [_("Photograph {n}").format(n=i + 1) for i in range(len(rows))],
        rev=handful,
    )
    st.button(
        _("Other hands"),
        key="other_hands",
        icon=":material/casino:",
        on_click=lambda: state.put(hands_shown=handful + 1),
    )
    words = _("These are {n} of {total} test photographs: nobody in them is in a photograph that was learned from.")
    st.caption(words.format(n=len(rows), total=shown.n_test))
    at.html(panel(shown, rows[picked]))


def rows_of(shown: ShownHands, handful: int) -> list[int]:
    """Return which test photographs stand in a handful: drawn whatever was answered to them, every sign among them."""
    rng = np.random.default_rng(handful)
    truth = np.array(shown.truth)
    of_each = [int(rng.choice(np.flatnonzero(truth == label))) for label in range(len(shown.class_names))]
    others = rng.choice(np.setdiff1d(np.arange(shown.n_test), of_each), N_SHOWN - len(of_each), replace=False)
    return [int(row) for row in rng.permutation([*of_each, *others])]


def panel(shown: ShownHands, row: int) -> str:
    """Return the headline and the three cards as HTML; of the same height whatever was answered."""
    meant = shown.class_names[shown.truth[row]]
    after, scratch = (shown.answers[way][row] for way in (TRANSFER, SCRATCH))
    short, words = headline(shown, row)
    n = shown.per_class
    cards = (
        _card("before", _("Before transfer"), None, shown, meant, before_words(), by_chance(shown)),
        _card(
            TRANSFER,
            _("After transfer"),
            after,
            shown,
            meant,
            _("The same network after {n} photographs of each sign.").format(n=n),
            share_words(shown.share(TRANSFER)),
        ),
        _card(
            SCRATCH,
            _("From scratch"),
            scratch,
            shown,
            meant,
            _("The same {n} photographs, but starting from nothing.").format(n=n * len(shown.class_names)),
            share_words(shown.share(SCRATCH)),
        ),
    )
    return (
        f'<div class="answers three hands" data-say="{escape(short)}" data-row="{row}"><h2>{escape(short)}</h2>'
        f'<p class="often">{escape(words)}</p>{"".join(cards)}</div>'
    )


def headline(shown: ShownHands, row: int) -> tuple[str, str]:
    """Return what came of one photograph, in a few words, and the sentence that puts it in proportion."""
    label = shown.truth[row]
    outcome = (shown.answers[TRANSFER][row].label == label, shown.answers[SCRATCH][row].label == label)
    short = {
        (True, False): _("Only transfer reads this {sign}"),
        (True, True): _("Both read this {sign}, with transfer and from scratch"),
        (False, True): _("Only the network from scratch reads this {sign}"),
        (False, False): _("Neither reads this {sign}, with transfer or without"),
    }[outcome]
    words = _("True of {share} of the test photographs. Only transfer reads {alone}, only scratch {other}.")
    shares = {"share": outcome, "alone": (True, False), "other": (False, True)}
    return (
        short.format(sign=shown.class_names[label]),
        words.format(**{name: percent(shown.share_of(*which)) for name, which in shares.items()}),
    )


def before_words() -> str:
    return _("It tells 1,000 kinds of things apart in photographs; no sign is one of them.")


def by_chance(shown: ShownHands) -> str:
    return _("Guessing would be right on {share}").format(share=percent(1 / len(shown.class_names), 0))


def share_words(share: Share) -> str:
    """Return a measured share with its interval."""
    return _("Right on {mean} of the test photographs ({interval})").format(
        mean=percent(share.mean), interval=between(share.low, share.high)
    )


def _card(name: str, title: str, said: Said | None, shown: ShownHands, meant: str, sentence: str, share: str) -> str:
    label = NOTHING if said is None else shown.class_names[said.label]
    right = "" if said is None else _("right") if label == meant else _("wrong")
    sure = _("no answer") if said is None else _("{share:.0f} % sure").format(share=100 * said.sure)
    given = "" if said is None else f' data-answer="{escape(label)}"'
    return (
        f'<section class="answer" data-model="{escape(name)}"><h3>{escape(title)}</h3>'
        f'<p class="big"{given}>{escape(label)} <small>{escape(right)}</small></p><p class="sure">{escape(sure)}</p>'
        f'<p class="why">{escape(sentence)}</p><p class="share">{escape(share)}</p></section>'
    )


def over_seeds(shown: ShownHands) -> str:
    """Return the two accuracies over all seeds in one sentence."""
    if len(shown.seeds) < 2:
        return _("Measured once (seed {seed}), on one draw of photographs.").format(seed=shown.seed)
    after, scratch = (shown.over_seeds(way) for way in (TRANSFER, SCRATCH))
    return _(
        "Right on average over {n} repetitions (seeds), each with other photographs: {after} ({after_interval}) with "
        "transfer, {scratch} ({scratch_interval}) from scratch."
    ).format(
        n=len(shown.seeds),
        after=percent(after.mean),
        after_interval=between(after.low, after.high),
        scratch=percent(scratch.mean),
        scratch_interval=between(scratch.low, scratch.high),
    )


def provenance(shown: ShownHands) -> str:
    """Return how the answers were made."""
    return _(
        "Recorded on {date} ({machine}) by `{command}`. MobileNetV2 (width 0.35) took {steps} steps on {n} photographs "
        "of each sign, with the same seed: with transfer the new head first, then all from {block} on at a tenth "
        "of the rate, no BatchNormalization; from scratch everything. The answers are those of seed {seed}, of {seeds} "
        "the one closest to the medians. Each share is of {n_test:,} test photographs, with its 95 % interval."
    ).format(
        date=shown.date,
        machine=shown.machine,
        command=shown.command,
        steps=shown.n_steps,
        n=shown.per_class,
        block=shown.thawed,
        seeds=len(shown.seeds),
        seed=shown.seed,
        n_test=shown.n_test,
    )


def opening(shown: ShownHands) -> None:
    """Show the hands and beside them the three answers."""
    left, right = st.container(key="opening").columns([2, 3], gap="large")
    answers_at = right.container(key="three").empty()
    with left:
        hand(shown, answers_at)
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.popover(_("Recorded"), icon=":material/info:", type="tertiary"):
                st.markdown(provenance(shown))
            if st.button(_("Train it yourself"), key="train_hands", icon=":material/arrow_forward:"):
                state.put(target=TARGET)
                state.use_source(SOURCE)
                st.switch_page("train.py")
        st.caption(over_seeds(shown))


def lead() -> str:
    return _(
        "A network that learned photographs of 1,000 kinds of things learns ten hand signs from {n} examples of each. "
        "Pick a hand and see."
    ).format(n=PER_CLASS)


def load() -> ShownHands:
    return shown_hands.load()
