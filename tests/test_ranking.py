"""Which of several is better: seeds before single answers before separate intervals, with Holm's correction."""

import numpy as np
import pytest

from tlcore.evaluation import evaluate
from tlcore.evaluation.ranking import by_images, by_seeds, holm, rank, student_p


@pytest.fixture(scope="module")
def stats():
    """scipy.stats: imported where it is used, for it takes longer than the tests."""
    from scipy import stats

    return stats


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 22, 45])
@pytest.mark.parametrize("t", [0.0, 0.4, 2.0, -3.0, 8.0])
def test_the_probability_of_t_is_scipys(t, freedom, stats):
    assert student_p(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), abs=1e-12)


def test_two_methods_over_seeds_are_the_paired_t_test(stats):
    a, b = [0.91, 0.93, 0.90, 0.94, 0.92], [0.89, 0.92, 0.86, 0.93, 0.90]
    theirs = stats.ttest_rel(a, b)
    (rival,) = by_seeds({"b": b, "a": a}).rivals
    assert rival.p == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval()
    assert (rival.low, rival.high) == pytest.approx((interval.low, interval.high), abs=1e-5)


def test_seeds_that_are_hard_for_all_do_not_hide_a_difference():
    hard = np.array([0.0, -0.2, 0.1, -0.1, 0.05])
    ranked = by_seeds({"a": 0.80 + hard, "b": 0.75 + hard + [0.01, -0.01, 0, 0.01, -0.01], "c": 0.799 + hard})
    assert [(rival.name, rival.clear) for rival in ranked.rivals] == [("c", False), ("b", True)]
    assert ranked.ties == ("a", "c")


def test_equal_methods_tie_and_a_constant_lead_is_clear():
    assert by_seeds({"a": [0.5, 0.5], "b": [0.5, 0.5]}).ties == ("a", "b")
    assert by_seeds({"a": [0.6, 0.7], "b": [0.5, 0.6]}).ties == ("a",)


def test_holms_correction_grows_with_the_number_of_tests_and_keeps_the_order():
    assert holm([0.04]) == [0.04]
    assert holm([0.04, 0.04]) == [0.08, 0.08]
    assert holm([0.001, 0.02, 0.03]) == [0.003, 0.04, 0.04]
    assert holm([0.9, 0.8]) == [1.0, 1.0] and holm([]) == []


def test_what_is_clear_alone_can_be_a_tie_among_many():
    n = np.arange(1000)
    best, other = n < 960, (n < 950) | (n > 998)  # ten against one: p = 0.012
    assert by_images({"a": best, "b": other}).rivals[0].clear
    many = by_images({"a": best, "b": other, "c": other, "d": other, "e": other, "f": other})
    assert not any(rival.clear for rival in many.rivals) and many.rivals[0].p > 0.045


def test_seeds_decide_before_single_answers_and_those_before_intervals():
    right = {"a": np.arange(100) < 90, "b": np.arange(100) < 80}
    y = np.zeros(100, int)
    scores = {name: evaluate(y, 1 - of.astype(int), 2) for name, of in right.items()}
    one = {"a": {0: 0.9}, "b": {0: 0.8}}
    many = {"a": {0: 0.9, 1: 0.5, 2: 0.7}, "b": {0: 0.8, 1: 0.9, 2: 0.4, 3: 1.0}}
    assert [
        rank(*evidence).tested for evidence in ((many, right, scores), (one, right, scores), (one, {}, scores))
    ] == [
        "seeds",
        "images",
        "intervals",
    ]
    assert rank(many, right, scores).n == 3
