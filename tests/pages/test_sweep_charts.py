"""What the charts of the evidence draw around a mean is the interval that was computed."""

import math

import pytest

from pages.ui.charts import plots, sweep_charts
from tlcore.evidence import savings
from tlcore.spec import Evaluation

SEEDS = {5: (0.80, 0.84, 0.88), 20: (0.90, 0.91, 0.95), 80: (0.97, 0.99, 1.0)}
T = 4.302653  # of two degrees of freedom, 95 %


def half_width(values):
    mean = sum(values) / 3
    return T * math.sqrt(sum((value - mean) ** 2 for value in values) / 2) / math.sqrt(3)


def test_the_band_over_labels_is_the_interval_over_seeds_and_so_is_its_hover():
    curve = {n: dict(enumerate(values)) for n, values in SEEDS.items()}
    figure = sweep_charts.label_curves(
        {"Transfer": savings.bands(curve), "Scratch": savings.bands({5: {0: 0.5, 1: 0.6}})}
    )
    band, line, *_others = figure.data
    means = [sum(values) / 3 for values in SEEDS.values()]
    low = [100 * (mean - half_width(values)) for mean, values in zip(means, SEEDS.values(), strict=True)]
    high = [100 * (mean + half_width(values)) for mean, values in zip(means, SEEDS.values(), strict=True)]
    assert high[-1] > 100  # what is drawn ends where accuracy does; the hover has the whole interval
    assert list(band.x) == [5, 20, 80, 80, 20, 5]
    assert list(band.y) == pytest.approx([*high[:2], 100, *reversed(low)], abs=1e-3)
    assert list(line.y) == pytest.approx([100 * mean for mean in means])
    for (drawn_low, drawn_high, n), ends in zip(line.customdata, zip(low, high, strict=True), strict=True):
        assert (drawn_low, drawn_high, n) == pytest.approx((*ends, 3), abs=1e-3)


def test_the_error_bars_over_cuts_end_where_the_interval_of_the_test_images_ends():
    points = {"flatten": Evaluation(0.9, 0.85, 0.93, 200), "dense_1": Evaluation(0.7, 0.64, 0.75, 200)}
    names = {"flatten": "flatten", "dense_1": "dense_1"}
    (line,) = plots.cuts({"head": points}, names, {"head": "New head"}).data
    ends = [
        (y - below, y + above)
        for y, above, below in zip(line.y, line.error_y.array, line.error_y.arrayminus, strict=True)
    ]
    assert [end for pair in ends for end in pair] == pytest.approx([85, 93, 64, 75])
