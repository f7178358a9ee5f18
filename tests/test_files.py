"""Results in an object store: what one data folder puts there another gets, the newest of it, whole, or not at all."""

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial

import numpy as np
import pytest
import s3_server
import waiting
from tiny_cluster import TinyCluster
from tiny_results import fine_tuned

from tlcore import prediction
from tlcore.engine import DaskEngine, fitness
from tlcore.engine import dask as engine_module
from tlcore.errors import DataError, SpecError, StoreError
from tlcore.jobs import execution
from tlcore.jobs.cluster import GREET, WORK
from tlcore.spec import NETWORK, ComparisonSpec, DataSpec, File, FineTuneSpec, HeadSpec, Phase, SweepSpec
from tlcore.store import Store, attempts, checkpoint, files
from tlcore.store.checkpoint import Checkpoint
from tlcore.store.disk import results_mb

RESULTS = "TRANSFER_LAB_RESULTS"
TEST = {"accuracy": 0.875, "n": 40}
wait_for = partial(waiting.wait_for, timeout_s=300)


@pytest.fixture(scope="module")
def s3():
    pytest.importorskip("moto", reason="no moto: pip install -r requirements-dev.txt")
    with s3_server.running() as settings:
        yield settings


@pytest.fixture
def two(s3, tmp_path, monkeypatch):
    """Two data folders on one store and one bucket, a folder in it for each test."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(RESULTS, f"{s3[RESULTS]}/{tmp_path.name}")
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", f"sqlite:///{tmp_path / 'lab.db'}")
    monkeypatch.setattr(attempts, "PAUSES_S", ())
    return Store(tmp_path / "one"), Store(tmp_path / "other")


def write(attempt, store, name, content):
    """Put a file as a run does: made under another name, then moved into its place."""
    target = store.run_folder(attempt.run_id, create=True) / name
    target.parent.mkdir(exist_ok=True)
    part = target.with_name("part~x")
    part.write_bytes(content)
    try:
        attempt.move(part, target)
    finally:
        part.unlink(missing_ok=True)


def read(store, run_id):
    folder = store.run_folder(run_id)
    store.files.bring(run_id, at_most_s=0.0)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_one_puts_another_gets_and_always_the_newest(two):
    one, other = two
    run = one.create(FineTuneSpec())
    first = one.claim(run.id)
    write(first, one, "heads/svm-features-0.skops", b"a head")
    write(first, one, checkpoint.FILE, b"after epoch 1")
    assert read(other, run.id) == {"heads/svm-features-0.skops": b"a head", checkpoint.FILE: b"after epoch 1"}

    other.requeue(run.id, attempt=1)  # its process died, another machine goes on
    second = other.claim(run.id)
    write(second, other, checkpoint.FILE, b"after epoch 2")
    assert read(one, run.id)[checkpoint.FILE] == b"after epoch 2"
    with pytest.raises(StoreError, match="has ended or continues in another process"):
        write(first, one, checkpoint.FILE, b"too late")
    assert read(other, run.id)[checkpoint.FILE] == b"after epoch 2"

    (other.run_folder(run.id) / "film").mkdir()
    (other.run_folder(run.id) / "film" / "0001.npy").write_bytes(b"a frame")
    checkpoint.remove(other.run_folder(run.id))
    second.publish()
    assert set(read(one, run.id)) == {"heads/svm-features-0.skops", "film/0001.npy"}
    assert results_mb(one) > 0


def test_a_run_that_is_deleted_for_good_is_gone_there_too(two):
    one, other = two
    run = one.create(FineTuneSpec())
    attempt = one.claim(run.id)
    write(attempt, one, NETWORK, b"weights")
    assert read(other, run.id)
    attempt.finish("done", {})
    one.delete(run.id)
    assert one.purge() == 1
    assert read(other, run.id) == {} and one.files.n_bytes() == 0


def test_a_stopped_run_goes_on_where_another_machine_left_it(two):
    one, other = two
    run = one.create(FineTuneSpec())
    attempt = one.claim(run.id)
    state = Checkpoint({"epoch": 3}, [np.ones(2)], [])
    checkpoint.save(one.run_folder(run.id, create=True), state, attempt.move)
    one.request_stop(run.id)
    attempt.finish("stopped", {})
    further = other.go_on(other.get(run.id))
    found = checkpoint.load(one.run_folder(further.id))
    assert found.state == {"epoch": 3}


def trained(store):
    """Return a run that ended with a network, as it stands in the store."""
    run = store.create(FineTuneSpec())
    attempt = store.claim(run.id)
    write(attempt, store, NETWORK, b"weights")
    file = File(hashlib.sha256(b"weights").hexdigest(), 7)
    attempt.finish("done", fine_tuned(TEST, files={NETWORK: asdict(file)}))
    return store.get(run.id)


def test_a_damaged_copy_is_fetched_again_and_a_file_damaged_there_is_refused(two):
    one, other = two
    run = trained(one)
    path = prediction.checked_file(run, NETWORK, other.folder)
    assert path.is_relative_to(other.folder) and path.read_bytes() == b"weights"
    path.write_bytes(b"weighty")
    assert prediction.checked_file(run, NETWORK, other.folder).read_bytes() == b"weights"
    store, root = one.files._store()
    store.pipe_file(f"{root}/runs/{run.id}/{NETWORK}", b"somebody's own")
    with pytest.raises(DataError, match="is damaged: it is not what the run saved"):
        prediction.checked_file(run, NETWORK, other.folder)
    store.rm_file(f"{root}/runs/{run.id}/{NETWORK}")
    with pytest.raises(DataError, match=f"The file {NETWORK} of run {run.id} is missing"):
        prediction.checked_file(run, NETWORK, other.folder)


def test_the_copy_may_be_lost(two):
    one, _ = two
    run = trained(one)
    shutil.rmtree(one.folder)
    again = Store(one.folder)
    assert prediction.checked_file(again.get(run.id), NETWORK, one.folder).read_bytes() == b"weights"


def test_a_worker_is_fit_where_it_sees_the_same_bucket(two, monkeypatch, s3):
    one, other = two
    assert fitness.leave_mark(one) == other.files.mark() != ""
    monkeypatch.setenv(RESULTS, f"{s3[RESULTS]}/elsewhere")
    assert Store(other.folder).files.mark() == ""


def test_an_object_store_that_is_away_is_one_sentence_and_what_is_here_is_still_read(two, monkeypatch):
    one, _ = two
    run = trained(one)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    away = Store(one.folder)
    assert prediction.checked_file(run, NETWORK, away.folder).read_bytes() == b"weights"
    attempt = away.claim(away.create(FineTuneSpec()).id)
    with pytest.raises(OSError, match="s3://lab/results"):
        write(attempt, away, NETWORK, b"weights")
    assert "s3://lab/results" in str(execution._unwritten(_raised(write, attempt, away, NETWORK, b"weights")))
    with pytest.raises(StoreError, match="The object store s3://lab/results.* cannot be used .*AWS_ENDPOINT_URL"):
        away.files.mark()


def _raised(do, *arguments):
    with pytest.raises(OSError) as raised:
        do(*arguments)
    return raised.value


PICTURES, NETWORK_OF_ITS_OWN = DataSpec("set-0123456789ab-012345", per_class=2), "upload-0123456789ab"


@pytest.mark.parametrize(
    "spec",
    [
        FineTuneSpec(data=PICTURES),
        HeadSpec(data=PICTURES),
        ComparisonSpec(FineTuneSpec(data=PICTURES)),
        SweepSpec(target=PICTURES.target),
        FineTuneSpec(source=NETWORK_OF_ITS_OWN),
        HeadSpec(source=NETWORK_OF_ITS_OWN),
        ComparisonSpec(FineTuneSpec(source=NETWORK_OF_ITS_OWN)),
        SweepSpec(sources=(NETWORK_OF_ITS_OWN,)),
    ],
)
def test_what_stayed_where_it_was_added_is_one_sentence_on_another_machine(two, monkeypatch, spec):
    one, other = two
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(other.folder))
    run = one.create(spec)
    execution.execute(run.id, str(other.folder))
    ended = one.get(run.id)
    what = "The pictures 'set-" if spec.source != NETWORK_OF_ITS_OWN else "The network 'upload-"
    assert ended.state == "failed" and str(ended.error).startswith(what)
    assert "not on this machine: with results in an object store, own" in str(ended.error)
    assert "ask the host for a results folder that all machines share." in str(ended.error)


# -- the setting


def test_without_the_package_it_is_one_sentence_with_the_line_that_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv(RESULTS, "s3://bucket/folder")
    monkeypatch.setattr(files, "find_spec", lambda name: None if name == "s3fs" else True)
    with pytest.raises(SpecError, match=r"needs the package s3fs. Install it: pip install -r requirements-clu"):
        Store(tmp_path)


def test_an_address_that_is_none_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv(RESULTS, "bucket://folder")
    with pytest.raises(SpecError, match="is a folder, or the address of an object store such as s3://bucket/folder"):
        Store(tmp_path)


# -- four workers with data folders of their own

NAMES = ("one", "two", "three", "four")
TINY = FineTuneSpec(data=DataSpec(per_class=20), phases=(Phase(2, ("conv_1", "conv_2")),))
HEADS = HeadSpec(data=DataSpec(per_class=20), heads=("linear_svm", "knn"), seeds=(0,))


@contextmanager
def four_workers(folder, environment):
    (folder / "server").mkdir()
    with TinyCluster(folder / "server") as small:
        for name in NAMES:
            words = ("-m", "tlcore", "worker", "--scheduler", small.address, "--name", name)
            small.workers[name] = small._start(*words, **environment | {"TRANSFER_LAB_HOME": str(folder / name)})
        yield small


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize("where", ["folder", "s3"])
def test_four_workers_with_four_data_folders_share_results_and_a_postgres(
    where, request, tmp_path, monkeypatch, postgres_database
):
    results = {RESULTS: str(tmp_path / "results")} if where == "folder" else request.getfixturevalue("s3")
    environment = {"TRANSFER_LAB_DATABASE": postgres_database} | results
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(engine_module, "TURN_S", 0.5)
    with four_workers(tmp_path, environment) as small:
        store = Store(tmp_path / "server")
        engine = DaskEngine(store.folder, small.address, greet=GREET, work=WORK)
        try:
            wait_for(lambda: engine.status().n_workers == 4)
            runs = [store.create(spec).id for spec in (HEADS, TINY, TINY, TINY)]
            for run_id in runs:
                engine.submit(run_id)
            ended = [wait_for(lambda run_id=run_id: (now := store.get(run_id)).final and now) for run_id in runs]
            assert [(run.state, str(run.error)) for run in ended] == [("done", "")] * 4
            assert {run.worker for run in ended} == set(NAMES)
            for run in ended:
                for name in run.result.files:  # each is held against the hash in the store
                    assert prediction.checked_file(run, name, store.folder).exists()
            same = [run.result.files[NETWORK].sha256 for run in ended if run.result.network]
            assert len(same) == 3
            here = [name for name in NAMES if list((tmp_path / name).glob("runs/*/*"))]
            assert here == ([] if where == "folder" else list(NAMES))
        finally:
            engine.close()
            store.close()
