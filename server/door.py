"""The door: whoever opens a page gets a signed cookie, other sites stay out, and every answer carries its headers."""

import base64
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server import page
from tlcore.people import Keys, new_person

YEAR_S = 365 * 24 * 3600
READING = ("GET", "HEAD", "OPTIONS")
FOREIGN = "This request comes from another site and is refused. Open the lab's own address."

HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()",
}


def policy(inline_scripts: Iterable[str]) -> str:
    """Return the content security policy: nothing but this server, and of inline scripts only those given.

    ``blob:`` scripts are the code of components, which Streamlit puts into the page that way; styles are inline
    throughout Streamlit and Plotly.
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in inline_scripts
    ]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self' blob:", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


@lru_cache
def page_policy() -> str:
    """Return the policy for the page, whose own inline scripts are known by their hashes."""
    return policy(page.inline_scripts())


class Door:
    """ASGI middleware in front of everything.

    Parameters
    ----------
    keys : returns what signs the cookies, asked when a page is opened
    origins : other origins that may connect, such as ``https://lab.example`` behind a proxy that changes the host
    path : where the cookies hold
    """

    def __init__(self, app: ASGIApp, keys: Callable[[], Keys], origins: Callable[[], Iterable[str]], path: str = "/"):
        self._app, self._keys, self._origins, self._path = app, keys, origins, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        if scope["type"] == "websocket":
            if self._is_foreign(connection, connection.headers.get("origin", "")):
                await send({"type": "websocket.close", "code": 1008, "reason": FOREIGN})
            else:
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(connection, message)
            await send(message)

        origin = connection.headers.get("origin")
        if scope["method"] not in READING and origin is not None and self._is_foreign(connection, origin):
            await PlainTextResponse(FOREIGN, 403)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _is_foreign(self, connection: HTTPConnection, origin: str) -> bool:
        """A browser always names the origin of a websocket; one without it is no page of ours."""
        if origin in self._origins():
            return False
        return not origin or urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower()

    def _add_headers(self, connection: HTTPConnection, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        for name, value in HEADERS.items():
            headers[name] = value
        headers["content-security-policy"] = page_policy()
        if is_trustworthy(connection):  # elsewhere a browser ignores it, and says so in red on every page
            headers["cross-origin-opener-policy"] = "same-origin"
        wants_page = "text/html" in connection.headers.get("accept", "")
        is_page = headers.get("content-type", "").startswith("text/html") or (message["status"] == 304 and wants_page)
        if connection.scope["method"] == "GET" and is_page:
            keys = self._keys()
            known = keys.person(connection.cookies.get(keys.person_name))
            value = keys.person_cookie(known or new_person())  # one that is known lasts a year from today
            headers.append("set-cookie", cookie(connection, keys.person_name, value, self._path, YEAR_S))


def is_trustworthy(connection: HTTPConnection) -> bool:
    """Return whether a browser takes the address that was asked for as safe: https, or its own machine."""
    name = connection.url.hostname or ""
    return connection.url.scheme in ("https", "wss") or name == "localhost" or name.startswith("127.") or name == "::1"


def cookie(connection: HTTPConnection, name: str, value: str, path: str, max_age: int | None = None) -> str:
    """Return a Set-Cookie header that no script can read and no other site can send along with a post."""
    parts = [f"{name}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
    parts += [f"Max-Age={max_age}"] if max_age is not None else []
    parts += ["Secure"] if connection.url.scheme in ("https", "wss") else []
    return "; ".join(parts)
