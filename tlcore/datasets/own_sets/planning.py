"""What a person's choices make of a draft: which rows train, which test, and why it cannot be added."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tlcore.errors import SpecError
from tlcore.sentences import Sentence
from tlcore.spec import check_choice, check_number

from .draft import Draft, Facts
from .findings import LEAST, TINY, twin_rows
from .nouns import FORMS, Choices, ClassCount, Plan, Report, listed
from .reading import N_SHOWN
from .stack import class_name, in_order

LEAST_CLASSES = 2
SHARES = 0.05, 0.5  # of a class that may test


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows of a draft that a set has: positions, and the class of each, numbered by ``class_names``."""

    train: np.ndarray
    y_train: np.ndarray
    test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    form: str
    mends: tuple[str, ...]
    problems: tuple[Sentence, ...]

    @property
    def n(self) -> int:
        return len(self.train) + len(self.test)


def planned(draft: Draft, choices: Choices) -> Plan:
    """Return what some choices give. Reads no pixels."""
    chosen = select(draft, choices)
    classes = []
    for k, name in enumerate(chosen.class_names):
        train, test = chosen.train[chosen.y_train == k], chosen.test[chosen.y_test == k]
        shown = np.sort(np.concatenate([train, test]))[:N_SHOWN]
        classes.append(ClassCount(name, len(train), len(test), tuple(shown.tolist())))
    return Plan(tuple(classes), draft.report.n - chosen.n, chosen.problems, FORMS[chosen.form])


def select(draft: Draft, choices: Choices) -> Selection:
    """Return which rows train and which test.

    In this order: classes are renamed, merged, left out; rows by hand; the mends; so many of each class; the parts.

    Raises
    ------
    SpecError
        A choice is none: an unknown form, mend or class, a share out of range.
    """
    report, facts = draft.report, draft.facts()
    form, mends = _checked(report, choices)
    renamed = {name: class_name(new) if new.strip() else "" for name, new in choices.names}
    new_names = [renamed.get(count.name, count.name) for count in report.classes]
    keep = np.array([bool(name) for name in new_names], bool)[facts.label]
    keep &= ~np.isin(np.arange(len(facts)), np.array(choices.left_out, np.int64))
    class_names = in_order([name for name in new_names if name])
    label = np.array([class_names.index(name) if name else -1 for name in new_names])[facts.label]
    facts = Facts(**{**vars(facts), "label": label})
    keep &= _mended(facts, mends, keep, split=report.split and not choices.own_split)
    if "few" in mends:
        counts = np.bincount(label[keep], minlength=len(class_names))
        keep &= counts[label] >= LEAST
    rows = np.flatnonzero(keep)
    if choices.per_class is not None:
        rows = _at_most(rows, label[rows], choices.per_class, choices.seed)
    if report.split and not choices.own_split:
        train, test = rows[facts.part[rows] == 0], rows[facts.part[rows] == 1]
    else:
        train, test = _divided(rows, label, facts.group, choices.test_share, choices.seed)
    if "balance" in mends and len(train):
        counts = np.bincount(label[train], minlength=len(class_names))
        train = _at_most(train, label[train], int(counts[counts > 0].min()), choices.seed)
    used = np.unique(label[np.concatenate([train, test])]) if len(train) + len(test) else np.zeros(0, int)
    names = tuple(class_names[k] for k in used)
    y_train, y_test = np.searchsorted(used, label[train]), np.searchsorted(used, label[test])
    problems = tuple(_problems(names, y_train, y_test, given=report.split and not choices.own_split))
    return Selection(train, y_train.astype(np.int64), test, y_test.astype(np.int64), names, form, mends, problems)


def _checked(report: Report, choices: Choices) -> tuple[str, tuple[str, ...]]:
    form = choices.form or report.form
    check_choice("form", form, tuple(FORMS))
    possible = tuple(finding.mend for finding in report.findings if finding.mend)
    for mend in choices.mends or ():
        check_choice("mend", mend, possible or ("none",))
    for name, _new in choices.names:
        check_choice("class", name, tuple(count.name for count in report.classes))
    if not all(isinstance(row, int) and 0 <= row < report.n for row in choices.left_out):
        raise SpecError("The pictures to leave out are numbered from 0 to {most:,}.", most=report.n - 1)
    check_number("seed", choices.seed)
    if choices.per_class is not None:
        check_number("per_class", choices.per_class)
        if choices.per_class < LEAST:
            raise SpecError("Each class needs {least} pictures. Received: {n}.", least=LEAST, n=choices.per_class)
    low, high = SHARES
    if not (isinstance(choices.test_share, int | float) and low <= choices.test_share <= high):
        raise SpecError(
            "The share of test pictures must be from {low} to {high}. Received: {value}. Try 0.2.",
            low=low,
            high=high,
            value=choices.test_share,
        )
    return form, report.mends if choices.mends is None else choices.mends


