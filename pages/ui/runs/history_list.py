"""The list of runs on its page: lines of the history as rows of the table, and what a deed in the table does."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

import streamlit as st

from pages.ui.components.runs_table import Deed, Facet, Row, check_deed, runs_table
from pages.ui.session import listing, state
from pages.ui.words import names
from pages.ui.words.numbers import between, percent
from pages.ui.words.text import _, ngettext, shown, titled
from tlcore import datasets, sources
from tlcore.errors import LabError
from tlcore.evidence import history, side_by_side
from tlcore.evidence.history import ALL_IMAGES, Filter, Line
from tlcore.spec import EvaluateSpec
from tlcore.store import Entry, Run

from .words import balanced, describe, title, when

KEY = "runs_table"
PAGE = 25  # lines
MANY = 5  # runs that fill a screen
FACETS = ("target", "source", "method", "labels", "state")


def show(entries: Sequence[Entry], everyone: bool) -> list[Entry]:
    """Show the list and return the runs of the page that have not ended.

    Parameters
    ----------
    entries, everyone : what ``Access.listing`` returned, and was asked for
    """
    choice, called = listing.chosen(), _called(entries)
    found = history.lines(entries, choice.filter, choice.by, choice.descending, called)
    page, number, n_pages = history.page(found, choice.page, PAGE)
    ids = {run.id for line in page for run in (line.head, *_unfolded(line, choice.unfolded))}
    runs = {run.id: run for run in state.access().runs(everyone, ids=ids, limit=len(ids))}
    lines = [line for line in page if line.head.id in runs]  # the others were deleted meanwhile
    marks = _marks([runs[line.head.id] for line in lines], {line.head.id for line in lines if line.is_group})
    rows = [row for line in lines for row in _rows(line, runs, choice.unfolded, marks.get(line.head.id, ""))]
    with st.container(key="many_runs" if len(entries) >= MANY else "few_runs"):  # the style sheet keeps room
        runs_table(
            rows,
            _facets(entries, choice.filter, called),
            key=KEY,
            asked=choice.filter.asked,
            by=choice.by,
            descending=choice.descending,
            page=number,
            n_pages=n_pages,
            counted=_counted(len(found), len(entries), bool(choice.filter.asked)),
            on_deed=lambda: act(entries),
        )
    return [run for line in page for run in line.going]


def act(entries: Sequence[Entry]) -> None:
    """Do what somebody did in the table."""
    deed = check_deed((state.get(KEY) or {}).get("deed"), {entry.id for entry in entries}, history.SORTS)
    if deed is None:
        return
    if deed.do == "open":
        state.watch("run", deed.id)
    elif deed.do == "compare":
        listing.compare(deed.ids)
    elif deed.do == "annotate":
        _annotate(deed)
    else:
        listing.choose(**_changes(deed))


def _changes(deed: Deed) -> dict[str, object]:
    choice = listing.chosen()
    if deed.do == "filter":
        return {"filter": Filter.of(deed.filter or {})}
    if deed.do == "page":
        return {"page": deed.number}
    if deed.do == "unfold":
        return {"unfolded": choice.unfolded ^ {deed.id}}
    usual = deed.by in ("created", "accuracy")  # the newest and the best first; all else from the least on
    other = not choice.descending if deed.by == choice.by else usual
    return {"by": deed.by, "descending": other if deed.descending is None else deed.descending}


def _annotate(deed: Deed) -> None:
    with suppress(LabError):  # of somebody else's run no pencil is shown
        state.access().annotate(deed.id, name=deed.name, note=deed.note)


def _marks(runs: Sequence[Run], groups: set[str]) -> dict[str, str]:
    """Return what tells runs apart that have one title, by id."""
    alike: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        alike[_title(run, run.id in groups)].append(run)
    several = [each for each in alike.values() if len(each) > 1]
    marked = (zip(each, side_by_side.marks([run.spec for run in each], shown), strict=True) for each in several)
    return {run.id: mark for pairs in marked for run, mark in pairs}


def _title(run: Run, group: bool) -> str:
    return describe(run.spec) if group else title(run)


def _rows(line: Line, runs: Mapping[str, Run], unfolded: frozenset[str], mark: str) -> list[Row]:
    parts = [run for run in _unfolded(line, unfolded) if run.id in runs]
    return [_head(line, runs[line.head.id], bool(parts), mark), *(_part(line, runs[part.id], part) for part in parts)]


def _unfolded(line: Line, unfolded: frozenset[str]) -> list[Entry]:
    """Return the runs that stand under a line: by seed, or as a comparison trained them."""
    if line.head.id not in unfolded:
        return []
    return sorted(line.parts, key=lambda run: (run.seed if line.is_group else 0, run.number))


def _head(line: Line, run: Run, unfolded: bool, mark: str) -> Row:
    n = len(line.parts)
    seeds = ngettext("{n} seed", "{n} seeds", len(line.seeds)).format(n=len(line.seeds))
    fold = seeds if line.is_group else ngettext("{n} run", "{n} runs", n).format(n=n) if n else ""
    accuracy, interval = _reached(line)
    if line.parts and line.accuracy is not None:
        words = _("mean {accuracy}") if line.is_group else _("best {accuracy}")
        accuracy = words.format(accuracy=accuracy)
    return Row(
        run.id,
        _title(run, line.is_group),
        line.state,
        mark=" · ".join(filter(None, (mark, _("imported") if run.provenance.imported else ""))),
        name="" if line.is_group else run.name,
        note="" if line.is_group else run.note,
        labels=_labels(line.head),
        seed=_span(line.seeds),
        accuracy=accuracy,
        interval=interval,
        took=_took(line.took_s),
        created=when(run.created),
        fold=fold,
        unfolded=unfolded,
        single=not line.is_group,
        mine=state.person().owns(run),
    )


def _part(line: Line, run: Run, entry: Entry) -> Row:
    accuracy, interval = _reached(Line(entry))
    alike = line.is_group and not run.name
    return Row(
        run.id,
        _("Seed {n}").format(n=run.seed) if alike else title(run),
        run.state,
        name=run.name,
        note=run.note,
        labels=_labels(entry),
        seed=str(run.seed),
        accuracy=accuracy,
        interval=interval,
        took=_took(entry.took_s),
        created=when(run.created),
        part=True,
        mine=state.person().owns(run),
    )


def _reached(line: Line) -> tuple[str, str]:
    if line.accuracy is None:
        return "–", ""
    return balanced(percent(line.accuracy), line.balanced), f"({between(*line.interval)})" if line.interval else ""


def _labels(entry: Entry) -> str:
    return _("all") if entry.per_class is None else f"{entry.per_class:,}"


def _span(seeds: Sequence[int]) -> str:
    """Return seeds in a few characters: "0", "0, 7", "0 to 4"."""
    if len(seeds) > 2 and seeds[-1] - seeds[0] == len(seeds) - 1:
        return _("{low} to {high}").format(low=seeds[0], high=seeds[-1])
    return ", ".join(map(str, seeds[:4])) + (" …" if len(seeds) > 4 else "")


def _took(seconds: float | None) -> str:
    return _("{n:.1f} s").format(n=seconds) if seconds is not None else "–"


def _counted(n_lines: int, n_runs: int, asked: bool) -> str:
    if not asked:
        return ngettext("{n:,} run", "{n:,} runs", n_runs).format(n=n_runs)
    fit = ngettext("{n:,} row matches", "{n:,} rows match", n_lines).format(n=n_lines)
    return _("{fit} ({total:,} runs in all)").format(fit=fit, total=n_runs)


def _called(entries: Iterable[Entry]) -> dict[str, str]:
    """Return what the sources, tasks and methods of the list are called, as far as this lab still knows them."""
    called = dict(names.methods()) | {EvaluateSpec.kind: _("Test on new data")}
    for entry in {(entry.source, entry.target): entry for entry in entries}.values():
        for name, info in ((entry.source, sources.info), (entry.target, datasets.info)):
            if name not in called:
                with suppress(LabError):
                    called[name] = titled(info(name).title)
    return called


def _facets(entries: Sequence[Entry], wanted: Filter, called: Mapping[str, str]) -> list[Facet]:
    """Return what can be chosen; what all runs have in common is no choice."""
    words = {
        "target": _("Task"),
        "source": _("Source"),
        "method": _("Method"),
        "labels": _("Labels"),
        "state": _("State"),
    }
    counts = history.facets(entries)
    facets = []
    for field in FACETS:
        values = set(counts[field]) | {value for value in (wanted.asked.get(field),) if value}
        if len(values) > 1 or wanted.asked.get(field):
            options = [(value, _value(field, value, called)) for value in sorted(values, key=_order)]
            facets.append(Facet(field, words[field], options))
    return facets


def _value(field: str, value: str, called: Mapping[str, str]) -> str:
    if field == "labels":
        return _("all images") if value == ALL_IMAGES else _("{n} per class").format(n=value)
    if field == "state":
        return names.states().get(value, value)
    return called.get(value, value)


def _order(value: str) -> tuple[float, str]:
    return (float(value) if value.isdigit() and value.isascii() else float("inf"), value)
