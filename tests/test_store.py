"""The run store: a run's life, its points, and what goes wrong on disk."""

import json
import socket
import stat
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcore.errors import AwayError, SpecError, StoreError
from tlcore.machine import identity
from tlcore.sentences import Sentence
from tlcore.spec import Cell, FineTuneSpec, HeadSpec, MetricPoint, Progress
from tlcore.store import Store, attempts, home
from tlcore.store import connection as connection_module
from tlcore.store import runs as store_module
from tlcore.store.tables import runs

SPEC = FineTuneSpec(seed=7)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request, tmp_path, monkeypatch):
    """An empty run store, on each kind of database; a store opened on its folder is on the same one."""
    if request.param == "postgres":
        monkeypatch.setenv("TRANSFER_LAB_DATABASE", request.getfixturevalue("postgres_database"))
    opened = Store(tmp_path / "lab")
    yield opened
    opened.close()


def at_once(*calls):
    """Call every function in a thread of its own, all released together; return what they returned."""
    barrier = threading.Barrier(len(calls))
    answers: list = [None] * len(calls)

    def run(index, call):
        barrier.wait()
        answers[index] = call()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


# -- a run's life


def test_a_new_run_waits_and_keeps_what_was_asked(store):
    run = store.create(SPEC, name="first")
    assert (run.state, run.name, run.seed, run.kind, run.spec) == ("queued", "first", 7, "fine_tune", SPEC)
    assert store.get(run.id) == run


def test_a_store_opened_again_has_the_same_runs(store):
    run = store.create(HeadSpec())
    assert Store(store.folder).get(run.id) == run


def test_a_run_is_claimed_once_of_many_who_try(store):
    run = store.create(SPEC)
    claimants = [Store(store.folder) for _ in range(8)]
    claims = at_once(*(lambda one=one: one.claim(run.id) for one in claimants))
    assert sum(attempt is not None for attempt in claims) == 1
    claimed = store.get(run.id)
    assert (claimed.state, claimed.attempt, claimed.process) == ("running", 1, identity())
    assert claimed.versions["python"] and claimed.versions["numpy"]


def test_a_claim_keeps_only_the_first_points_of_an_earlier_attempt(store):
    run = store.create(FineTuneSpec())
    attempt = store.claim(run.id)
    attempt.add_points([MetricPoint("train", x) for x in (1.0, 2.0, 3.0)])
    store.requeue(run.id)
    later = Store(store.folder)
    assert not later.claim(run.id, keep=2, attempt=0)  # what was to be kept was another attempt's
    assert (later_attempt := later.claim(run.id, keep=2, attempt=1))
    later_attempt.add_points([MetricPoint("train", 2.5)])
    attempt.add_points([MetricPoint("train", 9.0)])  # a zombie's
    assert [(seq, point.x) for seq, point in store.points(run.id)] == [(1, 1.0), (2, 2.0), (3, 2.5)]


def test_losses_are_counted_until_the_run_gets_further(store, tmp_path):
    run = store.create(HeadSpec())

    def lost():
        store.claim(run.id)
        assert store.requeue(run.id, lost=True)
        return store.get(run.id).lost

    assert [lost(), lost()] == [1, 2]
    attempt = store.claim(run.id)
    assert store.requeue(run.id) and store.get(run.id).lost == 2  # given back in order
    attempt = store.claim(run.id)
    attempt.keep({"extract_s": 1.0})
    kept = store.get(run.id)
    assert (kept.lost, kept.stored, kept.accuracy) == (0, {"extract_s": 1.0}, None)
    assert [lost(), lost()] == [1, 2]
    attempt = store.claim(run.id)
    (tmp_path / "part").write_text("further")
    attempt.move(tmp_path / "part", tmp_path / "file", further=True)
    assert (tmp_path / "file").read_text() == "further" and store.get(run.id).lost == 0
    assert attempt.finish("failed") and store.get(run.id).stored == {"extract_s": 1.0}