def _mended(facts: Facts, mends: Sequence[str], keep: np.ndarray, split: bool) -> np.ndarray:
    """Return which rows the mends leave. Twins are looked for among the rows that are kept so far."""
    left = np.ones(len(facts), bool)
    if "tiny" in mends:
        left &= np.minimum(facts.width, facts.height) >= TINY
    if "grey" in mends:
        left &= ~facts.grey
    rows = np.flatnonzero(keep & left)
    if not len(rows) or not {"twins", "twins_across", "twins_parts"} & set(mends):
        return left
    group = np.unique(facts.group[rows], return_inverse=True)[1]
    part = facts.part[rows] if split else np.zeros(len(rows), np.int8)
    among = Facts(**{name: values[rows] for name, values in vars(facts).items()} | {"group": group, "part": part})
    within, across, parts = twin_rows(among)
    for mend, those in (("twins", within), ("twins_across", across), ("twins_parts", parts)):
        if mend in mends:
            left[rows[those]] = False
    return left


def _at_most(rows: np.ndarray, labels: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return at most ``n`` rows of each class, drawn by seed; a smaller ``n`` is a part of a larger."""
    rng = np.random.default_rng((seed, 2))
    kept = [rng.permutation(rows[labels == k])[:n] for k in np.unique(labels)]
    return np.sort(np.concatenate(kept)) if kept else rows


def _divided(
    rows: np.ndarray, label: np.ndarray, group: np.ndarray, share: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that train and those that test: of each class a share, and twins on one side.

    Of a class with three pictures one tests; of more, at least one does and two train.
    """
    rng = np.random.default_rng((seed, 3))
    train: list[np.ndarray] = []
    test: list[np.ndarray] = []
    for k in np.unique(label[rows]):
        members = rows[label[rows] == k]
        heads = rng.permutation(np.unique(group[members]))
        sizes = {int(head): int(n) for head, n in zip(*np.unique(group[members], return_counts=True), strict=True)}
        wanted, taken = max(1, round(share * len(members))), 0
        drawn = []
        for head in heads:
            if taken < wanted and taken + sizes[int(head)] <= max(wanted, 1) and len(members) - taken > 1:
                drawn.append(head)
                taken += sizes[int(head)]
        is_test = np.isin(group[members], drawn)
        train.append(members[~is_test])
        test.append(members[is_test])
    nothing = np.zeros(0, np.int64)
    return (np.sort(np.concatenate(train or [nothing])), np.sort(np.concatenate(test or [nothing])))


def _problems(names: Sequence[str], y_train: np.ndarray, y_test: np.ndarray, given: bool) -> Iterator[Sentence]:
    if len(names) < LEAST_CLASSES:
        yield Sentence(
            "A set needs at least {least} classes; this has {n}. Add pictures of another class.",
            least=LEAST_CLASSES,
            n=len(names),
        )
        return
    n_train, n_test = (np.bincount(y, minlength=len(names)) for y in (y_train, y_test))
    few = [name for name, n in zip(names, n_train + n_test, strict=True) if n < LEAST]
    if few:
        yield Sentence(
            "Each class needs at least {least} pictures. Too small: {names}. Add pictures, merge the class with "
            "another, or leave it out.",
            least=LEAST,
            names=listed(few, 8),
        )
    bare = [name for name, n, m in zip(names, n_test, n_train, strict=True) if not n or m < LEAST - 1]
    if bare and not few and given:
        yield Sentence(
            "These classes need at least 2 training pictures and 1 test picture: {names}. Draw the test part here, or "
            "leave them out.",
            names=listed(bare, 8),
        )
    elif bare and not few:
        yield Sentence(
            "These classes consist of twins and cannot be divided into training and test: {names}. Add other pictures.",
            names=listed(bare, 8),
        )
