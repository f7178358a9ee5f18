"""Hyperparameters that a person may set by hand: a Knob for each, with its default, its range and a line of help."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tlcore.errors import SpecError
from tlcore.sentences import Sentence, join, verbatim

PCA = "pca"  # the parameter that ``fit`` itself takes: directions that the features are projected on


@dataclass(frozen=True)
class Knob:
    """One hyperparameter of a head.

    Attributes
    ----------
    name : in specs and on the command line
    default : a number, one of ``choices``, or None
    low, high : the range of a number, both included; whole numbers where ``low`` is an int
    blank : what it means to leave it empty (None); where there is no such word it cannot be empty
    choices : in place of a number: each choice with its title
    param : of the estimator, by scikit-learn's name; "" where that is ``name``
    """

    name: str
    title: Sentence
    help: Sentence
    default: float | str | None = None
    low: float = 0
    high: float = 0
    blank: Sentence | None = None
    choices: Mapping[str, Sentence] | None = None
    param: str = ""

    @property
    def key(self) -> str:
        return self.param or self.name

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int)

    def check(self, value: Any) -> float | str | None:
        """Return ``value``; a SpecError says what it may be."""
        if value is None and self.blank is not None:
            return None
        if isinstance(value, str) and value in (self.choices or {}) or self.choices is None and self._in_range(value):
            return value
        raise SpecError("{name} must be {range}. Received: {value!r}.", name=self.title, range=self.range, value=value)

    def _in_range(self, value: Any) -> bool:
        number = not isinstance(value, bool) and isinstance(value, int if self.whole else int | float)
        return number and self.low <= value <= self.high

    def read(self, text: str) -> float | str | None:
        """Return what a person typed: a number, a choice, or the word for empty; a SpecError says what it may be."""
        if self.blank is not None and text in ("none", str(self.blank)):
            return None
        if self.choices is None:
            for kind in (int, float):
                try:
                    return self.check(kind(text))
                except ValueError:
                    continue
        return self.check(text)

    @property
    def range(self) -> Sentence:
        """What it may be, in words."""
        if self.choices is not None:
            return Sentence("one of {choices}", choices=", ".join(self.choices))
        values = {"low": _number(self.low), "high": _number(self.high), "blank": self.blank}
        if self.whole:
            if self.blank is not None:
                return Sentence("a whole number from {low} to {high}, or {blank}", **values)
            return Sentence("a whole number from {low} to {high}", **values)
        if self.blank is not None:
            return Sentence("a number from {low} to {high}, or {blank}", **values)
        return Sentence("a number from {low} to {high}", **values)

    def words(self, value: Any) -> Sentence:
        """Return a value as a person reads it."""
        if value is None or value == "passthrough":
            return self.blank or verbatim("–")
        return verbatim(_number(value) if isinstance(value, int | float) else str(value))


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def directions(default: int | None = None, param: str = PCA) -> Knob:
    """The PCA in front of a head, which any head may offer."""
    words = Sentence("First reduce the features to this many of their strongest directions.")
    return Knob("pca", Sentence("PCA"), words, default, 1, 1000, blank=Sentence("off"), param=param)


def penalty(default: float, param: str = "") -> Knob:
    words = Sentence("Large: every training image counts. Small: a simpler boundary.")
    return Knob("C", Sentence("C"), words, default, 1e-4, 1e4, param=param)


def check(title: Sentence, knobs: Iterable[Knob], values: Mapping[str, Any]) -> None:
    """Raise a SpecError when a head has no knob of a name, or a value cannot be."""
    known = {knob.name: knob for knob in knobs}
    for name, value in values.items():
        if name not in known:
            raise SpecError(
                "{head} has no {name!r} to set. It has: {knobs}.", head=title, name=name, knobs=", ".join(known) or "–"
            )
        known[name].check(value)


def describe(knobs: Iterable[Knob], values: Mapping[str, Any]) -> Sentence:
    """Return settings in a few words, by the names of their knobs.

    Examples
    --------
    >>> str(describe([penalty(1.0), directions()], {"C": 0.1, "pca": None}))
    'C = 0.1, PCA = off'
    """
    known = {knob.name: knob for knob in knobs}
    return join(
        (
            Sentence("{setting} = {value}", setting=known[name].title, value=known[name].words(value))
            if name in known
            else Sentence("{setting} = {value}", setting=name, value=str(value))
            for name, value in values.items()
        ),
        ", ",
    )
