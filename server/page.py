"""The page that every address answers with: Streamlit's, and in its head what Streamlit leaves out (``page.js``).

The pages' own style stands there too: sent by a page it would come after what it is to dress, which then moves.
"""

import gzip
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from pages.ui.style import style
from tlcore.sentences import Sentence
from tlcore.translation import best, offered, translate

SCRIPT = Path(__file__).with_suffix(".js")
OURS_TO_ANSWER = (b"if-none-match", b"if-modified-since", b"accept-encoding")  # what of a request is not Streamlit's


@lru_cache
def streamlits() -> bytes:
    """Return the page that Streamlit answers with."""
    return Path(get_static_dir(), "index.html").read_bytes()


# What Streamlit says itself, in English: names of buttons and fields, which the script puts into the reader's words.
STREAMLITS = (
    Sentence("App pages"),
    Sentence("Choose an option"),
    Sentence("Clear all"),
    Sentence("Clear value"),
    Sentence("Close"),
    Sentence("Collapse sidebar"),
    Sentence("Expand sidebar"),
    Sentence("Close fullscreen"),
    Sentence("Decrement"),
    Sentence("Download as CSV"),
    Sentence("Fullscreen"),
    Sentence("Help"),
    Sentence("Increment"),
    Sentence("Open"),
    Sentence("Search"),
    Sentence("Selected values"),
    Sentence("Show/hide columns"),
    Sentence("Upload"),
)


def script() -> bytes:
    """Return the script of the page's head, which knows the languages on offer."""
    tags = list(dict.fromkeys((best(""), *offered())))
    words = [{tag: translate(word.template, tag) for tag in tags} for word in STREAMLITS]
    code = SCRIPT.read_bytes().replace(b"__LANGUAGES__", json.dumps(tags).encode())
    return code.replace(b"__WORDS__", json.dumps(words, ensure_ascii=False).encode())


@lru_cache
def ours() -> bytes:
    """Return that page with the script and the style first in its head."""
    head = b"<head>\n    <script>%s</script><style>%s</style>" % (script(), style())
    return streamlits().replace(b"<head>", head, 1)


def inline_scripts() -> list[str]:
    """Return what stands in the page's own script elements, to the letter: a policy names each by its hash."""
    return re.findall(r"<script>(.*?)</script>", ours().decode(), re.DOTALL)


class Page:
    """ASGI middleware: where Streamlit answers with its page, ours goes out."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        request, replaced = Request(scope), False
        if "text/html" in request.headers.get("accept", ""):
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] not in OURS_TO_ANSWER]}

        async def send_ours(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_streamlits(message):
                replaced = True
                await answer(request)(scope, receive, send)
            elif not replaced:
                await send(message)

        await self._app(scope, receive, send_ours)


def _is_streamlits(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    is_page = message["status"] == 200 and headers.get("content-type", "").startswith("text/html")
    return is_page and headers.get("content-length") == str(len(streamlits()))


def answer(request: Request) -> Response:
    """Return the page, or 304 to a browser that has it."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    body, tag = _packed() if packed else (ours(), f'"{_mark()}"')
    headers = {"etag": tag, "cache-control": "no-cache", "vary": "accept-encoding"}
    if tag in (known.strip() for known in request.headers.get("if-none-match", "").split(",")):
        return Response(status_code=304, headers=headers)
    return Response(
        body, media_type="text/html", headers={**headers, **({"content-encoding": "gzip"} if packed else {})}
    )


@lru_cache
def _packed() -> tuple[bytes, str]:
    return gzip.compress(ours(), 9), f'"{_mark()}-gzip"'


@lru_cache
def _mark() -> str:
    return hashlib.sha256(ours()).hexdigest()[:16]
