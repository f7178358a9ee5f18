"""What a cluster stands on is away for a while: the folder that all share, the database, the network. Nothing is lost.

The shared folder is a mount that goes, the database a Postgres that is stopped as by a crash, the network a cable
between two machines (two network namespaces, for which a test must be root) that is pulled for a minute. All in ``make
soak``, but that two servers start the same runs at once.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial

import postgres_server
import pytest
import tiny_cluster
import waiting
from faults.test_cluster_kills import LONGER, ended, same, told
from test_engine import executions
from tiny_cluster import TinyCluster

from tlcore.engine import DaskEngine
from tlcore.engine import dask as engine_module
from tlcore.jobs.cluster import GREET, WORK
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

pytestmark = [
    pytest.mark.keras,
    pytest.mark.slow,
    pytest.mark.skipif(not postgres_server.find_binaries(), reason=postgres_server.NOT_FOUND),
]
LONG_S = 300
wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


@pytest.fixture
def postgres_of_its_own(monkeypatch):
    """A Postgres that the store and all processes of the test use, and that the test may stop."""
    with postgres_server.started() as server:
        monkeypatch.setenv("TRANSFER_LAB_DATABASE", server.address)
        yield server


@pytest.fixture
def store(tmp_path, postgres_of_its_own):
    opened = Store(tmp_path / "disk" / "lab")
    yield opened
    opened.close()


@contextmanager
def served(store, monkeypatch, small, greet=GREET, work=WORK):
    """Yield a server's engine on a cluster."""
    monkeypatch.setattr(engine_module, "TURN_S", 0.5)
    engine = DaskEngine(store.folder, small.address, greet=greet, work=work)
    try:
        yield engine
    finally:
        engine.close()


@contextmanager
def ten_runs_under_way(store, monkeypatch):
    """Yield ten runs of a cluster with two real workers, once one of them trains."""
    with TinyCluster(store.folder) as small:
        for name in ("one", "two"):
            small.start_real_worker(name)
        with served(store, monkeypatch, small) as engine:
            wait_for(lambda: engine.status().n_workers == 2)
            runs = [store.create(LONGER) for _ in range(10)]
            wait_for(lambda: any(store.get(run.id).progress.step > 1 for run in runs))
            yield runs


def check_all(store, found):
    """Hold the runs against each other, to the last bit: all were asked the same."""
    for run in found:
        same(store, run, found[0])
    assert {run.lost for run in found} == {0}


def test_runs_that_two_servers_start_at_once_are_done_once(store, monkeypatch):
    with TinyCluster(store.folder) as small:
        for name in ("one", "two"):
            small.start_worker(name)
        words = {"greet": tiny_cluster.GREET, "work": tiny_cluster.WORK}
        with served(store, monkeypatch, small, **words) as one, served(store, monkeypatch, small, **words) as other:
            wait_for(lambda: one.status().n_workers == other.status().n_workers == 2)
            runs = [store.create(FineTuneSpec(), name="quick") for _ in range(10)]
            for run in runs:
                both = threading.Barrier(2)
                asked = [threading.Thread(target=lambda e=e: both.wait() and e.submit(run.id)) for e in (one, other)]  # noqa: B023
                for thread in asked:
                    thread.start()
                for thread in asked:
                    thread.join(LONG_S)
            found = [ended(store, run) for run in runs]
            assert [(run.state, run.attempt) for run in found] == [("done", 1)] * 10
            assert Counter(run_id for run_id, _, _ in executions(store)) == {run.id: 1 for run in runs}


