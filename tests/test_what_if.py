"""Moves of the boundary, on real digits; one process for all tests."""

import os
import signal
import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tlcore import sources, training
from tlcore.errors import SpecError, TrainingError
from tlcore.prediction import moves
from tlcore.prediction.what_if import NICE, Cuts, Move, WhatIf, check, cuts_of, every_cut, retrain


@pytest.fixture(scope="module")
def what_if(tmp_path_factory):
    found = WhatIf(tmp_path_factory.mktemp("lab"))
    found.ask(os.getpid, timeout_s=300)  # its start is not what a move is timed by
    yield found
    found.close()


@pytest.mark.keras
@pytest.mark.slow
def test_a_linear_tail_on_features_beats_one_on_pixels(what_if):
    pixels, features = (what_if.answer(Move(cut=cut)) for cut in (None, "flatten"))
    assert features.test.accuracy > pixels.test.accuracy + 0.03
    assert (pixels.n_images, pixels.test.n) == (1000, 2000)
    assert pixels.n_trainable == 10 * (784 + 1)  # one-against-one: ten pairs of five classes


@pytest.mark.keras
@pytest.mark.slow
def test_drawings_and_clicks_come_before_moves(what_if):
    assert what_if.ask(os.nice, 0, timeout_s=300) == min(19, os.nice(0) + NICE)
    if sys.platform == "linux":
        assert what_if.ask(os.sched_getscheduler, 0, timeout_s=300) == os.SCHED_IDLE


@pytest.mark.keras
@pytest.mark.slow
def test_every_cut_is_answered_in_one_question_as_each_alone(what_if):
    found = what_if.soon(Cuts(per_class=5), wait_s=300)
    assert list(found.by_cut) == ["", *cuts_of("digits_0_4", "linear")] and found.n_images == 25
    for cut, test in found.tests:
        alone = what_if.answer(Move(cut=cut or None, per_class=5), timeout_s=300)
        assert alone.n_images == 25 and test.accuracy == pytest.approx(alone.test.accuracy, abs=0.002)
    again = what_if.soon(Cuts(per_class=5))
    assert again is found  # kept: nothing is computed twice
    best, last = found.by_cut["flatten"], found.by_cut["dense_2"]
    assert best.low > found.by_cut[""].high > last.high  # the finding that the page's headline states


@pytest.mark.keras
@pytest.mark.slow
def test_large_activations_are_answered_in_groups_with_the_same_outcome(monkeypatch):
    whole = every_cut(Cuts(per_class=5))
    monkeypatch.setattr(moves, "TOGETHER_BYTES", 25 * 4 * 10_000)
    assert len(list(moves._together("digits_0_4", 25))) == 4
    for name, test in every_cut(Cuts(per_class=5)).tests:
        assert test.accuracy == pytest.approx(whole.by_cut[name].accuracy, abs=0.002)


@pytest.mark.keras
@pytest.mark.slow
def test_who_asks_before_it_is_computed_gets_nothing_and_a_failure_is_said_to_each(what_if):
    stopped, go_on = Cuts(seed=3, per_class=1), os.getpid
    assert what_if.soon(stopped) is None and what_if.soon(stopped) is None
    assert what_if.ask(go_on, timeout_s=300) and what_if.soon(stopped).n_images == 5  # the line is one: it is answered
    for _ in range(2):
        with pytest.raises(SpecError, match="no source model 'vgg'"):
            what_if.soon(Cuts(source="vgg"))


@pytest.mark.keras
@pytest.mark.slow
def test_few_images_train_the_dense_tail_for_as_many_steps_as_a_training_does(monkeypatch):
    specs = []
    fit = training.fit
    monkeypatch.setattr(training, "fit", lambda model, data, spec: (specs.append(spec), fit(model, data, spec))[1])
    found = retrain(Move(cut="flatten", tail="dense", per_class=5))
    assert (specs[0].epochs, specs[0].batch_size, found.n_images) == (30, 16, 25) and found.test.accuracy > 0.75


@pytest.mark.keras
@pytest.mark.slow
def test_the_dense_tail_proves_what_was_frozen(what_if):
    found = what_if.answer(Move(cut="conv_2", tail="dense"))
    assert {row.layer for row in found.proof if row.frozen} == {"conv_1", "conv_2"}
    assert all(row.ok for row in found.proof)
    assert found.n_trainable == 102_789 and found.test.accuracy > 0.9


@pytest.mark.keras
@pytest.mark.slow
def test_the_dense_tail_is_as_accurate_without_kept_features(monkeypatch):
    kept = retrain(Move(cut="flatten", tail="dense"))
    monkeypatch.setattr(training, "fit", partial(training.fit, use_cache=False))
    without = retrain(Move(cut="flatten", tail="dense"))
    assert kept.reason != without.reason
    assert abs(kept.test.accuracy - without.test.accuracy) <= 0.002


@pytest.mark.keras
@pytest.mark.slow
def test_a_network_kept_in_memory_begins_every_move_as_it_was_loaded():
    first = retrain(Move(cut="flatten", tail="dense", per_class=1))
    retrain(Move(cut=None, tail="dense", per_class=1))  # trains all of it
    again = retrain(Move(cut="flatten", tail="dense", per_class=1))
    assert (again.test, again.proof) == (first.test, first.proof)


@pytest.mark.keras
@pytest.mark.slow
def test_a_dead_process_is_started_again(what_if):
    first = what_if.answer(Move())
    os.kill(next(iter(what_if._pool._processes)), signal.SIGKILL)
    assert what_if.answer(Move()).test == first.test


@pytest.mark.keras
@pytest.mark.slow
def test_the_linear_tail_is_scikit_learns_own_linear_svm(what_if):
    from sklearn.svm import SVC

    from tlcore import datasets, features
    from tlcore.spec import DataSpec

    data = datasets.load(DataSpec(per_class=200))
    drawn = np.random.default_rng(0).permutation(len(data.x_test))[:2000]
    x = features.extract(sources.load("digits_0_4"), data.x_train, "flatten")
    t = features.extract(sources.load("digits_0_4"), data.x_test[drawn], "flatten")
    scale = (x * x).sum(axis=1).mean() ** -0.5
    plain = (SVC(kernel="linear").fit(x * scale, data.y_train).predict(t * scale) == data.y_test[drawn]).mean()
    assert what_if.answer(Move(cut="flatten")).test.accuracy == pytest.approx(plain, abs=0.001)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"cut": "conv_9"}, "before the first layer, or after one of conv_1, .*, dense_2. Received: 'conv_9'."),
        ({"cut": "dense_2", "tail": "dense"}, "after one of conv_1, .*, dense_1. Received: 'dense_2'."),
        ({"cut": 3}, "Received: 3"),
        ({"tail": "forest"}, "There is no tail 'forest'"),
        ({"source": "vgg"}, "no source model 'vgg'"),
        ({"target": "letters"}, "letters"),
        ({"seed": -1}, "Seed must be"),
        ({"per_class": 0}, "Received: 0"),
    ],
)
def test_a_move_that_cannot_be_made_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(SpecError, match=sentence):
        check(replace(Move(), **change))
    with pytest.raises(SpecError, match=sentence):
        retrain(replace(Move(), **change))


def test_a_long_line_is_refused_before_it_grows(tmp_path):
    found = WhatIf(tmp_path)
    found._waiting = 20
    with pytest.raises(TrainingError, match="20 questions are waiting already"):
        found.answer(Move())
    found.close()
