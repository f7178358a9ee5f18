"""The Train page: what is chosen on top, what is folded, and what the chart and the verdict are given."""

import pytest
from pages.test_pages import ME, TUNED, finished, lab, opened, sound, words  # noqa: F401

from pages.ui.components.live_chart import COLOURS, ChartView, check_view
from pages.ui.runs import chart as charts
from pages.ui.runs import comparison, view_of
from pages.ui.runs.chart import steps_per_epoch
from pages.ui.session import state
from tlcore import jobs, sources
from tlcore.errors import DataError
from tlcore.evidence import recorded_comparison
from tlcore.features.freezing import Freezing
from tlcore.recipes.comparison import lanes
from tlcore.sentences import percent
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Phase, Progress


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


def test_the_recorded_comparison_stands_where_none_was_run_and_says_what_its_tests_say(lab):  # noqa: F811
    card = recorded_comparison.load()
    assert card.spec == ComparisonSpec() and set(card.tests) == set(card.spec.ways)
    tested = {point.head: point.accuracy for point in card.points if point.part == "test"}
    assert tested == {way: pytest.approx(accuracy, abs=1e-5) for way, (accuracy, _low, _high) in card.tests.items()}
    app = sound(opened("train"))
    assert percent(max(card.tests.values())[0]) in app.header[0].value
    assert card.command in words(app)
    run = lab.store.create(ComparisonSpec(), owner=ME.id)
    assert not sound(opened("train", run_ways=run.id)).header


def test_a_comparison_with_other_settings_than_those_chosen_says_so(lab):  # noqa: F811
    run = lab.store.create(ComparisonSpec(), owner=ME.id)
    assert "other settings than those chosen now" not in words(sound(opened("train", run_ways=run.id)))
    said = words(sound(opened("train", run_ways=run.id, per_class=20)))
    assert "other settings than those chosen now: Comparison on MNIST digits 5-9, 5 per class" in said


def test_a_recorded_file_that_is_damaged_is_one_sentence(tmp_path):
    (tmp_path / "comparison.json").write_text('{"spec": 1}')
    with pytest.raises(DataError, match="comparison.json that ships with the app is damaged"):
        recorded_comparison.load(tmp_path / "comparison.json")


FORGOT = {"task": "MNIST digits 0-4", "n": 1000, "before": 0.999, "after": 0.95}


def test_what_a_fine_tuning_forgot_is_told_with_its_result_on_race_and_side_by_side(lab):  # noqa: F811
    fields = {**TUNED, "files": {}}
    lost = finished(lab.store, {**fields, "forgetting": FORGOT})
    kept = finished(
        lab.store, {**fields, "forgetting": {**FORGOT, "after": 0.998}}, spec=FineTuneSpec(phases=(Phase(5),))
    )
    said = words(sound(opened("train", run_ft=lost.id))).replace("\\", "")
    assert "It forgot 4.9 points of its own task, MNIST digits 0-4: 99.9 % before training, 95.0 % now" in said
    race = sound(opened("race", run_lane1=lost.id, run_lane2=kept.id))
    said = (words(race) + "".join(each.proto.body for each in race.get("html"))).replace("\u00a0", " ")
    assert "fell from 99.9 % to 95.0 %" in said and "fell from 99.9 % to 99.8 %" in said
    page = "".join(each.proto.body for each in sound(opened("runs", runs_compared=(lost.id, kept.id))).get("html"))
    assert "own task" in page and "99.9 % → 99.8 %" in page


def test_why_forgetting_was_not_measured_is_one_sentence(lab):  # noqa: F811
    reason = {"template": "The test images of {task} are not on this computer.", "values": {"task": "Digits"}}
    run = finished(lab.store, {**TUNED, "files": {}, "not_measured": reason})
    assert "The test images of Digits are not on this computer" in words(sound(opened("train", run_ft=run.id)))


def test_a_comparison_that_goes_says_where_the_verdict_will_stand(lab):  # noqa: F811
    run = lab.store.create(ComparisonSpec(), owner=ME.id)
    lab.store.claim(run.id)
    app = sound(opened("train", run_ways=run.id))
    assert "The verdict will appear here" in words(app) and not app.header
    assert app.button(key="stop_ways")


