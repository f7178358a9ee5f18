"""The meter's own score: on settings small enough to rank by hand."""

from dataclasses import replace

import pytest

from tlcore import sources
from tlcore.evidence import meter
from tlcore.spec import Cell, LayerInfo

CUTS = ("pool_1", "flatten", "dense_1")


def cells(truth, score, source="fashion", name="h_score", n_features=1600, target="mnist_5_9"):
    """Return the experiments of one setting, cut by cut, with two seeds around each mean."""
    return [
        Cell(target, source, cut, method, 5, seed, score=value + (0.01 if seed else -0.01), n_features=n_features)
        for method, values in (("linear_svm", truth), (name, score))
        for cut, value in zip(CUTS, values, strict=True)
        for seed in (0, 1)
    ]


def test_a_score_that_ranks_as_the_truth_does_hits_and_loses_nothing():
    (trial,) = meter.trials(cells((0.7, 0.9, 0.8), (1.0, 3.0, 2.0)), "h_score")
    assert (trial.best, trial.picked, trial.hit, trial.spearman) == ("flatten", "flatten", True, 1.0)
    assert trial.lost == 0 and trial.setting == ("mnist_5_9", "fashion", 5)


def test_a_wrong_pick_loses_what_the_best_cut_would_have_given():
    (trial,) = meter.trials(cells((0.7, 0.9, 0.8), (3.0, 1.0, 2.0)), "h_score")
    assert (trial.picked, trial.hit, trial.spearman) == ("pool_1", False, -1.0)
    assert trial.lost == pytest.approx(0.2)


def test_a_standing_adds_up_the_settings():
    both = cells((0.7, 0.9, 0.8), (1, 3, 2)) + cells((0.7, 0.9, 0.8), (3, 1, 2), source="random", n_features=8)
    found = meter.standing("h_score", meter.trials(both, "h_score"))
    assert (found.n, found.hits, found.n_wide) == (2, 1, 1)  # 25 images: 1,600 features are more, 8 are fewer
    assert found.spearman[0] == pytest.approx(0.0) and found.lost == pytest.approx(0.1)


def test_the_rule_that_needs_no_score_is_held_against_the_scores():
    setting = cells((0.7, 0.9, 0.8), (3.0, 1.0, 2.0))
    by_name = {one.name: one for one in meter.standings(setting)}
    assert set(by_name) == {"h_score", meter.RULE}
    assert (by_name[meter.RULE].hits, by_name[meter.RULE].spearman) == (1, None)
    assert [one.name for one in meter.standings(setting)] == [meter.RULE, "h_score"]  # least lost first


def test_the_rule_takes_what_the_convolutions_of_that_source_end_in(monkeypatch):
    """In a network whose convolutions end in a mean, that; where that cut was not measured, the rule is not tried."""
    layers = tuple(
        LayerInfo(i, name, type_, shape, 1)
        for i, (name, type_, shape) in enumerate(
            [("pool_1", "Conv2D", (5, 5, 4)), ("mean", "GlobalAveragePooling2D", (4,)), ("dense_1", "Dense", (8,))]
        )
    )
    card = replace(sources.info("fashion"), layers=(*layers, LayerInfo(3, "head", "Dense", (5,), 1)))
    monkeypatch.setattr(sources, "info", lambda name: card)
    assert meter.trials(cells((0.7, 0.9, 0.8), (3.0, 1.0, 2.0)), meter.RULE) == []
    measured = [
        replace(cell, cut={"flatten": "mean"}.get(cell.cut, cell.cut)) for cell in cells((0.7, 0.9, 0.8), (3, 1, 2))
    ]
    (trial,) = meter.trials(measured, meter.RULE)
    assert (trial.picked, trial.hit) == ("mean", True)


def test_a_setting_without_truth_or_with_one_cut_is_no_trial():
    alone = [cell for cell in cells((0.7, 0.9, 0.8), (3, 1, 2)) if cell.method == "h_score"]
    one_cut = [cell for cell in cells((0.7, 0.9, 0.8), (3, 1, 2)) if cell.cut == "flatten"]
    assert meter.trials(alone, "h_score") == [] == meter.trials(one_cut, "h_score")
    assert meter.standings([]) == []


@pytest.mark.parametrize("good", [True, False])
def test_leep_is_judged_by_the_source_it_puts_first(good):
    found = cells((0.7, 0.9, 0.8), (-1, -1, -1), "fashion", "leep")
    found += cells((0.6, 0.7, 0.7), (-2, -2, -2) if good else (0, 0, 0), "digits_0_4", "leep")
    assert meter.source_ranking(found) == (int(good), 1)
