"""The Evidence page: its message comes from experiments, and its buttons start sweeps."""

import math
from dataclasses import replace

import pytest
from pages.test_apart import lab  # noqa: F401
from pages.test_pages import FOLDS, opened, sound, words

from pages.ui.evidence import claims as claims_view
from pages.ui.evidence import intervals
from pages.ui.evidence import savings as savings_view
from pages.ui.evidence import sweep as sweep_view
from tlcore.evidence import claims, meter, recorded, savings, sweeps
from tlcore.sentences import Sentence
from tlcore.spec import Cell, ExampleSpec, SweepSpec


def measured(labels=(1, 5, 20), lead=0.1, seeds=3):
    """Return the experiments of a label-savings curve: with 10 points of lead 5 labels do for 20."""
    score = {1: 0.5, 5: 0.7, 20: 0.8}
    svm, scratch = (
        Cell("mnist_5_9", "digits_0_4", "flatten", "linear_svm", 1, 0),
        Cell("mnist_5_9", "random", "pixels", "scratch", 1, 0),
    )
    return [
        replace(cell, per_class=n, seed=seed, score=score[n] + gain, n_test=4861)
        for cell, gain in ((svm, lead), (scratch, 0.0))
        for n in labels
        for seed in range(seeds)
    ]


@pytest.mark.parametrize("lead, says", [(0.1, "10.0 points ahead (10.0 to 10.0)"), (-0.1, "10.0 points behind (10.0")])
def test_what_is_left_of_the_lead_is_said_without_a_sign(lead, says):
    cells = measured(lead=lead)
    transfer, scratch = (savings.curve(cells, method) for method in ("linear_svm", "scratch"))
    assert says in savings_view.crossover_words(transfer, scratch)


def headlines(app):
    return [found.proto.body for found in app.get("html") if "<h2>" in found.proto.body]


def sweep_run(store, cells, state="done", ended="complete", n_test=None):
    spec = SweepSpec(methods=("linear_svm", "scratch"), per_class=(1, 5, 20), seeds=(0, 1, 2), n_test=n_test)
    run = store.create(spec)
    assert (attempt := store.claim(run.id))
    attempt.add_cells(cells)
    counts = {"n_cells": len(cells), "n_planned": 18, "n_before": 0, "n_failed": 0, "n_test": 4861, "total_s": 2.0}
    store.finish(run.id, state, {"ended": ended, **counts})
    return store.get(run.id)


def test_the_page_is_full_at_first_open_and_says_that_it_is_recorded(lab):  # noqa: F811
    app = sound(opened("evidence", **FOLDS))
    found = recorded.load("label_savings")
    transfer, _tuned, scratch = savings_view.curves(found.cells).values()
    saved = savings.saving(transfer, scratch, 5)
    assert saved is not None
    expected = savings_view.sentence(saved)
    assert expected in headlines(app)[0] and "times fewer labels" in expected
    assert "Recorded 20" in words(app) and any(found.command in one.help for one in app.caption)
    assert "supported" in words(app)
    assert lab.store.count() == 0


def test_what_is_for_researchers_is_made_when_it_is_opened(lab):  # noqa: F811
    app = sound(opened("evidence"))
    assert [fold.label for fold in app.expander].count("For researchers") == 3 and not app.dataframe
    assert sound(opened("evidence", **FOLDS)).dataframe


def test_the_message_comes_from_the_experiments_of_the_run_that_is_watched(lab):  # noqa: F811
    run = sweep_run(lab.store, measured())
    app = sound(opened("evidence", run_savings=run.id))
    assert "The same accuracy with about 4.0 times fewer labels" in headlines(app)[0]
    assert f"run {run.id[:6]}" in words(app) and "No crossover up to 20 labels" in words(app)
    app.segmented_control(key="savings_whose").set_value("recorded").run()
    assert "Recorded 20" in words(app)


@pytest.mark.parametrize(
    ("lead", "sentence"),
    [
        (0.0, "No clear saving here: the difference is within the noise"),
        (-0.05, "No clear saving here: the difference is within the noise"),
        (0.2, "The same accuracy with more than 4 times fewer labels"),
    ],
)
def test_the_message_says_no_more_than_the_experiments(lead, sentence):
    transfer, _tuned, scratch = savings_view.curves(measured(lead=lead)).values()
    saved = savings.saving(transfer, scratch, 5)
    assert saved is not None and savings_view.sentence(saved) == sentence


def test_a_curve_with_a_missing_line_is_said_and_no_more(lab):  # noqa: F811
    run = sweep_run(lab.store, measured()[:9], "stopped", "stopped")
    app = sound(opened("evidence", run_savings=run.id))
    assert "The curve needs both lines" in words(app)


