"""The engine of a cluster: a real scheduler, real workers, and what happens when they die."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import tiny_cluster
import waiting
from test_engine import begun, ended, executions, new
from tiny_cluster import TinyCluster

from tlcore.engine import DaskEngine, Engine, cluster, fitness
from tlcore.engine import dask as engine_module
from tlcore.engine.cluster import Hands
from tlcore.errors import SpecError
from tlcore.machine import is_alive
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FineTuneSpec, SweepSpec

LONG_S = 120
wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


@pytest.fixture
def start(store, monkeypatch):
    """Start engines on the store's folder, which look at it five times a second; all are closed at the end."""
    monkeypatch.setattr(engine_module, "TURN_S", 0.2)
    engines: list[DaskEngine] = []

    def start(address):
        engines.append(DaskEngine(store.folder, address, greet=tiny_cluster.GREET, work=tiny_cluster.WORK))
        return engines[-1]

    yield start
    for engine in engines:
        engine.close()


def names(engine):
    return {worker.name for worker in engine.status().workers if not worker.refusal}


# -- with real processes


@pytest.mark.slow
def test_runs_of_two_servers_are_done_once_stopped_and_taken_over_from_a_dead_worker(store, start):
    with TinyCluster(store.folder) as small:
        for name in ("one", "two"):
            small.start_worker(name)
        engine, other = start(small.address), start(small.address)
        wait_for(lambda: names(engine) == names(other) == {"one", "two"})
        assert (engine.status().n_workers, engine.status().alive) == (2, True)

        runs = [new(store) for _ in range(5)]
        for number, run in enumerate(runs):
            (engine, other)[number % 2].submit(run.id)
        assert [ended(store, run).state for run in runs] == ["done"] * 5
        assert Counter(run_id for run_id, _, _ in executions(store)) == {run.id: 1 for run in runs}
        assert {store.get(run.id).worker for run in runs} <= {"one", "two"}

        listening = new(store, "until_stopped")
        engine.submit(listening.id)
        begun(store, listening)
        wait_for(lambda: other.status().busy == 1)
        other.stop(listening.id)
        assert (ended(store, listening).state, store.get(listening.id).stored) == ("stopped", {"obeyed": True})

        stuck = new(store, "stuck_once")
        engine.submit(stuck.id)
        first = begun(store, stuck)
        os.kill(small.workers[first.worker].pid, signal.SIGKILL)
        last = ended(store, stuck)
        assert (last.state, last.attempt) == ("done", 2) and last.worker != first.worker
        assert is_alive(first.process) is False
        assert Counter(run_id for run_id, _, _ in executions(store))[stuck.id] == 2
        wait_for(lambda: names(engine) == {last.worker})


@pytest.mark.slow
def test_runs_go_on_while_a_scheduler_is_away_and_the_queue_when_it_is_back(store, start):
    with TinyCluster(store.folder) as small:
        small.start_worker("one")
        engine = start(small.address)
        going, waits = new(store, "until_stopped"), new(store)
        first = begun(store, going)
        small.kill_scheduler()
        wait_for(lambda: not engine.status().alive)
        beat = store.get(going.id).heartbeat
        wait_for(lambda: store.get(going.id).heartbeat > beat)
        small.start_scheduler()
        wait_for(lambda: engine.status().busy == 1)  # the worker is back, and says what it has in its hands
        assert store.get(waits.id).state == "queued"
        engine.stop(going.id)
        assert ended(store, going).stored == {"obeyed": True}
        assert ended(store, waits).state == "done"
        assert [store.get(run.id).attempt for run in (going, waits)] == [1, 1]
        assert store.get(going.id).process == first.process


