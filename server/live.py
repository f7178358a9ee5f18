"""What the live chart polls: a run's points after a number, its state and its progress, as JSON."""

import asyncio
import json
import math
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pages.ui.session import state
from pages.ui.words.text import shown
from tlcore.engine.forecast import SHORT_S
from tlcore.errors import LabError, SpecError
from tlcore.sentences import NOTHING, Sentence
from tlcore.spec import FINAL_STATES, MetricPoint, Progress


async def metrics(request: Request) -> Response:
    """Return a run's points after ``since``, its state and its progress in ``language``."""
    run_id = request.path_params["run_id"]
    try:
        since = int(request.query_params.get("since", "0"))
    except ValueError:
        return JSONResponse({"error": "since must be a whole number, such as 0."}, status_code=400)
    try:
        language = request.query_params.get("language")
        body = await asyncio.to_thread(_answer, run_id, min(max(0, since), 2**53), language)
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})
    except SpecError as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    except LabError as error:
        return JSONResponse({"error": str(error)}, status_code=503)


def _answer(run_id: str, since: int, language: str | None) -> str:
    lab = state.lab()
    run = lab.store.get(run_id)  # before the points: a final state then promises that none are missing
    return dumps(
        payload(
            run.state,
            run.progress,
            lab.store.points(run_id, since),
            attempt=run.attempt,
            started=run.started,
            finished=run.finished,
            ahead=lab.forecast.ahead(run_id) if run.state == "queued" else 0,
            wait_s=lab.forecast.wait_s(run_id) if run.state == "queued" else None,
            error=run.error,
            language=language,
        )
    )


def payload(
    state: str,
    progress: Progress,
    points: Iterable[tuple[int, MetricPoint]],
    *,
    attempt: int = 0,
    started: float | None = None,
    finished: float | None = None,
    ahead: int = 0,
    wait_s: float | None = None,
    error: Sentence = NOTHING,
    language: str | None = None,
) -> dict[str, Any]:
    """Return what the chart's url answers, ready for ``json.dumps``.

    Parameters
    ----------
    points : pairs (seq, point) with ``seq`` above the request's ``since``
    attempt : the chart starts over when it changes, because the points' numbers do
    started, finished : UTC seconds
    ahead : runs that come before this one
    wait_s : seconds until it is likely to start; fewer than one are not told
    language : of the message and the error; the reader's when not given

    Notes
    -----
    A loss that is not a number becomes None: JSON has no NaN, and a browser refuses the whole answer.
    """
    elapsed = None if started is None else (finished or time.time()) - started
    return {
        "state": state,
        "final": state in FINAL_STATES,
        "attempt": attempt,
        "elapsed_s": elapsed,
        "ahead": ahead,
        "wait_s": None if wait_s is None or wait_s < SHORT_S else wait_s,
        "error": shown(error, language),
        "progress": {name: _finite(value) for name, value in asdict(progress).items()}
        | {"message": shown(progress.message, language)},
        "points": [
            {
                "seq": seq,
                "head": point.head,
                "input": point.input,
                "part": point.part,
                "x": _finite(point.x),
                "loss": _finite(point.loss),
                "accuracy": _finite(point.accuracy),
                "elapsed_s": _finite(round(point.elapsed_s, 3)),
            }
            for seq, point in points
        ],
    }


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def dumps(answer: dict[str, Any]) -> str:
    """Return `payload`'s answer as JSON that a browser accepts, or raise ValueError."""
    return json.dumps(answer, allow_nan=False, separators=(",", ":"))
