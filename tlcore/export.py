"""A run as files that other programs read."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from io import StringIO

from .spec import MetricPoint, to_json
from .store import Run


def metrics_csv(points: Iterable[tuple[int, MetricPoint]]) -> str:
    """Return the curve points as CSV with a header line; a missing number is an empty cell.

    Examples
    --------
    >>> print(metrics_csv([(1, MetricPoint("train", 1.0, 0.5))]), end="")
    seq,series,x,loss,accuracy,elapsed_s
    1,train,1.0,0.5,,0.0
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["seq", "series", "x", "loss", "accuracy", "elapsed_s"])
    for seq, point in points:
        writer.writerow([seq, *asdict(point).values()])
    return text.getvalue()


def run_json(run: Run, result: bool = True) -> str:
    """Return a run as indented JSON: settings, seed, versions, data hash, state, and its result unless left out."""
    fields = {
        "id": run.id,
        "name": run.name,
        "note": run.note,
        "kind": run.kind,
        "state": run.state,
        "error": run.error,
        "seed": run.seed,
        "spec": json.loads(to_json(run.spec)),
        "versions": run.versions,
        "data_sha256": run.data_hash,
        "created": run.created,
        "started": run.started,
        "finished": run.finished,
        "attempt": run.attempt,
    }
    if result:
        fields["result"] = run.result
    return json.dumps(fields, indent=2, ensure_ascii=False)
