"""The results of all runs stay within the disk they may take."""

import time

import pytest
import sqlalchemy as sa

from tlcore.errors import RightsError
from tlcore.people import Access, Limits, Person
from tlcore.spec import FineTuneSpec
from tlcore.store import connection as database
from tlcore.store import disk, tables

ANN = Person("a" * 32)


@pytest.fixture
def start(store, monkeypatch):
    monkeypatch.setattr(disk.results_mb, "__defaults__", (0.0,))  # look each time
    access = Access(store, ANN, Limits(results_mb=2), store.request_stop)
    return lambda: access.create(FineTuneSpec())


def with_result(store, run, mb):
    store.finish(run.id, "done")
    (store.run_folder(run.id, create=True) / "model.keras").write_bytes(bytes(mb * 2**20))
    return run


def test_a_run_is_refused_when_the_results_take_all_they_may(store, start):
    kept = with_result(store, start(), 1)
    full = with_result(store, start(), 1)
    with pytest.raises(RightsError, match="Stored results use 2 of the 2 MB allowed on this server. Delete runs"):
        start()
    assert {run.id for run in store.list()} == {kept.id, full.id}  # what people keep is never removed for room


def test_what_was_deleted_goes_first_but_not_what_was_deleted_just_now(store, start):
    old, young = (with_result(store, start(), 1) for _ in range(2))
    store.delete(old.id)
    store.delete(young.id)
    long_ago = tables.runs.update().where(tables.runs.c.id == old.id).values(deleted=time.time() - disk.UNDO_S - 1)
    with sa.create_engine(f"sqlite:///{store.folder / database.FILE}").begin() as connection:
        connection.execute(long_ago)
    start()
    assert not store.run_folder(old.id).exists() and store.run_folder(young.id).exists()
    store.restore(young.id)


def test_a_folder_is_not_walked_through_for_every_start(store):
    assert disk.results_mb(store) == 0.0
    with_result(store, store.create(FineTuneSpec()), 1)
    assert disk.results_mb(store) == 0.0  # as of a moment ago
    assert disk.results_mb(store, at_most_s=0.0) == 1.0
