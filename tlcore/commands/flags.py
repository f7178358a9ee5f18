"""The words of a command line as argparse reads them: every refusal is one sentence, a SpecError."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from tlcore import heads, sources
from tlcore.errors import SpecError
from tlcore.prediction import ModelName
from tlcore.sentences import Sentence
from tlcore.spec import RANGES, ByHand, check_choice, check_number
from tlcore.translation import _, ngettext

MOST = 1_000_000  # of a limit
MOST_PIXEL = 100_000
RUN = str(ModelName.run(""))  # before the id of a run, where a source is named


# What argparse itself says, in versions of Python from 3.11 on; its messages are a catalogue's like ours.
ARGPARSE = (
    Sentence("usage: "),
    Sentence("positional arguments"),
    Sentence("options"),
    Sentence("show this help message and exit"),
    Sentence("argument %(argument_name)s: %(message)s"),
    Sentence("the following arguments are required: %s"),
    Sentence("unrecognized arguments: %s"),
    Sentence("not allowed with argument %s"),
    Sentence("invalid choice: %(value)r (choose from %(choices)s)"),
    Sentence("unknown parser %(parser_name)r (choices: %(choices)s)"),
    Sentence("expected one argument"),
    Sentence("expected at most one argument"),
    Sentence("expected at least one argument"),
    Sentence("ignored explicit argument %r"),
    Sentence("invalid %(type)s value: %(value)r"),
    Sentence("one of the arguments %s is required"),
)
for _name, _word in (("_", _), ("ngettext", ngettext)):  # else it asks gettext's own domain, which is nobody's
    setattr(argparse, _name, _word)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; takes no shortened flags, for the next new flag would break who uses them."""

    def __init__(self, **keywords: Any):
        super().__init__(**keywords, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> NoReturn:
        raise SpecError("{message}. See {prog} --help.", message=message[:1].upper() + message[1:], prog=self.prog)


def number(name: str) -> Callable[[str], Any]:
    """Return a reader of a number of ``RANGES``; its SpecError goes through argparse as it is."""
    kind = int if isinstance(RANGES[name][0], int) else float

    def read(text: str) -> float:
        try:
            return check_number(name, kind(text))
        except ValueError:
            return check_number(name, text)

    return read


def choice(what: str, choices: Sequence[str]) -> Callable[[str], str]:
    """Return a reader of one word of ``choices``."""

    def read(text: str) -> str:
        check_choice(what, text, tuple(choices))
        return text

    return read


def source(text: str) -> str:
    """Read the name of a source model; whether one that a person added is there is seen in its data folder.

    ``run:ID`` is the network that a run left: it is made a source when the command is done.
    """
    if text.startswith(RUN):
        return Trained(text.removeprefix(RUN))
    return text if sources.is_uploaded(text) else choice("source model", sources.names())(text)


class Trained(str):
    """The id of a run, as it was typed, whose network is the source: it is looked for in the data folder, later."""


class Task(str):
    """The name or title of a target task, as it was typed: own pictures are looked for in the data folder, later."""


def several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """Return a reader of words with commas between them; one that comes twice counts once.

    Examples
    --------
    >>> several(str)("b, a,,b")
    ('b', 'a')
    """
    return lambda text: tuple(dict.fromkeys(read(word.strip()) for word in text.split(",") if word.strip()))


def by_hand(text: str) -> ByHand:
    """Read one hyperparameter, "linear_svm.C=0.1"."""
    name, equals, value = text.partition("=")
    head, dot, knob = name.partition(".")
    if not (equals and dot):
        raise SpecError("--set takes HEAD.NAME=VALUE. Received: {text!r}. Try linear_svm.C=0.1.", text=text)
    known = {each.name: each for each in heads.info(head).knobs}
    check_choice(Sentence("setting of {head}", head=head), knob, tuple(known))
    return ByHand(head, knob, known[knob].read(value))


def all_or(name: str) -> Callable[[str], Any]:
    """Return a reader of a number of ``RANGES``, or of the word "all"."""
    return lambda text: text if text == "all" else number(name)(text)


def pixel_value(text: str) -> float:
    """Read what a network was trained to take for a pixel."""
    try:
        value = float(text)
    except ValueError:
        value = MOST_PIXEL + 1.0
    if not -MOST_PIXEL <= value <= MOST_PIXEL:
        raise SpecError(
            "A pixel's value must be a number from -{most:,} to {most:,}. Received: {text!r}. Try 255.",
            most=MOST_PIXEL,
            text=text,
        )
    return value


def limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MOST):
        raise SpecError("The limit must be a whole number from 1 on. Received: {text!r}. Try 50.", text=text)
    return int(text)


def folder(text: str) -> Path | None:
    return Path(os.path.expanduser(text)) if text else None  # Path's own raises where there is no such person
