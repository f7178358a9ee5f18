"""A run as files that other programs read."""

import csv
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, astuple, fields
from io import StringIO
from pathlib import Path

from tlcore import sentences
from tlcore.errors import StoreError
from tlcore.spec import Cell, MetricPoint, to_json
from tlcore.store import Run


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


def cells_csv(cells: Iterable[Cell]) -> str:
    """Return the experiments of sweeps as CSV with a header line; a missing number is an empty cell.

    Examples
    --------
    >>> print(cells_csv([Cell("mnist_5_9", "random", "pixels", "scratch", 5, 0, score=0.75)]).splitlines()[1])
    mnist_5_9,random,pixels,scratch,5,0,0.75,,0,0,0.0,0.0,,
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Cell)])
    writer.writerows(astuple(cell) for cell in cells)
    return text.getvalue()


def run_json(run: Run, result: bool = True) -> str:
    """Return a run as indented JSON: settings, seed, versions, data hash, state, and its result unless left out."""
    fields = {
        "id": run.id,
        "name": run.name,
        "note": run.note,
        "kind": run.kind,
        "state": run.state,
        "error": str(run.error),
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
        fields["result"] = sentences.in_english(run.stored)
    return json.dumps(fields, indent=2, ensure_ascii=False)


def write(files: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write files into a folder, which is made when missing, and return their paths.

    All are complete under other names before the first takes its own: no reader ever sees a part of one, and a full
    disk leaves none.

    Raises
    ------
    StoreError
        The folder cannot be written.
    """
    written: dict[Path, Path] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            part = folder / f".{name}.{secrets.token_hex(4)}.part"
            written[part] = folder / name
            with open(part, "xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for part, path in written.items():
            os.replace(part, path)
    except OSError as error:
        raise StoreError(
            "The folder {folder} cannot be written ({reason}). Nothing incomplete was left; name another folder.",
            folder=folder,
            reason=error.strerror or error,
        ) from error
    finally:
        for part in written:
            with suppress(OSError):
                part.unlink(missing_ok=True)
    return list(written.values())
