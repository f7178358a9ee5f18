"""The Train page: what is chosen on top, what is folded, and what the chart and the verdict are given."""

import pytest
from pages.test_pages import ME, lab, opened, sound, words  # noqa: F401

from pages.ui.components.live_chart import COLOURS, ChartView, check_view
from pages.ui.runs import comparison, view_of
from pages.ui.runs.chart import steps_per_epoch
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec


def test_slider_and_number_are_one_choice_and_all_is_beside_them(lab):  # noqa: F811
    app = sound(opened("train"))
    slider, number = app.slider(key="labels"), app.number_input(key="per_class")
    assert (slider.min, slider.max, slider.value, number.value) == (1, 500, 5, 5)
    slider.set_value(20).run()
    assert app.number_input(key="per_class").value == 20
    app.number_input(key="per_class").set_value(2000).run()
    assert app.slider(key="labels").value == 500
    app.button(key="start_ways").click().run()
    app.toggle(key="all_images").set_value(True).run()
    assert app.slider(key="labels").disabled and app.number_input(key="per_class").disabled
    app.button(key="start_ways").click().run()
    assert [run.spec.data.per_class for run in lab.store.list()] == [None, 2000]


def test_the_slider_ends_where_the_images_of_a_class_end(lab):  # noqa: F811
    app = sound(opened("train", target="digits_8x8", per_class=400))
    assert (app.slider(key="labels").max, app.slider(key="labels").value) == (125, 125)


def test_all_ways_but_the_forest_are_ticked_and_the_other_heads_join_from_the_settings(lab):  # noqa: F811
    app = sound(opened("train"))
    assert comparison.usual_ways() == ["fine_tune", "linear_svm", "random_forest", "scratch"]
    app.button(key="start_ways").click().run()
    sound(opened("train", more_ways=("knn",))).button(key="start_ways").click().run()
    assert [run.spec.ways for run in reversed(lab.store.list())] == [
        ("fine_tune", "linear_svm", "scratch"),
        ("fine_tune", "linear_svm", "knn", "scratch"),
    ]


def test_what_one_rarely_changes_is_folded(lab):  # noqa: F811
    app = sound(opened("train"))
    (fold,) = (each for each in app.expander if each.label == "Settings")
    keys = {element.key for kind in ("selectbox", "number_input", "toggle") for element in fold.get(kind)}
    assert keys >= {"target", "split", "seed", "recipe", "epochs", "batch_size", "optimizer", "learning_rate", "film"}


def test_a_comparisons_chart_is_one_of_errors_with_a_colour_for_each_way():
    chart = view_of(ComparisonSpec()).chart(ComparisonSpec())
    assert chart.measure == "error" and chart.steps == 2  # 25 images in batches of 16
    assert {chart.colours[way] for way in ComparisonSpec().ways} == set(COLOURS[:3])
    assert not {"#0072B2", "#D55E00", "#E69F00", "#56B4E9"} & set(COLOURS), "these mean frozen and trainable"


def test_an_epoch_has_as_many_steps_as_the_images_make_batches():
    assert steps_per_epoch(FineTuneSpec(data=DataSpec(per_class=20))) == 7
    assert steps_per_epoch(HeadSpec()) == 0


@pytest.mark.parametrize(
    "sent", [None, "x", {"x": "weeks"}, {"smooth": float("nan")}, {"smooth": True}, {"hidden": "abc"}, {"hidden": [""]}]
)
def test_what_is_no_view_of_a_chart_leaves_the_default(sent):
    assert check_view(sent) == ChartView()


def test_a_comparison_that_goes_says_where_the_verdict_will_stand(lab):  # noqa: F811
    run = lab.store.create(ComparisonSpec(), owner=ME.id)
    lab.store.claim(run.id)
    app = sound(opened("train", run_ways=run.id))
    assert "The verdict stands here" in words(app) and not app.header
    assert app.button(key="stop_ways")
