"""The routes that are no page and no run: becoming the host, whether the server is ready, and its measures."""

import asyncio
from dataclasses import asdict
from ipaddress import ip_address

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from pages.ui.session import state
from server.address import address, base_path, cookie_path
from server.headers import cookie
from tlcore.errors import LabError
from tlcore.people import Keys

NOT_YOURS = "The measures are for this machine, or for whoever sends the host's token: Authorization: Bearer TOKEN."
WRONG_TOKEN = "This host link is not valid. Use the one that the server printed when it started."


def host_link(keys: Keys) -> str:
    """Return the address that makes a browser the host's."""
    return address(f"/host?token={keys.token}")


async def host(request: Request) -> Response:
    """Give this browser the host's rights for the right token, until it is closed; ``?leave=1`` takes them back."""
    keys = state.lab().keys
    if request.query_params.get("leave"):
        value, max_age = "", 0
    elif keys.is_token(request.query_params.get("token", "")):
        value, max_age = keys.host_cookie(), None
    else:
        return PlainTextResponse(WRONG_TOKEN, 403)
    answer = RedirectResponse(base_path() + "/runs", 303)
    answer.headers["set-cookie"] = cookie(request, keys.host_name, value, cookie_path(), max_age)
    answer.headers["cache-control"] = "no-store"
    return answer


async def healthz(request: Request) -> Response:
    """Answer 200 while the server lives; ``ready`` tells whether the shipped models answer yet."""
    lab = state.lab()
    engine = asdict(lab.engine.status())
    del engine["workers"]  # names and places of machines are the host's to see
    return JSONResponse({"alive": True, "ready": lab.serving.ready, "engine": engine})


async def readyz(request: Request) -> Response:
    """Answer 200 once the shipped models answer, 503 before."""
    ready = state.lab().serving.ready
    return JSONResponse({"ready": ready}, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Answer with the lab's measures, to this machine and to who has the host's rights or token."""
    if not may_read(request):
        return PlainTextResponse(NOT_YOURS, 403)
    try:
        body = await asyncio.to_thread(state.lab().measures.text)
    except LabError as error:
        return PlainTextResponse(str(error), 503)
    return Response(body, media_type=CONTENT_TYPE_LATEST)


def may_read(request: Request) -> bool:
    """Return whether a request comes from this machine itself, not through a proxy, or is the host's."""
    keys = state.lab().keys
    if keys.is_host(request.cookies.get(keys.host_name)):
        return True
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if token:
        return kind.lower() == "bearer" and keys.is_token(token)
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip", "via"} & set(request.headers)
    # The name too: a site elsewhere whose name leads here would be read by its visitor's browser on this machine.
    places = (request.client.host if request.client else "", request.url.hostname or "")
    return not forwarded and all(map(_is_loopback, places))


def _is_loopback(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
