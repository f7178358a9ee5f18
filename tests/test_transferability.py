"""Scores of features before training: on numbers that can be checked by hand, or in another way."""

import numpy as np
import pytest

from tlcore.errors import SpecError
from tlcore.evidence import transferability

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(3), 20)
NOISE = RNG.normal(size=(60, 10))
APART = NOISE + 20 * np.eye(10)[Y]


@pytest.mark.parametrize("name", ["loo_1nn", "svm_cv", "h_score", "logme"])
def test_classes_that_lie_apart_score_higher_than_noise(name):
    apart, noise = (transferability.SCORES[name].measure(x, Y) for x in (APART, NOISE))
    assert apart > noise + 0.3


def test_the_perfect_scores():
    assert all(transferability.SCORES[name].measure(APART, Y) == 1.0 for name in ("loo_1nn", "svm_cv"))
    assert transferability.h_score(np.eye(3)[Y], Y) == pytest.approx(2.0)  # the classes less one


def test_the_nearest_neighbour_is_never_the_image_itself():
    x = np.array([[0.0], [1.0], [10.0], [10.5]])
    assert transferability.loo_1nn(x, np.array([0, 0, 1, 1])) == 1.0
    assert transferability.loo_1nn(x, np.array([0, 1, 0, 1])) == 0.0


def test_the_neighbours_do_not_depend_on_the_size_of_a_block(monkeypatch):
    whole = transferability.loo_1nn(NOISE, Y)
    monkeypatch.setattr(transferability, "ROWS", 7)
    assert transferability.loo_1nn(NOISE, Y) == whole


@pytest.mark.slow
def test_the_h_score_of_more_features_than_images_still_tells_cuts_apart():
    wide = np.concatenate([NOISE, RNG.normal(size=(60, 500))], axis=1)
    apart = wide + 20 * np.eye(510)[Y]
    assert transferability.h_score(apart, Y) > 1.8 > 1.0 > transferability.h_score(wide, Y)


@pytest.mark.parametrize("name", ["loo_1nn", "svm_cv", "h_score", "logme"])
def test_fewer_features_with_the_same_inner_products_score_the_same(name):
    wide = np.concatenate([NOISE, RNG.normal(size=(60, 500))], axis=1) + 3 * np.eye(510)[Y]
    small = transferability.compact(wide)
    assert small.shape == (60, 60)
    np.testing.assert_allclose(small @ small.T, wide @ wide.T, atol=1e-9)
    whole = transferability.SCORES[name].formula(wide, Y, 0)
    assert transferability.SCORES[name].measure(wide, Y) == pytest.approx(whole, abs=1e-3)
    np.testing.assert_array_equal(transferability.compact(NOISE), NOISE)


@pytest.mark.parametrize("d", [3, 40])
def test_logme_is_the_greatest_evidence_there_is(d):
    """Held against the log density of the labels under a Gaussian process, over a grid of both precisions."""
    from scipy.stats import multivariate_normal

    rng = np.random.default_rng(1)
    x = rng.normal(size=(20, d))
    y = (x[:, 0] > 0).astype(int)
    best = []
    for label in (0, 1):
        target = (y == label).astype(float)
        best.append(
            max(
                multivariate_normal.logpdf(target, np.zeros(20), x @ x.T / alpha + np.eye(20) / beta)
                for alpha in np.geomspace(0.05, 500, 30)
                for beta in np.geomspace(0.5, 5000, 30)
            )
            / 20
        )
    assert transferability.logme(x, y) == pytest.approx(np.mean(best), abs=0.02)


def test_leep_by_hand():
    # Source class 0 is answered with 0.8 for label 0 and 0.4 for label 1.
    x = np.array([[0.8, 0.2], [0.4, 0.6]])
    joint = np.array([[0.4, 0.1], [0.2, 0.3]])  # label × source class
    given = joint / joint.sum(axis=0)
    expected = np.mean([np.log(0.8 * given[0, 0] + 0.2 * given[0, 1]), np.log(0.4 * given[1, 0] + 0.6 * given[1, 1])])
    assert transferability.leep(x, np.array([0, 1])) == pytest.approx(expected)


def test_one_image_of_a_class_is_too_few():
    with pytest.raises(SpecError, match="2 labelled images of each class"):
        transferability.SCORES["loo_1nn"].measure(NOISE[:3], np.array([0, 0, 1]))
