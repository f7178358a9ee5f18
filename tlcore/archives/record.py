"""Read one run's record: a stranger may have written it, so every value is held against its type."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from tlcore import sentences
from tlcore.errors import DataError, LabError
from tlcore.exports.record import Record
from tlcore.spec import FINAL_STATES, FineTuneResult, Progress, Provenance, Result, Spec, from_json, result_from
from tlcore.spec.codec import check, decode
from tlcore.store import Run

ID, SUM = re.compile("[0-9a-f]{16}"), re.compile("([0-9a-f]{64})?")
MOST_VERSIONS, MOST_CLASSES, LONGEST = 30, 1000, 200  # and characters of a short text
LATEST = 2**32  # of a time in seconds
# Numbers that are shares of one, by their names wherever they stand.
SHARES = {"accuracy", "low", "high", "mean", "before", "after", "chance", "guess"}


def read(text: bytes) -> tuple[Record, Run]:
    """Return a run's record, and the run as it stood there: nobody's, with the id that it had there.

    Raises
    ------
    DataError
        It is no JSON, or not that of a run that has ended.
    """
    try:
        values = json.loads(text, parse_constant=lambda _name: None)  # NaN and the infinities are missing
        _check_sentences(values)
        record: Record = decode(Record, values)
        check(Record, record)
        spec = from_json(json.dumps(record.spec))
        result = result_from(spec.kind, record.result)
        for each in (spec, result):
            check(type(each), each)
            _check_shares(each)
        _check(record, result)
        return record, _run(record, spec, result)
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, LabError) as error:
        reason = " ".join(str(error).split())[:160]
        raise DataError(
            "This archive cannot be used: what it says of the run cannot be read ({reason}). Export the run again.",
            reason=reason,
        ) from error


def _run(record: Record, spec: Spec, result: Result) -> Run:
    return Run(
        id=record.id,
        kind=spec.kind,
        spec=spec,
        state=record.state,  # type: ignore[arg-type]
        created=record.created,
        started=record.started,
        finished=record.finished,
        heartbeat=None,
        progress=Progress(),
        result=result,
        stored=encoded(result) if record.result else {},
        error=record.error,
        seed=spec.seed,
        versions=dict(record.versions),
        data_hash=record.data_hash,
        attempt=record.attempt,
        name=record.name,
        note=record.note,
        stop_requested=False,
        deleted=False,
        provenance=Provenance(processor=record.processor),
    )


def encoded(result: Result) -> dict[str, Any]:
    """Return a result as the store keeps it, in JSON values."""
    return json.loads(json.dumps(asdict(result), default=sentences.encode))  # type: ignore[call-overload]


def _check_sentences(value: Any) -> None:
    """Raise a TypeError where a sentence stands that cannot be filled; before any is decoded, which fills it."""
    if isinstance(value, dict):
        if value.keys() == {"template", "values"} and not sentences.is_plain(value):
            raise TypeError("a sentence that cannot be filled")
        for each in value.values():
            _check_sentences(each)
    elif isinstance(value, list):
        for each in value:
            _check_sentences(each)


def _check(record: Record, result: Result) -> None:
    texts = (record.name, record.processor, *record.versions.keys(), *record.versions.values())
    short = [*texts, *result.class_names, *(point.head for point in record.points)]
    _need(all(len(text) <= LONGEST and text.isprintable() for text in short), "a text")
    _need(ID.fullmatch(record.id), "an id")
    _need(SUM.fullmatch(record.data_hash), "a sum")
    _need(record.state in FINAL_STATES, "a run that has ended")
    _need(0 < record.attempt < LATEST and len(record.versions) <= MOST_VERSIONS, "attempts or versions")
    times = [each for each in (record.created, record.started, record.finished) if each is not None]
    _need(all(0 <= each < LATEST for each in times), "a time")
    names = result.class_names
    _need(len(names) <= MOST_CLASSES and len(set(names)) == len(names), "the names of classes")
    for point in record.points:
        _need(0 <= point.x < LATEST and abs(point.elapsed_s) < LATEST, "a point")
        _check_shares(point)
    for test in _evaluations(result):
        rows = test["confusion"]
        _need(all(len(row) == len(rows) for row in rows) and test["n"] >= 0, "a table of answers")
        _need(all(n >= 0 for row in rows for n in row) and (not rows or len(rows) == len(names)), "a table of answers")
        _need(not rows or sum(map(sum, rows)) == test["n"], "a table of answers")
    if isinstance(result, FineTuneResult) and result.test:
        _need(0 <= result.n_trainable <= result.n_weights and result.n_weights, "a number of weights")


def _evaluations(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every test in a result, as its fields."""
    if isinstance(value, tuple):
        for each in value:
            yield from _evaluations(each)
    elif is_dataclass(value) and not isinstance(value, type):
        known = {each.name: getattr(value, each.name) for each in fields(value)}
        if "confusion" in known:
            yield known
        for each in known.values():
            yield from _evaluations(each)


def _check_shares(value: Any) -> None:
    """Raise a TypeError where what must be a share of one is none."""
    if isinstance(value, tuple):
        for each in value:
            _check_shares(each)
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            number = getattr(value, each.name)
            if each.name in SHARES and isinstance(number, int | float):
                _need(0 <= number <= 1, f"{each.name} = {number:g}")
            _check_shares(number)


def _need(good: Any, what: str) -> None:
    if not good:
        raise TypeError(f"{what} is not as it must be")
