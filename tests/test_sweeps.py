"""Grids of experiments: what is planned, what is measured, and that no end of a sweep loses what it had."""

import multiprocessing
import os
import signal
import threading
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tlcore import datasets, jobs, training
from tlcore.errors import SpecError, TrainingError
from tlcore.evidence import method_of, methods, sweeps
from tlcore.evidence.transferability import SCORES
from tlcore.jobs import execution as worker
from tlcore.sentences import Sentence
from tlcore.spec import Cell, DataSpec, HeadSpec, Hooks, SweepSpec, from_json, to_json
from tlcore.store import Store

SMALL = SweepSpec(
    target="digits_8x8",
    cuts=("pixels", "dense_1"),
    methods=("linear_svm", "knn", "loo_1nn"),
    per_class=(2, 5),
    seeds=(0, 1),
    n_test=None,
)


# -- the plan


def test_every_experiment_is_planned_once_and_seeds_come_outermost():
    spec = replace(SMALL, sources=("digits_0_4", "fashion"), methods=("scratch", "linear_svm", "fine_tune"))
    cells = sweeps.plan(spec)
    assert max(Counter(cell.key for cell in cells).values()) == 1
    assert [cell.seed for cell in cells] == sorted(cell.seed for cell in cells)
    # for each seed and number of labels: pixels + 2 × dense_1, 2 × all layers + 2 × above dense_1, 1 from scratch
    assert len(cells) == 2 * 2 * (3 + 4 + 1)
    of_a_seed = [cell.method for cell in cells if cell.seed == 0]
    assert set(of_a_seed[:6]) == {"linear_svm"} and "linear_svm" not in of_a_seed[6:]


@pytest.mark.parametrize(
    ("source", "cut", "method", "labels", "planned"),
    [
        ("fashion", "flatten", "linear_svm", 1, ("fashion", "flatten", "linear_svm")),
        ("fashion", "pixels", "linear_svm", 1, ("random", "pixels", "linear_svm")),  # no source sees raw pixels
        ("fashion", "pixels", "fine_tune", 1, ("fashion", "pixels", "fine_tune")),
        ("random", "pixels", "fine_tune", 1, ("random", "pixels", "scratch")),
        ("fashion", "dense_1", "scratch", 1, ("random", "pixels", "scratch")),
        ("fashion", "dense_2", "fine_tune", 1, None),  # nothing would train
        ("fashion", "flatten", "h_score", 1, None),  # needs two images of a class
        ("fashion", "flatten", "h_score", 2, ("fashion", "flatten", "h_score")),
        ("fashion", "flatten", "leep", 2, None),  # reads the source's answers
        ("fashion", "dense_2", "leep", 2, ("fashion", "dense_2", "leep")),
    ],
)
def test_an_experiment_has_one_name(source, cut, method, labels, planned):
    spec = SweepSpec(sources=(source,), cuts=(cut,), methods=(method,), per_class=(labels,), seeds=(0,))
    assert [(cell.source, cell.cut, cell.method) for cell in sweeps.plan(spec)] == ([planned] if planned else [])


def test_settings_survive_being_stored():
    spec = replace(SMALL, budget_s=60, resumes="0123456789abcdef")
    assert from_json(to_json(spec)) == spec


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"sources": ()}, "at least one source"),
        ({"sources": ("vgg",)}, "no source model 'vgg'"),
        ({"cuts": ("conv_9",)}, "no cut 'conv_9'"),
        ({"methods": ("magic",)}, "no method 'magic'"),
        ({"methods": ()}, "at least one method"),
        ({"per_class": ()}, "labels per class"),
        ({"per_class": (0,)}, "Per class must be a whole number"),
        ({"per_class": (5000,)}, "at most"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": (-1,)}, "Seed must be"),
        ({"n_test": 5}, "Test images must be"),
        ({"budget_s": 0}, "Time budget must be"),
        ({"n_steps": 0}, "Training steps must be"),
        ({"seeds": tuple(range(5000))}, "experiments; the limits are 1 and 5,000"),
        ({"methods": ("h_score",), "per_class": (1,)}, "This sweep has 0 experiments"),
        ({"target": "mnist", "cuts": ("conv_1",), "per_class": (3000,)}, "conv_1 for 60,000 images would take"),
    ],
)
def test_what_cannot_run_is_refused_in_one_sentence(changes, sentence):
    with pytest.raises(SpecError, match=sentence):
        jobs.check(replace(SMALL, **changes))


