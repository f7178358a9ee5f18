"""What models answer to one image: one of them large, others as a list. HTML blocks, so that they follow the pen."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from zlib import crc32

import numpy as np

from pages.ui.charts import markup
from pages.ui.words.numbers import percent
from pages.ui.words.text import _, shown
from tlcore.prediction import ModelName, PredictorInfo, Verdict, verdict
from tlcore.prediction.outside import Outside, read
from tlcore.prediction.serving import LATE, LOADING

from .pictures import address

NOTHING = "–"  # where an answer will stand
MOST_LETTERS = 24  # of class names beside a model's title
FEW, MOST_BELOW = 5, 4  # with more classes than that, a longer name stands upright below its bar
Answer = Sequence[float] | str


@dataclass(frozen=True)
class Answers:
    """What models said of one item: by name their probabilities, or the sentence that says why there are none.

    ``item`` is None while there is nothing to answer to, and ``hint`` says what to do.
    """

    item: np.ndarray | None = None
    hint: str = ""
    found: Mapping[str, Answer] = field(default_factory=dict)

    def of(self, info: PredictorInfo) -> Answer | None:
        answer = self.found.get(info.name)
        return _("loading …") if answer in (LATE, LOADING) else answer

    def outside(self, info: PredictorInfo) -> Outside | None:
        """Return whether the item is like what that model was made for; None where that is not told."""
        return read(self.found.get(str(ModelName.outside(info.name))))

    def is_checked(self, info: PredictorInfo) -> bool:
        """Return whether that is still to come."""
        return self.found.get(str(ModelName.outside(info.name))) in (LATE, LOADING)


def titles(infos: Iterable[PredictorInfo]) -> dict[str, str]:
    """Return what models are called, by name; of two that would be called the same, when they were made too."""
    called = {info.name: (shown(info.title), info.made) for info in infos}
    often, seen = Counter(title for title, _made in called.values()), Counter[str]()
    found = {}
    for name, (title, made) in called.items():
        if often[title] > 1 and made is not None:
            title = f"{title} ({_moment(made)})"
        seen[title] += 1
        found[name] = title if seen[title] == 1 else f"{title} #{seen[title]}"
    return found


def _moment(made: float) -> str:
    when = datetime.fromtimestamp(made)
    return f"{when:%H:%M:%S}" if when.date() == datetime.now().date() else f"{when:%Y-%m-%d %H:%M}"


def large(info: PredictorInfo, title: str, answers: Answers, picture: np.ndarray | None) -> str:
    """Return one model's answer, large; as high without an answer as with one, so that nothing moves.

    The item's checksum is in the markup, so that a reader knows which drawing was answered.

    Parameters
    ----------
    picture : of the item, uint8
    """
    image = f' data-image="{crc32(answers.item.tobytes()):08x}"' if answers.item is not None else ""
    return (
        f'<div class="answers large" data-say="{escape(_told(info, title, answers))}"{image}>'
        f'<section class="answer" data-model="{escape(info.name)}"><h2>{escape(title)}</h2>'
        f"{_body(info, answers)}{_seen(picture)}</section></div>"
    )


def _body(info: PredictorInfo, answers: Answers) -> str:
    answer, told = answers.of(info), answers.outside(info)
    empty = bars(info.class_names, [0.0] * len(info.class_names))
    if answer is None:
        return f'<p class="big">{NOTHING}</p><p class="sure">{escape(answers.hint)}</p>{empty}<p class="warn"></p>'
    if isinstance(answer, str):
        return f'<p class="big">{NOTHING}</p><p class="sure">{escape(answer)}</p>{empty}<p class="warn"></p>'
    said = verdict(info.class_names, answer)
    if told is not None and told.is_outside:
        big, words = _("Outside"), outside_words(info, said)
    else:
        big, words = said.label, in_words(said)
    size = "big" if len(big) < 3 else "big word"
    return (
        f'<p class="{size}" data-answer="{escape(said.label)}"{_mark(told)}>{escape(big)}</p>'
        f'<p class="sure">{escape(words)}</p>{bars(info.class_names, answer, numbered=True)}'
        f'<p class="warn">{escape(_checking() if answers.is_checked(info) else _note(said, told))}</p>'
    )


def _told(info: PredictorInfo, title: str, answers: Answers) -> str:
    """Return what a screen reader is told of an answer; nothing while there is none."""
    answer, told = answers.of(info), answers.outside(info)
    if answer is None or isinstance(answer, str):
        return answer or ""
    said = verdict(info.class_names, answer)
    words = outside_words(info, said) if told is not None and told.is_outside else in_words(said)
    return _("{title}: {words}").format(title=title, words=words)


def _mark(told: Outside | None) -> str:
    return "" if told is None else f' data-outside="{"yes" if told.is_outside else "no"}"'


def outside_words(info: PredictorInfo, said: Verdict) -> str:
    """Return what an answer is worth to an item that is like none of a model's classes."""
    words = _("This looks like nothing it was trained on: it only knows {names}. If it has to choose, it says {label}.")
    return words.format(names=span(info.class_names), label=said.label)


