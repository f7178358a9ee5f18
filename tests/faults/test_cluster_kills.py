"""Faults of a cluster with real trainings: workers and schedulers that die or stand still lose nothing.

A worker killed in the middle in every test run; twenty random moments, a scheduler killed under ten runs, and workers
and schedulers that stand still for half a minute in ``make soak``, which prints the table of docs/scaling.md.
"""

import os
import random
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
import waiting
from faults.test_kills import SOAK, TINY, check_whole, completed_s, weights
from numpy.testing import assert_array_equal
from tiny_cluster import TinyCluster

from tlcore.engine import DaskEngine
from tlcore.engine import dask as engine_module
from tlcore.jobs.cluster import GREET, WORK
from tlcore.machine import is_alive
from tlcore.spec import DataSpec

pytestmark = [pytest.mark.keras, pytest.mark.slow]
LONG_S = 300
wait_for = partial(waiting.wait_for, timeout_s=LONG_S)
LONGER = replace(SOAK, data=DataSpec(per_class=100))  # seconds, with two phases


@contextmanager
def clustered(store, monkeypatch, *names):
    """Yield a cluster with real workers of these names, and a server's engine on it, once all may be given runs."""
    monkeypatch.setattr(engine_module, "TURN_S", 0.5)
    with TinyCluster(store.folder) as small:
        for name in names:
            small.start_real_worker(name)
        engine = DaskEngine(store.folder, small.address, greet=GREET, work=WORK)
        try:
            wait_for(lambda: engine.status().n_workers == len(names))
            yield small, engine
        finally:
            engine.close()


def new(store, engine, spec):
    run = store.create(spec)
    engine.submit(run.id)
    return run


def ended(store, run):
    return wait_for(lambda: (now := store.get(run.id)).final and now)


def kill_when(store, small, run, after_s):
    """Kill the worker of a run some time after the claim; return the run as it stood, None when it was over by then."""
    claimed = wait_for(lambda: (now := store.get(run.id)).started and now)
    threading.Event().wait(max(0.0, claimed.started + after_s - time.time()))
    now = store.get(run.id)
    if now.final:
        return None
    os.kill(small.workers[now.worker].pid, signal.SIGKILL)
    return now


def same(store, run, reference):
    """Hold a run against one that nothing happened to, to the last bit."""
    check_whole(store, run)
    for mine, theirs in zip(weights(store, run), weights(store, reference), strict=True):
        assert_array_equal(mine, theirs)


def test_a_training_whose_worker_is_killed_ends_elsewhere_as_if_nothing_had_been(store, monkeypatch):
    with clustered(store, monkeypatch, "one", "two") as (small, engine):
        reference = ended(store, new(store, engine, TINY))
        run = new(store, engine, TINY)
        cut = kill_when(store, small, run, 0.3 * completed_s(reference))
        found = ended(store, run)
        same(store, found, reference)
        assert cut is None or (found.attempt == 2 and found.worker != cut.worker and not is_alive(cut.process))


# -- the table


def told(capsys, rows):
    with capsys.disabled():
        print(f"\n{'fault':<44} {'at s':>6} {'end':<6} {'attempts':>8} {'seconds':>8}")
        for fault, moment_s, run in rows:
            took_s = run.finished - run.created
            print(f"{fault:<44} {moment_s:>6.2f} {run.state:<6} {run.attempt:>8} {took_s:>8.1f}")


@pytest.mark.soak
def test_a_worker_killed_at_twenty_random_moments_loses_nothing(store, monkeypatch, capsys):
    draw, rows = random.Random(5), []
    try:
        with clustered(store, monkeypatch, "one", "two") as (small, engine):
            reference = [ended(store, new(store, engine, LONGER)) for _ in range(2)][-1]
            while len(rows) < 20:
                moment_s = draw.random() * completed_s(reference)
                run = new(store, engine, LONGER)
                cut = kill_when(store, small, run, moment_s)
                found = ended(store, run)
                same(store, found, reference)
                if cut is None:
                    continue
                rows.append((f"kill -9 of the worker ({cut.progress.message})", moment_s, found))
                small.start_real_worker(cut.worker)
                wait_for(lambda: engine.status().n_workers == 2)
    finally:
        told(capsys, rows)


@pytest.mark.soak
def test_a_scheduler_killed_in_the_middle_of_ten_runs_loses_nothing(store, monkeypatch, capsys):
    with clustered(store, monkeypatch, "one", "two") as (small, engine):
        runs = [new(store, engine, LONGER) for _ in range(10)]
        wait_for(lambda: sum(store.get(run.id).final for run in runs) >= 3)
        began = time.monotonic()
        small.kill_scheduler()
        wait_for(lambda: not engine.status().alive)
        threading.Event().wait(10)
        small.start_scheduler()
        found = [ended(store, run) for run in runs]
        for run in found:
            same(store, run, found[0])
        assert {run.attempt for run in found} == {1}  # none was cut off
        told(capsys, [("kill -9 of the scheduler, away for 10 s", time.monotonic() - began, run) for run in found])


@pytest.mark.soak
@pytest.mark.parametrize("whole", [False, True], ids=["worker", "with its run"])
def test_a_worker_that_stands_still_for_half_a_minute_loses_nothing(store, monkeypatch, capsys, whole):
    with clustered(store, monkeypatch, "one", "two") as (small, engine):
        reference = ended(store, new(store, engine, LONGER))
        run = new(store, engine, LONGER)
        now = wait_for(lambda: (now := store.get(run.id)).started and now)
        worker = small.workers[now.worker]
        send = os.killpg if whole else os.kill
        send(worker.pid, signal.SIGSTOP)
        threading.Event().wait(30)
        others = ended(store, new(store, engine, LONGER))  # the other worker goes on meanwhile
        assert others.worker != now.worker
        send(worker.pid, signal.SIGCONT)
        found = ended(store, run)
        same(store, found, reference)
        assert found.attempt == 1
        told(capsys, [(f"SIGSTOP for 30 s, worker{' and run' if whole else ''}", 30.0, found)])


@pytest.mark.soak
def test_a_scheduler_that_stands_still_for_half_a_minute_loses_nothing(store, monkeypatch, capsys):
    with clustered(store, monkeypatch, "one", "two") as (small, engine):
        runs = [new(store, engine, LONGER) for _ in range(10)]
        wait_for(lambda: sum(store.get(run.id).final for run in runs) >= 3)
        small.scheduler.send_signal(signal.SIGSTOP)
        wait_for(lambda: not engine.status().alive)
        threading.Event().wait(30)
        small.scheduler.send_signal(signal.SIGCONT)
        found = [ended(store, run) for run in runs]
        for run in found:
            same(store, run, found[0])
        assert {run.attempt for run in found} == {1}
        told(capsys, [("SIGSTOP for 30 s, scheduler", 30.0, run) for run in found])
