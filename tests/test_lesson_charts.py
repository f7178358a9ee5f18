"""The pictures of How it works hold the lesson's own numbers."""

import json

import pytest

from pages.ui.charts import lesson_charts
from pages.ui.components import descent
from tlcore.inspection import lesson

KNOWN = lesson.recorded()


def test_every_image_of_the_batch_stands_on_the_curve_of_costs():
    curve, images = lesson_charts.costs(KNOWN.shares, KNOWN.loss).data
    assert list(images.x) == list(KNOWN.shares)
    assert list(images.y) == pytest.approx([lesson.cost(share) for share in KNOWN.shares])
    assert min(curve.x) <= min(KNOWN.shares) and max(curve.y) >= max(images.y)


def test_a_frozen_layer_has_a_gradient_and_a_step_of_nothing():
    gradient, step = lesson_charts.frozen_step(KNOWN.layers, 2).data
    assert list(gradient.x) == [one.gradient for one in KNOWN.layers] and min(gradient.x) > 0
    assert list(step.x[:2]) == [0, 0] and min(step.x[2:]) > 0 and list(step.text[:2]) == ["0", "0"]
    assert list(step.marker.color) == [lesson_charts.FROZEN] * 2 + [lesson_charts.TRAINABLE] * 2


def test_the_table_and_the_margin_show_the_rows_they_are_of():
    (heat,) = lesson_charts.table(KNOWN.rows, ["6"] * len(KNOWN.rows)).data
    assert len(heat.y) == len(KNOWN.rows) and heat.y[0] == "1: 6"
    sides = lesson_charts.margin(KNOWN.svm).data
    assert sum(len(side.x) for side in sides) == KNOWN.svm.n
    assert {side.y[0] for side in sides} == set(KNOWN.svm.pair)


def test_the_walk_that_is_shown_is_the_chosen_rates_own():
    assert KNOWN.walk is not None
    data = descent.payload(KNOWN.walk, lesson.RATES, lesson.RATES.index(0.1))
    assert data["rate"] == 0.1 and data["steps"][1]["loss"] == pytest.approx(KNOWN.losses[4])
    json.dumps(data, allow_nan=False)
