"""A run in MLflow: what is asked of a server, what is refused, and a real one where MLflow is installed."""

import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from browser.lab_server import free_port
from tiny_results import fine_tuned

from tlcore import cli
from tlcore.errors import DataError, SpecError
from tlcore.exports import mlflow
from tlcore.spec import NETWORK, DataSpec, FineTuneSpec, MetricPoint

POINTS = [
    MetricPoint("train", 0.5, 2.5, 0.125, 0.5),
    MetricPoint("train", 1.0, None, 0.25, 1.0),
    MetricPoint("validation", 1.0, 0.75, 0.5, 1.0),
]
WEIGHTS = b"weights" * 1000
REAL = os.environ.get("MLFLOW") or shutil.which("mlflow")
needs_mlflow = pytest.mark.skipif(
    not REAL, reason="no MLflow: pip install mlflow in an environment of its own, and set MLFLOW to its program"
)


@pytest.fixture
def run(store):
    """A finished run with points and a network."""
    made = store.create(FineTuneSpec(data=DataSpec("mnist_5_9", per_class=5), seed=3), name="five digits")
    store.claim(made.id).add_points(POINTS)
    path = store.run_folder(made.id, create=True) / NETWORK
    path.write_bytes(WEIGHTS)
    files = {NETWORK: {"sha256": hashlib.sha256(WEIGHTS).hexdigest(), "bytes": len(WEIGHTS)}}
    store.finish(made.id, "done", fine_tuned({"accuracy": 0.875, "n": 40}, files=files))
    return store.get(made.id)


class Server(ThreadingHTTPServer):
    """What was asked stands in ``asked``; an address that ends in ``broken`` fails."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked, self.broken = [], "nothing"
        self.address = f"http://127.0.0.1:{self.server_port}"


class Answering(BaseHTTPRequestHandler):
    """MLflow's answers, in their shortest form."""

    server: Server

    def do_GET(self):  # noqa: N802 (the library's name)
        self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})

    def do_PUT(self):  # noqa: N802
        self._note()
        self._answer(200, {})

    def do_POST(self):  # noqa: N802
        self._note()
        if self.path.endswith(self.server.broken):
            self._answer(500, {"error_code": "INTERNAL_ERROR"})
        elif self.path.endswith("experiments/create"):
            self._answer(200, {"experiment_id": "7"})
        elif self.path.endswith("runs/create"):
            uri = "mlflow-artifacts:/7/abc/artifacts"
            self._answer(200, {"run": {"info": {"run_id": "abc", "artifact_uri": uri}}})
        else:
            self._answer(200, {})

    def _note(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path.removeprefix("/api/2.0/"), body, self.headers.get("authorization")))

    def _answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        """Nothing."""


@pytest.fixture
def server():
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def test_settings_points_result_and_files_are_sent(run, store, server, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "secret")
    assert mlflow.send(run, store, server.address) == f"{server.address}/#/experiments/7/runs/abc"
    files = {path: body for path, body, _ in server.asked if "artifacts/artifacts" in path}
    assert files[f"mlflow-artifacts/artifacts/7/abc/artifacts/{NETWORK}"] == WEIGHTS
    assert json.loads(files["mlflow-artifacts/artifacts/7/abc/artifacts/run.json"])["id"] == run.id
    asked = [(path.removeprefix("mlflow/"), json.loads(body)) for path, body, _ in server.asked if path not in files]
    assert [path for path, _ in asked] == [
        "experiments/create", "runs/search", "runs/create", "runs/log-batch", "runs/log-batch", "runs/update",
        "runs/set-tag",
    ]  # fmt: skip
    params = {each["key"]: each["value"] for each in asked[3][1]["params"]}
    assert (params["data.target"], params["data.per_class"], params["seed"]) == ("mnist_5_9", "5", "3")
    found = [(each["key"], each["value"], each["step"]) for each in asked[4][1]["metrics"]]
    assert found == [
        ("train/loss", 2.5, 500), ("train/accuracy", 0.125, 500), ("train/accuracy", 0.25, 1000),
        ("validation/loss", 0.75, 1000), ("validation/accuracy", 0.5, 1000), ("test/accuracy", 0.875, 0),
    ]  # fmt: skip
    assert asked[5][1]["status"] == "FINISHED" and {login for *_, login in server.asked} == {"Bearer secret"}


