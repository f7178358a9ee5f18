"""Sentences that stay a template and its values until they are shown, so that a reader gets them in their language."""

import json
import re
from collections.abc import Callable, Iterable
from string import Formatter
from typing import Any

_BAD_FIELDS = (KeyError, ValueError, IndexError, AttributeError, TypeError)  # of a template that its values do not fit


class Sentence:
    """A sentence fit for a page; ``str()`` gives it in English.

    Parameters
    ----------
    template : English with ``str.format`` fields
    values : the values of those fields; one that is prose is a Sentence itself

    Examples
    --------
    >>> str(Sentence("{n:,} of {what}", n=1000, what=Sentence("the images")))
    '1,000 of the images'
    >>> bool(Sentence("")), Sentence("a {x}", x=1) == Sentence("a {x}", x=2)
    (False, False)
    """

    __slots__ = ("template", "values")

    def __init__(self, template: str, /, **values: object):
        self.template, self.values = template, values

    def fill(self, translate: Callable[[str], str]) -> str:
        """Return the text, with this template and those of the sentences inside it put through ``translate``."""
        values = {name: _filled(name, value, translate) for name, value in self.values.items()}
        try:
            return translate(self.template).format(**values)
        except _BAD_FIELDS:  # a slip in a catalogue costs the translation, not the page
            return self.template.format(**values)

    def __str__(self) -> str:
        return self.fill(str)

    def __repr__(self) -> str:
        return "Sentence(" + ", ".join([repr(self.template), *(f"{k}={v!r}" for k, v in self.values.items())]) + ")"

    def __bool__(self) -> bool:
        return bool(self.template)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sentence):
            return NotImplemented
        return (self.template, self.values) == (other.template, other.values)

    def __hash__(self) -> int:
        return hash(self.template)


# Fields that hold the title of something that ships: of a network, a set, a way to learn. Sentences that were recorded
# hold them as plain text, which a catalogue knows too.
TITLED = frozenset(("first", "second", "best", "scratch", "quick", "slow", "title", "target", "task", "source", "name"))


def _filled(name: str, value: object, translate: Callable[[str], str]) -> object:
    if isinstance(value, Sentence):
        return value.fill(translate)
    # One word may be a person's own, such as the name of a class.
    return translate(value) if name in TITLED and isinstance(value, str) and not value.isalpha() else value


NOTHING = Sentence("")


def noun(word: str | Sentence) -> Sentence:
    """Return a word that a sentence has a field for; who passes it sees that catalogues know it (``check_choice``)."""
    return word if isinstance(word, Sentence) else Sentence(word)


def verbatim(text: str) -> Sentence:
    """Return a text that holds no fields as a Sentence.

    Examples
    --------
    >>> str(verbatim("a {b}"))
    'a {b}'
    """
    return Sentence(text.replace("{", "{{").replace("}", "}}"))


def join(sentences: Iterable[Sentence], separator: str = " ") -> Sentence:
    """Return several as one, each once.

    Examples
    --------
    >>> str(join([Sentence("One."), Sentence("Two."), Sentence("One.")]))
    'One. Two.'
    """
    parts = {f"part_{i}": sentence for i, sentence in enumerate(dict.fromkeys(sentences))}
    if len(parts) < 2:
        return next(iter(parts.values()), NOTHING)
    return Sentence(separator.join(f"{{{name}}}" for name in parts), **parts)


# -- as JSON ---------------------------------------------------------------------------------------------------------


def encode(sentence: Sentence) -> dict[str, Any]:
    """Return a Sentence as JSON values; a value that JSON does not know is kept as its text."""
    return {"template": sentence.template, "values": {name: _encoded(v) for name, v in sentence.values.items()}}


def _encoded(value: Any) -> Any:
    if isinstance(value, Sentence):
        return encode(value)
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_encoded(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else str(value)  # as NumPy's numbers have


def decode(value: Any) -> Sentence:
    """Return the Sentence of ``encode``; also of plain text, which older versions stored.

    Examples
    --------
    >>> decode({"template": "{n} labels", "values": {"n": 5}}), decode("Took long.")
    (Sentence('{n} labels', n=5), Sentence('Took long.'))
    """
    if isinstance(value, str):
        return verbatim(value)
    sentence = _decoded(value)
    if not isinstance(sentence, Sentence):
        return NOTHING
    try:
        str(sentence)
    except _BAD_FIELDS:
        return verbatim(sentence.template)
    return sentence


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    if not _is_encoded(value):
        return value
    return Sentence(value["template"], **{name: _decoded(v) for name, v in value["values"].items()})


def _is_encoded(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"template", "values"}
        and isinstance(value["template"], str)
        and isinstance(value["values"], dict)
    )


