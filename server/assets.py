"""Files that never change, from memory: Streamlit's frontend and Plotly's script.

A first page asks for sixty of them. Through Streamlit's own route each is opened and read in threads and goes out as
it is, 2.5 MB a phone; here each is read and compressed once, and a workshop's shared Wi-Fi carries a third of that.
"""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from pages.ui.components.live_chart import SCRIPT
from server.address import base_path

WORTH_PACKING = {".js", ".css", ".svg", ".json", ".ttf"}  # the rest is compressed as it is


@dataclass(frozen=True)
class Kept:
    """A file as it goes out."""

    body: bytes
    headers: Mapping[str, str]


def files() -> dict[str, Path]:
    """Return what to keep: paths of this server, which name a version, and the files they stand for."""
    base, static = base_path(), Path(get_static_dir())
    found = {f"{base}/{path.relative_to(static).as_posix()}": path for path in (static / "static").rglob("*.*")}
    return {**found, base + SCRIPT: Path(str(resources.files("plotly") / "package_data/plotly.min.js"))}


_kept: dict[tuple[Path, bool], Kept] = {}  # by file, and whether it is compressed


def keep_first(files: Mapping[str, Path]) -> None:
    """Read and compress what every first page asks for before all else: what Streamlit's page itself names."""
    page = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    for name in re.findall(r'"\./(static/[^"]+)"', page):
        if file := files.get(f"{base_path()}/{name}"):
            _keep(file, file.suffix in WORTH_PACKING)


def _keep(file: Path, packed: bool) -> Kept:
    """Several may read a file at once the first time, and read the same."""
    _kept[file, packed] = kept = read(file, packed)
    return kept


class Assets:
    """ASGI middleware that answers for these files and passes everything else on."""

    def __init__(self, app: ASGIApp, files: Mapping[str, Path]):
        self._app, self._files = app, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"] not in self._files:
            await self._app(scope, receive, send)
            return
        await (await self.answer(Request(scope)))(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """Return the file, or 304 to a browser that has it."""
        file = self._files[request.scope["path"]]
        packed = file.suffix in WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", "")
        kept = _kept.get((file, packed)) or await asyncio.to_thread(_keep, file, packed)
        known = request.headers.get("if-none-match", "").split(",")
        if kept.headers["etag"] in (tag.strip() for tag in known):
            return Response(status_code=304, headers=kept.headers)
        return Response(kept.body, headers=kept.headers)


def read(file: Path, packed: bool) -> Kept:
    """Read a file; compressed here, once, and not at every request as a server's middleware would."""
    body = file.read_bytes()
    headers = {
        "content-type": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{hashlib.sha256(body).hexdigest()[:16]}{"-gzip" if packed else ""}"',
        "vary": "accept-encoding",
    }
    return Kept(gzip.compress(body, 6), {**headers, "content-encoding": "gzip"}) if packed else Kept(body, headers)