def test_a_run_that_was_taken_away_is_not_its_first_owners_to_write(store, tmp_path):
    run = store.create(FineTuneSpec())
    attempt = store.claim(run.id)
    (tmp_path / "part").write_text("a zombie's")
    later = Store(store.folder)

    def refused():
        for write in (
            lambda: attempt.move(tmp_path / "part", tmp_path / "model.keras"),
            lambda: attempt.keep({"rows": []}),
        ):
            with pytest.raises(StoreError, match="continues in another process"):
                write()
        assert attempt.finish("done") is False and attempt.beat()
        return not (tmp_path / "model.keras").exists()

    later.requeue(run.id)
    assert refused()
    later.claim(run.id)
    assert refused()
    later.finish(run.id, "done")
    assert refused() and later.get(run.id).stored == {}


def test_a_claim_removes_the_points_of_an_earlier_attempt(store):
    run = store.create(SPEC)
    attempt = store.claim(run.id)
    attempt.add_points([MetricPoint("train", 1.0, loss=0.5)])
    assert store.requeue(run.id)
    assert Store(store.folder).claim(run.id)
    assert store.points(run.id) == [] and store.get(run.id).attempt == 2


def test_a_heartbeat_carries_progress_and_brings_the_stop_request_back(store):
    run = store.create(SPEC)
    attempt = store.claim(run.id)
    assert attempt.beat(Progress(3, 10, Sentence("epoch 3"))) is False
    assert store.get(run.id).progress == Progress(3, 10, Sentence("epoch 3"))
    store.request_stop(run.id)
    assert store.get(run.id).state == "running"
    assert attempt.beat() is True
    assert store.get(run.id).progress.step == 3  # a bare heartbeat leaves it


def test_a_queued_run_stops_at_once_and_is_not_claimed(store):
    run = store.create(SPEC)
    store.request_stop(run.id)
    assert store.get(run.id).state == "stopped" and store.get(run.id).finished
    assert store.claim(run.id) is None


@pytest.mark.parametrize("state", ["done", "stopped", "failed"])
def test_a_final_state_never_changes(store, state):
    run = store.create(SPEC)
    attempt = store.claim(run.id)
    assert attempt.finish(state, {"accuracy": 0.5}, error=Sentence("why"))
    assert not attempt.finish("failed", error=Sentence("again"))
    assert not store.finish(run.id, "failed", error=Sentence("again"))
    assert not store.requeue(run.id) and not store.claim(run.id)
    store.request_stop(run.id)
    ended = store.get(run.id)
    assert (ended.state, ended.stored, ended.stop_requested) == (state, {"accuracy": 0.5}, False)
    assert ended.error == Sentence("why")


def test_a_run_cannot_end_in_a_state_that_is_no_end(store):
    run = store.create(SPEC)
    with pytest.raises(SpecError, match="no final state 'running'. Pick one of: done, failed, stopped"):
        store.finish(run.id, "running")


def test_who_lost_a_run_can_no_longer_write_to_it(store):
    first, second = Store(store.folder), Store(store.folder)
    run = store.create(SPEC)
    assert (first_attempt := first.claim(run.id))
    store.requeue(run.id)
    assert (second_attempt := second.claim(run.id))
    first_attempt.add_points([MetricPoint("train", 1.0)])
    assert first_attempt.beat(Progress(9, 9)) is True  # told to stop
    assert first_attempt.finish("stopped") is False
    assert store.points(run.id) == [] and store.get(run.id).progress.step == 0
    assert second_attempt.beat(Progress(1, 9)) is False
    assert second_attempt.finish("done")


def test_a_run_is_put_back_only_at_the_attempt_that_was_seen(store):
    run = store.create(SPEC)
    Store(store.folder).claim(run.id)
    assert store.requeue(run.id, attempt=1)
    Store(store.folder).claim(run.id)
    assert not store.requeue(run.id, attempt=1)  # a second reconciler, late
    assert store.get(run.id).state == "running"


