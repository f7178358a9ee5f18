"""Two questions are answered by the top of every page: what did transfer do here, and what do I press next?"""

import re

import pytest
from pages.test_pages import SCORE, TUNED, finished, lab, opened, sound  # noqa: F401

from pages.ui.words.text import unbroken
from tlcore.evidence import recorded_comparison
from tlcore.inspection import lesson
from tlcore.prediction import taught
from tlcore.prediction.serving import Serving
from tlcore.prediction.taught import SCRATCH, TRANSFER
from tlcore.recipes import break_it
from tlcore.sentences import percent


def findings(app) -> str:
    return "".join(each.proto.body for each in app.get("html") if 'class="found"' in each.proto.body)


def primaries(app) -> list[str]:
    return [button.key for button in app.button if button.proto.type == "primary" and not button.disabled]


PRESSED = {
    "draw": ["try_sample"],
    "runs": ["open_train"],
    "break_it": ["start_healthy"],
    "teach": ["begin"],
    "how_it_works": ["train_one"],
    "data": [],  # the field for files has its own
}


@pytest.mark.parametrize("name", PRESSED)
def test_an_empty_page_says_with_numbers_what_transfer_did_and_has_one_primary_button(lab, name):  # noqa: F811
    app = sound(opened(name))
    headline = re.search("<h2>(.*?)</h2>", findings(app))
    assert headline and len(re.findall(r"\d+\.?\d*", headline[1])) >= 2
    assert primaries(app) == PRESSED[name]
    labels = [popover.proto.popover.label for popover in app.get("popover")]
    assert "Recorded" in labels or name == "how_it_works"  # there it is said with the choice of the run


def test_try_tells_the_recorded_shares_of_the_digits_and_leads_to_a_sample(lab, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Serving, "follow", lambda self, item, names, *_: [dict.fromkeys(names, "late")])
    app, card = sound(opened("draw")), taught.card()
    for way in (TRANSFER, SCRATCH):
        assert unbroken(percent(card.share(way).mean)) in findings(app)
    app = sound(app.button(key="try_sample").click().run())
    assert app.session_state["way"] == "sample" and primaries(app) == []


def test_runs_tells_the_recorded_verdict_until_there_is_one_of_ones_own(lab):  # noqa: F811
    app, card = sound(opened("runs")), recorded_comparison.load()
    assert unbroken(str(card.headline)) in findings(app)


def test_break_it_tells_what_the_healthy_twin_reached_once_it_has_ended(lab):  # noqa: F811
    app = sound(opened("break_it"))
    app = sound(app.button(key="start_healthy").click().run())
    (run,) = lab.store.list()
    assert run.spec == break_it.healthy(0) and lab.engine.submitted == [run.id]
    assert "start_healthy" not in primaries(app) and "The healthy twin waits." in [each.value for each in app.caption]
    twin = finished(lab.store, {**TUNED, "test": {**SCORE, "accuracy": 0.93}}, spec=break_it.healthy(0))
    app = sound(opened("break_it", run_break_healthy=twin.id))
    assert unbroken("Done right: 93.0 % with 10 labels per class") in findings(app)


def test_how_it_works_tells_the_numbers_of_the_run_that_it_shows(lab):  # noqa: F811
    app, shown = sound(opened("how_it_works")), lesson.recorded()
    assert f"from {shown.loss:.2f} to {shown.trained_loss:.2f}" in findings(app)


def test_a_recorded_chart_does_not_say_again_that_it_is(lab, monkeypatch):  # noqa: F811
    from pages.ui.components import live_chart

    told = []
    monkeypatch.setattr(live_chart, "_chart", lambda **options: told.append(options["data"]) or {})
    for name in ("train", "race"):
        told.clear()
        app = sound(opened(name))
        assert [popover.proto.popover.label for popover in app.get("popover")].count("Recorded") == 1
        runs = [run for data in told for run in data.get("runs", ())]
        assert runs and all(run["told"] for run in runs if run["recorded"])
