"""What Compare heads says it found, and its chart."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from pages.test_pages import lab, opened, sound, words  # noqa: F401

from pages.ui.charts import plots
from pages.ui.runs import compare_heads
from tlcore.spec import ByHand, HeadMean, HeadSpec

COSTS = {"n_seeds": 3, "sd": 0.002, "error": 0.002, "fit_s": 0.1, "ms_per_image": 0.1, "mb": 1.0, "n_features": 9}
FEATURES = HeadMean(head="linear_svm", input="features", mean=0.982, low=0.978, high=0.986, **COSTS)
PIXELS = HeadMean(head="random_forest", input="pixels", mean=0.92, low=0.912, high=0.928, **COSTS)


def headline(monkeypatch, lines, clear):
    rivals = [SimpleNamespace(clear=bool(clear))]
    pair = SimpleNamespace(clear=clear is True, too_few=False, ranking=SimpleNamespace(rivals=rivals))
    monkeypatch.setattr(compare_heads.contest, "find", lambda entrants: pair if len(entrants) == 2 else None)
    run: Any = SimpleNamespace()
    return compare_heads.headline(run, lines, None)


@pytest.mark.parametrize(
    ("lines", "clear", "words"),
    [
        ([FEATURES, PIXELS], True, "Features beat pixels: 98.2 against 92.0 %"),
        ([FEATURES, PIXELS], False, "A tie: 98.2 % on features, 92.0 % on pixels"),
        (
            [FEATURES, PIXELS],
            "of one draw",
            "On these images features got more right than pixels: 98.2 against 92.0 %",
        ),
        ([FEATURES], True, "Linear SVM on features"),
        (
            [replace(line, balanced=True) for line in (FEATURES, PIXELS)],
            True,
            "Features beat pixels: 98.2 against 92.0 % (balanced accuracy)",
        ),
    ],
)
def test_the_headline_is_the_finding_and_claims_no_more_than_the_test_allows(monkeypatch, lines, clear, words):
    assert headline(monkeypatch, lines, clear) == words


def read(app):
    return words(app).replace("\\", "")  # as a browser shows it


def test_before_anything_is_compared_the_recorded_comparison_stands_there_labelled(lab):  # noqa: F811
    app = sound(opened("heads"))
    assert app.header[0].value.startswith("Features beat pixels") and "A comparison of all heads on flatten" in read(
        app
    )
    assert "Recorded" in [popover.proto.popover.label for popover in app.get("popover")]
    (chart,) = app.get("plotly_chart")
    assert '"Logistic regression"' in chart.proto.spec


def test_hyperparameters_are_set_at_fields_and_go_into_the_run(lab):  # noqa: F811
    app = sound(opened("heads", compared=["linear_svm", "random_forest"]))
    keys = {each.key for each in app.number_input}
    assert keys >= {"knob_linear_svm_C", "knob_random_forest_depth"} and "knob_knn_k" not in keys
    assert "Set by hand" not in read(app) and "A number from 0.0001 to 10,000; usually 1" in read(app)
    app.number_input(key="knob_linear_svm_C").set_value(0.25)
    app = sound(app.number_input(key="knob_random_forest_depth").set_value(4).run())
    assert "Set by hand: Linear SVM (C = 0.25); Random forest (largest depth = 4)." in read(app)
    sound(app.button(key="start_cmp").click().run())
    (run,) = lab.store.list()
    assert run.spec.by_hand == (ByHand("linear_svm", "C", 0.25), ByHand("random_forest", "depth", 4))
    app = sound(app.button(key="reset_linear_svm").click().run())
    assert app.number_input(key="knob_linear_svm_C").value == 1.0 and "forest (largest depth = 4)." in read(app)
    app = sound(app.number_input(key="knob_random_forest_depth").set_value(None).run())
    assert "Set by hand" not in read(app)


def test_errors_are_dots_with_intervals_on_an_axis_that_begins_at_nothing():
    titles = {"linear_svm": "Linear SVM", "random_forest": "Random forest"}
    figure = plots.head_dots([FEATURES, PIXELS], titles, {"features": "features", "pixels": "raw pixels"})
    features, pixels = figure.data
    assert features.x[0] == pytest.approx(1.8) and pixels.x[0] == pytest.approx(8.0)
    assert features.error_x.array[0] == pytest.approx(0.4) and features.error_x.arrayminus[0] == pytest.approx(0.4)
    assert figure.layout.xaxis.range[0] == 0 and figure.layout.xaxis.range[1] >= 8.8
    assert features.marker.symbol != pixels.marker.symbol  # not by colour alone


def test_the_errors_of_two_inputs_of_a_head_are_not_written_over_one_another():
    titles = {"linear_svm": "Linear SVM"}
    lines = [FEATURES, replace(PIXELS, head="linear_svm", mean=0.981, low=0.975, high=0.984)]
    features, pixels = plots.head_dots(lines, titles, {"features": "features", "pixels": "raw pixels"}).data
    assert features.textposition == "top center" and pixels.textposition == "bottom center"


def test_what_ties_once_all_heads_are_allowed_for_is_not_said_to_beat(monkeypatch):
    called = compare_heads._models(HeadSpec(), [FEATURES, PIXELS]).values()
    run: Any = SimpleNamespace(spec=HeadSpec())
    pair = SimpleNamespace(clear=True, too_few=False, ranking=SimpleNamespace(rivals=[SimpleNamespace(clear=True)]))
    monkeypatch.setattr(compare_heads.contest, "find", lambda entrants: pair)
    for ties, said in [((*called,), "A tie: 98.2 % on features, 92.0 % on pixels"), ((), "Features beat pixels")]:
        found: Any = SimpleNamespace(ranking=SimpleNamespace(ties=ties))
        assert compare_heads.headline(run, [FEATURES, PIXELS], found).replace("\xa0", " ").startswith(said)
