"""kill -9 over the life of real runs: each goes on from its last finished epoch and ends as if nothing had been.

Four moments, one after the other on a single run, in every test run; six, and fifty random ones, in ``make soak``.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import pytest
import waiting
from faults import tasks

from tlcore import heads, prediction
from tlcore.evaluation import outputs
from tlcore.jobs import execution as worker
from tlcore.machine import is_alive
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store, checkpoint

LONG_S = 900  # longer than anything here takes, on a machine that others use too; a test that waits for it fails
FROZEN = ("conv_1", "conv_2")
TINY = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(6, FROZEN),))
HEADS = HeadSpec(data=DataSpec(per_class=8), heads=("linear_svm", "knn"), inputs=("features", "pixels"), seeds=(0, 1))


wait_for = partial(waiting.wait_for, timeout_s=LONG_S)


@contextmanager
def serving(store, warm=False):
    """Keep a server on the store's folder in a process of its own; yields a function that starts it again if dead."""
    code = f"from faults import tasks; tasks.serve({str(store.folder)!r}, {warm})"
    own = store.folder.with_name("system-tmp")
    own.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(own)}
    started = []

    def see_to_it():
        if not started or started[-1].poll() is not None:
            started.append(subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL))
        return started

    see_to_it()
    try:
        yield see_to_it
    finally:
        started[-1].kill()
        started[-1].wait(LONG_S)
        assert list(own.iterdir()) == []  # nothing in the system's temporary folder, however the processes ended


def weights(store, run):
    return prediction.load_model(run, store.folder).get_weights()


LEFT = {"model.keras", "outputs.npz"}  # in the folder of a finished fine-tuning


def files(store, run):
    return {path.name for path in store.run_folder(run.id).iterdir()}


def check_whole(store, run):
    """Hold everything that a finished fine-tuning left against what a run that nobody killed leaves."""
    assert (run.state, str(run.error)) == ("done", "")
    numbered = store.points(run.id)
    assert [seq for seq, _ in numbered] == list(range(1, len(numbered) + 1))
    for series in ("train", "validation"):
        points = [point for _, point in numbered if point.part == series]
        whole = [point.x for point in points if point.x == int(point.x)]
        assert whole == list(range(1, run.spec.epochs + 1))
        assert all(a.x < b.x and a.elapsed_s <= b.elapsed_s for a, b in pairwise(points))
    for name in run.result.files:
        prediction.checked_file(run, name, store.folder)
    assert files(store, run) == LEFT


MOMENTS = ["extracting", "first_batch", "server", "checkpointing", "evaluating", "saving"]


