"""The list of runs as a person looks through it: filtered, folded into lines, sorted, a page at a time."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from tlcore.evaluation import seeds_interval
from tlcore.store import Entry

ALL_IMAGES = "all"  # of labels: every image there is
LONGEST_SEARCH = 200  # characters


@dataclass(frozen=True)
class Filter:
    """Which runs are looked for; "" asks for nothing.

    Attributes
    ----------
    labels : how many per class, or "all"
    text : words that must all stand in its name, its note, or in what it is
    """

    source: str = ""
    target: str = ""
    method: str = ""
    labels: str = ""
    state: str = ""
    text: str = ""

    @classmethod
    def of(cls, values: Mapping[str, object]) -> "Filter":
        """Return the filter that untrusted values name; what is no short text asks for nothing.

        Examples
        --------
        >>> Filter.of({"state": "done", "labels": 5, "x": "y"})
        Filter(source='', target='', method='', labels='', state='done', text='')
        """
        given = {each.name: values.get(each.name) for each in fields(cls)}
        return cls(**{name: value[:LONGEST_SEARCH] for name, value in given.items() if isinstance(value, str)})

    @property
    def asked(self) -> dict[str, str]:
        """What is asked for, by the field's name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value}

    def finds(self, entry: Entry, called: Mapping[str, str]) -> bool:
        """Return whether a run is one of those.

        Parameters
        ----------
        called : what sources, tasks and methods are called, which the text is looked for in too
        """
        return (
            self.source in ("", entry.source)
            and self.target in ("", entry.target)
            and (not self.method or self.method in entry.methods)
            and self.labels in ("", labels(entry))
            and self.state in ("", entry.state)
            and (not self.text or self._speaks_of(entry, called))
        )

    def _speaks_of(self, entry: Entry, called: Mapping[str, str]) -> bool:
        names = (entry.source, entry.target, entry.kind, *entry.methods)
        whole = " ".join((entry.name, entry.note, entry.id, *names, *(called.get(name, "") for name in names)))
        whole = whole.casefold()
        return all(word in whole for word in self.text.casefold().split())


