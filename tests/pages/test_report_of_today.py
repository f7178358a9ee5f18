"""Runs offers one report of everything that was begun today."""

from pages.test_closer_look import finished, mixed
from pages.test_pages import lab, opened, sound  # noqa: F401

from pages.ui.runs import downloads
from pages.ui.session import state

LABEL = "Report of today's runs"


def offered(app) -> list[str]:
    return [button.proto.label for button in app.get("download_button")]


def test_everything_of_today_is_one_report_which_tells_of_ones_own_runs(lab):  # noqa: F811
    run, others = finished(lab.store, mixed(0, 2)), finished(lab.store, mixed(), owner="1" * 32)
    assert LABEL in offered(sound(opened("runs")))
    told = downloads._report_since(state.access(), lab.store, [run.id, others.id], run.created - 1, "en").decode()
    assert run.id in told and others.id not in told and told.count('<section class="chapter">') == 1
    assert "one model, right on 83.3" in told
    chinese = downloads._report_since(state.access(), lab.store, [run.id], 0.0, "zh-CN").decode()
    assert "模型卡" in chinese and ">Model card<" not in chinese


def test_where_nothing_was_tested_today_there_is_no_report(lab, monkeypatch):  # noqa: F811
    assert LABEL not in offered(sound(opened("runs")))
    run = finished(lab.store, mixed())
    monkeypatch.setattr(downloads.session, "day_began", lambda: run.created + 1)
    assert LABEL not in offered(sound(opened("runs")))