def test_time_left_comes_from_the_nearest_kind_that_was_measured():
    asked = Cell("mnist_5_9", "fashion", "flatten", "linear_svm", 5, 0)
    same = replace(asked, seed=1, seconds=1.0)
    other_cut, other_labels = replace(asked, cut="conv_2", seconds=3.0), replace(asked, per_class=50, seconds=9.0)
    assert sweeps.expected_s([asked, asked], [same, other_cut, other_labels]) == 2.0
    assert sweeps.expected_s([asked], [other_cut, other_labels]) == 3.0
    assert sweeps.expected_s([asked], [other_labels]) == 9.0
    assert sweeps.expected_s([asked], [replace(asked, method="knn", seconds=1.0)]) is None
    assert sweeps.expected_s([], []) == 0.0


def test_only_the_same_question_is_taken_over():
    cells = [replace(cell, score=0.5) for cell in sweeps.plan(SMALL)]
    assert sweeps.taken_over(SMALL, replace(SMALL, budget_s=5), cells) == cells
    fewer = replace(SMALL, seeds=(1,))
    assert {cell.seed for cell in sweeps.taken_over(fewer, SMALL, cells)} == {1}
    assert sweeps.taken_over(SMALL, SMALL, [replace(cells[0], error=Sentence("diverged"))]) == []
    for change in ({"n_test": 100}, {"split": "article"}, {"n_steps": 7}, {"target": "mnist"}):
        assert sweeps.taken_over(SMALL, replace(SMALL, **change), cells) == []


# -- the images


def test_a_draw_of_the_pool_is_the_training_set_of_a_run_with_those_settings():
    draws = list(product((2, 5), (0, 3)))
    pool = datasets.pool("digits_8x8", "standard", draws)
    for per_class, seed in draws:
        data = datasets.load(DataSpec("digits_8x8", "standard", per_class, seed))
        rows = pool.rows[per_class, seed]
        np.testing.assert_array_equal(pool.images[rows], data.x_train)
        np.testing.assert_array_equal(pool.labels[rows], data.y_train)
    np.testing.assert_array_equal(pool.x_test, data.x_test)
    assert len(pool.images) < sum(map(len, pool.rows.values()))  # shared images are there once


def test_the_test_draw_keeps_the_classes_in_proportion_and_never_changes():
    whole = datasets.pool("digits_8x8", "standard", [(2, 0)])
    one, other = (datasets.pool("digits_8x8", "standard", [(2, seed)], n_test=180) for seed in (0, 1))
    np.testing.assert_array_equal(one.x_test, other.x_test)
    shares = np.bincount(one.y_test) / 180 - np.bincount(whole.y_test) / len(whole.y_test)
    assert len(one.y_test) == 180 and np.abs(shares).max() < 1 / 180


# -- measuring


def by_key(cells):
    return {cell.key: (cell.score, cell.train_score) for cell in cells}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    found = []
    result = sweeps.run(SMALL, Hooks(on_cell=found.append), cache=tmp_path_factory.mktemp("cache"))
    assert result.ended == "complete" and result.n_cells == len(found) == len(sweeps.plan(SMALL))
    return found


@pytest.mark.keras
def test_a_sweep_has_the_accuracies_of_the_same_single_runs(store, uninterrupted):
    spec = HeadSpec(
        data=DataSpec("digits_8x8", per_class=5),
        layer="dense_1",
        heads=("linear_svm", "knn"),
        inputs=("features", "pixels"),
        seeds=SMALL.seeds,
        curves=False,
    )
    run = store.create(spec)
    worker.execute(run.id, str(store.folder))
    rows = store.get(run.id).result.rows
    cuts = {"features": "dense_1", "pixels": "pixels"}
    single = {(cuts[row.input], row.head, row.seed): row.accuracy for row in rows}
    swept = {(c.cut, c.method, c.seed): c.score for c in uninterrupted if c.per_class == 5 and c.method != "loo_1nn"}
    assert single == pytest.approx(swept) and len(single) == 8


@pytest.mark.keras
def test_a_stopped_sweep_goes_on_where_it_was(uninterrupted):
    first, second = [], []
    result = sweeps.run(SMALL, Hooks(on_cell=first.append, should_stop=lambda: len(first) == 7))
    assert (result.ended, result.n_cells) == ("stopped", 7)
    result = sweeps.run(SMALL, Hooks(on_cell=second.append), done=first)
    assert (result.ended, result.n_before) == ("complete", 7)
    assert by_key(first + second) == by_key(uninterrupted) and len(first + second) == len(uninterrupted)


