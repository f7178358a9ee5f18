import numpy as np
import pytest

from tlcore.evaluation.calibration import calibration, of_noise


def drawn(n=4000, k=5, seed=0):
    """Probabilities, and answers that are right exactly as often as they say."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.full(k, 0.4), n)
    return p, rng.random(n) < p.max(axis=1)


def test_the_bins_are_those_of_scikit_learn():
    from sklearn.calibration import calibration_curve

    p, right = drawn()
    found = [b for b in calibration(p, right).bins if b.n]
    accuracy, confidence = calibration_curve(right, p.max(axis=1), n_bins=15)
    np.testing.assert_allclose([b.accuracy for b in found], accuracy)
    np.testing.assert_allclose([b.confidence for b in found], confidence)
    assert sum(b.n for b in found) == len(p)


def test_the_error_is_the_weighted_gap_checked_by_hand():
    p = np.array([[0.9, 0.1]] * 4 + [[0.6, 0.4]] * 6)
    right = np.array([True, True, False, False] + [True] * 6)
    found = calibration(p, right, n_bins=10)
    assert found.ece == pytest.approx(0.4 * abs(0.5 - 0.9) + 0.6 * abs(1.0 - 0.6))
    assert (found.accuracy, found.confidence) == (pytest.approx(0.8), pytest.approx(0.72))


def test_a_model_that_is_right_as_often_as_it_says_has_hardly_an_error_an_overconfident_one_has():
    p, right = drawn()
    sharper = p**4 / (p**4).sum(axis=1, keepdims=True)
    honest, proud = calibration(p, right), calibration(sharper, right)
    assert honest.ece < 0.03 < 0.1 < proud.ece
    assert proud.confidence > proud.accuracy


def test_a_certainty_on_an_edge_falls_below_it_and_one_of_1_into_the_last_bin():
    found = calibration(np.array([[0.6, 0.4], [1.0, 0.0]]), np.array([True, True]), n_bins=5)
    assert [b.n for b in found.bins] == [0, 0, 1, 0, 1]
    assert found.bins[0].accuracy is None


def test_the_answer_to_noise_is_summed_up():
    found = of_noise(np.array([[0.95, 0.05], [0.5, 0.5], [0.1, 0.9], [0.92, 0.08]]))
    assert (found.n, found.sure, found.guess) == (4, 0.75, 0.5)
    assert found.shares == (0.75, 0.25) and found.confidence == pytest.approx(0.8175)
