"""A sweep among several processes: every experiment once, a dead one's share done by others, the same figures."""

import os
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
import waiting

from tlcore.engine import fitness
from tlcore.evidence import sweeps
from tlcore.jobs import execution, of, shares
from tlcore.jobs.shares import Helping, Shares
from tlcore.machine import identity
from tlcore.machine.settings import WORKER_NAME
from tlcore.spec import FineTuneSpec, Hooks, SweepSpec
from tlcore.store import Store

LONG_S = 300
GRID = SweepSpec(methods=("linear_svm", "knn"), per_class=(1, 5), seeds=tuple(range(40)))  # 160 experiments
FEW = SweepSpec(methods=("linear_svm", "logme"), per_class=(1, 5), seeds=(0, 1, 2), n_test=200)
PLAN = sweeps.plan(GRID)


@pytest.fixture
def sweep(store):
    """A running sweep: the run, and a function that makes the part of a further process in it."""
    run = store.create(GRID)
    attempt = store.claim(run.id)
    run = store.get(run.id)

    def part(owns=False):
        return Shares(Store(store.folder), run.id, PLAN, owns)

    return run, attempt, part


def measure(part, attempt, n=None, todo=PLAN):
    """Take experiments, n of them or all there are, and write them down; return their keys."""
    keys = []
    for cell in part.mine(todo):
        if cell is None:
            break
        attempt.add_cells([replace(cell, score=0.5)])
        keys.append(cell.key)
        if len(keys) == n:
            break
    return keys


def test_two_processes_measure_every_experiment_once(store, sweep):
    run, attempt, part = sweep
    owner, helper = part(owns=True), part()
    mine, theirs = owner.mine(PLAN), helper.mine(PLAN)
    taken = []
    for _ in range(200):
        for side in (mine, theirs):
            if cell := next(side, None):
                attempt.add_cells([cell])
                taken.append(cell.key)
    assert len(taken) == len(set(taken)) == len(PLAN) == len(store.cells(run.id))
    owner.close()
    assert list(helper.mine(PLAN)) == []  # it does not begin a sweep that is over


def test_the_share_of_a_dead_process_is_measured_by_others(store, sweep):
    run, attempt, part = sweep
    owner = part(owns=True)
    code = f"""
from pathlib import Path
from test_shares import PLAN, Shares, Store
next(Shares(Store(Path({str(store.folder)!r})), {run.id!r}, PLAN, False).mine(PLAN))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, timeout=LONG_S)
    assert len(list((store.run_folder(run.id) / "shares").iterdir())) == 1
    assert sorted(measure(owner, attempt)) == sorted(cell.key for cell in PLAN)


def test_the_owner_waits_for_a_share_of_another_machine_until_it_is_abandoned(store, sweep, monkeypatch):
    run, attempt, part = sweep
    owner = part(owns=True)
    held = store.run_folder(run.id) / "shares" / "share-00"
    held.write_text("elsewhere:1:1")
    assert len(measure(owner, attempt)) == len(PLAN) - 3  # a share is three experiments, the last one less
    monkeypatch.setattr(shares, "ABANDONED_S", -1.0)
    assert sorted(measure(owner, attempt)) == sorted(cell.key for cell in PLAN[:3])


def test_a_share_whose_process_stands_still_is_measured_by_others(store, sweep, monkeypatch):
    run, attempt, part = sweep
    owner = part(owns=True)
    held = store.run_folder(run.id) / "shares" / "share-00"
    held.write_text(identity())  # alive, on this machine
    assert len(measure(owner, attempt)) == len(PLAN) - 3
    monkeypatch.setattr(shares, "ABANDONED_S", -1.0)
    assert sorted(measure(owner, attempt)) == sorted(cell.key for cell in PLAN[:3])


def test_who_helps_makes_room_for_what_waits(store, sweep):
    _, attempt, part = sweep
    part(owns=True)
    store.create(FineTuneSpec())
    assert measure(part(), attempt) == []


def test_an_experiment_that_two_measured_is_kept_once(store, sweep):
    run, attempt, _ = sweep
    attempt.add_cells([replace(PLAN[0], score=0.5)])
    attempt.add_cells([replace(PLAN[0], score=0.6), replace(PLAN[1], score=0.7)])
    assert {cell.key: cell.score for cell in store.cells(run.id)} == {PLAN[0].key: 0.5, PLAN[1].key: 0.7}


def test_who_helps_hears_of_a_stop_and_of_another_attempt(store, sweep, monkeypatch):
    run, _, _ = sweep
    monkeypatch.setattr(shares, "LOOK_S", 0.0)
    assert not Helping(store, run).should_stop()
    store.requeue(run.id)
    store.claim(run.id)
    assert Helping(store, run).should_stop()
    run = store.get(run.id)
    store.request_stop(run.id)
    assert Helping(store, run).should_stop()


@pytest.mark.keras
def test_a_sweep_of_two_processes_has_the_figures_of_one(store, tmp_path, monkeypatch):
    alone = []
    sweeps.run(FEW, Hooks(on_cell=alone.append), cache=tmp_path)
    monkeypatch.setenv(WORKER_NAME, "one")
    fitness.leave_mark(store)
    run = store.create(FEW)
    helped = threading.Event()
    add_cells = shares.Helping.on_cell

    def noted(self, cell):
        add_cells(self, cell)
        helped.set()

    monkeypatch.setattr(shares.Helping, "on_cell", noted)
    main = threading.Thread(target=execution.execute, args=(run.id, str(store.folder)), daemon=True)
    measured = sweeps._measured
    monkeypatch.setattr(sweeps, "_measured", lambda cell, bench: _slowly(measured, cell, bench, helped, main))
    main.start()
    folder = store.run_folder(run.id) / "shares"
    waiting.wait_for(lambda: folder.exists() or store.get(run.id).final, LONG_S)
    assert store.get(run.id).state == "running", store.get(run.id).error
    of(FEW).help(store.get(run.id), store)
    main.join(LONG_S)
    assert not main.is_alive(), "the sweep's owner did not end after its helper had"
    found = store.get(run.id)
    assert (found.state, found.result.n_cells, helped.is_set()) == ("done", len(alone), True)
    assert {cell.key: cell.score for cell in store.cells(run.id)} == {cell.key: cell.score for cell in alone}
    assert not (store.run_folder(run.id) / "shares").exists()


def _slowly(measured, cell, bench, helped, main):
    """The owner of the sweep waits with its first experiment for its helper's first."""
    if threading.current_thread() is main:
        assert helped.wait(LONG_S), "nobody helped with the sweep"
    return measured(cell, bench)
