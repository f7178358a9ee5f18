"""A run that is trained again from its page: the button, the new run, and what its page says of the two."""

from dataclasses import replace

import pages.test_pages as test_pages
import pytest
from pages.test_pages import SCORE, TUNED, finished, opened, sound, words

from tlcore.spec import FineTuneSpec

lab = test_pages.lab
WHOLE = {**TUNED, "files": {}}


def test_reproduce_starts_the_same_settings_and_names_the_first_run(lab):
    first = finished(lab.store, WHOLE, spec=FineTuneSpec(seed=3))
    app = sound(opened("runs", run_run=first.id))
    app.button(key="reproduce").click()
    app = sound(app.run())
    again = lab.store.list()[0]
    assert (again.spec, again.provenance.repeats, again.state) == (first.spec, first.id, "queued")
    assert lab.engine.submitted == [again.id] and "this page says whether the result is the same" in words(app)


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        (SCORE["accuracy"], "The same to the bit: accuracy 75.00 %."),
        (0.25, "Not the same: accuracy 75.00 % then, 25.00 % now."),
    ],
)
def test_a_finished_repetition_says_in_one_line_whether_it_is_the_same(lab, accuracy, said):
    first = finished(lab.store, WHOLE)
    again = lab.store.create(first.spec, owner=test_pages.ME.id, repeats=first.id)
    lab.store.claim(again.id)
    lab.store.finish(again.id, "done", {**WHOLE, "test": {**SCORE, "accuracy": accuracy}})
    app = sound(opened("runs", run_run=again.id))
    assert said in words(app).replace("\\", "")
    app.button(key="repeated").click()
    sound(app.run())
    assert app.session_state["run_run"] == first.id


def test_what_cannot_be_repeated_has_no_button(lab):
    stopped = finished(lab.store, WHOLE, state="stopped")
    assert "reproduce" not in [button.key for button in sound(opened("runs", run_run=stopped.id)).button]


def test_a_failed_run_is_started_again_with_its_settings_by_the_main_button_of_its_page(lab):
    failed = finished(lab.store, {}, state="failed", spec=FineTuneSpec(seed=3), error="It ended without a word.")
    app = sound(opened("runs", run_run=failed.id))
    assert "reproduce" not in [button.key for button in app.button]
    app.button(key="start_again").click()
    app = sound(app.run())
    again = lab.store.list()[0]
    assert (again.spec, again.provenance.repeats, again.state) == (failed.spec, "", "queued")
    assert lab.engine.submitted == [again.id] and app.session_state["run_run"] == again.id


def test_a_first_run_that_is_gone_is_said(lab):
    again = finished(lab.store, WHOLE, spec=replace(FineTuneSpec(), seed=1))
    again = lab.store.create(again.spec, owner=test_pages.ME.id, repeats="0" * 16)
    lab.store.claim(again.id)
    lab.store.finish(again.id, "done", WHOLE)
    assert "There is no run" in words(sound(opened("runs", run_run=again.id)))