def test_measure_it_live_starts_the_study_with_five_seeds(lab):  # noqa: F811
    app = opened("evidence")
    app.button(key="start_savings").click().run()
    (run,) = lab.store.list()
    assert run.spec == savings_view.live_spec() and len(run.spec.seeds) == 5
    assert lab.engine.submitted == [run.id]
    sound(app)


def test_a_grid_of_ones_own_is_started_as_chosen(lab):  # noqa: F811
    app = sound(opened("evidence"))
    app.number_input(key="sweep_seeds").set_value(2).run()
    app.button(key="start_sweep").click().run()
    (run,) = lab.store.list()
    assert run.spec.seeds == (0, 1) and run.spec.budget_s == 120
    sweeps.check(run.spec)


def test_a_grid_that_cannot_run_is_said_before_it_is_started(lab):  # noqa: F811
    app = sound(opened("evidence", sweep_methods=("h_score",), sweep_labels=(1,)))
    assert "This sweep has 0 experiments" in words(app) and app.button(key="start_sweep").disabled


def test_an_unfinished_sweep_goes_on_in_a_new_one(lab):  # noqa: F811
    run = sweep_run(lab.store, measured()[:9], "done", "budget")
    app = sound(opened("runs", run_run=run.id))
    assert "9 of 18 experiments (time budget used up)" in words(app)
    app.button(key=f"go_on_{run.id}").click().run()
    newest = lab.store.list()[0]
    assert newest.spec == replace(run.spec, resumes=run.id)


def test_the_table_has_a_row_for_every_line_and_its_half_width():
    rows = sweep_view.table(measured())
    assert [row["what"] for row in rows] == ["Linear SVM on flatten, Digits 0-4", "From scratch"]
    assert rows[1]["5 labels"] == "70.0 ± 0.0 %"


@pytest.mark.parametrize("state", ["queued", "running", "stopped", "failed"])
def test_a_sweep_in_every_state_is_shown_with_what_it_has(lab, state):  # noqa: F811
    run = lab.store.create(SweepSpec())
    if state != "queued":
        attempt = lab.store.claim(run.id)
        attempt.add_cells(measured()[:9])
    if state in ("stopped", "failed"):
        lab.store.finish(run.id, state, error=Sentence("The run was cut off." if state == "failed" else ""))
    app = sound(opened("evidence", run_sweep=run.id))
    columns = [set(table.value) for table in app.dataframe]
    shown = [names for names in columns if "5 labels" in names and "500 labels" not in names]  # not the recorded one
    assert bool(shown) == (state != "queued")
    assert "Stopped before anything was finished" not in words(app)
    assert (f"go_on_{run.id}" in {button.key for button in app.button}) == (state in ("stopped", "failed"))


def test_another_kind_of_run_in_the_address_is_not_taken_for_a_sweep(lab):  # noqa: F811
    run = lab.store.create(ExampleSpec())
    app = sound(opened("evidence", run_savings=run.id))
    assert "Recorded 20" in words(app)


def test_the_claims_are_judged_by_the_recorded_experiments_until_a_person_chooses_their_own(lab):  # noqa: F811
    sweep_run(lab.store, measured())
    app = sound(opened("evidence", **FOLDS))
    assert "experiments from your sweeps" not in words(app)
    app.segmented_control(key="claims_whose").set_value("mine").run()
    assert "18 experiments from your sweeps, all with split standard, all test images" in words(app)
    assert "No experiments for this claim yet" in words(app)


def test_experiments_that_were_measured_otherwise_are_not_merged(lab):  # noqa: F811
    sweep_run(lab.store, measured())
    sweep_run(lab.store, measured()[:4], n_test=500)
    app = sound(opened("evidence", claims_whose="mine"))
    assert "18 experiments from your sweeps" in words(app)
    titles = app.selectbox(key="claims_conditions").options
    assert titles[1] == "split standard, 500 test images, at least 300 steps (4)"
    app.selectbox(key="claims_conditions").select_index(1).run()
    assert "4 experiments from your sweeps, all with split standard, 500 test images" in words(app)


def test_the_recorded_studies_that_the_claims_join_were_measured_alike():
    specs = [spec for study in claims.STUDIES for spec in recorded.STUDIES[study]]
    assert len(sweeps.by_conditions((spec, recorded.load("claims").cells[:1]) for spec in specs)) == 1