def test_a_run_asked_to_stop_is_not_put_back(store):
    run = store.create(SPEC)
    store.claim(run.id)
    store.request_stop(run.id)
    assert not store.requeue(run.id)


def test_only_running_runs_with_an_old_heartbeat_are_stale(store, patch_inside):
    silent, alive, waiting = (store.create(SPEC).id for _ in range(3))
    store.claim(silent)
    attempt = store.claim(alive)
    now = time.time()
    for module in (store_module, attempts):
        patch_inside(module, "time", time=lambda: now + 100)
    attempt.beat()
    assert [run.id for run in store.stale(60)] == [silent]
    assert store.get(waiting).state == "queued"


def test_a_clock_that_jumps_back_hides_no_dead_run_and_takes_no_time_away(store, patch_inside):
    silent, alive, done, failed = (store.create(SPEC).id for _ in range(4))
    claimed = {run_id: store.claim(run_id) for run_id in (silent, alive, done, failed)}
    now = time.time()
    for module in (store_module, attempts):
        patch_inside(module, "time", time=lambda: now - 3600)
    claimed[alive].beat()
    store.finish(done, "done", {"total_s": 12.5})
    store.finish(failed, "failed")
    assert [run.id for run in store.stale(60)] == [silent]
    assert store.get(done).took_s == 12.5 and store.get(failed).took_s == 0.0 and store.get(alive).took_s is None


# -- the queue


def test_the_queue_is_first_come_first_served_though_the_clock_jumps_back(store, patch_inside):
    ids = [store.create(SPEC).id]
    now = time.time()
    for module in (store_module, attempts):
        patch_inside(module, "time", time=lambda: now - 3600)
    ids += [store.create(SPEC).id for _ in range(3)]
    assert store.queued() == tuple(ids)
    assert [store.ahead(run_id) for run_id in ids] == [0, 1, 2, 3]
    assert [run.id for run in store.list()] == ids[::-1]


def test_running_runs_are_ahead_and_finished_or_deleted_ones_are_not(store):
    running, finished, deleted, mine = (store.create(SPEC).id for _ in range(4))
    store.claim(running)
    store.claim(finished)
    store.finish(finished, "done")
    store.delete(deleted)
    assert store.ahead(mine) == 1
    assert store.ahead(running) == store.ahead(finished) == 0
    assert store.queued() == (mine,)


# -- points


def test_points_are_numbered_from_one_and_read_since_a_number(store):
    run, other = store.create(SPEC), store.create(SPEC)
    points = [MetricPoint("train", float(x), loss=1 / x, accuracy=0.5, elapsed_s=x) for x in range(1, 6)]
    mine, others = store.claim(run.id), store.claim(other.id)
    mine.add_points(points[:2])
    others.add_points(points[:1])
    mine.add_points(points[2:])
    mine.add_points([])
    assert store.points(run.id) == list(enumerate(points, 1))
    assert store.points(run.id, since=3) == [(4, points[3]), (5, points[4])]
    assert store.points(run.id, since=1, limit=2) == [(2, points[1]), (3, points[2])]
    assert store.points(other.id) == [(1, points[0])]


def test_a_loss_that_is_not_a_number_is_stored_as_missing(store):
    run = store.create(SPEC)
    store.claim(run.id).add_points([MetricPoint("train", 1.0, loss=float("nan"), accuracy=float("inf"))])
    assert store.points(run.id) == [(1, MetricPoint("train", 1.0))]


def test_a_point_of_a_comparison_keeps_its_head_and_input(store):
    run = store.create(SPEC)
    points = [
        MetricPoint(part, 10.0, accuracy=0.5, head=head, input=name)
        for head in ("knn", "mine/with a slash")
        for name in ("features", "pixels")
        for part in ("train", "validation")
    ]
    store.claim(run.id).add_points(points)
    assert [point for _, point in store.points(run.id)] == points


