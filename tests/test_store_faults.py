"""The run store when something breaks under it: one sentence, nothing destroyed, a way forward."""

import os
import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from tlcore import database
from tlcore.errors import StoreError
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

SPEC = FineTuneSpec(seed=7)


@pytest.mark.parametrize("content", [b"this is no database " * 100, None])
def test_a_damaged_database_is_said_and_not_touched(tmp_path, content):
    path = tmp_path / "lab.db"
    if content is None:  # a real one, its inner pages overwritten
        made = Store(tmp_path)
        for _ in range(50):
            made.create(SPEC)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        made.close()
        whole = path.read_bytes()
        content = whole[:100] + b"\xff" * (len(whole) - 100)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged .*Nothing was changed. Move the file away") as caught:
        Store(tmp_path).list()
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_a_data_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used .*Make it writable, or name another one in TRANSFER_LAB_HOME"):
        Store(tmp_path / "file" / "lab")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a file system that nobody can write to")
def test_a_data_folder_nobody_can_make_is_said():
    with pytest.raises(StoreError, match="'?/proc/lab'? cannot be used"):
        Store("/proc/lab")


def test_a_database_that_is_a_folder_is_said(tmp_path):
    (tmp_path / "lab.db").mkdir()
    with pytest.raises(StoreError, match="cannot be read or written .*unable to open"):
        Store(tmp_path)


def test_a_read_only_database_is_said(tmp_path):
    Store(tmp_path).close()
    url = f"sqlite:///file:{tmp_path / 'lab.db'}?mode=ro&uri=true"  # what a read-only disk does, for root too
    with pytest.raises(StoreError, match="cannot be read or written .*readonly"):
        Store(tmp_path, url=url).create(SPEC)


def test_a_full_disk_is_said(store):
    store.create(SPEC)
    with store._engine.connect() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    full = Store(store.folder)
    sa.event.listen(full._engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count={used}"))
    full._engine.dispose()
    with pytest.raises(StoreError, match="cannot grow .*Free some disk space"):
        full.create(SPEC, name="long " * 10_000)
    assert store.count() == 1


def test_who_opens_a_new_database_waits_for_another_who_does(tmp_path, monkeypatch):
    with closing(sqlite3.connect(tmp_path / "lab.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # the first change of the journal's mode is refused at once, without a wait
        waited = []

        def let_go(seconds):
            waited.append(seconds)
            other.execute("ROLLBACK")

        monkeypatch.setattr(database.time, "sleep", let_go)
        assert Store(tmp_path).count() == 0 and len(waited) == 1
