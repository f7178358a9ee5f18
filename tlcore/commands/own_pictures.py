"""``datasets report``, ``add``, ``remove``, ``rename`` and ``pack``: a person's own pictures, without a browser."""

import argparse
import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Choices, Given, Plan, Report
from tlcore.errors import SpecError, StoreError
from tlcore.sentences import Sentence, in_english
from tlcore.translation import _, shown

from . import console
from .console import table
from .flags import all_or, choice, several
from .options import add_command, add_json, add_number

FILES = Sentence(
    "a ZIP of class folders, such a folder, pictures in folders of their class, a CSV, an NPZ or IDX files"
)
SET = Sentence("its name or title")


def add_actions(actions: Any) -> None:
    """Add the lines of these commands."""
    words = _("look at pictures of your own and say what is wrong with them; nothing is kept")
    added = add_command(actions, "report", report, words, "datasets report pets.zip", "datasets report x.csv x.zip")
    _add_files(added)
    _add_choices(added)
    add_json(added)
    words = _("keep pictures of your own as a target task")
    examples = ("datasets add pets pets.zip", "datasets add pets pets.zip --rename kitten=cat --leave-out misc")
    added = add_command(actions, "add", add, words, *examples)
    added.add_argument("title", metavar="NAME", help=_("what it is called, as in --target NAME"))
    _add_files(added)
    _add_choices(added)
    add_json(added)
    words = _("take own pictures off the list, or with --undo put them back")
    added = add_command(actions, "remove", remove, words, "datasets remove pets")
    added.add_argument("set", metavar="NAME", help=shown(SET))
    added.add_argument("--undo", action="store_true", help=_("for an hour"))
    words = _("call own pictures something else")
    added = add_command(actions, "rename", rename, words, "datasets rename pets animals")
    added.add_argument("set", metavar="NAME", help=shown(SET))
    added.add_argument("title", metavar="TITLE", help=_("what it is called from now on"))
    words = _("give some own pictures another class or leave them out: a new version beside the old one")
    examples = ("datasets revise pets --relabel train/12=dog --leave-out test/3", "datasets pack pets pets.zip")
    added = add_command(actions, "revise", revise, words, *examples)
    added.add_argument("set", metavar="NAME", help=shown(SET))
    words = _("the class of a picture, numbered as datasets pack writes it; may be given again")
    added.add_argument("--relabel", action="append", default=[], metavar="PART/N=CLASS", help=words)
    added.add_argument("--leave-out", type=several(str), default=(), metavar="PART/N,PART/N", help=_("pictures"))
    added.add_argument("--title", default="", metavar="TITLE", help=_("default: the old one with a number"))
    words = _("write own pictures as a ZIP of class folders")
    added = add_command(actions, "pack", pack, words, "datasets pack pets pets.zip")
    added.add_argument("set", metavar="NAME", help=shown(SET))
    added.add_argument("file", type=Path, metavar="FILE", help=_("the ZIP"))


def _add_files(added: argparse.ArgumentParser) -> None:
    added.add_argument("files", type=Path, nargs="+", metavar="FILE", help=shown(FILES))


def _add_choices(added: Any) -> None:
    words = _("28 × 28 grey, which the digit networks read, or 96 × 96 in colour; default: what fits the pictures")
    added.add_argument("--form", type=choice("form", tuple(own_sets.FORMS)), metavar="image|photo", help=words)
    words = _("another name for a class; equal names merge; may be given again")
    added.add_argument("--rename", action="append", default=[], type=_renamed, metavar="CLASS=NAME", help=words)
    added.add_argument("--leave-out", type=several(str), default=(), metavar="CLASS,CLASS", help=_("classes"))
    words = _("what is mended, as the report names it, or none; default: what the report marks with a star")
    added.add_argument("--mend", type=several(str), metavar="MEND,MEND|none", help=words)
    words = _("at most so many pictures of each class, drawn by the seed")
    added.add_argument("--per-class", type=all_or("per_class"), metavar="N|all", help=words)
    added.add_argument("--own-split", action="store_true", help=_("draw the test part, though the files bring one"))
    added.add_argument("--test-share", type=_share, metavar="SHARE", help=_("of each class, 0.05 to 0.5; default 0.2"))
    add_number(added, "seed", _("of what is drawn"))