def test_a_point_that_an_older_version_stored_under_a_title_names_its_head(store, monkeypatch):
    run = store.create(SPEC)
    monkeypatch.setattr(attempts, "series", lambda point: "Linear SVM · pixels · validation")
    store.claim(run.id).add_points([MetricPoint("train", 10.0)])
    assert store.points(run.id) == [(1, MetricPoint("validation", 10.0, head="linear_svm", input="pixels"))]


def test_writers_and_readers_at_once_lose_nothing(store):
    ids = [store.create(SPEC).id for _ in range(6)]
    stores = [Store(store.folder) for _ in ids]

    def write(one, run_id):
        attempt = one.claim(run_id)
        for x in range(40):
            attempt.add_points([MetricPoint("train", float(x))])

    def read():
        for _ in range(40):
            store.list()
            store.points(ids[0])

    at_once(*(lambda pair=pair: write(*pair) for pair in zip(stores, ids, strict=True)), read, read)
    assert [[point.x for _, point in store.points(run_id)] for run_id in ids] == [list(map(float, range(40)))] * 6


def test_cells_come_back_in_the_order_of_their_grid_and_go_with_their_run(store):
    run, other = store.create(SPEC), store.create(SPEC)
    one = Cell("mnist_5_9", "digits", "flatten", "linear_svm", per_class=5, seed=0, score=0.5)
    failed = replace(one, seed=1, score=None, error=Sentence("no"))
    cells = [one, failed, replace(one, per_class=20, score=np.float64(0.75))]
    store.claim(run.id).add_cells(cells[::-1])
    store.claim(other.id).add_cells([one])
    store.finish(run.id, "done")
    assert store.cells(run.id) == tuple(cells) and store.cells(other.id) == (one,)
    store.delete(run.id)
    store.purge()
    assert store.cells(run.id) == () and store.cells(other.id) == (one,)


# -- what a person does


def test_the_list_filters_by_kind_and_state_and_pages(store):
    tuned, heads, done = store.create(SPEC), store.create(HeadSpec()), store.create(SPEC)
    store.claim(done.id)
    store.finish(done.id, "done")
    assert [run.id for run in store.list()] == [done.id, heads.id, tuned.id]
    assert [run.id for run in store.list(kind="heads")] == [heads.id]
    assert [run.id for run in store.list(states=["queued"])] == [heads.id, tuned.id]
    assert [run.id for run in store.list(limit=1, offset=1)] == [heads.id]
    assert store.count() == 3 and store.count(states=["done"]) == 1 and store.count(kind="heads") == 1
    assert store.list(states=[]) == ()


def test_what_is_under_way_waits_or_goes_on_and_is_not_deleted(store):
    waits, goes, done, deleted = (store.create(FineTuneSpec(), owner="ada") for _ in range(4))
    store.create(FineTuneSpec(), owner="bob")
    store.claim(goes.id)
    store.finish(done.id, "failed")
    store.delete(deleted.id)
    assert store.under_way("ada") == {waits.id: "queued", goes.id: "running"}
    assert len(store.under_way()) == 3


def test_a_deleted_run_leaves_the_list_and_comes_back(store):
    run = store.create(SPEC)
    store.delete(run.id)
    assert store.list() == () and [one.id for one in store.list(deleted=True)] == [run.id]
    assert store.get(run.id).deleted and store.get(run.id).state == "stopped"
    store.restore(run.id)
    assert not store.get(run.id).deleted and [one.id for one in store.list()] == [run.id]


def test_deleting_a_running_run_asks_it_to_stop(store):
    run = store.create(SPEC)
    attempt = store.claim(run.id)
    store.delete(run.id)
    assert attempt.beat() is True


def test_purge_removes_rows_points_and_files_of_what_was_deleted_long_enough_ago(store):
    old, kept = store.create(SPEC), store.create(SPEC)
    for run in (old, kept):
        store.claim(run.id).add_points([MetricPoint("train", 1.0)])
        store.finish(run.id, "done")
        (store.run_folder(run.id, create=True) / "model.keras").write_bytes(b"x")
    store.delete(old.id)
    assert store.purge(older_than_s=3600) == 0
    assert store.purge() == 1
    assert not store.run_folder(old.id).exists() and store.run_folder(kept.id).exists()
    assert store.points(old.id) == [] and len(store.points(kept.id)) == 1
    with pytest.raises(SpecError):
        store.get(old.id)


