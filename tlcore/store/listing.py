"""What a list says of each run, in numbers: read at once for all runs, so that a list can sort and filter them.

Specs and results are long, and reading ten thousand of them takes seconds. What a list needs of them is kept in the
column ``card``: made when a run is first listed, and again once it has ended; after that nothing in it changes.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from logging import getLogger
from typing import Any

import sqlalchemy as sa

from tlcore.errors import LabError, StoreError
from tlcore.spec import FINAL_STATES, RunState, Spec, from_json, methods, result_from
from tlcore.spec.jobs import SPECS

from .connection import Database
from .tables import runs

log = getLogger(__name__)

SEEDS = ("seed", "seeds")  # what runs of one setting may differ in
CHUNK = 500  # runs whose cards are made in one go


@dataclass(frozen=True)
class Card:
    """What follows from the spec and the result of a run.

    Attributes
    ----------
    per_class : labels; None: all there are
    accuracy, low, high : of ``Result.accuracy`` and its interval; ``balanced`` whether it is a balanced one
    setting : the same for runs that differ in their seed alone; "" where a kind knows no repetition
    final, attempt : whether the run had ended when this was made, and with which attempt
    """

    source: str = ""
    target: str = ""
    per_class: int | None = None
    methods: tuple[str, ...] = ()
    setting: str = ""
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    n_test: int = 0
    total_s: float = 0.0
    final: bool = False
    attempt: int = 0
    balanced: bool = False


@dataclass(frozen=True)
class Entry(Card):
    """One run in a list. Times are UTC, in seconds since 1970."""

    id: str = ""
    number: int = 0  # the order of creation
    kind: str = ""
    state: RunState = "queued"
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    seed: int = 0
    name: str = ""
    note: str = ""
    owner: str = ""
    parent: str = ""

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in FINAL_STATES

    @property
    def took_s(self) -> float | None:
        """Seconds from the claim to the end, as ``Run.took_s`` counts them."""
        if self.started is None or self.finished is None:
            return None
        return max(self.finished - self.started, self.total_s, 0.0)


_FACTS = list(Card.__dataclass_fields__)  # the first fields of an entry
_OWN = list(Entry.__dataclass_fields__)[len(_FACTS) :]  # the others, which are columns
_COLUMNS = [runs.c[name] for name in _OWN]
_USUAL = {each.name: each.default for each in fields(Card)}


def read(database: Database, where: sa.ColumnElement[bool]) -> tuple[Entry, ...]:
    """Return an entry for each run, newest first; of a kind or version that is not here there is none."""
    query = sa.select(*_COLUMNS, runs.c.attempt, runs.c.card).where(where, runs.c.kind.in_(tuple(SPECS)))
    with database.reading() as connection:
        rows = connection.execute(query.order_by(runs.c.number.desc())).all()
    known = _read({row.card for row in rows if row.card})
    stored = {row.id: known[row.card] for row in rows if row.card and _holds(known[row.card], row)}
    missing = [row.id for row in rows if row.id not in stored]
    for at in range(0, len(missing), CHUNK):
        stored |= _make(database, missing[at : at + CHUNK])
    return tuple(_entry(row, stored[row.id]) for row in rows if stored[row.id])


def card(spec: Spec, result: Any, final: bool) -> Card:
    """Return what a list says of a run's spec and result.

    Parameters
    ----------
    final : whether the run has ended: before, no accuracy counts
    """
    facts = Card(
        source=spec.source,
        target=spec.data.target,
        per_class=spec.data.per_class,
        methods=methods(spec),
        setting=setting(spec) if hasattr(spec, "repeated") else "",
        final=final,
    )
    if not final:
        return facts
    low, high = result.interval or (None, None)
    n = result.test.n if result.test else max((row.n for row in getattr(result, "rows", ())), default=0)
    scores = {"accuracy": result.accuracy, "low": low, "high": high, "n_test": n, "total_s": result.total_s}
    scores["balanced"] = result.balanced is not None
    return Card(**{**asdict(facts), **scores})


def setting(spec: Spec) -> str:
    """Return 16 hex digits that runs share which differ in their seeds alone.

    What is at its default says nothing: a setting that a later version adds leaves the digits of older runs alone.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from tlcore.spec import DataSpec, FineTuneSpec
    >>> one, other = FineTuneSpec(), FineTuneSpec(seed=3, data=DataSpec(seed=3))
    >>> setting(one) == setting(other) != setting(replace(one, batch_size=32))
    True
    """
    text = json.dumps([spec.kind, _told(spec)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _told(value: Any) -> Any:
    """Return a value without seeds, and of dataclasses only what is not at its default."""
    if is_dataclass(value):
        pairs = ((each, getattr(value, each.name)) for each in fields(value) if each.name not in SEEDS)
        told = {each.name: _told(part) for each, part in pairs if part != each.default}
        return {name: part for name, part in told.items() if part != {}}
    if isinstance(value, Mapping):
        return {name: _told(part) for name, part in value.items()}
    return [_told(part) for part in value] if isinstance(value, list | tuple) else value


def _read(cards: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return what cards say, by their text: runs that wait with one setting and seed have one text."""
    told = json.loads(f"[{','.join(cards)}]")  # all at once: a tenth of the time
    # A card of an older version lacks some.
    return {
        text: _USUAL | {name: facts[name] for name in _FACTS if name in facts} | {"methods": tuple(facts["methods"])}
        for text, facts in zip(cards, told, strict=True)
    }


def _holds(stored: Mapping[str, Any], row: Any) -> bool:
    """Return whether a card says how a run stands now: one that was stopped may have gone on."""
    if stored["final"] != (row.state in FINAL_STATES):
        return False
    return not stored["final"] or stored["attempt"] == row.attempt


def _make(database: Database, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Make the cards of these runs, keep them, and return them; {} for one that this version cannot read."""
    query = sa.select(runs.c.id, runs.c.kind, runs.c.state, runs.c.attempt, runs.c.spec, runs.c.result)
    query = query.where(runs.c.id.in_(ids))
    with database.reading() as connection:
        rows = connection.execute(query).all()
    made = {row.id: _card_of(row) for row in rows}
    keep = runs.update().where(runs.c.id == sa.bindparam("of"), runs.c.state == sa.bindparam("was"))
    values = [{"of": row.id, "was": row.state, "card": json.dumps(made[row.id])} for row in rows if made[row.id]]
    # A store that cannot be written to is listed all the same; the next list tries again.
    with suppress(StoreError), database.writing() as connection:
        if values:
            connection.execute(keep.values(card=sa.bindparam("card")), values)
    return {run_id: made.get(run_id, {}) for run_id in ids}


def _card_of(row: Any) -> dict[str, Any]:
    try:
        result = result_from(row.kind, json.loads(row.result))
        made = card(from_json(row.spec), result, row.state in FINAL_STATES)
        return asdict(made) | {"attempt": row.attempt}
    except (LabError, ValueError, TypeError):
        log.warning("run %s was left out of a list", row.id, exc_info=True)
        return {}


def _entry(row: Any, facts: Mapping[str, Any]) -> Entry:
    entry = object.__new__(Entry)  # a frozen class's own way sets each field by itself: ten thousand take seconds
    entry.__dict__.update(facts)
    entry.__dict__.update(zip(_OWN, row, strict=False))
    return entry