def dumps(sentence: Sentence) -> str:
    """Return a Sentence as text for a column; an empty one is ``""``."""
    return json.dumps(encode(sentence)) if sentence else ""


def loads(text: str) -> Sentence:
    """Return the Sentence of ``dumps``, or of the plain text that an older version stored.

    Examples
    --------
    >>> loads(dumps(Sentence("{n} labels", n=5))), loads("{not JSON}")
    (Sentence('{n} labels', n=5), Sentence('{{not JSON}}'))
    """
    try:
        value = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        value = None
    return decode(value) if _is_encoded(value) else verbatim(text)


def in_english(value: Any) -> Any:
    """Return JSON values with every Sentence among them as its English text.

    Examples
    --------
    >>> in_english({"reason": encode(Sentence("{n} labels", n=5)), "n": 5})
    {'reason': '5 labels', 'n': 5}
    """
    if isinstance(value, Sentence):
        return str(value)
    if _is_encoded(value):
        return str(decode(value))
    if isinstance(value, dict):
        return {name: in_english(part) for name, part in value.items()}
    return [in_english(part) for part in value] if isinstance(value, list | tuple) else value


# -- from a stranger -------------------------------------------------------------------------------------------------

_PLAIN_SPEC = re.compile(r",?(\.\d)?[defgs%]?")  # no width: "{n:>999999999}" would fill the memory
MOST_DEEP, MOST_LONG, MOST_NUMBER = 5, 5_000, 2**53  # sentences in sentences; characters; and how large a number is


def is_plain(value: Any, depth: int = MOST_DEEP) -> bool:
    """Return whether JSON values of a stranger's file can be decoded and filled as a Sentence.

    Examples
    --------
    >>> is_plain({"template": "{n:,} of {m}", "values": {"n": 1, "m": "x"}})
    True
    >>> is_plain({"template": "{n:>999999999}", "values": {"n": 1}})
    False
    """
    if not _is_encoded(value) or not depth or len(value["template"]) > MOST_LONG:
        return False
    try:
        parts = list(Formatter().parse(value["template"]))
    except ValueError:
        return False
    fields = [(name, form or "", how) for _text, name, form, how in parts if name is not None]
    good = all(name.isidentifier() and _PLAIN_SPEC.fullmatch(form) and how in (None, "r") for name, form, how in fields)
    return good and all(_is_plain_value(each, depth - 1) for each in value["values"].values())


def _is_plain_value(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return len(value) <= MOST_LONG and all(_is_plain_value(each, depth - 1) for each in value) if depth else False
    if isinstance(value, dict):
        return is_plain(value, depth)
    if isinstance(value, str):
        return len(value) <= MOST_LONG
    return value is None or isinstance(value, int | float) and abs(value) <= MOST_NUMBER


# -- numbers in sentences, the same on every page and in every command -----------------------------------------------


def one_line(text: str) -> str:
    """Return what a person typed as it can be shown anywhere: letters that can be seen, in one line.

    Examples
    --------
    >>> one_line("  my\\n \\u202erobot ")
    'my robot'
    """
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def percent(share: float, digits: int = 1) -> str:
    """Return a share of one as a percentage.

    Examples
    --------
    >>> percent(0.982), percent(1, digits=0)
    ('98.2 %', '100 %')
    """
    return f"{share:.{digits}%}"[:-1] + " %"


def spread(mean: float, width: float | None) -> str:
    """Return the mean of shares with what is to either side of it, where that is known.

    Examples
    --------
    >>> spread(0.982, 0.004), spread(0.982, None)
    ('98.2 ± 0.4 %', '98.2 %')
    """
    return percent(mean) if width is None else f"{percent(mean)[:-2]} ± {percent(width)}"


def between(low: float, high: float) -> str:
    """Return the interval of a share.

    Examples
    --------
    >>> between(0.974, 0.988)
    '97.4 – 98.8 %'
    """
    return f"{percent(low)[:-2]} – {percent(high)}"
