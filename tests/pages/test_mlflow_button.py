"""Send to MLflow, under Download: there where the lab knows a server, for who may change the run."""

from pages.test_pages import lab, opened, words  # noqa: F401
from pages.test_program import BOB, ME, run_of

from pages.ui.session import state
from tlcore.errors import DataError
from tlcore.exports import mlflow
from tlcore.people import Person


def keys(app):
    return [button.key for button in app.button if (button.key or "").startswith("mlflow_")]


def test_a_run_of_ones_own_is_sent_and_its_page_there_is_linked(lab, monkeypatch):  # noqa: F811
    mine, his = run_of(ME.id), run_of(BOB.id)
    monkeypatch.setenv(mlflow.SETTING, "http://127.0.0.1:1")
    sent = []
    monkeypatch.setattr(mlflow, "send", lambda run, store, to: sent.append((run.id, to)) or "http://127.0.0.1:1/#/x")
    app = opened("runs", run_run=mine)
    app.button(key=f"mlflow_{mine}").click().run()
    assert sent == [(mine, "http://127.0.0.1:1")] and "(http://127.0.0.1:1/#/x)" in words(app)
    assert keys(opened("runs", run_run=his)) == []


def test_what_the_server_refuses_is_told(lab, monkeypatch):  # noqa: F811
    monkeypatch.setenv(mlflow.SETTING, "http://127.0.0.1:1")

    def refuse(*_):
        raise DataError("The run was not sent.")

    monkeypatch.setattr(mlflow, "send", refuse)
    run_id = run_of(ME.id)
    app = opened("runs", run_run=run_id)
    assert "The run was not sent." in words(app.button(key=f"mlflow_{run_id}").click().run())


def test_without_a_server_only_the_host_is_told_how_to_name_one(lab, monkeypatch):  # noqa: F811
    monkeypatch.delenv(mlflow.SETTING, raising=False)
    run_id = run_of(ME.id)
    app = opened("runs", run_run=run_id)
    assert keys(app) == [] and "pip install mlflow" not in words(app)
    monkeypatch.setattr(state, "person", lambda: Person(ME.id, host=True))
    assert "pip install mlflow" in words(opened("runs", run_run=run_id))
