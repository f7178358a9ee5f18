import numpy as np
import pytest

from tlcore.evaluation import (
    compare,
    confusion_matrix,
    evaluate,
    losses,
    most_confused,
    no_clear_winner,
    paired,
    per_class,
    wilson,
)
from tlcore.spec import HeadRow


def test_accuracy_confusion_and_loss_of_four_answers_checked_by_hand():
    y_true, y_pred = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    p = np.array([[0.8, 0.1, 0.1], [0.4, 0.5, 0.1], [0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
    found = evaluate(y_true, y_pred, 3, p)
    assert found.accuracy == 0.75
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 1))
    assert found.loss == pytest.approx(-(np.log(0.8) + np.log(0.4) + np.log(0.5) + np.log(1.0)) / 4)


def test_the_interval_holds_the_accuracy_and_narrows_with_more_images():
    few, many = wilson(9, 10), wilson(900, 1000)
    assert few[0] < 0.9 < few[1] and many[0] < 0.9 < many[1]
    assert many[1] - many[0] < few[1] - few[0]


def test_the_interval_stays_within_0_and_1_at_the_ends():
    assert wilson(0, 20)[0] == 0.0 and wilson(0, 20)[1] < 0.2
    assert wilson(20, 20)[1] == 1.0 and wilson(20, 20)[0] > 0.8
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_gives_the_published_value():
    # Newcombe (1998), table I, 81 of 263: 0.2553 to 0.3662
    low, high = wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_confusion_counts_every_image_once():
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 5, 300), rng.integers(0, 5, 300)
    counts = confusion_matrix(y_true, y_pred, 5)
    assert counts.sum() == 300 and np.trace(counts) == (y_true == y_pred).sum()


def test_per_class_scores_equal_scikit_learns():
    from sklearn.metrics import precision_recall_fscore_support

    rng = np.random.default_rng(1)
    y_true, y_pred = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    ours = per_class(confusion_matrix(y_true, y_pred, 4))
    theirs = precision_recall_fscore_support(y_true, y_pred)
    for i, name in enumerate(("precision", "recall", "f1")):
        np.testing.assert_allclose([row[name] for row in ours], theirs[i])


def test_a_class_never_answered_has_precision_0_not_an_error():
    assert per_class(np.array([[2, 0], [2, 0]]))[1] == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "n": 2}


def test_a_small_difference_on_few_images_has_no_clear_winner_a_large_one_has():
    y = np.zeros(100, int)
    scores = [evaluate(y, (np.arange(100) >= right).astype(int), 2) for right in (90, 92, 60)]
    assert no_clear_winner(scores[0], scores[1])
    assert not no_clear_winner(scores[0], scores[2])
    assert not no_clear_winner(scores[2], scores[0])


def row(head, accuracy, seed):
    return HeadRow(head=head, input="features", accuracy=accuracy, seed=seed, n_features=4, n=1000)


def test_the_means_mark_all_that_are_within_the_noise():
    rows = [
        row("knn", 0.90, 0),
        row("knn", 0.92, 1),
        row("dense", 0.91, 0),
        row("dense", 0.92, 1),
        row("rbf_svm", 0.5, 0),
        row("rbf_svm", 0.5, 1),
    ]
    assert [(line.head, line.best, line.n_seeds) for line in compare(rows)] == [
        ("dense", True, 2),
        ("knn", True, 2),
        ("rbf_svm", False, 2),
    ]


def test_a_stopped_comparison_ranks_heads_on_the_seeds_they_share():
    rows = [row("knn", 0.9, 0), row("dense", 0.8, 0)]
    easy = row("dense", 1.0, 1)  # the seed that only one head was fitted with
    assert compare([*rows, easy]) == compare(rows)


def test_the_losses_equal_scikit_learns_log_loss_image_by_image():
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(4), 50)
    y = rng.integers(0, 4, 50)
    found = losses(y, p)
    for i in range(50):
        assert found[i] == pytest.approx(log_loss(y[i : i + 1], p[i : i + 1], labels=range(4)))
    assert losses(np.array([0]), np.array([[0.0, 1.0]]))[0] == pytest.approx(16.1, abs=0.1)


def test_the_most_confused_pairs_come_first_and_empty_cells_not_at_all():
    counts = np.array([[9, 0, 4], [7, 9, 0], [0, 1, 9]])
    assert most_confused(counts) == [(1, 0, 7), (0, 2, 4), (2, 1, 1)]
    assert most_confused(counts, n=1) == [(1, 0, 7)]
    assert most_confused(np.diag([3, 3])) == []


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 5), (3, 17), (40, 12), (900, 1000)])
def test_the_paired_comparison_is_the_exact_binomial_test(b, c):
    from scipy.stats import binomtest

    first = np.array([True] * b + [False] * c + [True] * 30 + [False] * 4)
    second = np.array([False] * b + [True] * c + [True] * 30 + [False] * 4)
    found = paired(first, second)
    assert (found.only_first, found.only_second, found.n) == (b, c, b + c + 34)
    assert found.p == pytest.approx(binomtest(b, b + c).pvalue if b + c else 1.0)
    assert found.clear == (found.p < 0.05)


def test_pairing_sees_a_difference_that_separate_intervals_miss():
    right = np.arange(1000) < 960
    better = right.copy()
    better[960:972] = True  # twelve more, none lost
    scores = [evaluate(np.ones(1000, int), r.astype(int), 2) for r in (right, better)]
    assert no_clear_winner(*scores) and paired(better, right).clear
