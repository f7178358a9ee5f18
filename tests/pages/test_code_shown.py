"""A run's code on its page: both ways to write it, or why there is but one."""

from dataclasses import replace

import pages.test_pages as test_pages
import pytest
from pages.test_pages import COMPARED, TUNED, finished, of_run, opened, sound, words

from tlcore.spec import ComparisonSpec, ExampleSpec, FineTuneSpec, HeadSpec, SweepSpec

lab = test_pages.lab


def open_at(run):
    """Return the page of a run with the fold open."""
    return opened("runs", run_run=run.id, **of_run(run))


def shown(app):
    """Return the code in the fold."""
    fold = next(fold for fold in app.expander if fold.label == "Show code")
    return [block.value for block in fold.code]


@pytest.mark.parametrize(("result", "spec"), [(TUNED, FineTuneSpec()), (COMPARED, HeadSpec())])
def test_a_run_shows_its_code_both_ways(lab, result, spec):
    run = finished(lab.store, result, spec=spec)
    app = sound(open_at(run))
    (plain,) = shown(app)
    assert "keras.models.load_model" in plain and "import tlcore" not in plain and "from tlcore" not in plain
    app.segmented_control(key=f"code_{run.id}").set_value("with_tlcore").run()
    (own,) = shown(sound(app))
    assert f"spec = {type(spec).__name__}(" in own


def test_what_plain_keras_cannot_repeat_is_said_in_the_place_of_the_code(lab):
    run = finished(lab.store, TUNED, spec=replace(FineTuneSpec(), augment=True))
    app = sound(open_at(run))
    assert shown(app) == [] and "plain Keras would change them" in words(app)


def test_a_kind_of_run_without_code_has_no_such_fold(lab):
    run = lab.store.create(ExampleSpec(), owner=test_pages.ME.id)
    assert "Show code" not in [fold.label for fold in sound(open_at(run)).expander]


def test_a_comparison_shows_the_code_of_the_way_that_is_chosen(lab):
    whole = lab.store.create(ComparisonSpec(), owner=test_pages.ME.id)
    assert lab.store.claim(whole.id)
    ways = []
    for name, spec, result in (("fine_tune", FineTuneSpec(), TUNED), ("linear_svm", HeadSpec(), COMPARED)):
        part = lab.store.begin(spec, owner=test_pages.ME.id, parent=whole.id)
        lab.store.finish(part.run_id, "done", result)
        ways.append({"name": name, "run": part.run_id, "ended": True, "accuracy": 0.75})
    lab.store.finish(whole.id, "done", {"ways": ways, "n_planned": 2})
    app = sound(open_at(whole))
    assert "# Way 2 of 3: Linear SVM" in shown(app)[0]  # all of it
    app.selectbox(key=f"code_way_{whole.id}").set_value(ways[0]["run"]).run()
    assert "def train(frozen" in shown(sound(app))[0]
    app.selectbox(key=f"code_way_{whole.id}").set_value(ways[1]["run"]).run()
    assert "def linear_svm(x, y, seed" in shown(sound(app))[0]


def test_a_sweep_shows_its_grid_as_code(lab):
    run = finished(lab.store, {"n_cells": 3, "ended": "complete"}, spec=SweepSpec(methods=("linear_svm", "scratch")))
    app = sound(open_at(run))
    assert "def measure(source, cut, look)" in shown(app)[0] and "def train(network, frozen" in shown(app)[0]