def test_name_and_note_change_apart(store):
    run = store.create(SPEC, name="a")
    store.annotate(run.id, note="looks good")
    store.annotate(run.id, name="b")
    store.annotate(run.id)
    assert (store.get(run.id).name, store.get(run.id).note) == ("b", "looks good")


def test_numbers_of_numpy_are_stored_as_json(store):
    run = store.create(SPEC)
    store.claim(run.id)
    store.finish(run.id, "done", {"confusion": np.eye(2, dtype=int), "accuracy": np.float32(0.5)})
    assert store.get(run.id).stored == {"confusion": [[1, 0], [0, 1]], "accuracy": 0.5}


@pytest.mark.parametrize("name", ["", "Ünï çödé ❄ 冻结 🔥", "a'b\"c\\d%s :x {y}\n\t", "x" * 100_000])
def test_names_of_any_letters_come_back(store, name):
    run = store.create(SPEC, name=name)
    assert store.get(run.id).name == name


def test_the_character_nul_is_replaced(store):
    run = store.create(SPEC, name="a\0b")  # Postgres cannot hold it
    assert store.get(run.id).name == "a\ufffdb"


@given(
    name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50),
    seed=st.integers(0, 2**31 - 1),
)
def test_any_name_comes_back_as_it_went_in(tmp_path_factory, name, seed):
    store = Store(tmp_path_factory.getbasetemp() / "names")
    run = store.create(replace(SPEC, seed=seed), name=name)
    assert (store.get(run.id).name, store.get(run.id).seed) == (name, seed)


# -- what goes wrong

UNKNOWN = "There is no run '0123456789abcdef'. Pick one from the list of runs."


@pytest.mark.parametrize("method", ["get", "request_stop", "delete", "restore", "annotate"])
def test_an_unknown_run_is_named_in_one_sentence(store, method):
    with pytest.raises(SpecError) as caught:
        getattr(store, method)("0123456789abcdef")
    assert str(caught.value) == UNKNOWN


def test_the_data_hash_is_only_the_current_attempts_to_set(store):
    run = store.create(SPEC)
    first = store.claim(run.id)
    first.set_data_hash("0" * 64)
    store.requeue(run.id)
    second = store.claim(run.id)
    second.set_data_hash("1" * 64)
    first.set_data_hash("2" * 64)
    assert store.get(run.id).data_hash == "1" * 64


@pytest.mark.parametrize("run_id", ["../../etc", "", "0123456789abcdef/..", "0123456789ABCDEF", "0123456789abcdef\n"])
def test_no_path_is_made_of_what_is_no_run_id(store, run_id):
    with pytest.raises(SpecError, match="There is no run"):
        store.run_folder(run_id)


def test_a_run_folder_that_cannot_be_made_is_said(store):
    run = store.create(SPEC)
    (store.folder / "runs").rmdir()
    (store.folder / "runs").write_text("in the way")
    with pytest.raises(StoreError, match="run folder .* cannot be written .*Make it writable"):
        store.run_folder(run.id, create=True)


def test_a_read_only_run_folder_is_said(store, patch_inside):
    run = store.create(SPEC)
    store.run_folder(run.id, create=True).chmod(stat.S_IRUSR | stat.S_IXUSR)
    patch_inside(store_module, "os", access=lambda *_: False)  # root may write anyway
    with pytest.raises(StoreError, match="cannot be written .it is read-only."):
        store.run_folder(run.id, create=True)


def test_a_missing_run_folder_is_made_again(store):
    run = store.create(SPEC)
    (store.folder / "runs").rmdir()
    assert store.run_folder(run.id, create=True).is_dir()