def test_what_is_ones_own_and_under_way_is_in_the_bar_of_every_page_and_stops_from_there(lab):  # noqa: F811
    others, mine = lab.store.create(FineTuneSpec(), owner="f" * 32), lab.store.create(ComparisonSpec(), owner=ME.id)
    lab.store.begin(FineTuneSpec(), owner=ME.id, parent=mine.id)  # a part of it
    for name in ("home", "layers", "runs"):
        app = sound(opened(name))
        assert app.button(key="chip_open").label == "Waiting"
    attempt = lab.store.claim(mine.id)
    attempt.beat(Progress(30, 120))
    assert app.run().button(key="chip_open").label == "Running 25 %"
    app.button(key="chip_stop").click().run()
    assert lab.store.get(mine.id).stop_requested and not lab.store.get(others.id).stop_requested
    lab.store.finish(mine.id, "stopped")
    assert "chip_open" not in {button.key for button in sound(app.run()).button}


def test_a_start_says_how_long_the_like_of_it_took(lab):  # noqa: F811
    spec = FineTuneSpec()
    assert "on this server." not in words(opened("train"))
    state._takes_s.clear()  # kept for some seconds
    for seconds in (4.0, 6.0, 20.0):
        finished(lab.store, {**TUNED, "total_s": seconds}, spec=spec)
    done = lab.store.list(states=("done",))
    assert jobs.of(spec).takes_s(spec, done) == 6
    # Five times the images of one in whose 6 s a hundred images went through in 1 s.
    paced = finished(
        lab.store, {**TUNED, "total_s": 6.0, "n_trained": 10, "epochs": 10, "images_per_s": 100.0}, spec=spec
    )
    more = FineTuneSpec(data=DataSpec(per_class=50), phases=(Phase(10),))
    layers = sources.info(spec.source).layers
    small, large = (16 * Freezing(layers, phase.frozen).multiply_adds(True) for phase in (*spec.phases, *more.phases))
    longer = (3e6 + large) / (3e6 + small)  # a step through all layers, and not only those behind the convolutions
    assert 10 < longer < 50
    assert jobs.of(more).takes_s(more, [paced]) == pytest.approx(5 + 10 * 16 * 16 / 100 * longer)
    assert "Takes about 6 s on this server." in words(opened("train"))
    comparison_spec = ComparisonSpec(ways=("fine_tune", "scratch"))
    together = pytest.approx(6 + 5 + 60 * 16 / 100 * longer, rel=1e-3)
    assert jobs.of(comparison_spec).takes_s(comparison_spec, [paced]) == together
    photographs = FineTuneSpec("mobilenet_v2", DataSpec("hands", per_class=50), (Phase(10),))
    assert jobs.of(photographs).takes_s(photographs, [paced]) is None  # another network tells nothing of it
    assert jobs.of(ComparisonSpec()).takes_s(ComparisonSpec(), done) is None  # no head was ever fitted


def test_what_was_started_comes_into_view_once(lab, monkeypatch):  # noqa: F811
    revealed = []
    monkeypatch.setattr(charts, "live_chart", lambda key, **options: revealed.append((key, options["reveal"])))
    app = sound(opened("train"))
    app.button(key="start_ways").click().run()
    (run,) = lab.store.list()
    app.run()
    assert [told for told in revealed if told[0] == "chart_ways"] == [("chart_ways", run.id), ("chart_ways", "")]


def test_a_finished_comparison_is_opened_by_race_by_link_and_by_choice(lab):  # noqa: F811
    spec = ComparisonSpec(ways=("fine_tune", "scratch"))
    parts = [finished(lab.store, {**TUNED, "files": {}}, spec=lane) for lane in lanes(spec).values()]
    ways = [
        {"name": name, "run": part.id, "ended": True, "accuracy": part.accuracy, "learn_s": 1.0}
        for name, part in zip(spec.ways, parts, strict=True)
    ]
    run = finished(lab.store, {"ways": ways, "n_planned": 2}, spec=spec)
    app = sound(opened("race", run_compared_ways=run.id))
    assert app.header and {metric.label for metric in app.metric} == {"Fine-tuning", "From scratch"}
    app = sound(opened("race"))
    assert not app.header
    app.selectbox(key="race_comparison").set_value(run.id).run()
    assert sound(app).header and run.id in app.query_params["compared_ways"]
    app.button(key="start_race").click().run()
    assert not sound(app).header, "a race takes its place"