@pytest.mark.slow
def test_a_scheduler_that_stands_still_holds_up_nobody(store, start, monkeypatch):
    monkeypatch.setattr(cluster, "ANSWER_S", 1.0)
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    with TinyCluster(store.folder) as small:
        leaving = small.start_worker("one")
        small.start_worker("two")
        engine, other = start(small.address), start(small.address)
        going = new(store, "until_stopped")
        worker = begun(store, going).worker
        small.scheduler.send_signal(signal.SIGSTOP)
        wait_for(lambda: not engine.status().alive)
        began = time.monotonic()
        other.close()
        if worker == "one":
            leaving = small.workers["two"]
        leaving.terminate()
        assert leaving.wait(LONG_S) == 0
        assert time.monotonic() - began < 60
        beat = store.get(going.id).heartbeat
        wait_for(lambda: store.get(going.id).heartbeat > beat)
        waits = new(store)
        small.scheduler.send_signal(signal.SIGCONT)
        wait_for(lambda: engine.status().alive)
        engine.stop(going.id)
        assert ended(store, going).stored == {"obeyed": True} and ended(store, waits).state == "done"
        assert [store.get(run.id).attempt for run in (going, waits)] == [1, 1]


@pytest.mark.slow
def test_a_plain_dask_worker_gets_runs_or_is_listed_with_the_reason(store, start):
    with TinyCluster(store.folder) as small:
        small.start_plain_worker("--name", "plain", "--no-nanny")
        small.start_plain_worker("--name", "daemonic")
        small.start_plain_worker("--name", "bare", "--no-nanny", with_tlcore=False)
        small.start_plain_worker("--name", "extended", "--no-nanny", TRANSFER_LAB_EXTENSIONS="my_lab")
        engine = start(small.address)
        wait_for(lambda: len(engine.status().workers) == 4 and names(engine) == {"plain"})
        workers = {one.name: one for one in engine.status().workers}
        assert workers["daemonic"].refusal == fitness.DAEMONIC
        assert workers["bare"].refusal == fitness.NO_TLCORE
        assert "TRANSFER_LAB_EXTENSIONS is another one there (my_lab) than on the server (none)" in str(
            workers["extended"].refusal
        )
        runs = [new(store) for _ in range(2)]
        assert [ended(store, run).worker for run in runs] == ["plain"] * 2


# -- who gets in


def listening(pid):
    """Return the addresses at which a process listens, as /proc/net tells them."""
    inodes = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            inodes.add(os.readlink(descriptor).rpartition("[")[2].rstrip("]"))
    rows = [
        line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()
    ]
    return [row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes]  # 0A: LISTEN


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who listens where on Linux alone")
def test_a_scheduler_and_its_workers_listen_on_this_machine_alone_unless_told_otherwise(store, start):
    here = {"0100007F", "00000000000000000000000001000000"}  # 127.0.0.1 and ::1, as the processor has them
    with TinyCluster(store.folder) as small:
        small.start_real_worker("one")
        engine = start(small.address)
        wait_for(lambda: engine.status().workers)
        for process in (small.scheduler, small.workers["one"]):
            addresses = listening(process.pid)
            assert addresses and set(addresses) <= here
    with TinyCluster(store.folder, "0.0.0.0") as small:
        wait_for(lambda: listening(small.scheduler.pid))
        assert "00000000" in listening(small.scheduler.pid)
        told = "can run any program on this machine and on every worker"
        wait_for(lambda: told in (store.folder / "cluster.log").read_text())


def tls_lines():
    """Return the lines of docs/hosting.md that make certificates and name them, without the one that starts."""
    text = (tiny_cluster.ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    (block,) = [block for block in text.split("```")[1::2] if "openssl" in block and "DASK_DISTRIBUTED" in block]
    *lines, last = block.strip().splitlines()
    assert last == ".venv/bin/python -m tlcore scheduler --host 0.0.0.0 --tls"
    return "\n".join(lines)


def certificates(folder):
    """Do what these lines say in a folder; return the environment as it is then, as far as they set it."""
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-ec", f"{tls_lines()}\nenv -0"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG_S,
    )
    pairs = (pair.partition("=") for pair in done.stdout.split("\0"))
    return {name: value for name, _, value in pairs if name.startswith("DASK_")}


def as_settings(environment):
    """Return what dask makes of these variables when it is imported."""
    named = {name: value for name, value in environment.items() if "TLS" in name}
    return {name.removeprefix("DASK_").lower().replace("__", "."): value for name, value in named.items()}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificates")
