"""What a report says is wrong with pictures, each with its mend."""

from collections.abc import Iterator, Sequence

import numpy as np

from tlcore.sentences import Sentence, percent
from tlcore.spec import LOPSIDED

from .draft import Facts
from .nouns import Finding, listed, short

LEAST = 3  # pictures of a class
TINY = 48  # pixels of the shorter side of a photograph
LIGHT, MOSTLY = 200, 0.8  # a picture's edge, and how many pictures have such a one
SHARP = 8  # the least that a picture in colour differs from grey
N_NAMES, N_ROWS = 20, 24

ONE_OF_EACH = Sentence("Keep one of each")
LEAVE_OUT = Sentence("Leave them out")


def of_damaged(names: Sequence[str], huge: Sequence[str]) -> Iterator[Finding]:
    """Say which pictures could not be read."""
    if names:
        words = Sentence("Damaged and left out: {n:,} ({names}).", n=len(names), names=listed(names))
        yield Finding("damaged", words, len(names), _some(names))
    if huge:
        words = Sentence(
            "Too large and left out: {n:,} with more than 25 million pixels or 30 MB ({names}). Make them smaller.",
            n=len(huge),
            names=listed(huge),
        )
        yield Finding("huge", words, len(huge), _some(huge))


def of_pictures(
    facts: Facts, classes: Sequence[str], names: Sequence[str], form: str, split: bool
) -> Iterator[Finding]:
    """Say what is wrong with the pictures that were read."""
    yield from _few(facts, classes)
    yield from _sideways(facts, names)
    yield from _twins(facts, classes, names, split)
    if form == "photo":
        yield from _tiny(facts, names)
        yield from _grey(facts, names)
    else:
        yield from _inverted(facts)
    yield from _lopsided(facts, classes)


def _few(facts: Facts, classes: Sequence[str]) -> Iterator[Finding]:
    counts = np.bincount(facts.label, minlength=len(classes))
    few = [name for name, n in zip(classes, counts, strict=True) if n < LEAST]
    if few:
        said = Sentence("Each class needs {least} pictures. Too small: {names}.", least=LEAST, names=listed(few, 8))
        mend = Sentence("Leave these classes out")
        yield Finding("few", said, len(few), mend="few", mend_words=mend, default=True)


def _sideways(facts: Facts, names: Sequence[str]) -> Iterator[Finding]:
    rows = np.flatnonzero(facts.turned > 1)
    if len(rows):
        said = Sentence(
            "Stored sideways or upside down, with a note of it (EXIF): {n:,} ({names}).",
            n=len(rows),
            names=_listed(rows, names),
        )
        yield _finding("sideways", said, rows, names, "rotate", Sentence("Turn them upright"), True)


def _twins(facts: Facts, classes: Sequence[str], names: Sequence[str], split: bool) -> Iterator[Finding]:
    within, across, parts = twin_rows(facts)
    if len(within):
        said = Sentence(
            "Twins within a class, the same picture again: {n:,} ({names}).",
            n=len(within),
            names=_listed(within, names),
        )
        yield _finding("twins", said, within, names, "twins", ONE_OF_EACH, True, _paired(within, facts))
    if len(across):
        said = Sentence(
            "The same picture in two classes, so one label is wrong: {n:,} ({names}).",
            n=len(across),
            names=_listed(across, names),
        )
        yield _finding("twins_across", said, across, names, "twins_across", LEAVE_OUT, True, _by_group(across, facts))
    if split and len(parts):
        mend = Sentence("Leave them out of training")
        said = Sentence(
            "Training pictures that are among the test pictures too, which makes a test too easy: {n:,} ({names}).",
            n=len(parts),
            names=_listed(parts, names),
        )
        yield _finding("twins_parts", said, parts, names, "twins_parts", mend, True, _paired(parts, facts))


