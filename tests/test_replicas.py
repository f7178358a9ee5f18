"""Data folders of their own and one place for results: what replicas and workers of one store share."""

import pytest

from tlcore import teaching
from tlcore.datasets import own_sets
from tlcore.engine import fitness
from tlcore.errors import StoreError
from tlcore.sources.uploaded import Uploaded
from tlcore.spec import FineTuneSpec
from tlcore.store import Store, home, shared_home
from tlcore.store.disk import results_mb

RESULTS = "TRANSFER_LAB_RESULTS"


def test_without_the_setting_all_files_lie_in_the_data_folder(tmp_path):
    assert shared_home() == home() and shared_home(tmp_path) == tmp_path
    store = Store(tmp_path)
    assert store.run_folder("0" * 16) == tmp_path / "runs" / ("0" * 16)


def test_two_data_folders_share_what_runs_leave_and_what_people_bring(tmp_path, monkeypatch):
    monkeypatch.setenv(RESULTS, str(tmp_path / "shared"))
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", f"sqlite:///{tmp_path / 'lab.db'}")
    one, other = Store(tmp_path / "one"), Store(tmp_path / "other")
    run = one.create(FineTuneSpec())
    (one.run_folder(run.id, create=True) / "network.keras").write_bytes(bytes(2**20))
    assert (other.run_folder(run.id) / "network.keras").stat().st_size == 2**20
    assert results_mb(other) == 1.0
    for folder in (own_sets.folder(), Uploaded("x").folder(), teaching.of("ann", "photo").folder):
        assert folder.is_relative_to(tmp_path / "shared")
    assert not list((tmp_path / "one").iterdir())
    other.delete(run.id)
    other.request_stop(run.id)
    assert other.purge() == 1 and not one.run_folder(run.id).exists()


def test_a_worker_with_its_own_data_folder_is_fit_where_it_sees_the_results(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", f"sqlite:///{tmp_path / 'lab.db'}")
    server, worker = Store(tmp_path / "one"), Store(tmp_path / "two")
    assert fitness.leave_mark(server) and worker.files.mark() == ""
    monkeypatch.setenv(RESULTS, str(tmp_path / "shared"))
    server, worker = Store(tmp_path / "one"), Store(tmp_path / "two")
    assert fitness.leave_mark(server) == worker.files.mark() != ""


def test_a_results_folder_that_cannot_be_made_is_one_sentence_with_its_setting(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(RESULTS, str(tmp_path / "file" / "shared"))
    with pytest.raises(StoreError, match="The folder .*shared of TRANSFER_LAB_RESULTS cannot be used"):
        Store(tmp_path / "lab")