def _renamed(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not (equals and old and new.strip()):
        raise SpecError("--rename takes CLASS=NAME. Received: {text!r}. Try kitten=cat.", text=text)
    return old, new


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise SpecError("--test-share takes a number. Received: {text!r}. Try 0.2.", text=text) from error


def _choices(options: Namespace) -> Choices:
    usual = Choices()
    mends = options.mend if options.mend != ("none",) else ()
    return Choices(
        form=options.form or "",
        names=(*options.rename, *((name, "") for name in options.leave_out)),
        mends=mends,
        per_class=None if options.per_class == "all" else options.per_class,
        own_split=options.own_split,
        test_share=usual.test_share if options.test_share is None else options.test_share,
        seed=usual.seed if options.seed is None else options.seed,
    )


def given_files(paths: list[Path]) -> Iterator[Given]:
    """Yield the files that paths name, those below a folder too; raises a SpecError where one is not there."""
    for path in paths:
        if os.path.isdir(path):
            for at, folders, names in os.walk(path):
                folders.sort()
                inside = Path(at).relative_to(path)
                yield from (Given(Path(at) / name, str(inside / name)) for name in sorted(names))
        elif os.path.isfile(path):
            yield Given(path, os.path.relpath(path) if len(paths) > 1 else path.name)
        else:
            raise SpecError("There is no file {file}. Name {files}.", file=path, files=FILES)


def _looked(options: Namespace) -> Report:
    told = console.tell if options.json else console.say
    last = 0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if done - last >= 1000:
            last = done
            told(_("{n:,} of {total:,} pictures read").format(n=done, total=total))

    return own_sets.look(list(given_files(options.files)), progress=progress)


def report(options: Namespace) -> int:
    """Show what is wrong with files, and what they would give."""
    found = _looked(options)
    try:
        planned = own_sets.plan(found.id, found.owner, _choices(options))
    finally:
        own_sets.discard(found.id, found.owner)
    values = {**found.to_json(), "plan": planned.to_json()}
    return console.show(options, in_english(values), report_words(found, planned))


def report_words(found: Report, planned: Plan) -> str:
    """Return a report and a plan as text."""
    sizes = found.sizes
    lines = [
        _("{kind}: {n:,} pictures in {k} classes, {w} × {h} to {most_w} × {most_h} pixels").format(
            kind=console.words(found.kind_words),
            n=found.n,
            k=len(found.classes),
            w=sizes.least[0],
            h=sizes.least[1],
            most_w=sizes.most[0],
            most_h=sizes.most[1],
        ),
        *(f"- {shown(finding.sentence)}{_mend_words(finding)}" for finding in found.findings),
        table(
            [_("class"), _("train"), _("test")],
            [[count.name, count.n_train, count.n_test] for count in planned.classes],
        ),
        _("Kept as {form}; left out: {n:,}").format(form=planned.form, n=planned.n_left_out),
        *map(shown, planned.problems),
    ]
    return "\n".join(lines)


def _mend_words(finding: own_sets.Finding) -> str:
    if not finding.mend:
        return ""
    name = f"{finding.mend}{'*' if finding.default else ''}"
    return _(" Mend {name}: {words}.").format(name=name, words=console.words(finding.mend_words))


def add(options: Namespace) -> int:
    """Keep files as a target task."""
    found = _looked(options)
    try:
        card = own_sets.add(found.id, options.title, _choices(options))
    finally:
        own_sets.discard(found.id, found.owner)
    words = _("{name}: {title}, {n:,} pictures in {k} classes, {form}")
    lines = [
        words.format(name=card.name, title=card.title, n=card.n, k=len(card.class_names), form=card.form),
        *(f"- {console.words(note)}" for note in card.notes),
    ]
    return console.show(options, in_english(card.to_json()), "\n".join(lines))


def remove(options: Namespace) -> int:
    own_sets.remove(_named(options.set, options.undo), removed=not options.undo)
    return console.OK


def rename(options: Namespace) -> int:
    own_sets.rename(_named(options.set), options.title)
    return console.OK


def revise(options: Namespace) -> int:
    relabelled = {}
    for text in options.relabel:
        where, _equals, label = text.partition("=")
        if not label.strip():
            raise SpecError("--relabel takes PART/N=CLASS. Received: {text!r}. Try train/12=cat.", text=text)
        relabelled[_where(where)] = label
    left_out = {_where(text) for text in options.leave_out}
    made = own_sets.revise(_named(options.set), relabelled, left_out, options.title)
    console.say(
        _("{name}: {title}, {n:,} pictures in {k} classes").format(
            name=made.name, title=made.title, n=made.n, k=len(made.class_names)
        )
    )
    console.say(f"- {console.words(made.notes[-1])}")
    return console.OK


def _where(text: str) -> tuple[str, int]:
    part, _slash, number = text.strip().removesuffix(".png").partition("/")
    number = number.rpartition("/")[2]
    if not (number.isascii() and number.isdigit() and len(number) < 9 and int(number)):
        raise SpecError("A picture is named PART/N. Received: {text!r}. Try train/12.", text=text)
    return part, int(number) - 1


def pack(options: Namespace) -> int:
    name = _named(options.set)
    try:
        with open(options.file, "wb") as file:
            own_sets.write_zip(name, file)
    except OSError as error:
        raise StoreError(
            "{file} cannot be written ({reason}). Name another file.", file=options.file, reason=error.strerror
        ) from error
    console.say(_("{file} ({n:,} bytes)").format(file=options.file, n=options.file.stat().st_size))
    return console.OK


def _named(text: str, removed: bool = False) -> str:
    """Return the name of the set that a word stands for, also among those that were removed."""
    return own_sets.find(text, removed=removed)
