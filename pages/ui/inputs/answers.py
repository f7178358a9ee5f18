"""What models answer to one image, as cards of bars, number and words. One HTML block, so that it follows the pen."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from zlib import crc32

import numpy as np

from pages.ui.words.text import _
from tlcore.prediction import REFERENCE_SURE, ModelName, PredictorInfo, Verdict, verdict
from tlcore.sentences import percent

from .pictures import address

REFERENCE = str(ModelName.source("digits"))


def reference_label(names: Sequence[str], probabilities: Sequence[float] | str | None) -> str | None:
    """Return the digit that the all-digits model is sure of, or None."""
    if probabilities is None or isinstance(probabilities, str):
        return None
    best = int(np.argmax(probabilities))
    return names[best] if probabilities[best] >= REFERENCE_SURE else None


def cards(infos: Sequence[PredictorInfo], answers: Mapping[str, Sequence[float] | str], item: np.ndarray) -> str:
    """Return one card per model that answered; a text in ``answers`` is shown as that model's failure.

    ``item`` is what they answered to; its checksum is in the markup, so that a reader knows which drawing it is.
    """
    digits = next((info for info in infos if info.name == REFERENCE), None)
    reference = reference_label(digits.class_names, answers.get(REFERENCE)) if digits else None
    found = [_card(info, answers[info.name], reference) for info in infos if info.name in answers]
    return f'<div class="answers" aria-live="polite" data-image="{crc32(item.tobytes()):08x}">{"".join(found)}</div>'


def _card(info: PredictorInfo, answer: Sequence[float] | str, reference: str | None) -> str:
    head = f'<section class="answer kind-{info.kind}" data-model="{escape(info.name)}"><h4>{escape(info.title)}</h4>'
    if isinstance(answer, str):
        return f'{head}<p class="warn">⚠ {escape(answer)}</p></section>'
    said = verdict(info.class_names, answer, reference)
    size = "big" if len(said.label) < 3 else "big word"
    return (
        f'{head}<p class="{size}" data-answer="{escape(said.label)}">{escape(said.label)}</p>'
        f'<p class="sure">{escape(in_words(said))}</p>{bars(info.class_names, answer)}{_warning(info, said)}</section>'
    )


def in_words(said: Verdict) -> str:
    """Return an answer as a sentence: ``7, 93 % sure`` or ``Not sure: 4 or 9``."""
    if said.sure:
        return _("{label}, {share:.0f} % sure").format(label=said.label, share=100 * said.probability)
    return _("Not sure: {label} ({share:.0f} %) or {second}").format(
        label=said.label, share=100 * said.probability, second=said.second
    )


def _warning(info: PredictorInfo, said: Verdict) -> str:
    if said.outside:
        text = _("Outside its classes: it only knows {names}.").format(names=span(info.class_names))
    elif not said.sure:
        text = _("Unsure: take this answer as a guess.")
    else:
        return ""
    return f'<p class="warn">⚠ {escape(text)}</p>'


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


def bars(names: Sequence[str], probabilities: Sequence[float]) -> str:
    """Return one column for each class, as high as its probability; the highest is coloured."""
    best = int(np.argmax(probabilities))
    label = ", ".join(f"{name} {percent(p, 0)}" for name, p in zip(names, probabilities, strict=True))
    columns = "".join(
        f'<div class="{"best" if i == best and p else ""}" title="{escape(name)}: {percent(p)}">'
        f'<i style="height:calc((100% - 14px) * {max(0.0, min(1.0, p)):.3f})"></i><span>{escape(name[:4])}</span></div>'
        for i, (name, p) in enumerate(zip(names, probabilities, strict=True))
    )
    return f'<div class="bars" role="img" aria-label="{escape(label)}">{columns}</div>'


def seen(picture: np.ndarray, words: str) -> str:
    """Return the exact picture the models saw, uint8, enlarged without smoothing, beside a sentence."""
    alt = _("the {height} by {width} image the models see").format(height=picture.shape[0], width=picture.shape[1])
    return f'<div class="seen"><img src="{address(picture)}" alt="{escape(alt)}"><p>{escape(words)}</p></div>'


def gallery(pictures: Iterable[np.ndarray], captions: Sequence[str]) -> str:
    """Return small pictures, uint8, in a row, each with its caption."""
    figures = "".join(
        f'<figure><img src="{address(picture)}" alt=""><figcaption>{escape(caption)}</figcaption></figure>'
        for picture, caption in zip(pictures, captions, strict=True)
    )
    return f'<div class="gallery">{figures}</div>'
