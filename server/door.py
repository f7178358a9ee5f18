"""The door: whoever opens a page gets a signed cookie, other sites stay out, and every answer carries its headers."""

from collections.abc import Callable, Iterable

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.headers import cookie, dress, page_policy
from server.proxies import Proxies, is_same
from tlcore.people import Keys, new_person

__all__ = ["Door", "cookie", "page_policy"]

YEAR_S = 365 * 24 * 3600
READING = ("GET", "HEAD", "OPTIONS")
FOREIGN = "This request comes from another site and is refused. Open the lab's own address."
REFUSED = (
    "A {what} from {origin} was refused: the lab was asked as {host}. If both are the lab, the proxy in front of it "
    "changes the host: docs/hosting.md has the lines."
)


class Door:
    """ASGI middleware in front of everything.

    Parameters
    ----------
    keys : returns what signs the cookies, asked when a page is opened
    origins : other origins that may connect, such as ``https://lab.example`` behind a proxy that changes the host
    path : where the cookies hold
    sites : the https addresses of sites that may show the lab inside a page of theirs
    open_paths : what pages of any site may send to, as long as no cookie comes with it
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Callable[[], Keys],
        origins: Callable[[], Iterable[str]],
        path: str = "/",
        sites: Callable[[], tuple[str, ...]] = tuple,
        open_paths: tuple[str, ...] = (),
    ):
        self._app, self._keys, self._origins, self._path, self._sites = app, keys, origins, path, sites
        self._open_paths = open_paths
        self._proxies = Proxies(self._is_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        origin = connection.headers.get("origin")
        if scope["type"] == "websocket":  # a browser always names its origin; one without it is no page of ours
            if self._is_ours(connection, origin or ""):
                await self._app(scope, receive, send)
            else:
                self._log_refusal(connection, "websocket")
                await send({"type": "websocket.close", "code": 1008, "reason": FOREIGN})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(connection, message)
            await send(message)

        if scope["method"] not in READING and origin is not None and not self._may_send(connection, origin):
            self._log_refusal(connection, scope["method"])
            await PlainTextResponse(FOREIGN, 403)(scope, receive, send_with_headers)
        elif scope["method"] in READING and (word := self._proxies.word(connection, lambda: self._person(connection))):
            await JSONResponse(word, 400)(scope, receive, send_with_headers)
        else:
            await self._app(scope, receive, send_with_headers)

    def _may_send(self, connection: HTTPConnection, origin: str) -> bool:
        is_open = connection.scope["path"] in self._open_paths and not connection.headers.get("cookie")
        return is_open or self._is_ours(connection, origin)

    def _is_ours(self, connection: HTTPConnection, origin: str) -> bool:
        return origin in self._origins() or is_same(origin, connection.headers.get("host", ""))

    def _log_refusal(self, connection: HTTPConnection, what: str) -> None:
        origin, host = (connection.headers.get(name, "nowhere")[:80] for name in ("origin", "host"))
        self._proxies.say((what, origin, host), REFUSED.format(what=what, origin=origin, host=host))

    def _person(self, connection: HTTPConnection) -> str | None:
        return self._keys().person(connection.cookies.get(self._keys().person_name))

    def _add_headers(self, connection: HTTPConnection, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        wants_page = "text/html" in connection.headers.get("accept", "")
        is_page = headers.get("content-type", "").startswith("text/html") or (message["status"] == 304 and wants_page)
        if connection.scope["method"] == "GET" and is_page:
            keys = self._keys()
            value = keys.person_cookie(self._person(connection) or new_person())  # a known one lasts a year from today
            headers.append("set-cookie", cookie(connection, keys.person_name, value, self._path, YEAR_S))
        dress(headers, connection, self._sites())