@pytest.mark.keras
def test_a_spent_budget_ends_a_sweep_with_what_it_has(uninterrupted):
    done, spec = uninterrupted[:3], replace(SMALL, budget_s=5)
    result = sweeps.run(spec, Hooks(on_cell=lambda cell: pytest.fail("it went on")), done=done, spent_s=5.0)
    assert (result.ended, result.n_cells, result.n_planned) == ("budget", 3, len(uninterrupted))


@pytest.mark.keras
def test_networks_are_measured_and_one_that_diverges_does_not_end_the_sweep(monkeypatch):
    fit, found = training.fit, []

    def diverges_once(model, data, spec, *listener, **options):
        if spec.source == "random":
            raise TrainingError("The loss stopped being a number.")
        return fit(model, data, spec, *listener, **options)

    monkeypatch.setattr(training, "fit", diverges_once)
    spec = replace(SMALL, cuts=("flatten",), methods=("fine_tune", "scratch"), per_class=(2,), seeds=(0,), n_steps=1)
    result = sweeps.run(spec, Hooks(on_cell=found.append))
    tuned, scratch = found
    assert tuned.score > 0.2 and tuned.fit_s > 0 and tuned.n_test == 359
    # 20 images: 10 epochs of the dense layers, forward and backward, after one pass through the convolutions
    convolutions, dense = 194_688 + 2_230_272, (102_400, 640)
    assert tuned.multiply_adds == 20 * convolutions + 20 * 10 * (2 * dense[0] + 3 * dense[1])
    assert scratch.score is None and str(scratch.error) == "The loss stopped being a number."
    assert (result.ended, result.n_failed) == ("complete", 1)


@pytest.mark.keras
@pytest.mark.slow
def test_kill_9_loses_no_finished_experiment(store, uninterrupted):
    run = store.create(SMALL)
    child = multiprocessing.get_context("spawn").Process(target=worker.execute, args=(run.id, str(store.folder)))
    child.start()
    while child.is_alive() and len(store.cells(run.id)) < 3:
        threading.Event().wait(0.01)
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    kept = store.cells(run.id)
    assert 3 <= len(kept) < len(uninterrupted)
    assert Store(store.folder).requeue(run.id)
    worker.execute(run.id, str(store.folder))
    run, cells = store.get(run.id), store.cells(run.id)
    assert (run.state, run.result.n_before) == ("done", len(kept))
    assert set(kept) <= set(cells)  # with their seconds: none was measured again
    assert by_key(cells) == by_key(uninterrupted)


@pytest.mark.keras
def test_a_new_sweep_takes_over_what_a_stopped_one_measured(store, uninterrupted):
    stopped = store.create(SMALL)
    assert (attempt := store.claim(stopped.id))
    attempt.add_cells(uninterrupted[:5])
    store.finish(stopped.id, "stopped", {})
    run = store.create(replace(SMALL, resumes=stopped.id))
    worker.execute(run.id, str(store.folder))
    assert store.get(run.id).result.n_before == 5
    assert by_key(store.cells(run.id)) == by_key(uninterrupted)
    assert len(store.cells(stopped.id)) == 5


# -- the store


def test_experiments_are_kept_whole_and_go_with_their_run(store):
    run, cell = store.create(SMALL), replace(sweeps.plan(SMALL)[0], score=0.25, fit_s=0.5, multiply_adds=1e12)
    store.claim(run.id).add_cells([cell, replace(cell, seed=7, score=None, error=Sentence("no"))])
    assert set(store.cells(run.id)) == {cell, replace(cell, seed=7, score=None, error=Sentence("no"))}
    store.finish(run.id, "done")
    store.delete(run.id)
    store.purge()
    assert store.cells(run.id) == ()


def test_a_process_whose_run_was_taken_away_writes_no_experiment(store):
    run = store.create(SMALL)
    attempt = store.claim(run.id)
    assert Store(store.folder).requeue(run.id)
    assert Store(store.folder).claim(run.id)
    attempt.add_cells([sweeps.plan(SMALL)[0]])
    assert store.cells(run.id) == ()


def test_every_method_says_what_it_is_and_one_that_is_gone_keeps_its_name():
    lines = {name: str(method.line("fashion", "flatten")) for name, method in methods().items()}
    assert len(set(lines.values())) == len(lines)
    assert lines["fine_tune"] == "Fine-tuning after flatten, Garments" and lines["scratch"] == "From scratch"
    assert lines["knn"] == "k-nearest neighbours on flatten, Garments"
    assert str(methods()["fine_tune"].line("fashion", "pixels")) == "Fine-tuning everything, Garments"
    assert {name for name, method in methods().items() if method.is_score} == set(SCORES)
    assert str(method_of("gone").line("random", "pixels")) == "gone on raw pixels"
