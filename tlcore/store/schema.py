"""The schema of the run store: a new database is made as it is now, an older one is brought up by Alembic."""

import sqlite3
import threading
import time
from contextlib import closing
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from tlcore.errors import StoreError

from .tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"
FIRST = "0001"  # databases made before there were migrations

_version = sa.Table(  # as Alembic would make it; read and written here, so that Alembic is imported only to migrate
    "alembic_version",
    sa.MetaData(),
    sa.Column("version_num", sa.String(32), nullable=False),
    sa.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
_migrating = threading.Lock()  # Alembic's context is one for the whole process
_POSTGRES_LOCK = 0x7472616E73666572  # any number, the same in every process of ours


@cache
def revisions() -> tuple[str, ...]:
    """Return the revisions this version knows, oldest first: the first part of their files' names."""
    return tuple(sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py")))


def prepare(engine: sa.Engine, name: str) -> None:
    """Bring the database to the schema of this version; many processes may do so at once.

    Before an upgrade an SQLite file is copied beside itself, as ``lab.db.<its revision>-<when>.backup``.

    Parameters
    ----------
    name : what errors call the database

    Raises
    ------
    StoreError
        A newer version wrote the database; nothing was changed.
    """
    with engine.connect() as connection:
        found = revision(connection)
    if found == revisions()[-1]:  # the usual case, which must not wait for who is writing
        return
    with engine.connect() as connection:
        connection = connection.execution_options(write=True)
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRES_LOCK)))
            _bring_up(connection, name)


def revision(connection: sa.Connection) -> str:
    """Return the revision of a database: the first when it was made before there were any, "" when it is empty."""
    tables = sa.inspect(connection).get_table_names()
    if _version.name in tables:
        return connection.execute(sa.select(_version.c.version_num)).scalar() or FIRST
    return FIRST if "runs" in tables else ""


def _bring_up(connection: sa.Connection, name: str) -> None:
    found = revision(connection)  # again: another process may have been here before the lock was ours
    known = revisions()
    if found == known[-1]:
        return
    if found and found not in known:
        raise StoreError(
            "The run store {name} was written by a newer version of Transfer Lab (its schema is {found}, this version "
            "knows {newest}). Nothing was changed. Start the newer version, or name another folder in "
            "TRANSFER_LAB_HOME.",
            name=name,
            found=found,
            newest=known[-1],
        )
    _version.create(connection, checkfirst=True)
    if not found:
        metadata.create_all(connection)
        connection.execute(_version.insert().values(version_num=known[-1]))
        return
    backup = _back_up(connection, found)
    if connection.execute(sa.select(_version)).first() is None:
        connection.execute(_version.insert().values(version_num=found))
    try:
        _upgrade(connection)
    except BaseException:
        if backup:  # the transaction leaves the database as it was
            backup.unlink(missing_ok=True)
        raise


def _upgrade(connection: sa.Connection, to: str = "head") -> None:
    from alembic import command  # 0.2 s, so only when there is something to do
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    with _migrating:
        command.upgrade(config, to)


def _back_up(connection: sa.Connection, found: str) -> Path | None:
    """Copy an SQLite database beside itself, whole or not at all; other databases have tools of their own."""
    if connection.dialect.name != "sqlite":
        return None
    file = connection.exec_driver_sql("PRAGMA database_list").first()
    if file is None or not file[2]:  # it is in memory
        return None
    path = Path(file[2])
    backup = path.with_name(f"{path.name}.{found}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.backup")
    part = backup.with_name(f"part-{backup.name}")
    try:
        # A connection of its own: it reads what was committed, with what is still in the write-ahead log.
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        part.replace(backup)
    finally:
        part.unlink(missing_ok=True)
    return backup
