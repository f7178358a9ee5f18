"""Moves of the boundary, on real digits; one process for all tests."""

import os
import signal
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tlcore import sources, training
from tlcore.errors import SpecError, TrainingError
from tlcore.prediction.what_if import Move, WhatIf, check, retrain


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
def test_the_dense_tail_proves_what_was_frozen(what_if):
    found = what_if.answer(Move(cut="conv_2", tail="dense"))
    assert {row.layer for row in found.proof if row.frozen} == {"conv_1", "conv_2"}
    assert all(row.ok for row in found.proof)
    assert found.n_trainable == 102_789 and found.test.accuracy > 0.9


@pytest.mark.keras
@pytest.mark.slow
def test_the_dense_tail_is_as_accurate_without_kept_features(tmp_path, monkeypatch):
    kept = retrain(Move(cut="flatten", tail="dense"), tmp_path)
    monkeypatch.setattr(training, "fit", partial(training.fit, use_cache=False))
    without = retrain(Move(cut="flatten", tail="dense"), tmp_path)
    assert kept.reason != without.reason
    assert abs(kept.test.accuracy - without.test.accuracy) <= 0.002


@pytest.mark.keras
@pytest.mark.slow
def test_a_dead_process_is_started_again(what_if):
    first = what_if.answer(Move())
    os.kill(next(iter(what_if._pool._processes)), signal.SIGKILL)
    assert what_if.answer(Move()).test == first.test


@pytest.mark.keras
@pytest.mark.slow
def test_the_linear_tail_is_scikit_learns_own_linear_svm(what_if, tmp_path):
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
    ],
)
def test_a_move_that_cannot_be_made_is_refused_in_one_sentence(change, sentence):
    with pytest.raises(SpecError, match=sentence):
        check(replace(Move(), **change))
    with pytest.raises(SpecError, match=sentence):
        retrain(replace(Move(), **change), ".")


def test_a_long_line_is_refused_before_it_grows(tmp_path):
    found = WhatIf(tmp_path)
    found._waiting = 20
    with pytest.raises(TrainingError, match="20 questions are waiting already"):
        found.answer(Move())
    found.close()