def test_more_points_than_a_request_may_have_are_sent_in_several(store, server, monkeypatch):
    monkeypatch.setattr(mlflow, "AT_ONCE", {"metrics": 4, "params": 100})
    made = store.create(FineTuneSpec())
    store.claim(made.id).add_points([MetricPoint("train", n / 8, 1.0, 0.5) for n in range(5)])
    store.finish(made.id, "stopped", {})
    mlflow.send(store.get(made.id), store, server.address)
    sent = [json.loads(body).get("metrics", ()) for path, body, _ in server.asked if path.endswith("log-batch")]
    assert [len(rows) for rows in sent if rows] == [4, 4, 2]


def test_what_fails_half_way_is_taken_back_and_told_in_one_sentence(run, store, server):
    server.broken = "runs/update"
    with pytest.raises(DataError, match=r"was not sent to the MLflow server at .* \(HTTP 500\)"):
        mlflow.send(run, store, server.address)
    path, body, _ = server.asked[-1]
    assert path == "mlflow/runs/delete" and json.loads(body) == {"run_id": "abc"}


def test_a_damaged_file_sends_nothing(run, store, server):
    (store.run_folder(run.id) / NETWORK).write_bytes(b"another")
    with pytest.raises(DataError, match="damaged"):
        mlflow.send(run, store, server.address)
    assert server.asked == []


def test_a_server_that_is_not_there_or_is_none_and_a_run_that_goes_on_are_one_sentence(run, store, server):
    with pytest.raises(DataError, match="Check that it runs there"):
        mlflow.send(run, store, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SpecError, match="has not ended yet"):
        mlflow.send(store.create(FineTuneSpec()), store, server.address)


@pytest.mark.parametrize("given", ["", "127.0.0.1:5000", "file:///etc", "sqlite:///mlflow.db", "http://"])
def test_what_is_no_servers_address_is_refused(given):
    with pytest.raises(SpecError, match="pip install mlflow|begins with http"):
        mlflow.address(given, {})


def test_the_command_sends_to_the_given_server_or_to_mlflows_own_setting(run, store, server, capsys, monkeypatch):
    line = ["--home", str(store.folder), "runs", "send", run.id[:8]]
    assert cli.main([*line, "--to", f"{server.address}/"]) == 0
    monkeypatch.setenv(mlflow.SETTING, server.address)
    assert cli.main(line) == 0
    assert capsys.readouterr().out == 2 * f"{server.address}/#/experiments/7/runs/abc\n"
    monkeypatch.delenv(mlflow.SETTING)
    assert cli.main(line) == 2 and "pip install mlflow" in capsys.readouterr().err


@pytest.fixture
def real(tmp_path):
    """A real MLflow server with a database and files of its own."""
    address = f"http://127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    place = tmp_path / "mlflow"
    place.mkdir()
    options = ("--backend-store-uri", f"sqlite:///{place}/mlflow.db", "--artifacts-destination", str(place / "files"))
    command = [REAL, "server", "--host", "127.0.0.1", "--port", port, "--workers", "1", *options]
    with open(place / "log", "wb") as log:
        process = subprocess.Popen(command, cwd=place, stdout=log, stderr=log, start_new_session=True)
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/health", timeout=2).close()
            break
        except OSError:
            time.sleep(0.2)  # between two looks, not instead of one
    else:
        pytest.fail((place / "log").read_text()[-2000:])
    yield address
    os.killpg(process.pid, 15)
    process.wait(timeout=30)


@needs_mlflow
@pytest.mark.slow
def test_a_real_server_has_the_same_points_settings_and_files(run, store, real):
    page = mlflow.send(run, store, real)
    assert mlflow.send(run, store, real) == page, "sent twice, it is there once"
    run_id = page.rpartition("/")[2]

    def ask(path):
        with urllib.request.urlopen(f"{real}/api/2.0/{path}", timeout=30) as answer:
            return answer.read()

    found = json.loads(ask(f"mlflow/runs/get?run_id={run_id}"))["run"]
    assert found["info"]["status"] == "FINISHED" and found["info"]["run_name"] == "five digits"
    params = {each["key"]: each["value"] for each in found["data"]["params"]}
    assert params == {each["key"]: each["value"] for each in mlflow.settings(run)}
    history = json.loads(ask(f"mlflow/metrics/get-history?run_id={run_id}&metric_key=train/accuracy"))["metrics"]
    assert [(each["step"], each["value"]) for each in history] == [(500, 0.125), (1000, 0.25)]
    path = f"mlflow-artifacts/artifacts/{found['info']['experiment_id']}/{run_id}/artifacts/{NETWORK}"
    assert ask(path) == WEIGHTS
