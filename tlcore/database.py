"""The database under the run store: its tables, how it is opened, and its errors in plain words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from .errors import StoreError

metadata = sa.MetaData()

runs = sa.Table(
    "runs",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),  # the order of creation: clocks can tie or jump back
    sa.Column("id", sa.String(16), nullable=False, unique=True),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("heartbeat", sa.Float),
    sa.Column("progress", sa.Text, nullable=False, default="{}"),
    sa.Column("result", sa.Text, nullable=False, default="{}"),
    sa.Column("error", sa.Text, nullable=False, default=""),
    sa.Column("seed", sa.Integer, nullable=False),
    sa.Column("versions", sa.Text, nullable=False, default="{}"),
    sa.Column("data_hash", sa.String(64), nullable=False, default=""),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),
    sa.Column("name", sa.Text, nullable=False, default=""),
    sa.Column("note", sa.Text, nullable=False, default=""),
    sa.Column("stop_requested", sa.Boolean, nullable=False, default=False),
    sa.Column("deleted", sa.Float),  # when; the undo and the purge need it
    sa.Column("worker", sa.Text, nullable=False, default=""),
    sa.Column("host", sa.Text, nullable=False, default=""),
    sa.Column("process", sa.Text, nullable=False, default=""),
    sa.Column("owner", sa.String(64), nullable=False, default="", server_default="", index=True),
    sqlite_autoincrement=True,  # a purged run's number is never given again
)

points = sa.Table(
    "points",
    metadata,
    sa.Column("run_id", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("series", sa.Text, nullable=False),
    sa.Column("x", sa.Float, nullable=False),
    sa.Column("loss", sa.Float),
    sa.Column("accuracy", sa.Float),
    sa.Column("elapsed_s", sa.Float, nullable=False),
    sqlite_with_rowid=False,  # the key is the order they are read in
)


def connect(url: str) -> sa.Engine:
    engine = sa.create_engine(url, pool_size=8, max_overflow=56)
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: object) -> None:
        connection.isolation_level = None  # the driver's own BEGIN is deferred; see below
        for setting in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # A transaction that reads and then writes fails at once, without waiting, when another wrote in between;
        # one that takes the write lock at its start waits its turn.
        write = connection.get_execution_options().get("write")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _store_error(name: str, reason: str) -> StoreError:
    if "malformed" in reason or "not a database" in reason:
        template = (
            "The run store {name} is damaged ({reason}). Nothing was changed. "
            "Move the file away to start with an empty one, and keep it: its runs may be recovered."
        )
    elif "locked" in reason or "too many" in reason:
        template = "The run store {name} is busy ({reason}). Try again in a moment."
    elif "full" in reason:
        template = "The run store {name} cannot grow ({reason}). Free some disk space, then try again."
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
        raise _store_error(name, str(error.orig)) from error
    except (sqlite3.Error, exc.TimeoutError) as error:  # raised while connecting; nothing wraps those
        raise _store_error(name, str(error).partition("(Background")[0].strip()) from error
