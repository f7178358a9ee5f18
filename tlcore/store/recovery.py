"""Bring back what can be read of a damaged SQLite run store: into a new file, the damaged one kept beside it."""

import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from tlcore.errors import StoreError

from .connection import connect, plain_errors
from .schema import prepare
from .tables import metadata, points, runs

LOGS = ("-wal", "-shm")  # what SQLite keeps beside the file while it is open
HEADER_BYTES = 100
MOST_LOST = 100_000  # numbers in a row on unreadable pages end the search; one page leads to some 3,000 at most
OF_RUNS = tuple(
    table for table in metadata.sorted_tables if "run_id" in table.c
)  # a room is of a day: it is opened again
SHARED_FIRST, SHARED_SIZE = 0x40000002, 510  # the bytes of the file that whoever has it open keeps a share of


@dataclass(frozen=True)
class Recovered:
    """What was brought back, and where the damaged file is now."""

    runs: int
    points: int
    kept: Path


def recover(path: Path) -> Recovered | None:
    """Replace a damaged database by a new one with all of its rows that can be read; None when it is sound.

    Everything happens on copies; the last step puts the new file in place of the damaged one, which is kept beside
    it under another name with its logs.

    Parameters
    ----------
    path : the SQLite file; there must be room for two more of its size beside it

    Raises
    ------
    StoreError
        There is no such file, a process has it open, nothing in it can be read, or the folder cannot be written.
    """
    if not path.is_file():
        raise StoreError("There is no run store {path}, so there is nothing to recover.", path=path)
    _check_closed(path)
    try:
        with plain_errors(str(path)), tempfile.TemporaryDirectory(dir=path.parent, prefix="recover-") as folder:
            return _recover(path, Path(folder))
    except OSError as error:
        raise StoreError(
            "The run store {path} cannot be recovered ({reason}). Its folder must be writable and have room for two "
            "more files of that size; nothing was changed.",
            path=path,
            reason=error.strerror,
        ) from error


def _recover(path: Path, folder: Path) -> Recovered | None:
    if _is_sound(_copy(path, folder / "whole.db")):
        return None
    for number, mend in enumerate((_leave, _mend_header, _mend_first_page)):
        damaged, new = _copy(path, folder / f"damaged-{number}.db"), folder / f"new-{number}.db"
        mend(damaged, folder)
        n_runs, n_points = _carry_over(damaged, new)
        if n_runs:
            return Recovered(n_runs, n_points, _swap(path, new))
    raise StoreError(
        "Nothing can be read from the run store {path}. It was not changed. Put a copy in its place, or move it away "
        "to start with an empty one.",
        path=path,
    )


