"""One process's attempt at a run: claimed once, written to until the run ends or is taken away."""

import json
import os
import platform
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from logging import getLogger
from math import isfinite
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tlcore import sentences
from tlcore.errors import StoreError
from tlcore.machine import identity
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FINAL_STATES, Cell, MetricPoint, Progress, check_choice
from tlcore.spec.curves import series

from .connection import Database
from .files import Files
from .tables import cells as cells_table
from .tables import points as points_table
from .tables import runs

log = getLogger(__name__)

PAUSES_S = (1, 2, 4, 8, 16)  # between two tries of an object store
INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # those that can leave out what is there


class Attempt:
    """What the process that claimed a run may write to it, and nobody else.

    Once the run was queued again, or claimed by another process, nothing of this attempt is written any more.
    Safe to share between threads.

    Parameters
    ----------
    number : which attempt at the run this is, from 1
    files : where the run's files are
    """

    def __init__(self, database: Database, run_id: str, number: int, files: Files):
        self._database, self.run_id, self.number, self._files = database, run_id, number, files

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
            connection.execute(points_table.insert(), point_rows(self.run_id, points, first))

    def add_cells(self, cells: Sequence[Cell]) -> None:
        """Keep finished experiments of a sweep; one that it has already stays as it is."""
        if not cells:
            return
        with self._database.writing() as connection:
            if connection.execute(runs.update().where(self._mine()).values(lost=0)).rowcount:
                insert = INSERTS[connection.dialect.name](cells_table)
                connection.execute(insert.on_conflict_do_nothing(), cell_rows(self.run_id, cells))

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

        def move() -> None:
            with self._holding() as connection:
                if further:
                    connection.execute(runs.update().where(runs.c.id == self.run_id).values(lost=0))
                self._files.put(source, target)  # first: what is here is there
                os.replace(source, target)

        self._patiently(move)

    def publish(self) -> None:
        """Bring what else was written to the run's folder to where its files are, while the run is still ours.

        Raises
        ------
        StoreError, OSError
            As ``move``.
        """

        def publish() -> None:
            with self._holding():
                self._files.publish(self.run_id)

        if self._files.remote:
            self._patiently(publish)

    def _patiently(self, do: Callable[[], None]) -> None:
        """Do it, again for a while where an object store does not answer; nobody is held up between two tries."""
        for pause_s in PAUSES_S if self._files.remote else ():
            try:
                return do()
            except OSError as error:
                log.warning("run %s: %s; trying again in %s s", self.run_id, error, pause_s)
                threading.Event().wait(pause_s)
        do()

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


def claim(database: Database, run_id: str, worker: str, keep: int, attempt: int | None, files: Files) -> Attempt | None:
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
    return Attempt(database, run_id, number, files)


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


def point_rows(run_id: str, points: Sequence[MetricPoint], first: int = 1) -> list[dict[str, Any]]:
    """Return the rows of points, numbered from ``first``."""
    return [{"run_id": run_id, "seq": seq, **_columns(point)} for seq, point in enumerate(points, first)]


def cell_rows(run_id: str, cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return the rows of experiments."""
    return [{"run_id": run_id, **asdict(cell), "error": sentences.dumps(cell.error)} for cell in cells]


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
