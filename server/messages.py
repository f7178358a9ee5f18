"""What a page sends goes to the browser with less work, and a short answer does not wait behind whole pages.

A page is some seventy messages. Streamlit wakes its loop for each, looks for other events after each and writes each by
itself; at every one of these the thread gives up the interpreter's lock, and where other pages are being made it waits
up to 5 ms to have it back. And it sends what the sessions have in the order in which they came: the three messages that
answer a pen stood behind hundreds of those who had opened a page.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import Runtime, app_session, runtime
from streamlit.runtime.session_manager import ActiveSessionInfo
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

TURN_S, MOST = 0.002, 50  # so long, and so many messages, go out before the loop looks for what else has come


def send_together() -> None:
    """Have all sessions of this process send so; called on the loop that sends."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.SelectorEventLoop):
        wake_once(loop)
    if not hasattr(app_session._populate_theme_msg, "__wrapped__"):
        app_session._populate_theme_msg = read_once(app_session._populate_theme_msg)
        runtime.asyncio = Turns()  # type: ignore[assignment]
        shortest_first(Runtime.instance()._session_mgr)
        join_writes(WebSocketsSansIOProtocol)


# -- waking the loop -------------------------------------------------------------------------------------------------


def wake_once(loop: Any) -> None:
    """Let other threads wake a loop by one byte until it has read that; what they ask stands in its list already."""
    write, read = loop._write_to_self, loop._read_from_self
    is_awake = False

    def write_to_self() -> None:
        nonlocal is_awake
        if not is_awake:
            is_awake = True
            write()

    def read_from_self() -> None:
        nonlocal is_awake
        read()
        is_awake = False  # after the read: who comes between the two is in the list, which the loop looks at next

    loop._write_to_self = write_to_self
    loop._add_reader(loop._ssock.fileno(), read_from_self)


class Turns(ModuleType):
    """``asyncio`` for Streamlit's own loop, which gives way after each message: here after ``TURN_S`` or ``MOST``."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        super().__init__("asyncio")
        self._clock, self._since, self._n = clock, clock(), 0

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        self._n += 1
        if seconds or self._n >= MOST or self._clock() - self._since >= TURN_S:
            await asyncio.sleep(seconds)
            self._since, self._n = self._clock(), 0


# -- who comes first -------------------------------------------------------------------------------------------------


def shortest_first(manager: Any) -> None:
    """Have Streamlit's loop, which goes through a manager's sessions, send first what is short."""
    listed = manager.list_active_sessions
    manager.list_active_sessions = lambda: ShortestFirst(listed())


class ShortestFirst(list[ActiveSessionInfo]):
    """Sessions, each once: at every step that with the fewest messages now, in the end those without any."""

    def __iter__(self) -> Iterator[ActiveSessionInfo]:
        left = list(super().__iter__())
        while waiting := [one for one in left if not _queue(one).is_empty()]:
            shortest = min(waiting, key=lambda one: len(_queue(one)._queue))
            left.remove(shortest)
            yield shortest
        yield from left


def _queue(one: ActiveSessionInfo) -> Any:
    return one.session._browser_queue


# -- the theme -------------------------------------------------------------------------------------------------------


def read_once(populate: Callable[..., None]) -> Callable[..., None]:
    """Return what fills in a section of the theme, as ``populate`` did the first time: no run changes it."""
    kept: dict[str, CustomThemeConfig] = {}

    def fill(message: Any, section: str = "theme") -> None:
        if section not in kept:
            whole = CustomThemeConfig()
            populate(whole.light, section)
            kept[section] = whole
        if kept[section].HasField("light"):  # else the section says nothing, and the message must not have it either
            message.MergeFrom(kept[section].light)

    fill.__wrapped__ = populate  # type: ignore[attr-defined]
    return fill


# -- writing ---------------------------------------------------------------------------------------------------------


def join_writes(protocol: Any) -> None:
    """Have the connections of a protocol write what is sent in one turn of the loop at once."""
    made = protocol.connection_made

    def connection_made(self: Any, transport: Any) -> None:
        made(self, transport)
        self.transport = Joined(transport, self.loop)

    protocol.connection_made = connection_made


class Joined:
    """A transport that gathers what is written until the loop's next turn."""

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop):
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        parts, self._parts = self._parts, []
        if parts:
            self._transport.write(b"".join(parts))
