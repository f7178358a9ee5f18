"""Three answers of one network: before transfer, after a few images of each digit, and from scratch on the same."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from zlib import crc32

import numpy as np

from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _
from tlcore.prediction import ModelName, verdict
from tlcore.prediction.taught import SCRATCH, TRANSFER, Share, Taught

from .answers import bars, in_words

BEFORE = "before"
NOTHING = "–"  # where an answer will stand


@dataclass(frozen=True)
class Card:
    """One of the three: which model answers, and what stands beside its answer."""

    model: str
    title: str
    class_names: Sequence[str]
    sentence: str
    share: Share


def cards(taught: Taught, known: Sequence[str], meant: str | None) -> dict[str, Card]:
    """Return the three, in the order in which they stand; ``known`` are the classes of the source model."""
    names = taught.class_names
    n = taught.per_class
    return {
        BEFORE: Card(
            str(ModelName.source(taught.source)),
            _("Before transfer"),
            known,
            before_words(known, meant),
            taught.share_before,
        ),
        TRANSFER: Card(
            str(ModelName.taught(TRANSFER)),
            _("After transfer"),
            names,
            _("The same network after {n} examples of each digit.").format(n=n),
            taught.share(TRANSFER),
        ),
        SCRATCH: Card(
            str(ModelName.taught(SCRATCH)),
            _("From scratch"),
            names,
            _("The same {n} images, but starting from nothing.").format(n=n * len(names)),
            taught.share(SCRATCH),
        ),
    }


def span(known: Sequence[str]) -> str:
    return _("{first} to {last}").format(first=known[0], last=known[-1])


def before_words(known: Sequence[str], meant: str | None) -> str:
    """Return why the network before transfer answers as it does; ``meant`` is the digit that was drawn, if told."""
    if meant is None:
        return _("It has only ever seen {known}.").format(known=span(known))
    if meant in known:
        return _("Trained on {known}: it has seen a {digit}.").format(known=span(known), digit=meant)
    return _("It has never seen a {digit}. It only knows {known}.").format(digit=meant, known=span(known))


def headline(taught: Taught, labels: Mapping[str, str], meant: str | None) -> tuple[str, str]:
    """Return what came of one drawing, in a few words, and the sentence that puts it in proportion.

    Parameters
    ----------
    labels : what the two taught networks answered
    meant : the digit that was drawn, if the person has told
    """
    after, scratch = labels[TRANSFER], labels[SCRATCH]
    if meant is None:
        short = (
            _("A {digit}, with transfer and from scratch")
            if after == scratch
            else _("{digit} with transfer, {other} from scratch")
        )
        return short.format(digit=after, other=scratch), _("Choose below what you drew, and see which is right.")
    outcome = (after == meant, scratch == meant)
    short = {
        (True, False): _("Only transfer reads your {digit}"),
        (True, True): _("Both read your {digit}, with transfer and from scratch"),
        (False, True): _("Only the network from scratch reads your {digit}"),
        (False, False): _("Neither reads your {digit}, with transfer or without"),
    }[outcome]
    if outcome[0] == outcome[1]:
        words = _("True of {share} of the test digits. Only transfer reads {alone}, only scratch {other}.")
        shares = {"alone": taught.share_of(True, False), "other": taught.share_of(False, True)}
    else:
        words = _("True of {share} of the test digits. With {reverse} it is the other way round.")
        shares = {"reverse": taught.share_of(not outcome[0], not outcome[1])}
    shares["share"] = taught.share_of(*outcome)
    return short.format(digit=meant), words.format(**{name: percent(share) for name, share in shares.items()})


def panel(
    taught: Taught,
    known: Sequence[str],
    answers: Mapping[str, Sequence[float] | str],
    item: np.ndarray | None,
    meant: str | None,
    hint: str,
) -> str:
    """Return the headline and the three cards as HTML; of the same height whatever is answered, so that nothing moves.

    Parameters
    ----------
    answers : by model, its probabilities or the sentence that says why there are none; empty while the pad is blank
    item : what they answered to; its checksum is in the markup, so that a reader knows which drawing it is
    hint : what to do, while the pad is blank
    """
    three = cards(taught, known, meant if answers else None)
    read = {way: _label(card, answers.get(card.model)) for way, card in three.items()}
    short, words = (hint, "") if not answers else (_("No answer yet"), next(_reasons(answers), ""))
    say = ""  # to a screen reader: nothing before both have answered
    if read[TRANSFER] and read[SCRATCH]:
        short, words = headline(taught, {way: label for way, label in read.items() if label}, meant)
        say = short
    image = f' data-image="{crc32(item.tobytes()):08x}"' if item is not None else ""
    sections = "".join(_card(card, answers.get(card.model), meant) for card in three.values())
    return (
        f'<div class="answers three" data-say="{escape(say)}"{image}><h2>{escape(short)}</h2>'
        f'<p class="often">{escape(words)}</p>{sections}</div>'
    )


def _reasons(answers: Mapping[str, Sequence[float] | str]) -> Iterator[str]:
    """Yield why models gave no answer; beside the headline, for a card of a phone has no room for a sentence."""
    return (answer for answer in answers.values() if isinstance(answer, str))


def _label(card: Card, answer: Sequence[float] | str | None) -> str | None:
    return None if answer is None or isinstance(answer, str) else verdict(card.class_names, answer).label


def _card(card: Card, answer: Sequence[float] | str | None, meant: str | None) -> str:
    label, sure, picture = NOTHING, "", bars(card.class_names, [0.0] * len(card.class_names))
    if isinstance(answer, str):
        sure = _("no answer")
    elif answer is not None:
        said = verdict(card.class_names, answer)
        sure = _("{share:.0f} % sure").format(share=100 * said.probability) if said.sure else in_words(said)
        label, picture = said.label, bars(card.class_names, answer)
    right = "" if meant is None or label == NOTHING else _("right") if label == meant else _("wrong")
    given = f' data-answer="{escape(label)}"' if label != NOTHING else ""
    return (
        f'<section class="answer" data-model="{escape(card.model)}"><h3>{escape(card.title)}</h3>'
        f'<p class="big"{given}>{escape(label)} <small>{escape(right)}</small></p>'
        f'<p class="sure">{escape(sure)}</p>{picture}'
        f'<p class="why">{escape(card.sentence)}</p><p class="share">{escape(share_words(card.share))}</p></section>'
    )


def share_words(share: Share) -> str:
    """Return a measured share with its interval."""
    return _("Right on {mean} of the test digits ({interval})").format(
        mean=percent(share.mean), interval=between(share.low, share.high)
    )


def learned_from(png: bytes, taught: Taught) -> str:
    """Return the images that both taught networks learned from, with a sentence."""
    n = taught.per_class
    words = _("Both learned from these {n} images of each digit.").format(n=n)
    alt = _("{n} handwritten examples of each digit from {first} to {last}").format(
        n=n, first=taught.class_names[0], last=taught.class_names[-1]
    )
    address = f"data:image/png;base64,{b64encode(png).decode()}"
    picture = f'<img src="{address}" alt="{escape(alt)}">'
    return f'<figure class="learned">{picture}<figcaption>{escape(words)}</figcaption></figure>'


def over_seeds(taught: Taught) -> str:
    """Return the three accuracies over all seeds in one sentence."""
    after, scratch = (taught.over_seeds(way) for way in (TRANSFER, SCRATCH))
    return _(
        "Right on average over {n} repetitions (seeds), each with different images: {before} before transfer, {after} "
        "({after_interval}) "
        "after, {scratch} ({scratch_interval}) from scratch."
    ).format(
        n=len(taught.seeds),
        before=percent(taught.share_before.mean),
        after=percent(after.mean),
        after_interval=between(after.low, after.high),
        scratch=percent(scratch.mean),
        scratch_interval=between(scratch.low, scratch.high),
    )


def provenance(taught: Taught) -> str:
    """Return how the two networks were made, and how the one pair that answers here was picked."""
    tuned, scratch = (taught.ways[way] for way in (TRANSFER, SCRATCH))
    return _(
        "Recorded on {date} ({machine}) by `{command}`. Both took {steps} steps on the same images with the same seed. "
        "What is frozen ({frozen}) and the learning rates ({rate:g} and {other:g}) were chosen on validation images, "
        "never on the test digits. Of {n} seeds the pair used here is the one closest to the medians: seed "
        "{seed}. Each share is of {n_test:,} test digits, with its 95 % interval."
    ).format(
        date=taught.date,
        machine=taught.machine,
        command=taught.command,
        steps=taught.n_steps,
        frozen=", ".join(tuned.frozen) or _("nothing"),
        rate=tuned.learning_rate,
        other=scratch.learning_rate,
        n=len(taught.seeds),
        seed=taught.seed,
        n_test=taught.n_test,
    )
