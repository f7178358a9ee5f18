"""Lopsided classes: balanced accuracy, its interval, what guessing reaches, and which of two is better by it."""

from dataclasses import asdict

import numpy as np
import pytest

from tlcore.evaluation import balance, compare, evaluate, ranking
from tlcore.evaluation.words import accuracy_words
from tlcore.spec import LOPSIDED, Evaluation, FineTuneResult, HeadRow, result_from
from tlcore.spec.codec import decode

LABELS = np.repeat([0, 1], (40, 160))


def answered(*n_right: int) -> np.ndarray:
    """Answers to ``LABELS`` of which so many of each class are right."""
    answers = LABELS.copy()
    for label, n in enumerate(n_right):
        answers[np.flatnonzero(label == LABELS)[n:]] = 1 - label
    return answers


def test_the_balanced_accuracy_is_scikit_learns():
    from sklearn.metrics import balanced_accuracy_score

    rng = np.random.default_rng(0)
    y, answers = rng.choice(4, 300, p=(0.6, 0.2, 0.15, 0.05)), rng.integers(0, 4, 300)
    found = evaluate(y, answers, 4)
    assert found.headline == found.balanced.accuracy == pytest.approx(balanced_accuracy_score(y, answers))
    assert found.accuracy == (y == answers).mean()
    assert found.balanced.guess == (y == found.balanced.majority).mean() and found.balanced.chance == 0.25


def test_always_guessing_one_class_reaches_half_whatever_the_accuracy():
    found = evaluate(LABELS, np.ones_like(LABELS), 2)
    assert (found.accuracy, found.headline, found.balanced.chance, found.balanced.ratio) == (0.8, 0.5, 0.5, 4.0)


def test_from_the_ratio_on_the_classes_are_lopsided():
    def sizes(large: int, small: int) -> Evaluation:
        y = np.repeat([0, 1], (large, small))
        return evaluate(y, y, 2)

    assert sizes(100, 100).balanced is None and sizes(149, 100).balanced is None
    assert LOPSIDED == 1.5 and sizes(150, 100).balanced is not None
    assert evaluate(np.zeros(9, int), np.zeros(9, int), 2).balanced is None  # one class alone says nothing of balance


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng, hits, recalls, sizes = np.random.default_rng(0), 0, (0.7, 0.9), (40, 160)
    for _draw in range(500):
        right = [int(rng.binomial(n, p)) for n, p in zip(sizes, recalls, strict=True)]
        found = evaluate(LABELS, answered(*right), 2).balanced
        hits += found.low <= 0.8 <= found.high
    assert 0.92 <= hits / 500 <= 0.98


def test_the_better_of_two_is_the_one_with_the_higher_balanced_accuracy():
    # The first gets four more images right in all, the second six times as many of the small class.
    right = {"majority": answered(5, 160) == LABELS, "even": answered(30, 131) == LABELS}
    plain, balanced = ranking.by_images(right), ranking.by_images(right, LABELS)
    assert plain.best == "majority" and balanced.best == "even"
    assert balanced.accuracies["even"] == pytest.approx((30 / 40 + 131 / 160) / 2)
    assert balanced.rivals[0].clear


def test_equal_models_are_no_better_than_each_other_by_class():
    one, other = answered(30, 120) == LABELS, answered(30, 120) == LABELS
    other[:2] = ~other[:2]
    assert balance.paired_by_class(one, other, LABELS) > 0.3
    assert balance.paired_by_class(one, one, LABELS) == 1.0


def test_with_equal_classes_the_test_by_class_is_mcnemars():
    from tlcore.evaluation import paired

    labels = np.arange(200) % 2
    one, other = np.arange(200) < 150, np.arange(200) >= 64
    assert balance.paired_by_class(one, other, labels) == pytest.approx(paired(one, other).p, abs=0.01)


def test_heads_are_ranked_by_their_balanced_accuracy_with_its_interval():
    rows = [
        HeadRow(**vars(evaluate(LABELS, answered(*right), 2)), head=head, input="features", seed=seed)
        for head, right in {"knn": (5, 160), "dense": (30, 131)}.items()
        for seed in range(3)
    ]
    best, last = compare(rows)
    assert (best.head, best.balanced) == ("dense", True) and best.best and not last.best
    assert best.interval == pytest.approx(rows[3].interval, abs=1e-9)


def test_a_result_keeps_it_and_an_older_one_is_the_plain_accuracy():
    test = evaluate(LABELS, answered(20, 150), 2)
    stored = result_from("fine_tune", {"test": asdict(test)})
    assert stored == FineTuneResult(test=test)
    assert (stored.accuracy, stored.interval) == (test.balanced.accuracy, (test.balanced.low, test.balanced.high))
    old = {name: value for name, value in asdict(test).items() if name != "balanced"}
    assert decode(Evaluation, old).headline == test.accuracy


def test_the_words_put_guessing_beside_it():
    test = evaluate(LABELS, answered(20, 150), 2)
    said = str(balance.measured(test, ("normal", "pneumonia")))
    assert "4.0 times as many" in said and "Always guessing pneumonia would reach 50.0 %" in said and "80.0 %" in said
    line = str(accuracy_words(test))
    assert line.startswith("Balanced accuracy 71.9 %") and "Test accuracy 85.0 %" in line
