"""The database under the run store: its tables, how it is opened, and its errors in plain words."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from tlcore.errors import StoreError

log = getLogger(__name__)

FILE = "lab.db"
VARIABLE = "TRANSFER_LAB_DATABASE"
LOG_BYTES = 16 * 2**20  # of the write-ahead log, before it is emptied even though somebody reads
WAIT_S = 30  # for another writer's transaction
POOL = {"sqlite": {"pool_size": 8, "max_overflow": 56}, "postgresql": {"pool_size": 5, "max_overflow": 45}}

metadata = sa.MetaData()


class Text(sa.TypeDecorator[str]):
    """Text without the character NUL, which Postgres cannot hold; U+FFFD stands in its place, as on web pages."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return value and value.replace("\0", "\ufffd")


runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the order of creation: clocks can tie or jump back
    sa.Column("id", sa.String(16), nullable=False, unique=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("spec", Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("heartbeat", sa.Float),
    sa.Column("progress", Text, nullable=False, default="{}"),
    sa.Column("result", Text, nullable=False, default="{}"),
    sa.Column("error", Text, nullable=False, default=""),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("versions", Text, nullable=False, default="{}"),
    sa.Column("data_hash", sa.String(64), nullable=False, default=""),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("name", Text, nullable=False, default=""),
    sa.Column("note", Text, nullable=False, default=""),
    sa.Column("stop_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("deleted", sa.Float),  # when; the undo and the purge need it
    sa.Column("worker", Text, nullable=False, default=""),
    sa.Column("host", Text, nullable=False, default=""),
    sa.Column("process", Text, nullable=False, default=""),
    # How often in a row its process was lost without having got further.
    sa.Column("lost", sa.Integer, nullable=False, default=0, server_default="0"),
    sa.Column("owner", sa.String(64), nullable=False, default="", server_default="", index=True),
    sqlite_autoincrement=True,  # a purged run's number is never given again
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("series", Text, nullable=False),
    sa.Column("x", sa.Float, nullable=False),
    sa.Column("loss", sa.Float),
    sa.Column("accuracy", sa.Float),
    sa.Column("elapsed_s", sa.Float, nullable=False),
    sqlite_with_rowid=False,  # the key is the order they are read in
)

cells = sa.Table(
    "cells",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("target", sa.String(32), primary_key=True),
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("cut", sa.String(64), primary_key=True),
    sa.Column("method", sa.String(32), primary_key=True),
    sa.Column("per_class", sa.Integer, primary_key=True),
    sa.Column("seed", sa.Integer, primary_key=True),
    sa.Column("score", sa.Float),
    sa.Column("train_score", sa.Float),
    sa.Column("n_test", sa.Integer, nullable=False),
    sa.Column("n_features", sa.Integer, nullable=False),
    sa.Column("fit_s", sa.Float, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("multiply_adds", sa.Float),
    sa.Column("error", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)


def address() -> str | None:
    """Return the database that TRANSFER_LAB_DATABASE names, an SQLAlchemy address; None when it names none."""
    return os.environ.get(VARIABLE) or None


def file(folder: Path) -> Path:
    """Return the SQLite file of a data folder's store.

    Raises
    ------
    StoreError
        It is in a database that is no file.
    """
    named = address()
    if named is None:
        return folder / FILE
    engine = connect(named)
    if engine.dialect.name != "sqlite":
        raise StoreError(
            "The run store is on a database server, {name}. Use what the server has to check and restore it.",
            name=engine.url.render_as_string(),
        )
    return Path(str(engine.url.database))


def connect(url: str | sa.URL) -> sa.Engine:
    """Open the database of an address; nothing is asked of it yet.

    Raises
    ------
    StoreError
        No address, or of a database that cannot be used here.
    """
    try:
        parsed = sa.make_url(url)
        kind = parsed.get_backend_name()
        if kind not in POOL or (kind == "sqlite" and parsed.database in (None, "", ":memory:")):
            raise exc.ArgumentError("unknown kind of database")
        # A server's connection may have gone since it was last used; asking costs a tenth of a millisecond.
        engine = sa.create_engine(parsed, pool_pre_ping=kind != "sqlite", **POOL[kind])
    except ModuleNotFoundError as error:
        raise StoreError(
            "The database needs the package {package}. Install it: pip install 'psycopg[binary]'.", package=error.name
        ) from error
    except (exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        # The address itself may hold a password and is not repeated.
        raise StoreError(
            "TRANSFER_LAB_DATABASE is no address of a database that can be used here. "
            "It begins like postgresql://user:password@host/name or sqlite:////folder/file.db."
        ) from error
    if kind == "sqlite":
        _configure_sqlite(engine)
    return engine


def _configure_sqlite(engine: sa.Engine) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; see below
        for setting in (f"busy_timeout={WAIT_S * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").close()
        _log_ahead(connection)

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that reads and then writes fails at once, without waiting, when another wrote in between;
        # one that takes the write lock at its start waits its turn.
        write = connection.get_execution_options().get("write")
        connection.info["wrote"] = bool(write)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    limit = LOG_BYTES

    @event.listens_for(engine, "checkin")
    def _bound_log(connection: Any, record: Any) -> None:
        nonlocal limit
        if connection is None or not record.info.pop("wrote", False):
            return
        size = file_size(f"{engine.url.database}-wal")
        if size > limit:  # when that fails, not again at the very next write
            limit = LOG_BYTES if _write_back(connection) else size + LOG_BYTES


def _write_back(connection: Any) -> bool:
    """Bring the log into the database and empty it; return whether that worked.

    SQLite does so by itself only in a moment without a reader, and fifty of them leave none: the log then grows for
    ever. This waits for those who read now; who comes meanwhile reads the database.
    """
    try:
        connection.execute("PRAGMA busy_timeout=1000").close()
        return connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
    except sqlite3.Error:  # what was to be written is written: this is no error of whoever wrote it
        log.warning("the write-ahead log could not be emptied", exc_info=True)
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout={WAIT_S * 1000}").close()


def file_size(path: str) -> int:
    """Return the bytes of a file; 0 when it is not there, or no longer."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _log_ahead(connection: Any) -> None:
    """Have changes written to a log first; a database keeps that mode, so only its first connections change it."""
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:  # of two who change it at once, one is refused without a wait
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.01)


def _store_error(name: str, error: BaseException | None) -> StoreError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)  # a server goes on with hints and its query
    reason = reason.partition("(Background")[0].strip()
    kind = getattr(error, "sqlite_errorname", "")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # what stands above that byte are finer kinds of the same
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or "too many" in reason or "QueuePool" in reason:
        template = "The run store {name} is busy ({reason}). Try again in a moment."
    elif code == sqlite3.SQLITE_FULL or kind == "SQLITE_IOERR_SHMSIZE" or "No space left" in reason:
        template = "The run store {name} cannot grow ({reason}). Free some disk space, then try again."
    elif name.startswith("postgresql"):
        template = (
            "The run store {name} cannot be read or written ({reason}). "
            "Check that the database server runs, and the address in TRANSFER_LAB_DATABASE."
        )
    elif code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "decode" in reason:
        template = (
            "The run store {name} is damaged ({reason}). Nothing was changed. "
            "Stop the server, then bring back what can be read with: python -m tlcore runs recover."
        )
    else:
        template = (
            "The run store {name} cannot be read or written ({reason}). "
            "Check that the folder is there and writable, or name another one in TRANSFER_LAB_HOME."
        )
    return StoreError(template, name=name, reason=reason)


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Turn what the database ``name`` raises into a StoreError of one sentence."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _store_error(name, error.orig) from error
    except (sqlite3.Error, exc.TimeoutError) as error:  # raised while connecting; nothing wraps those
        raise _store_error(name, error) from error
