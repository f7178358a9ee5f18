"""The list of runs as an HTML table: rows open, boxes tick, fields search and filter, names are edited in place."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from streamlit.components.v2 import component

from pages.ui.words import names
from pages.ui.words.text import _, language
from server.address import base_path

_HERE = Path(__file__)
MOST_COMPARED = 6  # as many as the chart has colours
LONGEST_NAME, LONGEST_NOTE = 80, 2000  # characters
DEEDS = ("open", "filter", "sort", "page", "unfold", "compare", "annotate")

_table = component(
    "transfer_lab_runs_table",
    css=_HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=_HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Row:
    """One row of the table; every text is shown as it is, never as markup.

    Attributes
    ----------
    id : of the run that opens, or of the runs' newest where ``fold`` holds several seeds
    mark : what tells it from others of its title
    fold : what is folded under it ("5 seeds"); "" for nothing
    single : whether the row is a run, which opens; else it only folds
    part : whether it stands under another row
    mine : whether its name and note may be changed
    """

    id: str
    title: str
    state: str
    mark: str = ""
    name: str = ""
    note: str = ""
    labels: str = ""
    seed: str = ""
    accuracy: str = ""
    interval: str = ""
    took: str = ""
    created: str = ""
    fold: str = ""
    unfolded: bool = False
    single: bool = True
    part: bool = False
    mine: bool = False


@dataclass(frozen=True)
class Facet:
    """One thing that the list can be narrowed to: the filter's field, what it is called, and its values with titles."""

    field: str
    label: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Deed:
    """What somebody did in the table; which of the fields count depends on ``do``, one of ``DEEDS``."""

    do: str
    id: str = ""
    ids: tuple[str, ...] = ()
    by: str = ""
    descending: bool | None = None  # None: the other way round, where it is sorted by that already
    number: int = 1
    filter: Mapping[str, object] | None = None
    name: str = ""
    note: str = ""


def runs_table(
    rows: Sequence[Row],
    facets: Sequence[Facet],
    *,
    key: str,
    asked: Mapping[str, str],
    by: str,
    descending: bool,
    page: int,
    n_pages: int,
    counted: str,
    on_deed: Callable[[], None],
) -> None:
    """Show the table.

    Parameters
    ----------
    asked : the filter as it is, by field; "text" is what the field to search holds
    by, descending : the order as it is
    counted : how many runs there are, in words
    on_deed : called before the rerun that a deed causes; ``st.session_state[key]["deed"]`` is then its value, untrusted
    """
    _table(
        key=key,
        data={
            "key": key,
            "rows": [vars(row) for row in rows],
            "facets": [vars(facet) | {"value": asked.get(facet.field, "")} for facet in facets],
            "text": asked.get("text", ""),
            "asked": bool(asked),
            "by": by,
            "descending": descending,
            "page": page,
            "n_pages": n_pages,
            "counted": counted,
            "most": MOST_COMPARED,
            "longest": {"name": LONGEST_NAME, "note": LONGEST_NOTE},
            "base": base_path(),
            "language": language(),
            "states": names.states(),
            "columns": _columns(),
            "words": _words(),
        },
        on_deed_change=on_deed,
    )


def check_deed(value: object, ids: Collection[str], orders: Collection[str]) -> Deed | None:
    """Return what a browser says somebody did, or None where no table sends such a thing.

    Parameters
    ----------
    value : untrusted
    ids : of the runs that the person may see: those of other runs are dropped
    orders : what the list can be sorted by

    Examples
    --------
    >>> check_deed({"do": "open", "id": "a"}, ["a"], []), check_deed({"do": "open", "id": "b"}, ["a"], [])
    (Deed(do='open', id='a', ids=(), by='', descending=None, number=1, filter=None, name='', note=''), None)
    """
    if not isinstance(value, dict) or value.get("do") not in DEEDS:
        return None
    do, run_id, by, number = value["do"], value.get("id"), value.get("by"), value.get("number")
    if do in ("open", "unfold", "annotate"):
        if not isinstance(run_id, str) or run_id not in ids:
            return None
        name, note = _text(value.get("name"), LONGEST_NAME), _text(value.get("note"), LONGEST_NOTE)
        return Deed(do, run_id, name=" ".join(name.split()), note=note.strip())
    if do == "sort":
        way = value.get("descending")
        way = way if isinstance(way, bool) else None
        return Deed(do, by=by, descending=way) if isinstance(by, str) and by in orders else None
    if do == "page":
        return Deed(do, number=number) if type(number) is int and 0 < number < 10**6 else None
    if do == "filter":
        return Deed(do, filter=value["filter"]) if isinstance(value.get("filter"), dict) else None
    named = value.get("ids")
    picked = [each for each in named if isinstance(each, str) and each in ids] if isinstance(named, list) else []
    picked = list(dict.fromkeys(picked))[:MOST_COMPARED]
    return Deed(do, ids=tuple(picked)) if len(picked) > 1 else None


def _text(value: object, longest: int) -> str:
    return value[:longest] if isinstance(value, str) else ""


def _columns() -> list[dict[str, str]]:
    """Return the columns that can be sorted by, in their order; ``by`` is the order's name in ``evidence.history``."""
    high, low, z, a = _("highest first"), _("lowest first"), _("Z to A"), _("A to Z")
    columns = [
        ("state", "state", _("State"), z, a),
        ("name", "title", _("Run"), z, a),
        ("labels", "labels", _("Labels"), high, low),
        ("seed", "seed", _("Seed"), high, low),
        ("accuracy", "accuracy", _("Accuracy (95 %)"), high, low),
        ("took", "took", _("Time"), _("longest first"), _("shortest first")),
        ("created", "created", _("Started"), _("newest first"), _("oldest first")),
    ]
    return [dict(zip(("by", "field", "label", "falling", "rising"), column, strict=True)) for column in columns]


def _words() -> dict[str, str]:
    return {
        "caption": _("Runs. A click on a row opens the run."),
        "search": _("Search names, notes and settings"),
        "any": _("{label}: any"),
        "clear": _("Show all runs"),
        "none": _("No runs match."),
        "sort": _("Sort by"),
        "more": _("Filter and sort"),
        "tick": _("Tick to compare: {title}"),
        "compare": _("Compare"),
        "compare_n": _("Compare {n} runs"),
        "compare_hint": _("Tick two or more runs to compare them."),
        "compare_one": _("Tick one more."),
        "compare_most": _("The limit is {n}."),
        "untick": _("Untick all"),
        "unfold": _("Show {what}"),
        "fold": _("Hide {what}"),
        "edit": _("Name and note of {title}"),
        "name": _("Name"),
        "note": _("Note"),
        "save": _("Save"),
        "cancel": _("Cancel"),
        "previous": _("Previous page"),
        "next": _("Next page"),
        "page": _("Page {n} of {total}"),
    }