def test_the_meter_is_scored_over_at_least_twelve_settings():
    found = meter.standings(recorded.load("best_cut").cells)
    assert {one.name for one in found} == {*meter.CUT_SCORES, meter.RULE}
    assert all(one.n >= 12 for one in found)


def test_score_my_cuts_takes_the_choices_of_the_other_pages(lab):  # noqa: F811
    app = opened("evidence", source="fashion", target="digits_8x8", per_class=7)
    app.button(key="start_meter").click().run()
    (run,) = lab.store.list()
    assert (run.spec.sources, run.spec.target, run.spec.per_class) == (("fashion",), "digits_8x8", (7,))
    assert {"h_score", "loo_1nn", "svm_cv", "linear_svm"} <= set(run.spec.methods)


def test_the_example_is_run_whole_by_its_button(lab):  # noqa: F811
    app = opened("evidence", **FOLDS)
    app.button(key="start_example").click().run()
    (run,) = lab.store.list()
    assert run.spec == ExampleSpec()
    sound(app)


def test_the_example_that_an_address_names_is_shown_without_a_click(lab):  # noqa: F811
    run = lab.store.create(ExampleSpec())
    app = sound(opened("evidence", run_example=run.id))
    assert app.button(key="start_example") and "Keras' own example" in words(app)
    (claims_fold,) = [fold for fold in app.expander if fold.button and fold.label == "For researchers"]
    assert claims_fold.proto.expanded


def test_each_question_has_one_headline_and_the_claims_one_plot_with_every_verdict(lab):  # noqa: F811
    app = sound(opened("evidence", **FOLDS))
    labels, said, cut = headlines(app)
    assert "6 of 7 claims hold here; 1 depends on how many labels there are" in said
    assert "LogME picks the best cut in 18 of 18 settings" in cut
    assert "The Layers page counts one step on one image instead." in words(app)  # 64 % less there, 32 times here
    plots = [found.proto.body for found in app.get("html") if 'class="intervals"' in found.proto.body]
    judged = claims.judge_all([cell for study in claims.STUDIES for cell in recorded.load(study).cells])
    for unit, plot in zip(("times", "points"), plots[:2], strict=True):  # those of hands follow
        of_unit = [verdict for verdict in judged if verdict.claim.unit == unit]
        assert plot.count('<th scope="row">') == len(of_unit)
        assert plot.count(f">{claims_view.verdicts()['supported']}</b>") == [v.word for v in of_unit].count("supported")
        assert plot.count('class="mark') == sum(not one.control for v in of_unit for one in v.findings)


def test_the_headline_of_the_claims_counts_each_verdict():
    def verdicts(*found):
        return [claims.Verdict(claim, word, ()) for claim, word in zip(claims.CLAIMS, found, strict=False)]

    assert claims_view.headline(verdicts("not measured")) == "No claim has been measured yet"
    assert claims_view.headline(verdicts("supported", "not measured")) == "1 of 1 claims holds here"
    assert (
        claims_view.headline(verdicts("supported", "supported", "depends", "depends", "not shown", "refuted"))
        == "2 of 6 claims hold here; 2 depend on how many labels there are; 1 is not shown; 1 is refuted"
    )


def test_a_mark_stands_where_its_value_is_and_what_is_beyond_the_axis_is_an_arrow():
    axis = intervals.Axis([(0, "0")], lambda value: value / 10)
    marks = [
        intervals.Mark("5", 4.0, 2.0, 6.0, "4 (2 to 6)", True),
        intervals.Mark("50", -3.0, -9.0, 0.5, "-3", None),
        intervals.Mark("500", math.inf, math.inf, math.inf, "<not reached>", True),
    ]
    plot = intervals.table("c", "f", axis, [intervals.Row("r", "supported", "good", 1.0, marks)])
    assert "--line:10.0%" in plot
    first, second, third = plot.split('class="mark ')[1:]
    assert 'class="bar" style="left:20.0%;width:40.0%"' in first and 'class="dot" style="left:40.0%"' in first
    assert 'class="bar" style="left:0.0%;width:5.0%"' in second and second.startswith("open")
    assert 'class="arrow"' in third and "&lt;not reached&gt;" in third


def test_the_claims_say_what_holds_on_hands_and_not_on_digits_beside_the_recorded_ones(lab):  # noqa: F811
    app = sound(opened("evidence"))
    said = words(app)
    assert "**Supported on hands, not on digits:** Starting from a source generalises better" in said
    assert "**Supported on digits, not on hands:** Features and a linear SVM are enough" in said
    sweep_run(lab.store, measured())
    assert "Supported on hands" not in words(sound(opened("evidence", claims_whose="mine")))