def test_with_the_lines_of_the_manual_who_has_the_key_gets_in_and_nobody_else(store, start, tmp_path):
    from dask import config
    from distributed import Client

    ours, others = certificates(tmp_path / "ours"), certificates(tmp_path / "others")
    with TinyCluster(store.folder, environment=ours) as small:
        small.start_worker("one")
        with config.set(as_settings(ours)):
            engine = start(small.address)
            wait_for(lambda: names(engine) == {"one"})
            assert ended(store, new(store)).state == "done"
        with config.set(as_settings(others)), pytest.raises(OSError):
            Client(small.address, timeout=3, set_as_default=False)
        with pytest.raises(OSError):
            Client(small.address.replace("tls", "tcp"), timeout=3, set_as_default=False)


# -- what goes to whom


class Recorded:
    """In place of a connection to a scheduler: workers that are there, and what they were given."""

    def __init__(self, *hands):
        self.hands, self.given, self.lent = list(hands), [], []

    def __call__(self, *_):
        return self

    def look(self, where):
        return self.hands

    def give(self, hands, run_id, attempt):
        self.given.append((hands.name, run_id, attempt))
        hands.runs.add(run_id)

    def lend(self, hands, run_id):
        self.lent.append((hands.name, run_id))
        hands.helps.add(run_id)

    def close(self):
        pass


@pytest.fixture
def recorded(store, monkeypatch):
    """Start an engine on workers that only write down what they are given, by name and what they have."""
    monkeypatch.setattr(engine_module, "TURN_S", 0.02)
    engines = []

    def start(*workers, helps=()):
        now = cluster.time.monotonic()
        hands = (
            Hands(f"tcp://10.0.0.1:{at}", name, 1, has, greeted=now, heard=now)
            for at, (name, has) in enumerate(workers)
        )
        made = Recorded(*hands)
        monkeypatch.setattr(engine_module, "Cluster", made)
        engines.append(DaskEngine(store.folder, "tcp://10.0.0.1:1", greet="", work="", helps=helps))
        return made

    yield start
    for engine in engines:
        engine.close()


def test_people_take_turns_and_a_worker_with_a_gpu_is_the_first(store, recorded):
    ann = [store.create(FineTuneSpec(), owner="ann").id for _ in range(3)]
    bob = store.create(FineTuneSpec(), owner="bob").id
    made = recorded(("one", {}), ("gpu", {"GPU": 1.0}), ("two", {}))
    wait_for(lambda: len(made.given) == 3)
    assert [run_id for _, run_id, _ in made.given] == [ann[0], bob, ann[1]]
    assert made.given[0] == ("gpu", ann[0], 0) and {name for name, *_ in made.given} == {"one", "gpu", "two"}
    wait_for(lambda: all(not hands.free for hands in made.hands))
    assert len(made.given) == 3  # the fourth waits in the store, where its turn is decided


def test_who_is_free_helps_with_a_run_that_can_be_shared_unless_another_waits(store, recorded):
    sweep, other = store.create(SweepSpec()), store.create(FineTuneSpec())
    for run in (sweep, other):
        store.claim(run.id)
    made = recorded(("one", {}), ("two", {}), helps=("sweep",))
    wait_for(lambda: len(made.lent) == 2)
    assert sorted(made.lent) == [("one", sweep.id), ("two", sweep.id)] and made.given == []
    waits = store.create(FineTuneSpec())
    for hands in made.hands:  # both come back, and one of them gets what waits
        hands.helps.clear()
    wait_for(lambda: made.given)
    assert made.given[0][1] == waits.id and len(made.lent) == 2


# -- who may be given runs


def answer(store, **other):
    mark = fitness.leave_mark(store)
    facts = {"versions": fitness.versions(), "process": "here:1:1", "daemonic": False, "mark": mark, "folder": mark}
    return {**facts, **other}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"daemonic": True}, "It may not start processes of its own."),
        ({"versions": {"tlcore": "0.0.9"}}, "tlcore is another one there (0.0.9) than on the server"),
        ({"mark": "0"}, "It reads another run store."),
        ({"folder": ""}, "It does not see the files of this lab."),
        ({"error": {"template": "The data folder {f} cannot be used.", "values": {"f": "x"}}}, "folder x cannot be"),
    ],
)
def test_a_worker_that_would_do_something_else_gets_no_run(store, other, words):
    given = answer(store, **other)
    assert words in str(fitness.refusal(given, store.mark(), needs_here=False))


