"""Curves over labels, and the labels that transfer saves: on numbers small enough to check by hand."""

from dataclasses import replace
from math import inf

import pytest

from tlcore.evidence import savings
from tlcore.sentences import Sentence
from tlcore.spec import Cell

CELL = Cell("mnist_5_9", "digits_0_4", "flatten", "linear_svm", 5, 0)


def curve(by_labels, n_seeds=3):
    return {n: {seed: accuracy for seed in range(n_seeds)} for n, accuracy in by_labels.items()}


TRANSFER = curve({5: 0.8, 20: 0.9, 80: 0.95})
CONTROL = curve({5: 0.6, 20: 0.8, 80: 0.96})


def test_a_curve_holds_one_method_by_labels_and_seed():
    cells = [replace(CELL, seed=seed, per_class=n, score=n / 100 + seed / 10) for seed in (0, 1) for n in (5, 1)]
    cells += [replace(CELL, method="scratch", score=0.1), replace(CELL, seed=2, error=Sentence("diverged"))]
    cells += [replace(CELL, source="fashion", score=0.2)]
    found = savings.curve(cells, "linear_svm", "digits_0_4", "flatten")
    assert found == {1: {0: 0.01, 1: 0.11}, 5: {0: 0.05, 1: pytest.approx(0.15)}} and list(found) == [1, 5]
    band = savings.bands(found)[1]
    assert (band.x, band.n_seeds) == (5, 2) and band.mean == pytest.approx(0.10)
    assert band.high - band.mean == pytest.approx(12.706 * 0.05)  # t of one degree of freedom × sd / √2


@pytest.mark.parametrize(
    ("means", "accuracy", "needed"),
    [
        ({1: 0.5, 10: 0.7}, 0.5, 1),
        ({1: 0.5, 10: 0.7}, 0.4, 1),
        ({1: 0.5, 10: 0.7}, 0.7, 10),
        ({1: 0.5, 100: 0.7}, 0.6, 10),
        ({1: 0.5, 10: 0.7}, 0.71, inf),
        ({1: 0.5, 10: 0.4, 1000: 0.7}, 0.6, 100),  # a dip keeps the height that was reached
    ],
)
def test_labels_needed_are_interpolated_on_their_logarithm(means, accuracy, needed):
    assert savings.labels_needed(means, accuracy) == pytest.approx(needed)


def test_what_transfer_saves_is_the_ratio_of_labels():
    found = savings.saving(TRANSFER, CONTROL, 5)
    assert (found.accuracy, found.needed, found.k) == pytest.approx((0.8, 20, 4))
    assert (found.low, found.high) == pytest.approx((4, 4)) and not found.open_ended  # seeds that agree


def test_where_the_control_never_gets_there_the_saving_has_no_upper_end():
    found = savings.saving(TRANSFER, curve({5: 0.6, 20: 0.7, 80: 0.79}), 5)
    assert found.open_ended and (found.needed, found.most) == (inf, 80)


def test_the_interval_widens_with_the_seeds_disagreement():
    control = {5: {0: 0.6, 1: 0.6}, 20: {0: 0.8, 1: 0.7}, 80: {0: 0.9, 1: 0.9}}
    transfer = {n: {0: 0.8, 1: 0.8} for n in control}
    found = savings.saving(transfer, control, 5)
    assert found.low == pytest.approx(4) and found.high == pytest.approx(20 * 4**0.5 / 5)
    assert found.low < found.k < found.high


def test_only_seeds_and_labels_that_both_have_are_compared():
    control = {5: {0: 0.6, 9: 0.1}, 20: {0: 0.8, 9: 0.1}, 40: {0: 0.9}}
    assert savings.saving(TRANSFER, control, 5).n_seeds == 1
    assert savings.saving(TRANSFER, control, 80) is None
    assert savings.saving(TRANSFER, {}, 5) is None
    assert savings.differences(TRANSFER, control) == {5: [pytest.approx(0.2)], 20: [pytest.approx(0.1)]}


@pytest.mark.parametrize(
    ("control", "at"),
    [
        ({5: 0.6, 20: 0.8, 80: 0.94}, None),  # transfer leads to the end
        ({5: 0.9, 20: 0.95, 80: 0.99}, 5.0),  # it never led
        ({5: 0.7, 20: 1.0, 80: 1.0}, 10.0),  # + 10 points at 5, - 10 at 20: half-way on the logarithm
        ({5: 0.9, 20: 0.8, 80: 1.05}, pytest.approx(40.0)),  # the last crossing counts
    ],
)
def test_the_crossover_is_named_or_there_is_none(control, at):
    assert savings.crossover(TRANSFER, curve(control)) == at
