"""A run for another lab to read: everything that its row in the store says, its points and its experiments."""

import json
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tlcore import sentences
from tlcore.machine.processor import processor
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import Cell, MetricPoint, to_json
from tlcore.store import Run, Store

from .tables import ALL

FILE = "run.json"


@dataclass(frozen=True)
class Record:
    """One run in an archive; times are UTC, in seconds since 1970.

    Attributes
    ----------
    spec : as ``spec.to_json`` writes it, with its kind
    result : as the store keeps it
    processor : that trained it; "" where that was another machine than the one that wrote the archive
    """

    id: str
    spec: Mapping[str, Any]
    state: str
    created: float
    started: float | None = None
    finished: float | None = None
    result: Mapping[str, Any] = field(default_factory=dict)
    error: Sentence = NOTHING
    versions: Mapping[str, str] = field(default_factory=dict)
    data_hash: str = ""
    attempt: int = 1
    name: str = ""
    note: str = ""
    processor: str = ""
    points: tuple[MetricPoint, ...] = ()
    cells: tuple[Cell, ...] = ()


def record(run: Run, store: Store) -> bytes:
    """Return a run as JSON; ``archives.record`` reads it."""
    here = run.host == socket.gethostname()
    found = Record(
        id=run.id,
        spec=json.loads(to_json(run.spec)),
        state=run.state,
        created=run.created,
        started=run.started,
        finished=run.finished,
        result=run.stored,
        error=run.error,
        versions=run.versions,
        data_hash=run.data_hash,
        attempt=run.attempt,
        name=run.name,
        note=run.note,
        processor=run.provenance.processor or (processor() if here else ""),
        points=tuple(point for _number, point in store.points(run.id, limit=ALL)),
        cells=store.cells(run.id),
    )
    return (json.dumps(asdict(found), default=_encoded, ensure_ascii=False) + "\n").encode()


def _encoded(value: object) -> Any:
    if isinstance(value, Sentence):
        return sentences.encode(value)
    raise TypeError(f"{value!r} is no JSON value")
