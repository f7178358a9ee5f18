"""A scratch server for the components' browser tests: ``streamlit run tests/browser/component_app.py``.

Runs are invented here: ``POST /test/<run>`` with {"points": [...], "state": ...} adds to one, a GET answers as the
real metrics route does, and {"broken": true} makes it answer 503.
"""

import math
from collections import defaultdict

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.address import base_path
from server.assets import Assets, files
from server.live import dumps, payload
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import MetricPoint, Progress


def new_run() -> dict:
    return {
        "points": [],
        "state": "running",
        "progress": Progress(),
        "broken": False,
        "attempt": 1,
        "asked": 0,
        "error": NOTHING,
    }


RUNS: dict[str, dict] = defaultdict(new_run)


async def metrics(request: Request) -> Response:
    run = RUNS[request.path_params["run"]]
    run["asked"] += 1
    if run["broken"]:
        return Response(status_code=503)
    since = int(request.query_params.get("since", 0))
    points = [(seq, point) for seq, point in enumerate(run["points"], 1) if seq > since]
    times = {"started": 1000.0, "finished": 1014.0}
    if run["state"] == "queued":
        times = {"ahead": run.get("ahead", 0)}
    answer = payload(run["state"], run["progress"], points, attempt=run["attempt"], error=run["error"], **times)
    return Response(dumps(answer), media_type="application/json")


async def change(request: Request) -> JSONResponse:
    order = await request.json()
    if order.pop("reset", False):
        RUNS.pop(request.path_params["run"], None)
    run = RUNS[request.path_params["run"]]
    run["points"] += [MetricPoint(**point) for point in order.pop("points", [])]
    run["points"] += curve(*order.pop("curve", (0, 0)), rate=order.pop("rate", 1.0))
    if "progress" in order:
        message = Sentence(order["progress"].pop("message", ""))
        order["progress"] = Progress(**order["progress"], message=message)
    if "error" in order:
        order["error"] = Sentence(order["error"])
    run.update(order)
    return JSONResponse({"asked": run["asked"], "points": len(run["points"])})


def curve(first: int, last: int, per_epoch: int = 10, rate: float = 1.0) -> list[MetricPoint]:
    """Return a made-up learning curve, training at every step and validation at every whole epoch."""
    points = []
    for step in range(first, last):
        x = (step + 1) / per_epoch
        ripple = 0.04 * math.sin(step * 1.7) / (1 + 0.1 * x)
        loss = 1.9 * math.exp(-0.5 * rate * x) + 0.08 + ripple
        points.append(MetricPoint("train", x, loss, 1 - 0.42 * loss))
        if (step + 1) % per_epoch == 0:
            loss = 1.7 * math.exp(-0.5 * rate * x) + 0.14 + 0.01 * x
            points.append(MetricPoint("validation", x, loss, 1 - 0.4 * loss))
    return points


app = st.App(
    "component_page.py",
    routes=[
        Route(base_path() + "/test/{run}", metrics, methods=["GET"]),
        Route(base_path() + "/test/{run}", change, methods=["POST"]),
    ],
    middleware=[Middleware(Assets, files=files())],
)