def in_words(said: Verdict) -> str:
    """Return an answer as a sentence: ``7, 93 % sure`` or ``Not sure: 4 or 9``."""
    if said.sure:
        return _("{label}, {share:.0f} % sure").format(label=said.label, share=100 * said.probability)
    return _("Not sure: {label} ({share:.0f} %) or {second}").format(
        label=said.label, share=100 * said.probability, second=said.second
    )


def _checking() -> str:
    return _("Still checking whether this is outside …")


def _note(said: Verdict, told: Outside | None) -> str:
    if told is not None and told.is_outside:
        return _("It wrongly calls {share} of its own test images outside.").format(share=percent(told.false_alarms))
    return "" if said.sure else _("Unsure: take this answer as a guess.")


def _seen(picture: np.ndarray | None) -> str:
    """Return the exact picture that the models see, enlarged without smoothing; its place while there is none."""
    if picture is None:
        return '<p class="seen"></p>'
    alt = _("the {height} by {width} image the models see").format(height=picture.shape[0], width=picture.shape[1])
    return f'<p class="seen"><img src="{address(picture)}" alt="{escape(alt)}"></p>'


def others(infos: Sequence[PredictorInfo], called: Mapping[str, str], answers: Answers) -> str:
    """Return the answers of several models as a list, in the order of the story: before transfer, after, without."""
    groups = {"before": _("Before transfer"), "after": _("After transfer"), "without": _("Without transfer")}
    parts = []
    for group, words in groups.items():
        if rows := [_row(info, called[info.name], answers) for info in infos if info.transfer == group]:
            parts.append(f'<h3>{escape(words)}</h3><ul class="rows">{"".join(rows)}</ul>')
    return f'<div class="others">{"".join(parts)}</div>'


def _row(info: PredictorInfo, title: str, answers: Answers) -> str:
    answer, told = answers.of(info), answers.outside(info)
    label, given, share, width = NOTHING, "", "", 0.0
    if isinstance(answer, str):
        share = answer
    elif answer is not None:
        said = verdict(info.class_names, answer)
        given, label, width = f' data-answer="{escape(said.label)}"{_mark(told)}', said.label, said.probability
        share = percent(said.probability, 0)
        if told is not None and told.is_outside:
            share = _("none of these; closest: {label}").format(label=said.label)
            label, width = NOTHING, 0.0
    knows = escape(_("knows {names}").format(names=_brief(info.class_names)))
    size = ' class="word"' if len(label) > 2 else ""
    return (
        f'<li data-model="{escape(info.name)}"><span class="model">{escape(title)} <small>{knows}</small></span>'
        f'<i class="meter"><i style="width:{100 * width:.0f}%"></i></i>'
        f'<b{given}{size}>{escape(label)}</b><span class="share">{escape(share)}</span></li>'
    )


def span(names: Sequence[str]) -> str:
    """Return class names in short.

    Examples
    --------
    >>> span(["5", "6", "7"]), span(["cat", "dog"])
    ('5–7', 'cat, dog')
    """
    digits = [int(name) for name in names if name.isdigit()]
    if len(digits) == len(names) > 2 and digits == list(range(digits[0], digits[-1] + 1)):
        return f"{digits[0]}–{digits[-1]}"
    return ", ".join(names)


def _brief(names: Sequence[str]) -> str:
    """Return class names in short, or how many there are."""
    words = span(names)
    return words if len(words) <= MOST_LETTERS else _("{n} classes").format(n=len(names))


def save_buttons(key: str, of: str, alt: str) -> None:
    """Show the buttons that save a large answer; ``of``, a CSS selector, finds it in the page."""
    markup.save_buttons(key, f"{of} .answer", alt, (_("class"), _("probability")))


def bars(names: Sequence[str], probabilities: Sequence[float], numbered: bool = False) -> str:
    """Return one column for each class, as high as its probability; the highest is coloured.

    With ``numbered`` each has its class and number in ``data-row``, for who saves them.
    """
    best = int(np.argmax(probabilities))
    label = ", ".join(f"{name} {percent(p, 0)}" for name, p in zip(names, probabilities, strict=True))
    columns = "".join(
        f'<div class="{"best" if i == best and p else ""}" title="{escape(name)}: {percent(p)}"'
        f"{_numbers(name, p) if numbered else ''}>"
        f'<i style="height:calc((100% - var(--below)) * {max(0.0, min(1.0, p)):.3f})"></i>'
        f"<span>{escape(name)}</span></div>"
        for i, (name, p) in enumerate(zip(names, probabilities, strict=True))
    )
    upright = " upright" if len(names) > FEW and max(map(len, names)) > MOST_BELOW else ""
    return f'<div class="bars{upright}" role="img" aria-label="{escape(label)}">{columns}</div>'


def _numbers(name: str, probability: float) -> str:
    return f' data-row="{escape(json.dumps([name, round(float(probability), 6)]))}"'


def gallery(pictures: Iterable[np.ndarray], captions: Sequence[str]) -> str:
    """Return small pictures, uint8, in a row, each with its caption."""
    figures = "".join(
        f'<figure><img src="{address(picture)}" alt=""><figcaption>{escape(caption)}</figcaption></figure>'
        for picture, caption in zip(pictures, captions, strict=True)
    )
    return f'<div class="gallery">{figures}</div>'
