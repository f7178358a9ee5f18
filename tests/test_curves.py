"""ROC and precision-recall curves: scikit-learn's curves and areas, with intervals that a fixed seed repeats."""

import csv
from io import StringIO

import numpy as np
import pytest

from tlcore.evaluation import curves
from tlcore.evaluation.curves import MACRO


def answered(n: int = 300, k: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels of k lopsided classes, and probabilities that lean to the true one, some of them equal."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=np.arange(k, 0, -1) / np.arange(k, 0, -1).sum())
    scores = rng.random((n, k)) + 0.5 * np.eye(k)[labels]
    return labels, np.round(scores / scores.sum(axis=1, keepdims=True), 2)


def test_areas_are_scikit_learns_class_by_class_and_on_the_whole():
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, p = answered()
    found = curves.curves(labels, p, n_draws=20)
    assert [each.label for each in found] == [0, 1, 2, MACRO]
    for label, each in enumerate(found[:-1]):
        assert each.roc.area == pytest.approx(roc_auc_score(labels == label, p[:, label]))
        assert each.precision_recall.area == pytest.approx(average_precision_score(labels == label, p[:, label]))
        assert each.share == (labels == label).mean()
    onehot = np.eye(3)[labels]
    assert found[-1].roc.area == pytest.approx(roc_auc_score(onehot, p, average="macro"))
    assert found[-1].precision_recall.area == pytest.approx(average_precision_score(onehot, p, average="macro"))


def test_the_area_of_a_draw_is_scikit_learns_with_the_draw_as_weights():
    from sklearn.metrics import average_precision_score, roc_auc_score

    labels, p = answered(80, 2)
    counts = np.random.default_rng(1).integers(0, 4, (5, 80))
    roc, average = curves.areas(labels == 1, p[:, 1], counts)
    for draw in range(5):
        weighted = {"sample_weight": counts[draw]}
        assert roc[draw] == pytest.approx(roc_auc_score(labels == 1, p[:, 1], **weighted))
        assert average[draw] == pytest.approx(average_precision_score(labels == 1, p[:, 1], **weighted))


def test_the_interval_repeats_with_its_seed_holds_the_area_and_narrows_with_more_images():
    few, again, many = (curves.curves(*answered(n, 2), n_draws=200)[1].roc for n in (60, 60, 3000))
    assert few == again
    for curve in (few, many):
        assert 0 <= curve.low < curve.area < curve.high <= 1
    assert many.high - many.low < (few.high - few.low) / 3
    labels, p = answered(60, 2)
    other = curves.curves(labels, p, seed=1, n_draws=200)[1].roc
    assert other.area == few.area and other.low != few.low


def test_a_perfect_model_has_areas_of_1_and_one_that_knows_nothing_of_a_half():
    labels = np.array([0, 0, 0, 1])
    sure, blank = np.eye(2)[labels], np.full((4, 2), 0.5)
    best, none = (curves.curves(labels, p, n_draws=10)[1] for p in (sure, blank))
    assert (best.roc.area, best.precision_recall.area) == (1.0, 1.0)
    assert (none.roc.area, none.precision_recall.area) == (0.5, 0.25)
    assert (best.roc.low, best.roc.high) == (1.0, 1.0)


def test_two_classes_have_no_macro_and_one_has_no_curve():
    labels, p = answered(50, 2)
    assert [each.label for each in curves.curves(labels, p, n_draws=5)] == [0, 1]
    assert curves.curves(np.zeros(5, int), p[:5]) == ()
    only_two_of_three = curves.curves(np.array([0, 2, 2]), answered(3)[1], n_draws=5)
    assert [each.label for each in only_two_of_three] == [0, 2]


def test_curves_begin_and_end_where_they_must_and_have_few_points():
    for each in curves.curves(*answered(2000), n_draws=5):
        assert (each.roc.x[0], each.roc.y[0], each.roc.x[-1], each.roc.y[-1]) == (0, 0, 1, 1)
        assert each.precision_recall.x[-1] == 1 and each.precision_recall.x[0] == 0
        assert len(each.roc.x) <= curves.MOST_POINTS + 1 and list(each.roc.x) == sorted(each.roc.x)


def test_the_csv_has_every_point_with_its_area():
    found = curves.curves(*answered(), n_draws=5)
    rows = list(csv.DictReader(StringIO(curves.curves_csv(found, ["cat", "dog", "owl"]))))
    assert {row["class"] for row in rows} == {"cat", "dog", "owl", "macro"}
    assert len(rows) == sum(len(c.x) for each in found for c in (each.roc, each.precision_recall))
    assert float(rows[0]["area"]) == found[0].roc.area
