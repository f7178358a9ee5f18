"""A view for each kind of run; a kind that has none is shown by what its job reports."""

import subprocess
import sys
from dataclasses import replace

import counting
import pytest
import streamlit as st
from counting import CountResult, CountSpec
from pages.test_pages import ROOT, lab, opened, sound, words  # noqa: F401

from pages.ui.runs import view_of
from pages.ui.runs.view import View
from tlcore import jobs
from tlcore.errors import DataError
from tlcore.exports import EXPORTERS, Exporter, Part
from tlcore.jobs.execution import execute
from tlcore.recipes import scratch_control
from tlcore.sentences import Sentence
from tlcore.spec import ComparisonSpec, DataSpec, FineTuneSpec, HeadSpec, Phase


class CountView(View[CountSpec, CountResult]):
    def title(self, spec):
        return f"Counting up to {spec.to}"

    def result(self, run, result):
        st.metric("Reached", str(result.counted))


def counted(lab):  # noqa: F811
    run = lab.store.create(CountSpec(to=2))
    execute(run.id, str(lab.folder))
    return run.id


def test_every_kind_has_a_view_of_its_own_words():
    views = {kind: view_of(job.spec()) for kind, job in jobs.JOBS.items()}
    assert not any(type(view) is View for view in views.values())
    for words_of in (lambda kind, view: view.title(jobs.JOBS[kind].spec()), lambda kind, view: view.stopping()):
        assert len({words_of(kind, view) for kind, view in views.items()}) == len(views)


def test_a_kind_without_a_view_is_listed_and_shown_by_its_jobs_report(lab, monkeypatch):  # noqa: F811
    counting.register(monkeypatch)
    app = sound(opened("runs", run_run=counted(lab)))
    assert "count to 2" in words(app) and "Counted to 2." in words(app)


def test_a_kind_with_a_view_is_shown_by_it(lab, monkeypatch):  # noqa: F811
    counting.register(monkeypatch, "pages.test_views:CountView")
    app = sound(opened("runs", run_run=counted(lab)))
    assert app.metric[0].label == "Reached" and app.metric[0].value == "2"
    assert "Counting up to 2" in words(app) and "Counted to 2." not in words(app)


def test_a_worker_registers_a_view_without_streamlit():
    code = "import pages.ui.runs, sys; assert not {'streamlit', 'pages.ui.runs.view'} & set(sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_chart_of_phases_has_a_line_where_the_next_begins():
    phases = (Phase(2, ("conv_1", "conv_2")), Phase(3))
    chart = view_of(FineTuneSpec()).chart(replace(FineTuneSpec(), phases=phases))
    assert chart.x_max == 5 and [(rule.x, rule.label) for rule in chart.rules] == [(2, "frozen: nothing")]
    assert view_of(HeadSpec()).chart(HeadSpec(curves=False)) is None


def test_a_further_form_of_a_run_is_among_its_downloads(lab, monkeypatch):  # noqa: F811
    class Half(Exporter):
        name = "half"

        def parts(self, run, store):
            return (Part("-half.txt", Sentence("Half of it"), lambda: b"ha"),)

    monkeypatch.setitem(EXPORTERS, "half", Half())
    run = lab.store.create(HeadSpec(curves=False))
    lab.store.finish(run.id, "stopped")
    app = sound(opened("runs", run_run=run.id))
    assert "Half of it" in [element.proto.label for element in app.get("download_button")]


def test_a_form_that_is_made_is_chosen_made_told_of_and_then_downloaded(lab, monkeypatch):  # noqa: F811
    class Slow(Exporter):
        name = "slow"

        def parts(self, run, store):
            def make():
                return b"made", Sentence("Tried on {n} images.", n=7)

            def fail():
                raise DataError("There is no form of it.")

            made = Part("-a.slow", Sentence("A: slow"), lambda: make()[0], make=make)
            return made, Part("-b.slow", Sentence("B: slow"), lambda: fail()[0], make=fail)

    monkeypatch.setitem(EXPORTERS, "slow", Slow())
    run = lab.store.create(HeadSpec(curves=False))
    lab.store.finish(run.id, "stopped")
    app = sound(opened("runs", run_run=run.id))
    assert "slow" not in str([element.proto.label for element in app.get("download_button")])
    app.button(key=f"make_{run.id}").click().run()
    assert "Tried on 7 images" in words(sound(app))
    assert f"Download {run.id[:6]}-a.slow" in [element.proto.label for element in app.get("download_button")]
    app.selectbox(key=f"made_of_{run.id}").select("-b.slow").run()
    app.button(key=f"make_{run.id}").click().run()
    assert "There is no form of it." in words(sound(app))


def test_a_slot_of_one_kind_shows_no_run_of_another(lab):  # noqa: F811
    run = lab.store.create(HeadSpec())
    for name, slot in (("race", "lane1"), ("evidence", "savings")):
        app = sound(opened(name, **{f"run_{slot}": run.id}))
        assert f"run_{slot}" not in app.session_state or not app.session_state[f"run_{slot}"]
        assert jobs.describe(run.spec) not in words(app)


def test_a_lane_says_what_sets_it_apart():
    spec = FineTuneSpec()
    view = view_of(spec)
    two = replace(spec, phases=(Phase(2, ("conv_1",)), Phase(3, ("conv_1",))))
    lanes = [view.lane(each) for each in (spec, replace(spec, phases=(Phase(2),)), two, scratch_control(spec))]
    assert lanes == ["Frozen: conv_1, conv_2", "Nothing frozen", "Frozen: conv_1, two phases", "From scratch"]
    assert view_of(HeadSpec()).lane(HeadSpec()) == "Linear SVM, Random forest on flatten"


@pytest.mark.keras
def test_one_click_compares_the_ways_and_the_page_says_the_verdict(lab):  # noqa: F811
    app = sound(opened("train", per_class=2, epochs=2))
    app.button(key="start_ways").click().run()
    (run,) = lab.store.list()
    assert run.spec == ComparisonSpec(
        FineTuneSpec(data=DataSpec(per_class=2), phases=(Phase(2, ("conv_1", "conv_2")),)), "flatten"
    )
    execute(run.id, str(lab.folder))
    app = sound(opened("train", run_ways=run.id))
    assert any("With these 10 images" in heading.value for heading in app.header)
    assert {metric.label for metric in app.metric} >= {"Fine-tuning", "Linear SVM", "From scratch"}
    assert "s to learn." in words(app)
    assert "Comparison on MNIST digits 5-9, 2 per class" in words(sound(opened("runs", run_run=run.id)))


def test_a_comparison_of_one_way_cannot_be_started(lab):  # noqa: F811
    app = sound(opened("train", ways=("scratch",)))
    assert app.button(key="start_ways").disabled
