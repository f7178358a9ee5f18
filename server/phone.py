"""The page that a phone opens to join a room: plain HTML and one script, for Streamlit's own takes a phone seconds.

It asks the room's routes; its cookie, headers and policy are those of every page.
"""

import asyncio
import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pages.ui.components import pad
from pages.ui.room import phone_words
from pages.ui.words.text import COOKIE, language, read_in
from server import arrivals, rooms
from server.address import base_path
from tlcore.rooms import as_code

_HERE = Path(__file__)
PAD = Path(pad.__file__)
SCRIPTS = {
    "phone.js": _HERE.with_suffix(".js"),
    "pad.js": PAD.with_suffix(".js"),
    "phone_camera.js": _HERE.with_name("phone_camera.js"),
}
STYLES = (PAD.with_suffix(".css"), _HERE.with_suffix(".css"))
TEMPLATE = _HERE.with_suffix(".html")


@cache
def place() -> str:
    """Return the path of the scripts; it changes with them, for browsers keep what it names."""
    content = b"".join(path.read_bytes() for path in SCRIPTS.values())
    return f"{base_path()}/assets/phone/{hashlib.sha256(content).hexdigest()[:12]}"


def files() -> dict[str, Path]:
    """Return the scripts by their paths, for ``server.assets``."""
    return {f"{place()}/{name}": path for name, path in SCRIPTS.items()}


@cache
def style() -> str:
    """Return the page's style: the colours of the lab's own themes, the pad's and the page's."""
    themes = {name: _theme(name) for name in ("light", "dark")}
    rules = [f":root {{{themes['light']}}}", f"@media (prefers-color-scheme: dark) {{:root {{{themes['dark']}}}}}"]
    return "\n".join([*rules, *(path.read_text(encoding="utf-8") for path in STYLES)])


def _theme(name: str) -> str:
    colours = {
        "--st-primary-color": "primaryColor",
        "--st-background-color": "backgroundColor",
        "--st-secondary-background-color": "secondaryBackgroundColor",
        "--st-text-color": "textColor",
    }
    return "; ".join(f"{variable}: {st.get_option(f'theme.{name}.{option}')}" for variable, option in colours.items())


async def page(request: Request) -> Response:
    """Answer with the page; it knows at once whether this phone is in the room already."""
    code = as_code(request.path_params.get("code") or request.query_params.get("code") or "")
    wanted = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0]
    with read_in(request.cookies.get(COOKIE) or wanted):
        start = {
            "base": base_path(),
            "code": code,
            "key": request.query_params.get("k", "")[:64],
            "me": await _started(request, code),
            "brushes": pad.BRUSHES,
            "language": language(),
            "words": phone_words.words(),
            "lanes": phone_words.lanes(),
            "pad_words": pad.words(),
        }
        body = TEMPLATE.read_text(encoding="utf-8").format(
            language=escape(language()),
            title=escape(start["words"]["title"]),
            style=style(),
            place=place(),
            noscript=escape(start["words"]["noscript"]),
            start=json.dumps(start).replace("<", "\\u003c"),
        )
    return HTMLResponse(body, headers={"cache-control": "no-store"})


async def _started(request: Request, code: str) -> object:
    return await asyncio.to_thread(rooms.started, arrivals.sender(request), code)


def routes() -> list[Route]:
    """Return the page's routes, as the server mounts them."""
    here = base_path() + "/join"
    return [Route(here, page), Route(here + "/{code}", page)]