@pytest.mark.soak
def test_a_shared_folder_that_is_away_for_twenty_seconds_loses_nothing(store, monkeypatch, capsys):
    with ten_runs_under_way(store, monkeypatch) as runs:
        disk = store.folder.parent
        began = time.monotonic()
        disk.rename(disk.with_name("away"))
        disk.mkdir()  # the empty folder that it was mounted on
        threading.Event().wait(20)
        at_s = time.monotonic() - began
        states = Counter(store.get(run.id).state for run in runs)
        disk.rename(disk.with_name("below"))
        disk.with_name("away").rename(disk)
        assert set(states) <= {"queued", "running", "done"}
        found = [ended(store, run) for run in runs]
        check_all(store, found)
        shutil.rmtree(disk.with_name("below"))
        told(capsys, [("shared folder away for 20 s", at_s, run) for run in found])


@pytest.mark.soak
@pytest.mark.parametrize("away_s", [0.0, 20.0])
def test_a_postgres_that_is_restarted_loses_nothing(store, postgres_of_its_own, monkeypatch, capsys, away_s):
    with ten_runs_under_way(store, monkeypatch) as runs:
        began = time.monotonic()
        postgres_of_its_own.stop()
        threading.Event().wait(away_s)
        postgres_of_its_own.start()
        at_s = time.monotonic() - began
        found = [ended(store, run) for run in runs]
        check_all(store, found)
        told(capsys, [(f"Postgres restarted, away for {at_s:.0f} s", at_s, run) for run in found])


class Cable:
    """A network of two machines: this one, and a namespace in which processes can be started. Ends with its block."""

    HERE, THERE = "10.213.7.1", "10.213.7.2"

    def __enter__(self) -> "Cable":
        self.holder = subprocess.Popen(["unshare", "--net", "sleep", "3600"])
        self.inside = ("nsenter", f"--net=/proc/{self.holder.pid}/ns/net")
        own = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own)
        do(f"ip link add tl-here type veth peer name tl-there netns {self.holder.pid}")
        do(f"ip addr add {self.HERE}/24 dev tl-here")
        do("ip link set tl-here up")
        do("ip link set lo up", *self.inside)
        do(f"ip addr add {self.THERE}/24 dev tl-there", *self.inside)
        self.plug()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(subprocess.CalledProcessError):
            do("ip link del tl-here")
        self.holder.kill()
        self.holder.wait(LONG_S)

    def pull(self) -> None:
        do("ip link set tl-there down", *self.inside)

    def plug(self) -> None:
        do("ip link set tl-there up", *self.inside)


def do(line: str, *before: str) -> None:
    subprocess.run([*before, *line.split()], check=True, timeout=30)


def may_cut() -> bool:
    """Return whether this process may make networks."""
    if sys.platform != "linux" or os.geteuid() or not all(map(shutil.which, ("ip", "unshare", "nsenter"))):
        return False
    probe = ["unshare", "--net", "ip", "link", "add", "a0", "type", "veth", "peer", "name", "b0"]
    return subprocess.run(probe, capture_output=True, timeout=30).returncode == 0


@pytest.mark.soak
@pytest.mark.skipif(not may_cut(), reason="only root can cut a network, where the kernel has network namespaces")
def test_a_network_that_is_cut_for_a_minute_loses_nothing(store, monkeypatch, capsys):
    with Cable() as cable, TinyCluster(store.folder, Cable.HERE) as small:
        small.start_real_worker("here", "--host", Cable.HERE)
        small.start_real_worker("there", "--host", Cable.THERE, before=cable.inside)
        with served(store, monkeypatch, small) as engine:
            wait_for(lambda: engine.status().n_workers == 2)
            runs = [store.create(LONGER) for _ in range(24)]
            wait_for(lambda: [run for run in store.list(states=("running",)) if run.worker == "there"])
            cable.pull()
            began = time.monotonic()
            threading.Event().wait(60)
            cable.plug()
            at_s = time.monotonic() - began
            wait_for(lambda: engine.status().n_workers == 2)
            found = [ended(store, run) for run in runs]
            check_all(store, found)
            assert {run.attempt for run in found} == {1}  # what ran there went on meanwhile
            assert {run.worker for run in found} == {"here", "there"}
            told(capsys, [("network cut for 60 s", at_s, run) for run in found])
