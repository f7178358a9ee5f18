"""Two persons and a host on the pages: what each sees, what each may do, and who is who with accounts."""

import pytest
import streamlit as st
from pages.runs_list import rows
from pages.test_pages import Line, opened, sound, words
from streamlit.testing.v1 import AppTest

from pages.ui.session import state
from tlcore.lab import Lab
from tlcore.people import Person, of_account
from tlcore.prediction.serving import Serving
from tlcore.prediction.what_if import WhatIf
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

ANN, BOB, HOST = Person("a" * 32), Person("b" * 32), Person("c" * 32, host=True)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    found = Lab(store.folder, store, Line(store), Serving(store.folder), WhatIf(store.folder))
    monkeypatch.setattr(found.what_if, "soon", lambda question, wait_s=0.0: None)
    monkeypatch.setattr(state, "lab", lambda: found)
    return found


@pytest.fixture
def as_person(monkeypatch):
    return lambda person: monkeypatch.setattr(state, "person", lambda: person)


def listed(app: AppTest) -> set[str]:
    return {row["id"] for row in rows(app)}


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button}


def test_each_sees_their_own_runs_and_the_host_everybodys(lab, as_person):
    runs = {who.id: lab.store.create(FineTuneSpec(), owner=who.id).id for who in (ANN, BOB)}
    for who, seen in ((ANN, {runs[ANN.id]}), (BOB, {runs[BOB.id]}), (HOST, set(runs.values()))):
        as_person(who)
        app = sound(opened("runs"))
        assert listed(app) == seen
    app.toggle(key="everyone").set_value(False).run()
    assert listed(app) == set()


def test_a_run_shared_by_link_can_be_watched_and_not_stopped_renamed_or_deleted(lab, as_person):
    run = lab.store.create(FineTuneSpec(), owner=ANN.id)
    as_person(BOB)
    app = sound(opened("runs", run_run=run.id))
    assert "Shared with you by link" in words(app)
    assert not {"stop_run", "delete"} & keys(app) and not app.text_input
    with pytest.raises(Exception, match="belongs to somebody else"):
        state.access().stop(run.id)
    for who in (ANN, HOST):
        as_person(who)
        app = sound(opened("runs", run_run=run.id))
        assert {"stop_run", "delete"} <= keys(app) and app.text_input
    app.button(key="stop_run").click().run()
    assert lab.store.get(run.id).state == "stopped"


def test_a_started_run_belongs_to_who_started_it(lab, as_person):
    as_person(BOB)
    app = opened("train")
    app.button(key="start_ft").click().run()
    assert [run.owner for run in lab.store.list()] == [BOB.id]


def test_a_session_without_a_cookie_is_a_person_of_its_own_and_is_told(lab):
    app, other = opened("train"), opened("train")
    for each in (app, other):
        each.button(key="start_ft").click().run()
        assert "blocks cookies" in words(each)
    owners = [run.owner for run in lab.store.list()]
    assert len(set(owners)) == 2 and "" not in owners
    assert len(listed(app.switch_page("runs.py").run())) == 1


def test_who_is_logged_in_is_their_account_in_every_browser(lab, monkeypatch):
    monkeypatch.setattr(st, "user", {"is_logged_in": True, "iss": "https://id.example", "sub": "7"})
    opened("train").button(key="start_ft").click().run()
    (run,) = lab.store.list()
    assert run.owner == of_account("https://id.example", "7") and "example" not in run.owner
    app = opened("runs")
    assert listed(app) == {run.id} and "log_out" in keys(app)
    monkeypatch.setattr(st, "user", {"is_logged_in": True, "iss": "https://other.example", "sub": "7"})
    assert listed(opened("runs")) == set()
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    app = sound(opened("home"))
    assert "log_in" in keys(app) and "log_out" not in keys(app)


def test_a_page_looks_once_who_it_is_for(lab, monkeypatch):
    looks, account = [], state.account
    monkeypatch.setattr(state, "account", lambda: looks.append(1) or account())
    app = sound(opened("home"))
    for page in ("draw", "layers"):
        del looks[:]
        sound(app.switch_page(f"{page}.py").run())
        assert len(looks) == 1  # Try has ten lists and rows that ask


def test_a_bug_leaves_one_line_with_a_log_id_and_no_trace_or_path(lab, as_person, monkeypatch):
    as_person(ANN)

    def broken(*_, **__):
        raise RuntimeError("/etc/a/path that nobody should read")

    with monkeypatch.context() as patched:
        patched.setattr(lab.store, "list", broken)
        app = opened("home")
    assert "Something went wrong on this page" in words(app)
    assert not app.exception
    for leak in ("Traceback", "/etc/a/path", "RuntimeError", ".py"):
        assert leak not in words(app)
    monkeypatch.setattr(lab.store, "create", broken)
    app = opened("train")
    app.button(key="start_ft").click().run()
    assert "redacted" in app.exception[0].message  # and app.py has a line of ours in its place
