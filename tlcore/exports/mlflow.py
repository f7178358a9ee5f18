"""A run sent to an MLflow server: its settings, curves, result and files.

Through MLflow's REST interface, which is plain HTTP and needs no package here: MLflow's own brings fifty others, and
wants an older pyarrow than this lab runs with.
"""

import base64
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from tlcore.errors import DataError, LabError, SpecError
from tlcore.sentences import Sentence
from tlcore.spec import MetricPoint, to_json
from tlcore.spec.curves import series
from tlcore.store import Run, Store

from .event_files import steps_per_x
from .exporter import EXPORTERS
from .tables import ALL

SETTING = "MLFLOW_TRACKING_URI"  # MLflow's own; beside it _USERNAME and _PASSWORD, or _TOKEN
EXPERIMENT = "transfer-lab"
TAG = "transfer_lab_run"  # by which a run that was sent is found again
FILES = ("model", "heads", "json")  # exporters whose files go along
AT_ONCE = {"metrics": 500, "params": 100}  # of one request, which may have a megabyte
LONGEST = 6000  # characters of a setting
SECONDS = 30.0

STATUS = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


def address(given: str = "", environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the MLflow server: the given one, else what MLFLOW_TRACKING_URI says.

    Raises
    ------
    SpecError
        There is none, or it is not the address of a server.
    """
    named = (given or environ.get(SETTING, "")).rstrip("/")
    if not named:
        raise SpecError(
            "Name the MLflow server, such as --to http://127.0.0.1:5000, or set {setting}. To have one: pip install "
            "mlflow, then mlflow server.",
            setting=SETTING,
        )
    parts = urlsplit(named)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(
            "An MLflow server's address begins with http:// or https://. Received: {address!r}.", address=named[:80]
        )
    return named


def send(run: Run, store: Store, to: str) -> str:
    """Send a run that has ended, and return the address of its page there. A run that is there already is left alone.

    Parameters
    ----------
    to : as ``address`` returns it

    Raises
    ------
    SpecError
        The run has not ended.
    DataError
        The server is not to be had, refuses, or a file of the run is damaged.
    """
    if not run.final:
        raise SpecError("Run {run_id} has not ended yet. Send it when it has.", run_id=run.id)
    files = dict(_files(run, store))  # first: what is damaged leaves nothing half sent
    server = _Server(to)
    experiment = server.experiment(EXPERIMENT)
    if sent := server.find(experiment, run.id):
        return server.page(experiment, sent)
    began = run.started or run.created
    name = run.name or f"{run.kind} {run.id[:6]}"
    made = server.ask(
        "runs/create",
        experiment_id=experiment,
        run_name=name,
        start_time=_ms(began),
        tags=[{"key": "mlflow.note.content", "value": run.note}],
    )["run"]["info"]
    try:
        points = [point for _, point in store.points(run.id, limit=ALL)]
        server.log(made["run_id"], "params", [*settings(run)])
        server.log(made["run_id"], "metrics", [*metrics(run, points, began)])
        for file, content in files.items():
            server.put(made["artifact_uri"], file, content)
        end = _ms(run.finished or began)
        server.ask("runs/update", run_id=made["run_id"], status=STATUS[run.state], end_time=end)
        server.ask("runs/set-tag", run_id=made["run_id"], key=TAG, value=run.id)
    except DataError:
        with suppress(DataError):
            server.ask("runs/delete", run_id=made["run_id"])  # nothing is left there in part
        raise
    return server.page(experiment, made["run_id"])


def _files(run: Run, store: Store) -> Iterator[tuple[str, bytes]]:
    for name in FILES:
        for part in EXPORTERS[name].parts(run, store):
            part.check()
            yield part.suffix.lstrip("-.") if part.suffix != ".json" else "run.json", part.read()


def settings(run: Run) -> Iterator[dict[str, str]]:
    """Yield a run's settings as MLflow's parameters: ``data.target`` and the like, lists as JSON."""
    fixed = {"kind": run.kind, "seed": run.seed, "data_sha256": run.data_hash, **_flat("versions", run.versions)}
    for key, value in {**_flat("", json.loads(to_json(run.spec))), **fixed}.items():
        text = value if isinstance(value, str) else json.dumps(value)
        yield {"key": key, "value": text[:LONGEST]}


def _flat(key: str, value: Any) -> dict[str, Any]:
    """Return a value and what is in it by their paths.

    >>> _flat("", {"data": {"target": "mnist", "seeds": [1, 2]}, "seed": 0})
    {'data.target': 'mnist', 'data.seeds': [1, 2], 'seed': 0}
    """
    if not isinstance(value, Mapping):
        return {key: value}
    flat: dict[str, Any] = {}
    for name, part in value.items():
        flat |= _flat(f"{key}.{name}" if key else str(name), part)
    return flat


def metrics(run: Run, points: Sequence[MetricPoint], began: float) -> Iterator[dict[str, Any]]:
    """Yield the points of a run's curves as MLflow's metrics, ``validation/accuracy`` and the like, and the test.

    Parameters
    ----------
    began : UTC seconds that the points' ``elapsed_s`` counts from
    """
    per_x = steps_per_x(points)
    for point in points:
        for name, value in (("loss", point.loss), ("accuracy", point.accuracy)):
            if value is not None:
                when, step = _ms(began + point.elapsed_s), round(point.x * per_x)
                key = f"{series(point)}/{name}"
                yield {"key": key, "value": value, "timestamp": when, "step": step}
    if run.accuracy is not None:
        yield {"key": "test/accuracy", "value": run.accuracy, "timestamp": _ms(run.finished or began), "step": 0}


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


class _Server:
    """An MLflow server, asked by its REST interface; every method may raise a DataError."""

    def __init__(self, address: str, environ: Mapping[str, str] = os.environ):
        self._address, self._headers = address, _login(environ)

    def experiment(self, name: str) -> str:
        """Return the id of an experiment, made where there is none."""
        found = self._ask("GET", f"experiments/get-by-name?experiment_name={quote(name)}", or_none=True)
        if found is not None:
            return found["experiment"]["experiment_id"]
        return self.ask("experiments/create", name=name)["experiment_id"]

    def find(self, experiment: str, run_id: str) -> str:
        """Return MLflow's id of a run that was sent whole before; "" where there is none."""
        asked = {"experiment_ids": [experiment], "filter": f"tags.{TAG} = '{run_id}'", "max_results": 1}
        runs = self.ask("runs/search", **asked).get("runs", ())
        return runs[0]["info"]["run_id"] if runs else ""

    def page(self, experiment: str, run_id: str) -> str:
        return f"{self._address}/#/experiments/{experiment}/runs/{run_id}"

    def log(self, run_id: str, what: str, rows: Sequence[dict[str, Any]]) -> None:
        """Add parameters or metrics to a run, as many at once as a request may have."""
        most = AT_ONCE[what]
        for first in range(0, len(rows), most):
            self.ask("runs/log-batch", run_id=run_id, **{what: rows[first : first + most]})

    def put(self, artifact_uri: str, name: str, content: bytes) -> None:
        """Add a file to a run."""
        scheme, _, place = artifact_uri.partition(":")
        if scheme != "mlflow-artifacts":
            raise DataError(
                "The MLflow server at {address} keeps files elsewhere ({place}), and takes none. Start it with "
                "--serve-artifacts.",
                address=self._address,
                place=scheme,
            )
        path = f"mlflow-artifacts/artifacts/{quote(urlsplit(place).path.strip('/'))}/{quote(name)}"
        self._send("PUT", path, content, "application/octet-stream")

    def ask(self, what: str, **fields: Any) -> dict[str, Any]:
        found = self._ask("POST", what, fields)
        assert found is not None
        return found

    def _ask(self, method: str, what: str, fields: Any = None, or_none: bool = False) -> dict[str, Any] | None:
        content = None if fields is None else json.dumps(fields, allow_nan=False).encode()
        answer = self._send(method, f"mlflow/{what}", content, "application/json", or_none)
        if answer is None:
            return None
        try:
            found = json.loads(answer)
            if isinstance(found, dict):
                return found
        except ValueError:
            pass
        raise self._refused(Sentence("it does not answer as MLflow does"))

    def _send(self, method: str, path: str, content: bytes | None, kind: str, or_none: bool = False) -> bytes | None:
        headers = {**self._headers, "Content-Type": kind}
        request = urllib.request.Request(f"{self._address}/api/2.0/{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            with error:
                if or_none and error.code == 404 and b"RESOURCE_DOES_NOT_EXIST" in error.read(10_000):
                    return None
                raise self._refused(f"HTTP {error.code}") from error
        except OSError as error:
            raise self._refused(str(getattr(error, "reason", error))) from error

    def _refused(self, reason: str | Sentence) -> LabError:
        return DataError(
            "The run was not sent to the MLflow server at {address} ({reason}). Check that it runs there, and that it "
            "takes requests from here.",
            address=self._address,
            reason=reason,
        )


def _login(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the header by which MLflow's own client logs in, as these variables say."""
    if token := environ.get("MLFLOW_TRACKING_TOKEN"):
        return {"Authorization": f"Bearer {token}"}
    if name := environ.get("MLFLOW_TRACKING_USERNAME"):
        pair = f"{name}:{environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {}
