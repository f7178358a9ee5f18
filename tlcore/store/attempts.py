"""One process's attempt at a run: claimed once, written to until the run ends or is taken away."""

import json
import os
import platform
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from math import isfinite
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tlcore import sentences
from tlcore.errors import StoreError
from tlcore.machine import identity
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FINAL_STATES, Cell, MetricPoint, Progress, check_choice
from tlcore.spec.curves import series

from .connection import Database
from .tables import cells as cells_table
from .tables import points as points_table
from .tables import runs


class Attempt:
    """What the process that claimed a run may write to it, and nobody else.

    Once the run was queued again, or claimed by another process, nothing of this attempt is written any more.
    Safe to share between threads.

    Parameters
    ----------
    number : which attempt at the run this is, from 1
    """

    def __init__(self, database: Database, run_id: str, number: int):
        self._database, self.run_id, self.number = database, run_id, number

    def beat(self, progress: Progress | None = None) -> bool:
        """Say that the run is alive and how far it is; return whether it should stop.

        A run that was taken away from this attempt should stop too.
        """
        values: dict[str, Any] = {"heartbeat": time.time()}
        if progress is not None:
            values["progress"] = encode(asdict(progress))
        with self._database.writing() as connection:
            if connection.execute(runs.update().where(self._running()).values(**values)).rowcount == 0:
                return True
            return bool(connection.execute(sa.select(runs.c.stop_requested).where(self._running())).scalar_one())

    def add_points(self, points: Sequence[MetricPoint]) -> None:
        """Append points in their order; a loss or accuracy that is not a finite number is stored as missing."""
        if not points:
            return
        here = points_table.c.run_id == self.run_id
        last = sa.select(sa.func.coalesce(sa.func.max(points_table.c.seq), 0)).where(here)
        # Who writes to the run waits here for the others, or two of them would take the same numbers.
        mine = sa.select(runs.c.id).where(self._mine()).with_for_update()
        with self._database.writing() as connection:
            if connection.execute(mine).first() is None:
                return
            first = connection.execute(last).scalar_one() + 1
            rows = [{"run_id": self.run_id, "seq": seq, **_columns(point)} for seq, point in enumerate(points, first)]
            connection.execute(points_table.insert(), rows)

    def add_cells(self, cells: Sequence[Cell]) -> None:
        """Keep finished experiments of a sweep, none of which it has already."""
        if not cells:
            return
        with self._database.writing() as connection:
            if connection.execute(runs.update().where(self._mine()).values(lost=0)).rowcount:
                rows = [{"run_id": self.run_id, **asdict(cell), "error": sentences.dumps(cell.error)} for cell in cells]
                connection.execute(cells_table.insert(), rows)

    def keep(self, result: dict[str, Any]) -> None:
        """Write down what of the run is finished; it stays, however the run ends."""
        with self._holding() as connection:
            connection.execute(runs.update().where(runs.c.id == self.run_id).values(result=encode(result), lost=0))

    def set_data_hash(self, data_hash: str) -> None:
        """Write down which data the run used."""
        with self._database.writing() as connection:
            connection.execute(runs.update().where(self._mine()).values(data_hash=data_hash))

    def move(self, source: Path, target: Path, further: bool = False) -> None:
        """Move a file into place, while nobody else can take or end the run.

        Parameters
        ----------
        further : with this file the run has got further: a later attempt can go on from there

        Raises
        ------
        StoreError
            The run was taken away from this attempt: its files are not ours to write.
        OSError
            The file cannot be moved.
        """
        with self._holding() as connection:
            if further:
                connection.execute(runs.update().where(runs.c.id == self.run_id).values(lost=0))
            os.replace(source, target)

    def finish(self, state: str, result: dict[str, Any] | None = None, error: Sentence = NOTHING) -> bool:
        """Write the run's end; return False when it is no longer this attempt's to end."""
        with self._database.writing() as connection:
            values = ending(state, result, error)
            return connection.execute(runs.update().where(self._running()).values(**values)).rowcount == 1

    def _mine(self) -> sa.ColumnElement[bool]:
        return sa.and_(runs.c.id == self.run_id, runs.c.attempt == self.number)

    def _running(self) -> sa.ColumnElement[bool]:
        return sa.and_(self._mine(), runs.c.state == "running")

    @contextmanager
    def _holding(self) -> Iterator[sa.Connection]:
        """Hold the run's row as one that runs and is ours."""
        with self._database.writing() as connection:
            beat = runs.update().where(self._running()).values(heartbeat=time.time())
            if connection.execute(beat).rowcount == 0:
                raise StoreError(
                    "Run {run_id} has ended or continues in another process, so this process stops.", run_id=self.run_id
                )
            yield connection


def claim(database: Database, run_id: str, worker: str, keep: int, attempt: int | None) -> Attempt | None:
    """Take a queued run for this process; see ``Store.claim``."""
    values = claimed(worker) | {"attempt": runs.c.attempt + 1, "finished": None, "error": "", "progress": "{}"}
    free = sa.and_(runs.c.id == run_id, runs.c.state == "queued", runs.c.deleted.is_(None), ~runs.c.stop_requested)
    if attempt is not None:
        free = sa.and_(free, runs.c.attempt == attempt)
    with database.writing() as connection:
        if connection.execute(runs.update().where(free).values(**values)).rowcount == 0:
            return None
        dropped = sa.and_(points_table.c.run_id == run_id, points_table.c.seq > keep)
        connection.execute(points_table.delete().where(dropped))
        number = connection.execute(sa.select(runs.c.attempt).where(runs.c.id == run_id)).scalar_one()
    return Attempt(database, run_id, number)


def claimed(worker: str) -> dict[str, Any]:
    """Return the columns that say that this process runs a run from now on."""
    now = time.time()
    return {
        "state": "running",
        "started": now,
        "heartbeat": now,
        "worker": worker,
        "host": socket.gethostname(),
        "process": identity(),
        "versions": encode(versions()),
    }


def ending(state: str, result: dict[str, Any] | None, error: Sentence) -> dict[str, Any]:
    """Return the columns of a run that ends; SpecError when ``state`` is not a final one."""
    check_choice("final state", state, tuple(sorted(FINAL_STATES)))
    kept = {} if result is None else {"result": encode(result)}
    return {"state": state, "finished": time.time(), "error": sentences.dumps(error), **kept}


def encode(value: Any) -> str:
    """Return JSON; NumPy's numbers and arrays become plain ones."""
    # They have tolist(); whatever has not is a bug and says so.
    return json.dumps(value, default=lambda odd: sentences.encode(odd) if isinstance(odd, Sentence) else odd.tolist())


def _columns(point: MetricPoint) -> dict[str, Any]:
    """Return a point's columns; a loss or accuracy that is not a finite number is missing."""
    loss, accuracy = (
        value if value is not None and isfinite(value) else None for value in (point.loss, point.accuracy)
    )
    return {
        "series": series(point),
        "x": point.x,
        "loss": loss,
        "accuracy": accuracy,
        "elapsed_s": point.elapsed_s,
    }


@cache
def versions() -> dict[str, str]:
    """Return the versions that a result depends on, without importing what they belong to."""
    found = {"python": platform.python_version()}
    for package in ("tensorflow", "tensorflow-cpu", "keras", "scikit-learn", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
