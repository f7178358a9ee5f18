"""Flags that several commands have: their defaults and ranges come from ``spec``; one that was not given stays None."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from tlcore import datasets, sources
from tlcore.features import freezing
from tlcore.sentences import Sentence
from tlcore.spec import RANGES, SPLITS, DataSpec, FineTuneSpec
from tlcore.translation import _, shown

from .flags import Parser, Task, all_or, choice, folder, number, several, source

NAME = "python -m tlcore"
HOME = Sentence("the data folder; default: TRANSFER_LAB_HOME, else var beside the program")
PRESETS = tuple(freezing.presets(()))
ID = Sentence("a run's id, or its first 6 characters or more")


def add_command(
    commands: Any, name: str, do: Callable[[argparse.Namespace], int], words: str, *examples: str
) -> Parser:
    lines = "\n".join(f"  {NAME} {example}" for example in examples)
    title = _("examples") if examples[1:] else _("example")
    epilog = f"{title}:\n{lines}"
    added = commands.add_parser(
        name, help=words, description=_("{words}.").format(words=words[0].upper() + words[1:]), epilog=epilog
    )
    added.set_defaults(do=do)
    # Without SUPPRESS the command's own default would take back what stood before the command.
    added.add_argument("--home", type=folder, metavar="FOLDER", default=argparse.SUPPRESS, help=shown(HOME))
    return added


def add_task(added: Parser, source_name: str) -> None:
    data = DataSpec()
    add_source(added, "--source", source_name)
    add_target(added, data.target)
    add_word(added, "--split", "split", SPLITS, data.split)
    low, high, default = RANGES["per_class"]
    words = _("training images of each class, {low:,} to {high:,}, or all there are; default {default:,}").format(
        low=low, high=high, default=default
    )
    added.add_argument("--per-class", type=all_or("per_class"), metavar="N|all", help=words)
    words = _("share of the training labels that is shuffled; validation and test labels stay correct")
    add_number(added, "label_noise", words)
    words = _("training images of the first class for one of the last; validation and test images stay as they are")
    add_number(added, "imbalance", words)


def add_target(added: Parser, default: str = "", words: str = "", required: bool = False) -> None:
    names = ", ".join(entry.name for entry in datasets.catalogue())
    listed = _("one of {names}, or own pictures that datasets add made").format(names=names)
    listed += _("; default {default}").format(default=default) if default else ""
    help_words = "; ".join(filter(None, (words, listed)))
    added.add_argument("--target", type=Task, metavar="TARGET", required=required, help=help_words)


def add_source(added: Parser, flag: str, default: str | None = None) -> None:
    words = _("one of {names}, what sources add or keep made, or run:ID").format(names=", ".join(sources.names()))
    words += _("; default {default}").format(default=default) if default else ""
    added.add_argument(flag, type=source, metavar="SOURCE", help=words)


def add_frozen(added: Parser) -> None:
    default = ",".join(FineTuneSpec().phases[0].frozen)
    group = added.add_mutually_exclusive_group()
    words = _("the layers that stay as they are; default {default}").format(default=default)
    group.add_argument("--freeze", type=several(str), metavar="LAYER,LAYER", help=words)
    add_word(group, "--preset", "preset", PRESETS)


def add_number(added: Parser, name: str, words: str, default: bool = True, flag: str = "", dest: str = "") -> None:
    low, high, usual = RANGES[name]
    words += _("; {low:,} to {high:,}").format(low=low, high=high) + (
        _(", default {usual:,}").format(usual=usual) if default else ""
    )
    flag = flag or f"--{name.replace('_', '-')}"
    dest = dest or flag.strip("-").replace("-", "_")
    added.add_argument(flag, dest=dest, type=number(name), metavar="N", help=words)


def add_word(
    added: Any, flag: str, what: str, choices: Sequence[str], default: str | None = None, words: str = ""
) -> None:
    listed = _("one of {names}").format(names=", ".join(choices))
    listed += _("; default {default}").format(default=default) if default else ""
    added.add_argument(
        flag, type=choice(what, choices), metavar=flag.strip("-").upper(), help="; ".join(filter(None, (words, listed)))
    )


def add_words(
    added: Parser, flag: str, read: Callable[[str], str], choices: Sequence[str], default: Sequence[str]
) -> None:
    words = _("of {names}; default {default}").format(names=", ".join(choices), default=",".join(default))
    added.add_argument(flag, type=several(read), metavar="NAME,NAME", help=words)


def add_json(added: Parser) -> None:
    added.add_argument("--json", action="store_true", help=_("print JSON"))
