"""The server: Streamlit's pages, the routes beside them, and what runs as long as the server does.

``streamlit run app.py`` finds ``app`` by itself. The pages live behind ``pages/menu.py`` so that the main script has
no ``pages/`` folder beside it: then ``st.navigation`` rules from the first request, cold deep links included.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from pages.ui.frame import complain
from pages.ui.session import state
from server import frames, live, phone, pictures, predict, rooms, routes, teach
from server.address import address, base_path, cookie_path
from server.assets import Assets, files
from server.callbacks import finish_callbacks
from server.door import Door
from server.first_page import ready_first_page
from server.left import end_left
from server.messages import send_together
from server.page import Page
from server.sockets import send_at_once
from server.watching import watch_no_files
from tlcore import extensions, translation
from tlcore.datasets import own_sets
from tlcore.errors import LabError
from tlcore.lab import close_all
from tlcore.machine import Lock, affinity, logs, scratch
from tlcore.people import embedding
from tlcore.prediction import own_heads
from tlcore.rooms import Rooms
from tlcore.sources import uploads
from tlcore.store import home

FILES = {**files(), **phone.files()}


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[None]:
    """Start the engine and warm the shipped models; stop both when the server stops."""
    async with AsyncExitStack() as opened:
        try:
            logs.gather()
            logs.configure()
            translation.compile_catalogues()
            extensions.load()
            embedding.sites()
            scratch.settle(home())
            opened.callback(scratch.leave, home())
            opened.callback((await asyncio.to_thread(Lock, home())).release)
            opened.push_async_callback(asyncio.to_thread, close_all)
            lab = await asyncio.to_thread(state.lab)
            await asyncio.to_thread(uploads.sweep)
            await asyncio.to_thread(own_heads.sweep)
            await asyncio.to_thread(own_sets.sweep)
            forgetting = asyncio.create_task(rooms.forget_old(Rooms(lab.store).forget))
            opened.callback(forgetting.cancel)
            opened.callback(asyncio.create_task(end_left()).cancel)
            await ready_first_page(FILES)
            opened.enter_context(affinity.together())
        except LabError as error:
            sys.exit(f"Transfer Lab cannot start: {error}")
        send_at_once()
        send_together()
        finish_callbacks()
        watch_no_files()
        gc.collect()
        threading.Thread(target=lab.start_what_if, daemon=True).start()
        print(f"Transfer Lab: {address()}  (stop with Ctrl+C)")
        print(f"Host link: {routes.host_link(lab.keys)}", flush=True)
        gc.freeze()  # what lives from here to the end is never worth a collection
        yield


app = st.App(
    "pages/menu.py",
    lifespan=lifespan,
    on_script_error=complain,  # of callbacks; pages/menu.py has the pages' own
    routes=[
        Route(base_path() + "/healthz", routes.healthz),
        Route(base_path() + "/readyz", routes.readyz),
        Route(base_path() + "/host", routes.host),
        Route(base_path() + "/metrics", routes.metrics),
        Route(base_path() + "/api/runs/{run_id}/metrics", live.metrics),
        *pictures.routes(),
        *rooms.routes(),
        *phone.routes(),
        *predict.routes(),
        Route(base_path() + "/api/answers", frames.answers, methods=["POST"]),
        Route(base_path() + "/api/teach/{kind}/answers", teach.answer, methods=["POST"]),
        Route(base_path() + "/api/teach/{kind}/examples", teach.record, methods=["POST"]),
    ],
    middleware=[
        Middleware(
            Door,
            keys=lambda: state.lab().keys,
            origins=lambda: st.get_option("server.corsAllowedOrigins"),
            path=cookie_path(),
            sites=embedding.sites,
            open_paths=predict.open_paths(),
        ),
        Middleware(Assets, files=FILES),
        Middleware(Page),
    ],
)