def test_a_run_that_this_version_cannot_read_spoils_no_list(store):
    good, bad = store.create(SPEC), store.create(SPEC)
    with store._database.writing() as connection:
        connection.execute(runs.update().where(runs.c.id == bad.id).values(spec=json.dumps({"kind": "future"})))
    assert [run.id for run in store.list()] == [good.id]
    with pytest.raises(SpecError, match="These settings cannot be read"):
        store.get(bad.id)


def test_two_who_open_a_new_folder_at_once_share_it(tmp_path):
    opened = at_once(*[lambda: Store(tmp_path / "new")] * 6)
    run = opened[0].create(SPEC)
    assert [one.get(run.id).id for one in opened] == [run.id] * 6


def test_the_data_folder_is_named_by_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.delenv("TRANSFER_LAB_HOME")
    assert home().name == "var" and (home().parent / "tlcore").is_dir()


# -- where the database is


def test_the_database_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", f"sqlite:///{tmp_path}/elsewhere.db")
    one, other = Store(tmp_path / "a"), Store(tmp_path / "b")
    assert other.get(one.create(SPEC).id) and not (tmp_path / "a" / "lab.db").exists()
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", "")
    assert Store(tmp_path / "a").count() == 0


@pytest.mark.parametrize(
    "url",
    ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://host/db", "oracle://x", "postgresql://h:port/x", "://"],
)
def test_an_address_that_is_none_is_one_sentence_without_its_password(tmp_path, monkeypatch, url):
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", url)
    with pytest.raises(StoreError, match="^TRANSFER_LAB_DATABASE is not the address .* begins like postgresql:"):
        Store(tmp_path)


def test_a_missing_driver_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"needs the package psycopg. Install it: pip install 'psycopg\[binary\]'"):
        Store(tmp_path, url="postgresql://localhost/lab")


@pytest.mark.slow
def test_a_database_server_that_takes_a_connection_and_stands_still_is_waited_for_no_longer_than_said(
    tmp_path, monkeypatch
):
    pytest.importorskip("psycopg")
    monkeypatch.setitem(connection_module.POSTGRES_WAITS, "connect_timeout", 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(AwayError, match="Check that the database server runs"):
            Store(tmp_path, url=f"postgresql://ada:secret@127.0.0.1:{silent.getsockname()[1]}/lab")
        assert time.monotonic() - began < 60


def test_a_server_that_does_not_answer_is_one_sentence_without_the_password(tmp_path):
    pytest.importorskip("psycopg")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(StoreError) as caught:
        Store(tmp_path, url=f"postgresql://ada:secret@127.0.0.1:{port}/lab")
    said = str(caught.value)
    assert said.startswith(f"The run store postgresql://ada:***@127.0.0.1:{port}/lab cannot be read or written (")
    assert said.endswith("Check that the database server runs, and the address in TRANSFER_LAB_DATABASE.")
    assert "secret" not in said and "\n" not in said and "refused" in said


def test_a_folder_may_have_any_name(tmp_path):
    folder = tmp_path / "100% a?b#c" / "lab"
    run = Store(folder).create(SPEC)
    assert Store(folder).get(run.id) == run and (folder / "lab.db").exists()


def test_a_list_reads_every_run_with_what_it_reached_and_a_part_goes_with_its_whole(store):
    whole = store.create(SPEC, owner="ada")
    part = store.begin(SPEC, owner="ada", parent=whole.id)
    store.finish(part.run_id, "done", {"test": {"accuracy": 0.5, "low": 0.4, "high": 0.6, "n": 100}})
    for _again in range(2):  # made the first time, read the second
        second, first = store.listing("ada")
        assert (first.id, first.state, first.accuracy, first.parent) == (whole.id, "queued", None, "")
        assert (second.id, second.accuracy, second.low, second.n_test) == (part.run_id, 0.5, 0.4, 100)
        assert second.parent == whole.id and second.setting == first.setting != ""
    store.delete(whole.id)
    assert store.listing() == () and store.get(part.run_id).deleted
    store.restore(whole.id)
    assert len(store.listing()) == 2
