"""Eight processes write to one run store while fifty readers read: no lock reaches anybody, no point is lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa

from tlcore.machine import LeanContext, nursery
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, MetricPoint, Progress
from tlcore.store import Store, tables
from tlcore.store import connection as database

WRITERS, READERS = 8, 50
LEAST = 30  # points of each writer, however slow the machine
LOG_MB = 24  # of the write-ahead log, however long it goes on


def write(folder: str, url: str | None, run_id: str, seconds: float) -> int:
    """Work on a run as a worker does, only without a pause; return how many points were written."""
    store, written, until = Store(Path(folder), url=url), 0, time.monotonic() + seconds
    assert (attempt := store.claim(run_id))
    while time.monotonic() < until or written < LEAST:
        attempt.add_points([MetricPoint("train", float(written + i), loss=1.0) for i in range(3)])
        written += 3
        assert attempt.beat(Progress(written, written + 1, Sentence("training"))) is False
    assert store.finish(run_id, "done", {"test": {"accuracy": 1.0}})
    return written


def read(store: Store, run_id: str, seconds: float) -> list[float]:
    """Follow a run to its end as a page does; return the points that were seen, in order."""
    seen: list[float] = []
    give_up = time.monotonic() + seconds + 60
    while time.monotonic() < give_up:
        final = store.get(run_id).final  # before the points: then none are missing
        points = store.points(run_id, since=len(seen))
        assert [number for number, _ in points] == list(range(len(seen) + 1, len(seen) + len(points) + 1))
        seen += [point.x for _, point in points]
        assert len(store.list(limit=20)) == store.count() == WRITERS
        if final:
            return seen
    raise AssertionError(f"run {run_id} did not end")


def read_many(folder: str, url: str | None, ids: list[str], seconds: float) -> list[list[float]]:
    """Follow runs in a process of its own, each in a thread."""
    store = Store(Path(folder), url=url)
    with ThreadPoolExecutor(len(ids)) as threads:
        return list(threads.map(lambda run_id: read(store, run_id, seconds), ids))


@pytest.mark.alone
@pytest.mark.usefixtures("with_nursery")  # its children are there at once, so that all work at the same time
@pytest.mark.parametrize("seconds", [pytest.param(1, marks=pytest.mark.slow), pytest.param(60, marks=pytest.mark.soak)])
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_eight_writers_and_fifty_readers_lose_nothing(request, tmp_path, kind, seconds):
    url = request.getfixturevalue("postgres_database") if kind == "postgres" else None
    store, folder = Store(tmp_path, url=url), str(tmp_path)
    ids = [store.create(FineTuneSpec()).id for _ in range(WRITERS)]
    followed = [ids[number % WRITERS] for number in range(READERS)]
    log, end = [0], threading.Event()
    watch = threading.Thread(target=watch_log, args=(tmp_path / "lab.db-wal", log, end), daemon=True)
    watch.start()
    with LeanContext(nursery.place()).Pool(WRITERS + 2) as pool:
        readers = [pool.apply_async(read_many, (folder, url, followed[half::2], seconds)) for half in (0, 1)]
        written = pool.starmap(write, [(folder, url, run_id, seconds) for run_id in ids], chunksize=1)
        seen = [points for half in readers for points in half.get()]
    end.set()
    watch.join()
    counts = dict(zip(ids, written, strict=True))
    order = followed[0::2] + followed[1::2]
    print(f"{kind}: {sum(written)} points written, {sum(map(len, seen))} read, log at most {log[0] / 2**20:.1f} MB")
    assert all(points == list(map(float, range(counts[run_id]))) for run_id, points in zip(order, seen, strict=True))
    assert [len(store.points(run_id)) for run_id in ids] == written and min(written) >= LEAST
    assert log[0] < LOG_MB * 2**20
    store.close()


def watch_log(path: Path, largest: list[int], end: threading.Event) -> None:
    while not end.wait(0.1):
        if path.exists():
            largest[0] = max(largest[0], path.stat().st_size)


def test_the_log_is_emptied_though_somebody_always_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LOG_BYTES", 2**20)
    store, other = Store(tmp_path), Store(tmp_path)
    run = store.create(FineTuneSpec())
    end, sizes, log = threading.Event(), [], tmp_path / "lab.db-wal"

    def overlap():  # a new reader begins before the last one ends
        with ExitStack() as last:
            while not end.is_set():
                connection = last.enter_context(other._database.reading())
                connection.execute(sa.select(tables.runs.c.number)).all()
                with ExitStack() as next_one:
                    connection = next_one.enter_context(other._database.reading())
                    connection.execute(sa.select(tables.runs.c.number)).all()
                    last.close()
                    last.push(next_one.pop_all())

    reader = threading.Thread(target=overlap)
    reader.start()
    for number in range(400):  # 8 kB each
        store.annotate(run.id, note=f"{number} " * 2000)
        sizes.append(log.stat().st_size)
    end.set()
    reader.join()
    assert max(sizes) < 2.5 * 2**20 and 0 in sizes  # 3.3 MB were written
    assert store.get(run.id).note == "399 " * 2000
