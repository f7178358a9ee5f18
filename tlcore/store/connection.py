"""The database under the run store: how it is opened, read and written, and its errors in plain words."""

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

from tlcore.errors import AwayError, StoreError
from tlcore.machine import lock

log = getLogger(__name__)

FILE = "lab.db"
VARIABLE = "TRANSFER_LAB_DATABASE"
LOG_BYTES = 16 * 2**20  # of the write-ahead log, before it is emptied even though somebody reads
WAIT_S = 30  # for another writer's transaction
# A network that was cut is noticed: by whoever connects, and by whoever waits for an answer.
POSTGRES_WAITS = {
    "connect_timeout": 10,  # seconds, as the next three
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
}
POOL = {"sqlite": {"pool_size": 8, "max_overflow": 56}, "postgresql": {"pool_size": 5, "max_overflow": 45}}


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
            "The run store is on a database server, {name}. Use that server's own tools to check and restore it.",
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
        waits = {} if kind == "sqlite" else {k: v for k, v in POSTGRES_WAITS.items() if k not in parsed.query}
        engine = sa.create_engine(parsed, pool_pre_ping=kind != "sqlite", connect_args=waits, **POOL[kind])
    except ModuleNotFoundError as error:
        raise StoreError(
            "The database needs the package {package}. Install it: pip install 'psycopg[binary]'.", package=error.name
        ) from error
    except (exc.ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        # The address itself may hold a password and is not repeated.
        raise StoreError(
            "TRANSFER_LAB_DATABASE is not the address of a database that can be used here. It begins like "
            "postgresql://user:password@host/name or sqlite:////folder/file.db."
        ) from error
    if kind == "sqlite":
        _configure_sqlite(engine)
    return engine


def _configure_sqlite(engine: sa.Engine) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; see below
        _log_ahead(connection, Path(str(engine.url.database)).parent)
        for setting in (f"busy_timeout={WAIT_S * 1000}", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").close()

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


def _log_ahead(connection: Any, folder: Path) -> None:
    """Have changes written to a log first; a database keeps that mode, so only its first connections change it."""
    connection.execute("PRAGMA busy_timeout=100").close()  # a disk without file locks is busy for ever: look why
    until = time.monotonic() + WAIT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
            return
        except sqlite3.OperationalError as error:  # of two who change it at once, one is refused without a wait
            if "locked" not in str(error) or time.monotonic() > until or lock.refusal(folder):
                raise
            time.sleep(0.01)


def _store_error(name: str, error: BaseException | None) -> StoreError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)  # a server goes on with hints and its query
    reason = reason.partition("(Background")[0].strip()
    kind = getattr(error, "sqlite_errorname", "")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # what stands above that byte are finer kinds of the same
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL) and (refusal := lock.refusal(Path(name).parent)):
        return refusal
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or "too many" in reason or "QueuePool" in reason:
        return StoreError("The run store {name} is busy ({reason}). Try again in a moment.", name=name, reason=reason)
    if code == sqlite3.SQLITE_FULL or kind == "SQLITE_IOERR_SHMSIZE" or "No space left" in reason:
        return StoreError(
            "The run store {name} cannot grow ({reason}). Free some disk space, then try again.",
            name=name,
            reason=reason,
        )
    if name.startswith("postgresql"):
        kinds = {each.__name__ for each in type(error).__mro__}  # of its driver, which need not be installed
        return (AwayError if kinds & {"OperationalError", "InterfaceError"} else StoreError)(
            "The run store {name} cannot be read or written ({reason}). "
            "Check that the database server runs, and the address in TRANSFER_LAB_DATABASE.",
            name=name,
            reason=reason,
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "decode" in reason:
        return StoreError(
            "The run store {name} is damaged ({reason}). Nothing was changed. Stop the server, then recover what can "
            "be read with: python -m tlcore runs recover.",
            name=name,
            reason=reason,
        )
    return StoreError(
        "The run store {name} cannot be read or written ({reason}). "
        "Check that the folder is there and writable, or name another one in TRANSFER_LAB_HOME.",
        name=name,
        reason=reason,
    )


@contextmanager
def plain_errors(name: str) -> Iterator[None]:
    """Turn what the database ``name`` raises into a StoreError of one sentence."""
    try:
        yield
    except exc.DBAPIError as error:
        raise _store_error(name, error.orig) from error
    except (sqlite3.Error, exc.TimeoutError) as error:  # raised while connecting; nothing wraps those
        raise _store_error(name, error) from error


class Database:
    """One database with its connections; safe to share between threads. ``name`` goes into messages."""

    def __init__(self, engine: sa.Engine, name: str):
        self.engine, self.name = engine, name

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        with plain_errors(self.name), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in a transaction that takes the write lock at its start."""
        with plain_errors(self.name), self.engine.connect() as connection:
            connection = connection.execution_options(write=True)
            with connection.begin():
                yield connection
