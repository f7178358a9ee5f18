"""The schema of the run store: made new, brought up from every earlier one, refused when it is from the future."""

import ast
import multiprocessing
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tlcore.errors import StoreError
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, MetricPoint, Phase
from tlcore.store import Store, schema
from tlcore.store.connection import connect
from tlcore.store.tables import metadata

OLD = Path(__file__).parent / "databases"  # one of each earlier revision
POINTS = [
    (1, MetricPoint("train", 1.0, loss=0.5, accuracy=0.75, elapsed_s=1.5)),
    (2, MetricPoint("validation", 1.0, accuracy=0.5, elapsed_s=1.5)),
]


def old_database(folder: Path, script: str = "0001.sql") -> Path:
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / "lab.db")) as connection:
        connection.executescript((OLD / script).read_text(encoding="utf-8"))
    return folder / "lab.db"


def rows(path: Path, query: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def transaction(url: str) -> Iterator[sa.Connection]:
    engine = connect(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def differences(url: str | Path) -> list:
    """Return what Alembic would still have to change to get from a database to ``tlcore.store.tables``."""
    with transaction(url if isinstance(url, str) else f"sqlite:///{url}") as connection:
        return compare_metadata(MigrationContext.configure(connection), metadata)


def test_a_new_database_is_at_the_newest_revision(tmp_path):
    Store(tmp_path).close()
    assert rows(tmp_path / "lab.db", "SELECT * FROM alembic_version") == [(schema.revisions()[-1],)]
    assert differences(tmp_path / "lab.db") == []


@pytest.mark.parametrize("script", sorted(path.name for path in OLD.glob("*.sql")))
def test_an_older_database_keeps_everything(tmp_path, script):
    path = old_database(tmp_path, script)
    store = Store(tmp_path)
    second, first = store.list()
    assert (first.id, first.name, first.state, first.spec) == (
        "c6831ad2f2ab4559",
        "first",
        "done",
        FineTuneSpec(data=DataSpec(per_class=200), phases=(Phase(10, ("conv_1", "conv_2")),), seed=3),  # defaults then
    )
    assert (first.accuracy, first.created, first.owner) == (0.84, 1795369382.5, "")
    assert (second.id, second.name, second.state, second.owner) == ("c0e34aba0e8a025e", "second", "queued", "")
    assert store.points(first.id) == POINTS
    assert store.create(HeadSpec(), owner="ada").owner == "ada" and store.claim(second.id)
    assert differences(path) == []


def test_from_nothing_the_revisions_make_what_the_tables_say(tmp_path):
    with transaction(f"sqlite:///{tmp_path / 'lab.db'}") as connection:
        schema._upgrade(connection)
    assert differences(tmp_path / "lab.db") == []
    made = "SELECT sql FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%' OR sql LIKE '%WITHOUT ROWID%'"
    assert len(rows(tmp_path / "lab.db", made)) == 3  # what Alembic does not compare


@pytest.mark.slow
def test_postgres_is_made_new_as_the_revisions_make_it(tmp_path, postgres_database):
    Store(tmp_path, url=postgres_database).close()
    assert differences(postgres_database) == []
    with transaction(postgres_database) as connection:
        connection.exec_driver_sql("DROP TABLE " + ", ".join([*metadata.tables, "alembic_version"]))
        schema._upgrade(connection)
    assert differences(postgres_database) == []


@pytest.mark.slow
def test_an_older_postgres_is_upgraded_once_of_many_who_open_it(tmp_path, postgres_database):
    with transaction(postgres_database) as connection:
        schema._upgrade(connection, "0001")
        script = (OLD / "0001.sql").read_text(encoding="utf-8").replace("0,NULL,'", "false,NULL,'")
        for line in sorted((line for line in script.splitlines() if line.startswith("INSERT")), reverse=True):
            connection.exec_driver_sql(line.replace("%", "%%"))
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        answers = pool.starmap(open_and_count, [(str(tmp_path), postgres_database)] * 8, chunksize=1)
    assert answers == [2] * 8 and differences(postgres_database) == []
    store = Store(tmp_path, url=postgres_database)
    assert store.points("c6831ad2f2ab4559") == POINTS and store.get("c6831ad2f2ab4559").owner == ""
    store.close()


def test_before_an_upgrade_the_file_is_copied_beside_itself(tmp_path):
    path = old_database(tmp_path)
    with closing(sqlite3.connect(path)) as left_open:  # its rows are still in the write-ahead log alone
        left_open.execute("PRAGMA journal_mode=WAL")
        left_open.execute("UPDATE runs SET note = 'late' WHERE number = 2")
        left_open.commit()
        Store(tmp_path).close()
    (backup,) = tmp_path.glob("*.backup")
    assert backup.name.startswith("lab.db.0001-")
    assert rows(backup, "SELECT name, note FROM runs") == [("first", ""), ("second", "late")]
    assert rows(backup, "SELECT name FROM sqlite_master WHERE name = 'alembic_version'") == []
    Store(tmp_path).close()
    assert list(tmp_path.glob("*.backup")) == [backup]


def test_an_upgrade_that_fails_changes_nothing(tmp_path, monkeypatch):
    path = old_database(tmp_path)
    with closing(sqlite3.connect(path)) as before:
        expected = list(before.iterdump())

    def fails_late(connection):
        upgrade(connection)
        connection.exec_driver_sql("INSERT INTO runs (id) VALUES ('not a run')")

    upgrade = schema._upgrade
    monkeypatch.setattr(schema, "_upgrade", fails_late)
    with pytest.raises(StoreError, match="NOT NULL"):
        Store(tmp_path)
    with closing(sqlite3.connect(path)) as after:
        assert list(after.iterdump()) == expected
    assert not list(tmp_path.glob("*backup*"))
    monkeypatch.undo()
    assert Store(tmp_path).count() == 2


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path):
    Store(tmp_path).close()
    path = tmp_path / "lab.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Store(tmp_path)
    newest = schema.revisions()[-1]
    assert str(caught.value) == (
        f"The run store {path} was written by a newer version of Transfer Lab (its schema is 9999, this version knows "
        f"{newest}). Nothing was changed. Start the newer version, or name another folder in TRANSFER_LAB_HOME."
    )
    assert path.read_bytes() == before and not list(tmp_path.glob("*.backup"))


def open_and_count(folder: str, url: str | None = None) -> int:
    return Store(Path(folder), url=url).count()


@pytest.mark.slow
def test_processes_that_open_an_older_database_at_once_upgrade_it_once(tmp_path):
    path = old_database(tmp_path)
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert pool.map(open_and_count, [str(tmp_path)] * 8, chunksize=1) == [2] * 8
    assert len(list(tmp_path.glob("*.backup"))) == 1
    assert rows(path, "SELECT * FROM alembic_version") == [(schema.revisions()[-1],)]


def test_alembic_is_not_imported_when_there_is_nothing_to_upgrade(tmp_path):
    code = f"""
import sys; from pathlib import Path; from tlcore.store import Store
for _ in range(2):  # made new, then opened
    Store(Path({str(tmp_path)!r})).close()
assert "alembic" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=schema.MIGRATIONS.parents[2], check=True)


def test_the_revisions_are_one_chain_in_the_order_of_their_files():
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(chain)) == schema.revisions()


def test_revisions_stand_alone():
    for path in (schema.MIGRATIONS / "versions").glob("*.py"):
        imported = {
            name
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        }
        assert imported <= {"sqlalchemy", "alembic", "json"}, path.name


def test_the_owner_of_a_run_is_kept_and_asked_for(store):
    mine, theirs, nobodys = (store.create(HeadSpec(), owner=owner) for owner in ("me", "them", ""))
    assert [store.get(run.id).owner for run in (mine, theirs, nobodys)] == ["me", "them", ""]
    assert [run.id for run in store.list(owner="me")] == [mine.id] and store.count(owner="me") == 1
    assert [run.id for run in store.list(owner="")] == [nobodys.id]
    assert store.count() == store.count(owner=None) == 3
    store.delete(mine.id)
    assert store.list(owner="me") == () and [run.id for run in store.list(deleted=True, owner="me")] == [mine.id]
