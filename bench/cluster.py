"""A cluster: runs a minute on one, two and four workers of half a core, what the engine costs a run, and a long queue.

The workers are processes of this machine, each with half of one core (``_cluster.HalfCores``), so that scaling can be
seen on two cores. A third of the runs are fine-tunings, a third comparisons of heads, a third small sweeps; the
results are the same on any number of workers.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import _line, _timing
from bench._cluster import cluster
from tlcore.engine import DaskEngine, Engine, LocalEngine
from tlcore.jobs import execution
from tlcore.jobs.cluster import GREET, WORK
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase, Spec, SweepSpec
from tlcore.store import Run, Store

FULL = {"n_runs": 100, "workers": (1, 2, 4), "n_starts": 20, "n_queue": 10_000, "n_clicks": 10}
QUICK = {"n_runs": 12, "workers": (1, 2), "n_starts": 3, "n_queue": 1_000, "n_clicks": 2}
LONG_S = 3600


def mixed(n: int) -> list[Spec]:
    """Return so many runs of three kinds, no two alike."""
    kinds: list[Callable[[int], Spec]] = [
        lambda seed: FineTuneSpec(
            data=DataSpec(per_class=20, seed=seed), phases=(Phase(10, ("conv_1", "conv_2")),), seed=seed
        ),
        lambda seed: HeadSpec(
            data=DataSpec(per_class=20, seed=seed), heads=("linear_svm", "knn"), seeds=(seed,), curves=False
        ),
        lambda seed: SweepSpec(
            methods=("linear_svm",), per_class=(5, 20), seeds=tuple(range(10 * seed, 10 * seed + 10))
        ),
    ]
    return [kinds[number % 3](number // 3) for number in range(n)]


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LONG_S
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError("the cluster did not get there")
        time.sleep(0.05)


def outcome(run: Run) -> object:
    """Return what must not depend on where a run ran."""
    assert run.state == "done", f"{run.kind}: {run.error}"
    return run.kind, run.accuracy, run.result.test_uses(run.spec.data.target)


def _throughput(n_workers: int, n_runs: int) -> tuple[float, list[object]]:
    """Return runs a minute, and the outcomes in order."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        with cluster(store.folder, n_workers) as address:
            engine = DaskEngine(store.folder, address, greet=GREET, work=WORK)
            try:
                wait_for(lambda: engine.status().n_workers == n_workers)
                warm = [store.create(spec) for spec in mixed(3 * n_workers)]  # data, features, Keras
                wait_for(lambda: all(store.get(run.id).final for run in warm))
                began = time.monotonic()
                runs = [store.create(spec) for spec in mixed(n_runs)]
                engine.submit(runs[0].id)
                wait_for(lambda: store.count(states=("queued", "running")) == 0)
                took_s = time.monotonic() - began
            finally:
                engine.close()
        return 60 * n_runs / took_s, [outcome(store.get(run.id)) for run in runs]


def _start_s(store: Store, engine: Engine, n: int) -> list[float]:
    """Return the seconds from the submit of a fine-tuning to its first point, each on an idle engine."""
    spec, waits = FineTuneSpec(data=DataSpec(per_class=20), phases=(Phase(3, ("conv_1", "conv_2")),)), []
    for number in range(n + 1):
        began = time.perf_counter()
        run = store.create(spec)
        engine.submit(run.id)
        while not store.points(run.id):
            time.sleep(0.005)
        if number:  # the first one also reads the data
            waits.append(time.perf_counter() - began)
        wait_for(lambda run=run: store.get(run.id).final)
        time.sleep(3)  # a fresh child is warm by then, here as there
    return waits


def _starts(n: int) -> tuple[list[float], list[float]]:
    """Return the waits for a first point on a cluster with one worker, and on a local engine with one."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        with cluster(store.folder, 1, halved=False) as address:
            engine = DaskEngine(store.folder, address, greet=GREET, work=WORK)
            try:
                wait_for(lambda: engine.status().n_workers == 1)
                remote = _start_s(store, engine, n)
            finally:
                engine.close()
        local = LocalEngine(store.folder, 1, execute=execution.execute, warm=execution.warm, with_keras=True)
        try:
            local.wait_warm(60)
            here = _start_s(store, local, n)
        finally:
            local.close()
    return remote, here


def _queue(n: int) -> dict[str, list[float]]:
    """Return the seconds of what pages ask while ``n`` runs wait, without a worker."""
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        runs = _line.fill(store, n)
        with cluster(store.folder, 0) as address:
            engine = DaskEngine(store.folder, address, greet=GREET, work=WORK)
            try:
                wait_for(lambda: engine.status().alive)
                asked = {
                    "a submit": lambda: engine.submit(store.create(FineTuneSpec(), owner="somebody").id),
                    "the status": engine.status,
                    "a place in the line": lambda: store.ahead(runs[-1]),
                    "the list of runs": store.listing,
                }
                store.listing()  # the first one makes the cards
                return {what: [_timed(ask) for _ in range(20)] for what, ask in asked.items()}
            finally:
                engine.close()


def _timed(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return time.perf_counter() - began


def measure(quick: bool = False) -> list[_timing.Row]:
    settings = QUICK if quick else FULL
    rows, first = [], (0.0, [])
    for n_workers in settings["workers"]:
        rate, outcomes = _throughput(n_workers, settings["n_runs"])
        first = first if first[1] else (rate, outcomes)
        assert outcomes == first[1], "a result depends on how many workers there are"
        title = f"Runs a minute on {n_workers} of the workers of half a core, {settings['n_runs']} runs of three kinds"
        note = "" if rate == first[0] else f"{rate / first[0]:.2f} times one worker; the same results"
        rows.append(_timing.figure(f"cluster-{n_workers}", title, rate, "/min", note))
    remote, here = _starts(settings["n_starts"])
    title = f"Submit to the first point on a cluster (on this machine's own engine {median(here):.3g} s)"
    rows.append(_timing.wait("cluster-start", title, remote, limit=f"{median(here) + 0.5:.3g} s"))
    for what, values in _queue(settings["n_queue"]).items():
        name = f"cluster-queue-{what.split()[-1]}"
        rows.append(_timing.wait(name, f"{settings['n_queue']:,} runs wait: {what}", values, limit="1 s"))
    for number, (what, values) in enumerate(_line.pages(settings["n_queue"], settings["n_clicks"]).items()):
        title = f"{settings['n_queue']:,} runs wait: {what}"
        rows.append(_timing.wait(f"cluster-queue-page-{number}", title, values, limit="1 s"))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    print(_timing.table(measure(parser.parse_args().quick)))
