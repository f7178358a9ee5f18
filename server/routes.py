"""The routes that are no page and no run: becoming the host, and whether the server is ready."""

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from pages.ui import live_chart, state
from server.door import cookie
from tlcore.people import Keys

WRONG_TOKEN = "This host link is not valid. Use the one that the server printed when it started."


def cookie_path() -> str:
    """Return where the lab's cookies hold: the path it lives under."""
    return live_chart.base_path() or "/"


def host_link(keys: Keys) -> str:
    """Return the address that makes a browser the host's."""
    address = str(st.get_option("server.address") or "localhost")
    name = "localhost" if address in ("0.0.0.0", "::") else address
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    port = st.get_option("server.port")
    return f"{scheme}://{name}:{port}{live_chart.base_path()}/host?token={keys.token}"


async def host(request: Request) -> Response:
    """Give this browser the host's rights for the right token, until it is closed; ``?leave=1`` takes them back."""
    keys = state.lab().keys
    if request.query_params.get("leave"):
        value, max_age = "", 0
    elif keys.is_token(request.query_params.get("token", "")):
        value, max_age = keys.host_cookie(), None
    else:
        return PlainTextResponse(WRONG_TOKEN, 403)
    answer = RedirectResponse(live_chart.base_path() + "/runs", 303)
    answer.headers["set-cookie"] = cookie(request, keys.host_name, value, cookie_path(), max_age)
    answer.headers["cache-control"] = "no-store"
    return answer


async def readyz(request: Request) -> Response:
    """Answer 200 once the shipped models answer, 503 before."""
    ready = state.lab().serving.ready
    return JSONResponse({"ready": ready}, 200 if ready else 503)
