"""What a browser is to a server without being one: its cookies, and connections that stay open for the next request."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

PATIENCE_S = 60.0  # who waits longer has got no answer

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Unanswered(ConnectionError):
    """The server has closed a connection without a byte of an answer."""


class Browser:
    """Asks one server, each request over a connection that is free, or over a new one."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None):
        self.cookies = cookies or {}
        self._place = urlsplit(address)
        self._free: list[Connection] = []

    async def exchange(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        """Return the status and the body of an answer; keep the cookies that it sets."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._place.netloc}"]
        lines += [f"Cookie: {self.words()}"] if self.cookies else []
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"] if method == "POST" else []
        request = "\r\n".join([*lines, "", ""]).encode() + body
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof():  # the server closes what is idle for 5 s
                with suppress(Unanswered):
                    return await self._asked((reader, writer), request)
            writer.close()
        return await self._asked(await asyncio.open_connection(self._place.hostname, self._place.port), request)

    def words(self) -> str:
        """Return the cookies as a request names them."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    async def _asked(self, connection: Connection, request: bytes) -> tuple[int, bytes]:
        reader, writer = connection
        try:
            writer.write(request)
            status, body, stays = await asyncio.wait_for(self._answer(reader), PATIENCE_S)
        except BaseException:
            writer.close()
            raise
        if stays:
            self._free.append(connection)
        else:
            writer.close()
        return status, body

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes, bool]:
        """Return the status, the body, and whether the connection stays open."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if getattr(error, "partial", b""):
                raise
            raise Unanswered from error
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        for name, value in fields:
            if name == "set-cookie":
                key, _, text = value.partition(";")[0].partition("=")
                self.cookies[key] = text
        said, status = dict(fields), int(first.split(" ")[1])
        if status in (204, 304):
            body = b""
        elif said.get("transfer-encoding") == "chunked":
            body = b"".join([chunk async for chunk in _chunks(reader)])
        else:
            body = await reader.readexactly(int(said["content-length"]))
        return status, body, said.get("connection") != "close"


async def _chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readline()).partition(b";")[0], 16):
        yield (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
