"""The run store when something breaks under it: one sentence, nothing destroyed, a way forward."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest
from postgres_server import NOT_FOUND, find_binaries, started
from sqlalchemy import event

from tlcore.cli import main
from tlcore.errors import AwayError, StoreError
from tlcore.spec import Cell, FineTuneSpec, MetricPoint
from tlcore.store import Store
from tlcore.store import connection as database
from tlcore.store.recovery import OF_RUNS, recover
from tlcore.store.tables import metadata

SPEC = FineTuneSpec(seed=7)
CELL = Cell("mnist_5_9", "digits_0_4", "flatten", "linear_svm", per_class=5, seed=0, score=0.86, n_test=4861)
ROOT = Path(__file__).resolve().parent.parent


def made(folder, n=60):
    """Fill a store until most pages of its file are rows, not the schema; return its runs, newest first."""
    store = Store(folder)
    for number in range(n):
        run = store.create(SPEC, name=f"run {number} " + "x" * 200, owner="ada")
        assert (attempt := store.claim(run.id))
        attempt.add_points([MetricPoint("train", float(x), loss=1 / (x + 1)) for x in range(40)])
        attempt.add_cells([CELL])
        store.requeue(run.id)
    store.close()
    return read_everything(folder)


PAGE = 4096
DAMAGE = {
    "not a database at all": lambda whole: b"this is no database " * 500,
    "header": lambda whole: b"\xff" * 100 + whole[100:],
    "first page": lambda whole: bytes(PAGE) + whole[PAGE:],
    "all but the header": lambda whole: whole[:100] + b"\xff" * (len(whole) - 100),
    "pages in the middle": lambda whole: (
        whole[: 40 * PAGE] + bytes(3 * PAGE) + whole[43 * PAGE :]
    ),  # of rows: behind the schema
    "torn pages": lambda whole: bytes(
        byte if i % (7 * PAGE) < 6 * PAGE + 900 else 0xA5 for i, byte in enumerate(whole)
    ),
    "truncated": lambda whole: whole[: len(whole) // 2 + 1234],
}
NOTHING_LEFT = {"not a database at all", "all but the header"}


def read_everything(folder):
    store = Store(folder)
    try:
        return {run.id: (run, store.points(run.id), store.cells(run.id)) for run in store.list()}
    finally:
        store.close()


@pytest.mark.grid(1)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_database_is_said_kept_and_recovered(tmp_path, damage):
    before, path = made(tmp_path), tmp_path / "lab.db"
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    spoiled = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        read_everything(tmp_path)
    said = str(caught.value)
    assert said.startswith(f"The run store {path} is damaged (") and "\n" not in said
    assert said.endswith("Stop the server, then recover what can be read with: python -m tlcore runs recover.")
    assert path.read_bytes() == spoiled

    if damage in NOTHING_LEFT:
        with pytest.raises(StoreError, match="Nothing can be read from .* It was not changed. Put a copy"):
            recover(path)
        assert path.read_bytes() == spoiled and [one.name for one in tmp_path.iterdir()] == ["lab.db", "runs"]
        return
    assert (done := recover(path))
    assert done.kept.read_bytes() == spoiled
    after = read_everything(tmp_path)
    assert after and set(after) <= set(before)
    assert done.runs == len(after) and done.points == sum(len(points) for _, points, _ in after.values())
    for run_id, (run, points, cells) in after.items():
        assert run == before[run_id][0] and set(points) <= set(before[run_id][1])
        assert set(cells) <= {CELL}
    if damage in ("header", "first page"):
        assert after == before
    assert recover(path) is None
    Store(tmp_path).create(SPEC)


def left_by_a_kill(folder, to):
    """Return the newest run of a store that a killed server would leave in ``to``, in the log alone."""
    store = Store(folder)
    late = store.create(SPEC, name="late")
    to.mkdir()
    for name in ("lab.db", "lab.db-wal"):
        (to / name).write_bytes((folder / name).read_bytes())
    store.close()
    return late


def test_whatever_hangs_on_a_run_is_recovered_with_it():
    made_again = {"rooms", "room_members", "room_items", "switches", "tokens"}
    assert {table.name for table in metadata.sorted_tables} == {table.name for table in OF_RUNS} | {"runs"} | made_again


def test_rows_that_are_in_the_log_alone_are_recovered_too(tmp_path):
    made(tmp_path / "a")
    late = left_by_a_kill(tmp_path / "a", tmp_path / "b")
    path = tmp_path / "b" / "lab.db"
    path.write_bytes(DAMAGE["pages in the middle"](path.read_bytes()))
    assert (done := recover(path))
    assert Store(tmp_path / "b").get(late.id) == late and done.runs > 1
    assert Path(f"{done.kept}-wal").exists()


@pytest.mark.parametrize("spoil", ["cut", "flipped", "garbage"])
def test_a_damaged_log_costs_only_what_it_alone_held(tmp_path, spoil):
    before = made(tmp_path / "a", n=5)
    left_by_a_kill(tmp_path / "a", tmp_path / "b")
    log = tmp_path / "b" / "lab.db-wal"
    content = bytearray(log.read_bytes())
    log.write_bytes(
        {"cut": content[: len(content) // 2], "flipped": content[:60] + b"\xff" * 40 + content[100:]}.get(
            spoil, b"garbage" * 1000
        )
    )
    assert read_everything(tmp_path / "b") == before  # SQLite takes a log up to its first wrong sum
    Store(tmp_path / "b").create(SPEC)


def test_a_database_that_is_open_is_not_recovered(tmp_path):
    made(tmp_path, n=3)
    code = "import sys; from tlcore.store import Store; s = Store(sys.argv[1]); print(s.count(), flush=True); input()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout and server.stdout.readline() == "3\n"
        with pytest.raises(StoreError, match="is open in another process. Stop the server first."):
            recover(tmp_path / "lab.db")
        server.communicate("\n")
    assert recover(tmp_path / "lab.db") is None


def test_nothing_to_recover_is_said(tmp_path):
    with pytest.raises(StoreError, match="There is no run store .*lab.db, so there is nothing to recover."):
        recover(tmp_path / "lab.db")


def test_recover_is_a_command(tmp_path, capsys):
    before, path = made(tmp_path, n=5), tmp_path / "lab.db"
    assert main(["--home", str(tmp_path), "runs", "recover"]) == 0
    assert "is sound. Nothing was changed." in capsys.readouterr().out
    path.write_bytes(DAMAGE["header"](path.read_bytes()))
    assert main(["--home", str(tmp_path), "runs"]) == 2
    assert "python -m tlcore runs recover" in capsys.readouterr().err
    assert main(["--home", str(tmp_path), "runs", "recover"]) == 0
    assert f"5 runs and 200 points were brought back into {path}." in capsys.readouterr().out
    assert read_everything(tmp_path) == before


def test_a_database_on_a_server_is_not_recovered_here(tmp_path, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("TRANSFER_LAB_DATABASE", "postgresql://ada:secret@localhost/lab")
    with pytest.raises(StoreError, match="on a database server, postgresql://ada:...@localhost/lab. Use that server"):
        database.file(tmp_path)


# -- disks ------------------------------------------------------------------------------------------------------------

# A child with mounts of its own, which end with it; no root is needed where the kernel lets people have namespaces.
UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
needs_mounts = pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0,
    reason="this machine gives a test no mounts of its own: no small disk and no read-only folder can be made",
)
PRELUDE = """
import json, sys
from pathlib import Path
from tlcore.errors import LabError, StoreError
from tlcore.spec import DataSpec, FineTuneSpec, MetricPoint, Phase
from tlcore.store import Store
folder = Path(sys.argv[1])
def sentence(call, *given, **named):
    try:
        call(*given, **named)
    except LabError as error:
        return str(error)