@pytest.mark.keras
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(["extracting", "server", "checkpointing", "saving"], marks=pytest.mark.slow),
        pytest.param(MOMENTS, marks=pytest.mark.soak),
    ],
    ids=["four", "six"],
)
def test_a_run_killed_at_moments_of_its_life_ends_as_if_nothing_had_been(store, plan):
    store.folder.joinpath(tasks.PLAN).write_text("\n".join(plan))
    run = store.create(TINY)
    with serving(store) as see_to_it:
        found = wait_for(lambda: see_to_it() and (now := store.get(run.id)).final and now)
        assert len(see_to_it()) == 2  # one of the kills was the server's
        wait_for(lambda: files(store, run) == LEFT)  # the worker clears up after it has told the end
    check_whole(store, found)
    assert (found.attempt, found.result.resumed_after) == (len(plan) + 1, (2, 3, 6))
    untouched = Store(store.folder.with_name("untouched"))
    other = untouched.create(TINY)
    worker.execute(other.id, str(untouched.folder))
    other = untouched.get(other.id)
    for mine, theirs in zip(weights(store, found), weights(untouched, other), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert found.result.test == other.result.test and found.result.proof == other.result.proof
    assert other.result.resumed_after == ()
    assert not [path.name for path in (store.folder / "cache").iterdir() if path.suffix != ".npy"]


@pytest.mark.keras
@pytest.mark.slow
def test_a_comparison_of_heads_keeps_every_finished_row(store, monkeypatch):
    """In this process: what dies is not the process but the call, at the same place."""
    run = store.create(HEADS)

    class Killed(BaseException):
        pass

    def attempt(n_rows):
        fit, fitted = heads.fit, []

        def dying(*arguments, **keywords):
            if len(fitted) == n_rows:
                raise Killed
            fitted.append(arguments[0])
            return fit(*arguments, **keywords)

        with monkeypatch.context() as patch:
            patch.setattr(heads, "fit", dying)
            try:
                worker.execute(run.id, str(store.folder))
            except Killed:
                store.requeue(run.id, lost=True)
        return fitted, store.get(run.id)

    first, cut = attempt(n_rows=3)
    assert (cut.state, cut.lost, cut.accuracy) == ("queued", 1, None)
    assert [row.head for row in cut.result.rows] == first == ["linear_svm", "knn", "linear_svm"]
    second, found = attempt(n_rows=99)
    assert found.state == "done" and len(second) == 5
    cells = [(row.seed, row.input, row.head) for row in found.result.rows]
    assert cells == [(seed, name, head) for seed in (0, 1) for name in HEADS.inputs for head in HEADS.heads]
    saved = {f"{head}-{name}" for name in HEADS.inputs for head in HEADS.heads}
    assert set(found.result.files) == {f"heads/{one}.skops" for one in saved} | {outputs.FILE}
    assert set(outputs.models(store.run_folder(run.id) / outputs.FILE)) == saved
    for name in found.result.files:
        prediction.checked_file(found, name, store.folder)
    series = Counter((point.head, point.input, point.part, point.x) for _, point in store.points(run.id))
    assert max(series.values()) == 1  # no point of the head that was cut off came twice
    assert "n_points" not in found.stored


@pytest.mark.keras
@pytest.mark.slow
def test_heads_that_were_finished_stay_when_a_stop_has_to_kill(store):
    from tlcore.engine import LocalEngine

    run = store.create(HEADS)
    engine = LocalEngine(store.folder, 1, execute=tasks.stuck_in_the_third_head, with_keras=True, stop_grace_s=0.2)
    try:
        wait_for(lambda: len(store.get(run.id).result.rows) == 2)
        engine.stop(run.id)
        found = wait_for(lambda: (now := store.get(run.id)).final and now)
    finally:
        engine.close()
    assert (found.state, len(found.result.rows), len(found.result.table)) == ("stopped", 2, 2)
    assert found.accuracy == max(row.accuracy for row in found.result.rows)


@pytest.mark.keras
@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no checkpoint", None])
def test_a_checkpoint_that_cannot_be_used_is_logged_and_the_run_begins_anew(store, damage, caplog):
    spec = replace(TINY, phases=(Phase(1, FROZEN),))
    run = store.create(spec)
    store.claim(run.id)
    folder = store.run_folder(run.id, create=True)
    if damage is None:  # whole, but of other versions
        checkpoint.save(folder, checkpoint.Checkpoint({"n_points": 0, "versions": {"keras": "2"}}, [], []))
    else:
        (folder / checkpoint.FILE).write_bytes(damage)
    store.requeue(run.id)
    worker.execute(run.id, str(store.folder))
    found = store.get(run.id)
    check_whole(store, found)
    assert found.result.resumed_after == () and "begins again" in caplog.text


# -- fifty random moments


SOAK = FineTuneSpec(data=DataSpec(per_class=400), phases=(Phase(15, FROZEN), Phase(5, FROZEN[:1])))
SOAK_HEADS = replace(HEADS, data=DataSpec(per_class=200), heads=("linear_svm", "random_forest", "knn"), seeds=(0, 1, 2))


def completed(store, spec):
    run = store.create(spec)
    return wait_for(lambda: ended(store, run))


def kill_at(store, spec, share, life):
    """Start a run, kill its process after that share of its life, wait for its end: (seconds, moment, run).

    A run that was over by then was quicker than any before it: ``life`` learns that, and another is tried.
    """
    while True:
        shutil.rmtree(store.folder / "cache", ignore_errors=True)  # so that it extracts
        run = store.create(spec)
        claimed = wait_for(lambda run=run: (now := store.get(run.id)).started and now)
        moment_s = share * life[spec.kind]
        threading.Event().wait(max(0.0, claimed.started + moment_s - time.time()))
        now = store.get(run.id)
        if not now.final and is_alive(now.process):
            os.kill(int(now.process.split(":")[1]), signal.SIGKILL)
            end = wait_for(lambda run=run: ended(store, run))
            return (
                moment_s,
                f"{str(now.progress.message) or 'starting'} ({now.progress.step}/{now.progress.n_steps})",
                end,
            )
        life[spec.kind] = min(life[spec.kind], completed_s(wait_for(lambda run=run: ended(store, run))))


def ended(store, run):
    return (now := store.get(run.id)).final and now


def completed_s(run):
    return run.finished - run.started


def same_as(reference, store, run):
    """Hold a killed run's result against that of the same run without a kill, to the last bit."""
    if run.kind == "fine_tune":
        check_whole(store, run)
        for mine, theirs in zip(weights(store, run), weights(store, reference), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        return
    cells, expected = (
        [(row.seed, row.input, row.head, row.accuracy) for row in one.result.rows] for one in (run, reference)
    )
    assert (run.state, cells) == ("done", expected)


def report(rows):
    print(f"\n{'kill':>4} {'run':<10} {'at s':>6}  {'moment':<44} {'end':<8} {'attempts':>8} {'seconds':>8}")
    for number, (kind, moment_s, moment, run) in enumerate(rows, 1):
        took_s = run.finished - run.created
        print(f"{number:>4} {kind:<10} {moment_s:>6.2f}  {moment:<44} {run.state:<8} {run.attempt:>8} {took_s:>8.1f}")


@pytest.mark.soak
def test_fifty_kills_at_random_moments_lose_nothing(store, capsys):
    draw, rows = random.Random(4), []
    try:
        with serving(store, warm=True):
            completed(store, SOAK)  # the machine's own first time
            references = {spec.kind: completed(store, spec) for spec in (SOAK, SOAK_HEADS)}
            life = {kind: completed_s(run) for kind, run in references.items()}
            for number in range(50):
                spec = SOAK_HEADS if number % 5 == 4 else SOAK
                rows.append((spec.kind, *kill_at(store, spec, draw.random(), life)))
                same_as(references[spec.kind], store, rows[-1][-1])
    finally:
        with capsys.disabled():
            report(rows)
    assert not store.list(states=("running", "queued"))
    # One that was killed after its last write is done at once; every other took a second attempt.
    attempts = Counter(run.attempt for *_, run in rows)
    assert set(attempts) <= {1, 2} and attempts[2] >= 45