@dataclass(frozen=True)
class Line:
    """One line of the list: a run; runs of one setting with several seeds; or a comparison with the runs of its ways.

    Attributes
    ----------
    head : the run that stands for it: the comparison, else the newest
    parts : the runs folded under it, newest first; none under a run alone
    """

    head: Entry
    parts: tuple[Entry, ...] = ()

    @property
    def is_group(self) -> bool:
        """Whether the line stands for several seeds, not for the run that is its head."""
        return self.head in self.parts

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(sorted({entry.seed for entry in self.parts})) if self.is_group else (self.head.seed,)

    @cached_property
    def scores(self) -> dict[int, float]:
        """The accuracy for each seed that has one; of a seed trained twice the newer."""
        runs = self.parts if self.is_group else (self.head,)
        return {run.seed: run.accuracy for run in reversed(runs) if run.accuracy is not None}

    @property
    def accuracy(self) -> float | None:
        """The test accuracy, of several seeds the mean; None where nothing was tested."""
        return float(np.mean(list(self.scores.values()))) if self.scores else None

    @property
    def balanced(self) -> bool:
        """Whether ``accuracy`` is a balanced one."""
        return any(run.balanced for run in (self.head, *self.parts))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of ``accuracy``: of several seeds as in ``evaluation.seeds_interval``."""
        if len(self.scores) > 1:
            n = max(run.n_test for run in self.parts)
            return seeds_interval(list(self.scores.values()), n, self._noise())
        tested = next(
            (run for run in (self.head, *self.parts) if run.accuracy is not None and run.low is not None), None
        )
        if tested is None or self.accuracy != tested.accuracy:
            return None
        return (tested.low, tested.high)  # type: ignore[return-value]

    def _noise(self) -> tuple[float, float] | None:
        """Return how far the intervals of balanced accuracies reach below and above, as the mean over seeds."""
        ends = [
            (run.accuracy - run.low, run.high - run.accuracy)
            for run in self.parts
            if run.balanced and run.accuracy is not None and run.low is not None and run.high is not None
        ]
        return (float(np.mean([e[0] for e in ends])), float(np.mean([e[1] for e in ends]))) if ends else None

    @property
    def took_s(self) -> float | None:
        """Seconds, of several seeds the mean."""
        runs = self.parts if self.is_group else (self.head,)
        took = [run.took_s for run in runs if run.took_s is not None]
        return float(np.mean(took)) if took else None

    @property
    def state(self) -> str:
        """The state of the run; of several the one that asks most for a look."""
        states = {run.state for run in self.parts} if self.is_group else {self.head.state}
        return next(state for state in ("running", "queued", "failed", "stopped", "done") if state in states)

    @property
    def going(self) -> tuple[Entry, ...]:
        """The runs of the line that have not ended."""
        return tuple(run for run in dict.fromkeys((self.head, *self.parts)) if not run.over)


SORTS = {
    "created": lambda line: line.head.number,
    "name": lambda line: (line.head.name or f"{line.head.source} {line.head.target}").casefold(),
    "labels": lambda line: float("inf") if line.head.per_class is None else line.head.per_class,
    "seed": lambda line: line.seeds,
    "accuracy": lambda line: line.accuracy,
    "took": lambda line: line.took_s,
    "state": lambda line: line.state,
}
"""What the list can be sorted by -> the value of a line; lines without one come last, whichever way."""


def labels(entry: Entry) -> str:
    """Return how many labels a class a run has, as a filter asks for them."""
    return ALL_IMAGES if entry.per_class is None else str(entry.per_class)


def lines(
    entries: Iterable[Entry],
    wanted: Filter = Filter(),
    by: str = "created",
    descending: bool = True,
    called: Mapping[str, str] | None = None,
) -> list[Line]:
    """Return the lines of the list.

    A comparison is listed where it or a run of it is found, with all of its runs; of runs with several seeds those
    that are found.

    Parameters
    ----------
    entries : newest first
    by : a name of ``SORTS``
    called : as in ``Filter.finds``
    """
    entries = tuple(entries)
    parts: dict[str, list[Entry]] = defaultdict(list)
    whole = {entry.id: entry for entry in entries}
    for entry in entries:
        if entry.parent in whole:
            parts[entry.parent].append(entry)
    heads: dict[str, Entry] = {}
    seeds: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if not wanted.finds(entry, called or {}):
            continue
        head = whole.get(entry.parent, entry)
        if heads.setdefault(head.id, head) is head and head is entry and entry.setting and entry.id not in parts:
            seeds[entry.setting].append(entry)
    folded = {run.id: group for group in seeds.values() if len({run.seed for run in group}) > 1 for run in group}
    found = [_line(head, parts, folded) for head in heads.values() if folded.get(head.id, [head])[0] is head]
    return _sorted(found, by, descending)


def single(entries: Iterable[Entry], wanted: Filter, by: str = "created", descending: bool = True) -> list[Entry]:
    """Return the runs that are found one by one, sorted as lines are, with nothing folded."""
    found = [Line(entry) for entry in entries if wanted.finds(entry, {})]
    return [line.head for line in _sorted(found, by, descending)]


def facets(entries: Iterable[Entry]) -> dict[str, dict[str, int]]:
    """Return what the list can be narrowed to, by the filter's field: each value with how many runs have it."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("source", "target", "method", "labels", "state")}
    for entry in entries:
        counts["source"][entry.source] += 1
        counts["target"][entry.target] += 1
        counts["method"].update(entry.methods)
        counts["labels"][labels(entry)] += 1
        counts["state"][entry.state] += 1
    return {name: dict(count) for name, count in counts.items()}


def page(found: Sequence[Line], number: int, size: int) -> tuple[Sequence[Line], int, int]:
    """Return the lines of a page, its number, and how many pages there are; a number out of range is the nearest.

    Examples
    --------
    >>> page([], 9, 25)
    ([], 1, 1)
    """
    n_pages = max(1, -(-len(found) // size))
    number = min(max(number, 1), n_pages)
    return found[size * (number - 1) : size * number], number, n_pages


def _line(head: Entry, parts: Mapping[str, Sequence[Entry]], folded: Mapping[str, Sequence[Entry]]) -> Line:
    return Line(head, tuple(folded.get(head.id) or parts.get(head.id, ())))


def _sorted(found: list[Line], by: str, descending: bool) -> list[Line]:
    value = SORTS[by]
    keyed: list[tuple[Any, Line]] = [(value(line), line) for line in found]
    there = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
    return [line for _value, line in there] + [line for key, line in keyed if key is None]