def fill(left):  # leave so many bytes on the disk
    import os
    with open(folder / "ballast", "wb") as file:
        disk = os.statvfs(folder)
        file.write(bytes(disk.f_bavail * disk.f_bsize - left))
"""


def in_mounts(mount: str, folder: Path, code: str) -> dict:
    """Run code in a child after mounting something on ``folder``; return the JSON object it printed last."""
    folder.mkdir(exist_ok=True)
    script = f'{mount}\nexec "$0" -c "$1" "$2"'
    command = [*UNSHARE, "sh", "-ec", script, sys.executable, PRELUDE + dedent(code), str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "TRANSFER_LAB_HOME"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def small_disk(folder: Path, size: str) -> str:
    return f"mount -t tmpfs -o size={size} tmpfs '{folder}'"


def read_only(folder: Path) -> str:
    return f"mount --bind '{folder}' '{folder}'; mount -o remount,ro,bind '{folder}'"


@needs_mounts
def test_a_full_disk_is_said_loses_nothing_and_works_again(tmp_path):
    folder = tmp_path / "lab"
    found = in_mounts(
        small_disk(folder, "1m"),
        folder,
        """
        store = Store(folder)
        run = store.create(FineTuneSpec(), name="first")
        attempt = store.claim(run.id)
        fill(100_000)
        kept, points, said = 1, 0, None
        while not said:
            said = sentence(store.create, FineTuneSpec(), name="x" * 2000)
            kept += not said
        full = None
        while not full:
            full = sentence(attempt.add_points, [MetricPoint("train", float(points))])
            points += not full
        stopped = sentence(store.finish, run.id, "done", {"table": [{"mean": 0.5}] * 1000})
        still = store.count(), len(store.points(run.id)), store.get(run.id).state
        opened = sentence(Store, folder)
        (folder / "ballast").unlink()
        attempt.add_points([MetricPoint("train", 99.0)])
        again = store.create(FineTuneSpec()).id, store.finish(run.id, "done", {"table": [{"mean": 0.5}] * 1000})
        store.close()
        import sqlite3
        sound = sqlite3.connect(folder / "lab.db").execute("PRAGMA integrity_check").fetchone()[0]
        print(json.dumps(dict(kept=kept, points=points, said=[said, full, stopped], still=still, opened=opened,
                              again=bool(again[0]) and again[1], sound=sound, points_after=len(store.points(run.id)))))
        """,
    )
    path = folder / "lab.db"
    for said in found["said"]:
        assert said == (
            f"The run store {path} cannot grow (database or disk is full). Free some disk space, then try again."
        )
    assert found["still"] == [found["kept"], found["points"], "running"] and found["kept"] > 2
    assert found["opened"] is None and found["again"] and found["sound"] == "ok"
    assert found["points_after"] == found["points"] + 1


@needs_mounts
def test_a_disk_that_is_full_at_the_start_is_said(tmp_path):
    folder = tmp_path / "lab"
    found = in_mounts(
        small_disk(folder, "200k"),
        folder,
        """
        fill(0)
        said = [sentence(Store, folder)]
        (folder / "ballast").unlink()
        fill(20_000)
        said.append(sentence(Store, folder))
        (folder / "ballast").unlink()
        print(json.dumps(dict(said=said, count=Store(folder).count())))
        """,
    )
    assert found["count"] == 0 and len(found["said"]) == 2
    for said in found["said"]:
        assert said.startswith(f"The run store {folder / 'lab.db'} cannot grow (") and "Free some disk space" in said


@needs_mounts
def test_a_folder_that_is_read_only_from_the_start_is_said(tmp_path):
    folder = tmp_path / "lab"
    before, content = made(folder, n=3), (folder / "lab.db").read_bytes()
    found = in_mounts(read_only(folder), folder, "print(json.dumps(dict(said=sentence(Store, folder))))")
    assert found["said"] == (
        f"The run store {folder / 'lab.db'} cannot be read or written (unable to open database file). Check that the "
        "folder is there and writable, or name another one in TRANSFER_LAB_HOME."
    )
    assert (folder / "lab.db").read_bytes() == content and read_everything(folder) == before


@needs_mounts
def test_a_disk_that_turns_read_only_is_said_and_works_again(tmp_path):
    folder = tmp_path / "lab"
    found = in_mounts(
        small_disk(folder, "2m"),
        folder,
        """
        import os, subprocess
        def mount(how):
            subprocess.run(["mount", "-o", f"remount,{how}", folder], check=True)
        def leave_files():  # a file system with a file open for writing does not turn read-only
            other.close(), store.close()
        store, other = Store(folder), Store(folder)
        run = store.create(FineTuneSpec())
        leave_files()
        mount("ro")
        said = [sentence(store.create, FineTuneSpec()), sentence(store.annotate, run.id, name="a"),
                sentence(store.run_folder, run.id, create=True), sentence(store.list)]
        mount("rw")
        again = store.create(FineTuneSpec()).id
        print(json.dumps(dict(said=said, count=store.count(), again=store.list()[0].id == again)))
        """,
    )
    create, annotate, run_folder, _ = found["said"]
    assert create == annotate and create.startswith(f"The run store {folder / 'lab.db'} cannot be read or written (")
    assert "Read-only file system). Make it writable, then start the run again." in run_folder
    assert found["count"] == 2 and found["again"]


@needs_mounts
def test_an_upgrade_for_which_the_disk_is_too_full_changes_nothing(tmp_path):
    folder, script = tmp_path / "lab", ROOT / "tests" / "databases" / "0001.sql"
    found = in_mounts(
        small_disk(folder, "2m"),
        folder,
        f"""
        import sqlite3
        connection = sqlite3.connect(folder / "lab.db")
        connection.executescript(Path({str(script)!r}).read_text())
        connection.executescript("UPDATE runs SET note = hex(zeroblob(40000))")
        before = list(connection.iterdump())
        connection.close()
        fill(120_000)  # less than the copy takes
        said = sentence(Store, folder)
        connection = sqlite3.connect(folder / "lab.db")
        same = list(connection.iterdump()) == before
        connection.close()
        left = sorted(path.name for path in folder.iterdir() if "-" not in path.name)
        (folder / "ballast").unlink()
        print(json.dumps(dict(said=said, same=same, left=left, count=Store(folder).count())))
        """,
    )
    assert "cannot grow (database or disk is full). Free some disk space" in found["said"]
    assert found["same"] and found["left"] == ["ballast", "lab.db", "runs"] and found["count"] == 2


@needs_mounts
def test_a_disk_too_full_to_recover_is_said_and_changes_nothing(tmp_path):
    folder = tmp_path / "lab"
    found = in_mounts(
        small_disk(folder, "3m"),
        folder,
        """
        from tlcore.store.recovery import OF_RUNS, recover
        store = Store(folder)
        for number in range(60):
            store.create(FineTuneSpec(), name="x" * 3000)
        store.close()
        path = folder / "lab.db"
        spoiled = bytes(100) + path.read_bytes()[100:]
        path.write_bytes(spoiled)
        said = []
        for left in (100_000, 700_000):  # for no copy; for a copy and nothing more
            fill(left)
            said.append(sentence(recover, path))
            (folder / "ballast").unlink()
        same = path.read_bytes() == spoiled
        left = sorted(path.name for path in folder.iterdir())
        print(json.dumps(dict(said=said, same=same, left=left, runs=recover(path).runs)))
        """,
    )
    no_copy, no_room = found["said"]
    assert "cannot be recovered (No space left on device). Its folder must be writable" in no_copy
    assert "Free some disk space" in no_room or no_room == no_copy
    assert found["same"] and found["left"] == ["lab.db", "runs"] and found["runs"] == 60


@needs_mounts
@pytest.mark.keras
@pytest.mark.slow
def test_a_run_that_cannot_save_its_model_fails_in_words_and_the_next_one_is_done(tmp_path):
    folder = tmp_path / "lab"
    found = in_mounts(
        small_disk(folder, "8m"),
        folder,
        """
        import keras  # first: while a slow machine imports it, heartbeats would fill what is left
        from tlcore.jobs import execution as worker
        store = Store(folder)
        spec = FineTuneSpec(data=DataSpec(per_class=5), phases=(Phase(epochs=1, frozen=("conv_1", "conv_2")),))
        ends = []
        for left in (300_000, None):  # bytes: room for the rows, not for the model
            run = store.create(spec)
            fill(left) if left else (folder / "ballast").unlink()
            worker.execute(run.id, str(folder))
            run = store.get(run.id)
            files = sorted(path.name for path in store.run_folder(run.id).glob("*model*"))
            ends.append(dict(state=run.state, error=str(run.error), files=files, points=len(store.points(run.id))))
        print(json.dumps(dict(ends=ends)))
        """,
    )
    full, after = found["ends"]
    assert (full["state"], full["files"]) == ("failed", []) and full["points"] > 0
    assert (
        full["error"] == "A file could not be written (No space left on device). Free some disk space and start again."
    )
    assert (after["state"], after["files"], after["error"]) == ("done", ["model.keras"], "")


@needs_mounts
def test_a_full_disk_keeps_no_features_and_is_no_error(tmp_path):
    folder = tmp_path / "cache"
    found = in_mounts(
        small_disk(folder, "2m"),
        folder,
        """
        import numpy as np
        from tlcore.features import cache
        cache.RESERVE = 0
        kept, rows = cache.Cache(folder), [np.ones((100, 100), np.float32)] * 40  # 1.6 MB
        def comes_in_parts():
            yield from rows[:10]
            fill(200_000)  # others fill the disk while it is written
            yield from rows[10:]
        found = [kept.write("late", (4000, 100), comes_in_parts()) is None]
        left = [path.name for path in folder.iterdir()]
        found.append(kept.write("full", (4000, 100), rows) is None)
        (folder / "ballast").unlink()
        found.append(kept.write("fits", (4000, 100), rows) is None)
        print(json.dumps(dict(none=found, left=left, sum=float(kept.open("fits", (4000, 100)).sum()))))
        """,
    )
    assert found == {"none": [True, True, False], "left": ["ballast"], "sum": 400_000.0}


def test_a_data_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be used .*Make it writable, or name another one in TRANSFER_LAB_HOME"):
        Store(tmp_path / "file" / "lab")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a file system that nobody can write to")
def test_a_data_folder_nobody_can_make_is_said():
    with pytest.raises(StoreError, match="'?/proc/lab'? cannot be used"):
        Store(Path("/proc/lab"))


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
    with store._database.engine.connect() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    full = Store(store.folder)
    event.listen(full._database.engine, "connect", lambda c, _: c.execute(f"PRAGMA max_page_count={used}"))
    full._database.engine.dispose()
    with pytest.raises(StoreError, match="cannot grow .*Free some disk space"):
        full.create(SPEC, name="long " * 10_000)
    assert store.count() == 1


def test_who_opens_a_new_database_waits_for_another_who_does(tmp_path, patch_inside):
    with closing(sqlite3.connect(tmp_path / "lab.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # the first change of the journal's mode is refused at once, without a wait
        waited = []

        def let_go(seconds):
            waited.append(seconds)
            other.execute("ROLLBACK")

        patch_inside(database, "time", sleep=let_go)
        assert Store(tmp_path).count() == 0 and len(waited) == 1


@pytest.mark.slow
@pytest.mark.skipif(not find_binaries(), reason=NOT_FOUND)
def test_a_database_server_that_goes_away_is_said_and_loses_nothing(tmp_path):
    with started() as server:
        store = Store(tmp_path, url=server.address)
        run = store.create(SPEC, name="kept")
        assert (attempt := store.claim(run.id))
        attempt.add_points([MetricPoint("train", 1.0)])
        server.stop()
        for call in (
            store.list,
            lambda: store.create(SPEC),
            lambda: attempt.beat(),
            lambda: Store(tmp_path, url=server.address),
        ):
            with pytest.raises(StoreError) as caught:
                call()
            said = str(caught.value)
            assert said.endswith("Check that the database server runs, and the address in TRANSFER_LAB_DATABASE.")
            assert "\n" not in said and "cannot be read or written (" in said
        server.start()
        assert attempt.beat() is False and len(store.points(run.id)) == store.count() == 1
        store.close()


def test_a_mark_that_cannot_be_written_is_refused_and_one_that_stands_there_is_read_all_the_same(store, monkeypatch):
    def away(self):
        raise AwayError("The run store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(database.Database, "writing", away)
        with pytest.raises(AwayError):
            store.mark()
    mark = store.mark()
    monkeypatch.setattr(database.Database, "writing", away)
    assert store.mark() == mark
