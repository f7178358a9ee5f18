"""The server: Streamlit's pages, the routes beside them, and what runs as long as the server does.

``streamlit run app.py`` finds ``app`` by itself. The pages live behind ``pages/menu.py`` so that the main script has
no ``pages/`` folder beside it: then ``st.navigation`` rules from the first request, cold deep links included.
"""

import asyncio
import gc
import importlib
import inspect
import logging
import pkgutil
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import pages.ui
from pages.ui.components import live_chart
from pages.ui.frame import complain
from pages.ui.session import state
from server import routes
from server.assets import Assets, files, keep_first
from server.door import Door
from server.page import Page
from server.sockets import send_at_once
from tlcore.errors import LabError, SpecError
from tlcore.machine import logs
from tlcore.machine.lock import Lock
from tlcore.sources import uploads
from tlcore.store import home

log = logging.getLogger(__name__)

FILES = files()


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Start the engine and warm the shipped models; stop both when the server stops."""
    async with AsyncExitStack() as opened:
        try:
            logs.gather()
            logs.configure()
            opened.callback((await asyncio.to_thread(Lock, home())).release)
            opened.push_async_callback(asyncio.to_thread, state.close_labs)
            lab = await asyncio.to_thread(state.lab)
            await asyncio.to_thread(uploads.sweep)
            await _ready_first_page()
        except LabError as error:
            sys.exit(f"Transfer Lab cannot start: {error}")
        send_at_once()
        gc.collect()
        threading.Thread(target=_start_what_if, args=(lab,), daemon=True).start()
        print(f"Transfer Lab: {routes.address()}  (stop with Ctrl+C)")
        print(f"Host link: {routes.host_link(lab.keys)}", flush=True)
        gc.freeze()  # what lives from here to the end is never worth a collection
        yield


async def _ready_first_page() -> None:
    """Do once, while the models load, what would otherwise take half a second of whoever comes first."""
    packing = asyncio.create_task(asyncio.to_thread(keep_first, FILES))
    for name in ("pandas", *(module.name for module in pkgutil.walk_packages(pages.ui.__path__, "pages.ui."))):
        importlib.import_module(name)
    inspect.stack()  # Streamlit looks once whether it is in a REPL, and the first look asks the disk about every module
    await packing


def _start_what_if(lab: state.Lab) -> None:
    """Start the what-if process last: the pen comes first, then a worker for the first run."""
    lab.serving.wait_ready(60)
    lab.engine.wait_warm(30)
    lab.what_if.start()


async def healthz(request: Request) -> Response:
    """Answer 200 while the server lives; ``ready`` tells whether the shipped models answer yet."""
    lab = state.lab()
    return JSONResponse({"alive": True, "ready": lab.serving.ready, "engine": lab.engine.status()})


async def metrics(request: Request) -> Response:
    """Return a run's points after ``since``, its state and its progress."""
    run_id = request.path_params["run_id"]
    try:
        since = int(request.query_params.get("since", "0"))
    except ValueError:
        return JSONResponse({"error": "since must be a whole number, such as 0."}, status_code=400)
    try:
        body = await asyncio.to_thread(_metrics, run_id, min(max(0, since), 2**53))
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})
    except SpecError as error:
        return JSONResponse({"error": str(error)}, status_code=404)
    except LabError as error:
        return JSONResponse({"error": str(error)}, status_code=503)


def _metrics(run_id: str, since: int) -> str:
    store = state.lab().store
    run = store.get(run_id)  # before the points: a final state then promises that none are missing
    return live_chart.dumps(
        live_chart.payload(
            run.state,
            run.progress,
            store.points(run_id, since),
            attempt=run.attempt,
            started=run.started,
            finished=run.finished,
            ahead=store.ahead(run_id) if run.state == "queued" else 0,
            wait_s=state.lab().forecast.wait_s(run_id) if run.state == "queued" else None,
            error=run.error,
        )
    )


app = st.App(
    "pages/menu.py",
    lifespan=lifespan,
    on_script_error=complain,  # of callbacks; pages/menu.py has the pages' own
    routes=[
        Route(live_chart.base_path() + "/healthz", healthz),
        Route(live_chart.base_path() + "/readyz", routes.readyz),
        Route(live_chart.base_path() + "/host", routes.host),
        Route(live_chart.base_path() + "/metrics", routes.metrics),
        Route(live_chart.base_path() + "/api/runs/{run_id}/metrics", metrics),
    ],
    middleware=[
        Middleware(
            Door,
            keys=lambda: state.lab().keys,
            origins=lambda: st.get_option("server.corsAllowedOrigins"),
            path=routes.cookie_path(),
        ),
        Middleware(Assets, files=FILES),
        Middleware(Page),
    ],
)