def twin_rows(facts: Facts) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that mends leave out: of twins in a class and part all but the first; all that stand in two
    classes; those of training that test too.
    """
    sizes = np.bincount(facts.group, minlength=len(facts))
    members = np.flatnonzero(sizes[facts.group] > 1)
    within, across, parts = [], [], []
    by_group: dict[int, list[int]] = {}
    for row in members:
        by_group.setdefault(int(facts.group[row]), []).append(int(row))
    for rows in by_group.values():
        if len({int(facts.label[row]) for row in rows}) > 1:
            across += rows
            continue
        for part in (0, 1):
            within += [row for row in rows if facts.part[row] == part][1:]
        if any(facts.part[row] for row in rows):
            parts += [row for row in rows if not facts.part[row]]
    return np.array(sorted(within), int), np.array(sorted(across), int), np.array(sorted(parts), int)


def _paired(rows: np.ndarray, facts: Facts) -> list[int]:
    """Return each row with its twin before it."""
    pairs = []
    for row in rows[: N_ROWS // 2]:
        others = np.flatnonzero(facts.group == facts.group[row])
        pairs += [int(next(other for other in others if other != row)), int(row)]
    return pairs


def _by_group(rows: np.ndarray, facts: Facts) -> list[int]:
    """Return two rows of each group, of different classes."""
    pairs = []
    for group in dict.fromkeys(facts.group[rows].tolist()):
        members = np.flatnonzero(facts.group == group)
        other = next(row for row in members if facts.label[row] != facts.label[members[0]])
        pairs += [int(members[0]), int(other)]
    return pairs[:N_ROWS]


def _tiny(facts: Facts, names: Sequence[str]) -> Iterator[Finding]:
    tiny = np.minimum(facts.width, facts.height) < TINY
    rows = np.flatnonzero(tiny)
    if len(rows) == len(facts):
        said = Sentence(
            "All pictures are tiny, fewer than {least} pixels high or wide: they are enlarged, and stay blurred.",
            least=TINY,
        )
        yield Finding("tiny", said, len(rows))
    elif len(rows):
        said = Sentence(
            "Tiny, fewer than {least} pixels high or wide: {n:,} ({names}).",
            n=len(rows),
            names=_listed(rows, names),
            least=TINY,
        )
        yield _finding("tiny", said, rows, names, "tiny", LEAVE_OUT, False)


def _grey(facts: Facts, names: Sequence[str]) -> Iterator[Finding]:
    rows = np.flatnonzero(facts.grey)
    if 0 < len(rows) < len(facts):
        said = Sentence(
            "Grey among pictures in colour: {n:,} of {all:,} ({names}).",
            n=len(rows),
            names=_listed(rows, names),
            all=len(facts),
        )
        yield _finding("grey", said, rows, names, "grey", LEAVE_OUT, False)


def _inverted(facts: Facts) -> Iterator[Finding]:
    light = facts.border >= LIGHT
    if len(facts) and light.mean() >= MOSTLY:
        said = Sentence(
            "Dark on light: {share} of the pictures. The digit networks know light on black, as in MNIST.",
            share=percent(float(light.mean()), 0),
        )
        mend = Sentence("Make them light on black")
        yield _finding("inverted", said, np.flatnonzero(light), [], "invert", mend, True)


def _lopsided(facts: Facts, classes: Sequence[str]) -> Iterator[Finding]:
    counts = np.bincount(facts.label, minlength=len(classes))
    enough = [int(n) for n in counts if n >= LEAST]
    if len(enough) > 1 and max(enough) >= LOPSIDED * min(enough):
        most, least = (next(i for i, n in enumerate(counts) if n == value) for value in (max(enough), min(enough)))
        said = Sentence(
            "Lopsided: class {largest} has {most:,} pictures, class {smallest} has {least:,}. Always guessing "
            "{largest} would be right in {share}.",
            largest=short(classes[most]),
            most=max(enough),
            smallest=short(classes[least]),
            least=min(enough),
            share=percent(max(enough) / sum(enough), 0),
        )
        mend = Sentence("Take {n:,} of each class", n=min(enough))
        yield Finding("lopsided", said, max(enough) - min(enough), mend="balance", mend_words=mend)


def _listed(rows: np.ndarray, names: Sequence[str]) -> str:
    return listed([names[int(row)] for row in rows[:N_NAMES]])


def _finding(
    kind: str,
    said: Sentence,
    rows: np.ndarray,
    names: Sequence[str],
    mend: str,
    mend_words: Sentence,
    default: bool,
    shown: Sequence[int] | None = None,
) -> Finding:
    concerned = [names[int(row)] for row in rows[:N_NAMES]] if names else []
    some = tuple(rows[:N_ROWS].tolist() if shown is None else shown)
    return Finding(kind, said, len(rows), _some(concerned), some, mend, mend_words, default)


def _some(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(short(name) for name in names[:N_NAMES])