def test_a_worker_with_another_keras_gets_no_run_and_one_like_the_server_does(store):
    assert fitness.refusal(answer(store), store.mark(), needs_here=False) == NOTHING
    versions = fitness.versions() | {"keras": "3.9.0"}
    words = str(fitness.refusal(answer(store, versions=versions), store.mark(), needs_here=False))
    assert words.startswith("keras is another one there (3.9.0) than on the server (")


def test_runs_in_a_file_stay_on_their_machine(store):
    assert fitness.refusal(answer(store), store.mark(), needs_here=True) == fitness.NEEDS_POSTGRES
    assert store.is_file


def test_a_store_has_one_mark_that_lies_in_its_folder(store):
    assert store.mark() == store.mark() == fitness.leave_mark(store) == store.files.mark() != ""


def test_what_a_worker_raises_in_place_of_an_answer_is_its_reason():
    assert fitness.refusal(ModuleNotFoundError("No", name="tlcore.jobs"), "", False) == fitness.NO_TLCORE
    assert "(TimeoutError: 30 s)" in str(fitness.refusal(TimeoutError("30 s"), "", False))


# -- the setting


def test_without_the_setting_there_is_no_cluster():
    assert cluster.address({}) is None and cluster.address({cluster.VARIABLE: "local"}) is None
    code = "import sys, tlcore.lab; assert not {'dask', 'distributed'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tiny_cluster.ROOT, timeout=LONG_S)


@pytest.mark.parametrize("text", ["dask://", "dask://host", "http://host:8786", "dask://host:port", "dask://h:1/x"])
def test_an_address_that_is_none_is_refused_in_one_sentence(text):
    with pytest.raises(SpecError, match="A scheduler's address is dask://host:port or tls://host:port."):
        cluster.parsed(text)


def test_a_missing_package_is_one_sentence_with_the_line_that_installs_it(store, monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match=r"Install it: pip install -r requirements-cluster.txt\."):
        cluster.address({cluster.VARIABLE: "dask://127.0.0.1:8786"})


def test_a_worker_imports_dask_before_its_children_change_the_environment(store):
    code = """
import sys
from tlcore import cli
from tlcore.commands import cluster
cluster.custody.begin = lambda *_: sys.exit(7 if "distributed" in sys.modules else 1)
cli.main(["worker"])
"""
    there = {**os.environ, "TRANSFER_LAB_HOME": str(store.folder)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tiny_cluster.ROOT, env=there, timeout=LONG_S)
    assert done.returncode == 7


@pytest.mark.parametrize("role", ["scheduler", "worker", "client"])
def test_tls_without_certificates_is_one_sentence(role):
    cluster.check_certificates("tcp://h:1", role)
    with pytest.raises(SpecError, match="TLS needs a file that DASK_DISTRIBUTED__COMM__TLS__CA_FILE names"):
        cluster.check_certificates("tls://h:1", role)


def test_a_worker_is_free_when_it_is_fit_awake_and_not_full(monkeypatch):
    monkeypatch.setattr(cluster.time, "monotonic", lambda: 100.0)
    one = Hands("tcp://10.0.0.7:4", "one", 2, {}, greeted=99.0, heard=99.0)
    assert (one.free, one.host) == (2, "10.0.0.7")
    one.runs = {"a"}
    assert one.free == 1
    one.other = 1
    assert one.free == 0
    one.other, one.heard = 0, 80.0
    assert one.free == 0
    one.heard, one.refusal = 99.0, Sentence("no")
    assert one.free == 0


def test_a_dask_engine_has_the_four_methods_of_every_engine():
    methods = [name for name in vars(Engine) if not name.startswith("_")]
    assert all(callable(getattr(DaskEngine, name)) for name in methods)