def _check_closed(path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows does not let a file be replaced that is open
        return
    with open(path, "rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError as error:
            raise StoreError(
                "The run store {path} is open in another process. Stop the server first.", path=path
            ) from error


def _copy(path: Path, to: Path) -> Path:
    shutil.copyfile(path, to)
    with suppress(FileNotFoundError):  # the newest rows may still be in the log alone
        shutil.copyfile(f"{path}-wal", f"{to}-wal")
    return to


def _is_sound(path: Path) -> bool:
    try:
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False


# -- mending what says where everything is, on a copy ------------------------------------------------------------------


def _leave(damaged: Path, folder: Path) -> None:
    """The first try: what is damaged lies further inside."""


def _mend_header(damaged: Path, folder: Path) -> None:
    _put_in_front(damaged, folder, HEADER_BYTES)


def _mend_first_page(damaged: Path, folder: Path) -> None:
    """The list of tables lies there; in a store that was made by this version it is the same in all."""
    _put_in_front(damaged, folder, None)


def _put_in_front(damaged: Path, folder: Path, n_bytes: int | None) -> None:
    """Overwrite the begin of the file with a new store's, and the number of pages in it with the right one."""
    _make_new(folder / "model.db")
    model = (folder / "model.db").read_bytes()
    page = int.from_bytes(model[16:18], "big")  # the offsets are of SQLite's file format, section 1.3
    front = bytearray(model[: n_bytes or page])
    front[28:32] = (damaged.stat().st_size // page).to_bytes(4, "big")
    front[32:40] = bytes(8)  # no list of free pages
    front[92:96] = front[24:28]  # the number of pages holds for this change counter
    with open(damaged, "rb+") as file:
        file.write(front)


# -- reading -----------------------------------------------------------------------------------------------------------


def _carry_over(damaged: Path, new: Path) -> tuple[int, int]:
    """Copy every readable row into a new store; return how many runs and points."""
    _make_new(new)
    engine = connect(sa.URL.create("sqlite", database=str(new)))
    n_runs = n_points = 0
    with closing(sqlite3.connect(damaged)) as source, engine.connect() as target:
        source.row_factory = sqlite3.Row
        target = target.execution_options(write=True)
        with target.begin():
            for row in _runs(source):
                if _insert(target, runs, [row]):
                    n_runs += 1
                    brought = {table: _insert(target, table, _of_run(source, table, row["id"])) for table in OF_RUNS}
                    n_points += brought[points]
    engine.dispose()
    return n_runs, n_points


def _make_new(path: Path) -> None:
    engine = connect(sa.URL.create("sqlite", database=str(path)))
    prepare(engine, str(path))
    engine.dispose()  # the last connection writes the log into the file


def _runs(source: sqlite3.Connection) -> Iterator[sqlite3.Row]:
    """Yield the runs in their order, over damaged pages to what comes after them."""
    try:
        source.execute("SELECT 1 FROM runs LIMIT 0")
    except sqlite3.DatabaseError:  # there is no list of tables, or none that names this one
        return
    number = n_lost = 0
    while n_lost < MOST_LOST:
        try:
            row = source.execute("SELECT * FROM runs WHERE number > ? ORDER BY number LIMIT 1", (number,)).fetchone()
        except sqlite3.DatabaseError:
            number, n_lost = number + 1, n_lost + 1
            continue
        if row is None or row["number"] <= number:  # the end, or a tree of pages that leads round in a circle
            return
        number, n_lost = row["number"], 0
        if isinstance(row["id"], str) and re.fullmatch("[0-9a-f]{16}", row["id"]):
            yield row


def _of_run(source: sqlite3.Connection, table: sa.Table, run_id: str) -> list[sqlite3.Row]:
    """Return what comes before the first damaged page, and from the end back to the last one."""
    found: dict[tuple[Any, ...], sqlite3.Row] = {}
    key = [column.name for column in table.primary_key]
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{name} {direction}" for name in key)
        with suppress(sqlite3.DatabaseError):  # or there was no such table yet
            for row in source.execute(f"SELECT * FROM {table.name} WHERE run_id = ? ORDER BY {order}", (run_id,)):
                found.setdefault(tuple(row[name] for name in key), row)
            break
    return list(found.values())


def _insert(target: sa.Connection, table: sa.Table, rows: Sequence[sqlite3.Row]) -> int:
    """Insert rows, of what columns they have; return how many: those that the damage left fitting."""
    if not rows:
        return 0
    known = [name for name in rows[0].keys() if name in table.c]  # noqa: SIM118 (a Row iterates over its values)
    try:
        with target.begin_nested():
            target.execute(table.insert(), [{name: row[name] for name in known} for row in rows])
        return len(rows)
    except StatementError:
        return sum(_insert(target, table, [row]) for row in rows) if len(rows) > 1 else 0


# -- putting it in place -----------------------------------------------------------------------------------------------


def _swap(path: Path, new: Path) -> Path:
    """Put a new file in the place of the damaged one; return where that is now."""
    kept = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    for log in LOGS:  # first: SQLite would play the damaged file's log into the new one
        with suppress(FileNotFoundError):
            Path(f"{path}{log}").rename(f"{kept}{log}")
    path.rename(kept)
    new.rename(path)
    return kept
