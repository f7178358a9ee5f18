"""People without a browser: each holds a real session of the app over Streamlit's own websocket.

What a browser would send is sent, and what comes back is read: elements, queries, errors, run ends. Nothing is drawn,
so that fifty people need a small part of one core (`Room.report` says how much).
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from bench._http import PATIENCE_S, Browser
from tlcore import inputs
from tlcore.datasets.mnist import FORM
from tlcore.sources import strokes

LOOK_S, EMIT_S, PAUSES, LOST_S = 0.015, 0.12, 3, 1.0  # the pad's own: how often it sends while the pen is down
POLL_S = 0.5  # the live chart's POLL_MS
TRIGGERS = "$$STREAMLIT_INTERNAL_KEY_{id}__events"
PAD, CHART, PICKER = "transfer_lab_pad", "transfer_lab_live_chart", "transfer_lab_layer_picker"

Strokes = list[dict[str, Any]]


@dataclass
class Room:
    """What was seen of everybody. Times are seconds."""

    clicks: list[tuple[str, float]] = field(default_factory=list)  # what, from the click until the script has finished
    answers: list[tuple[float, float]] = field(default_factory=list)  # pen up, answer: of the loop's clock
    polls: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)  # sentences in words: a full queue, a limit
    started: list[str] = field(default_factory=list)  # ids of runs
    sent: int = 0
    received_bytes: int = 0
    late: list[float] = field(default_factory=list)  # how much later than planned a pen went up: the client's own delay

    async def get(self, browser: Browser, path: str) -> bytes:
        """Return the body of one GET; what is not 200 is noted."""
        status, body = await browser.exchange("GET", path)
        if status != 200:
            self.errors.append(f"GET {path}: {status}")
        return body


@dataclass
class Element:
    """One element that is shown, as far as a person acts on it."""

    kind: str
    proto: Any
    fragment: str
    run: int


class Person:
    """One browser with one tab."""

    def __init__(self, room: Room, address: str):
        self.room, self.address = room, address
        self.browser = Browser(address)
        self.elements: dict[str, Element] = {}  # by their place on the page
        self.states: dict[str, WidgetState] = {}  # what this person has set, sent with every click
        self.pages: dict[str, str] = {}  # path -> hash
        self.page = self.query = self.session = ""
        self._waits: dict[str, float] = {}  # drawing -> when its pen went up, oldest first, until it is answered
        self._shown, self._sent_at, self._pause = "", 0.0, EMIT_S
        self._before: str | None = None  # what was shown when the last drawing was sent, until that is answered
        self._kept: dict[str, ForwardMsg] = {}  # large messages, of which the server then sends only the name
        self._runs = 0
        self._heard = asyncio.Event()
        self._finished: dict[str, int] = {"full": 0, "fragment": 0}
        self._socket: ClientConnection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- the browser -------------------------------------------------------------------------------------------------

    async def open(self, path: str = "", query: str = "", resume: bool = False) -> None:
        """Open a page, as typed into the address bar; ``resume`` is a lost connection that comes back."""
        await self.leave()
        await self.room.get(self.browser, f"/{path}")
        await self.room.get(self.browser, "/_stcore/host-config")
        self.query = query
        xsrf = self.browser.cookies.get("_streamlit_xsrf") or "none"
        protocols = ["streamlit", xsrf, *([self.session] if resume and self.session else [])]
        words = self.browser.words()
        self._socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=protocols,  # type: ignore[arg-type]
            origin=self.address,  # type: ignore[arg-type]
            additional_headers={"Cookie": words} if words else None,
            compression=None,  # the server's default
            max_size=None,
            ping_interval=None,
        )
        if not resume:
            self.states, self.elements, self._kept = {}, {}, {}
        self._tasks = [asyncio.create_task(self._listen(self._socket))]
        await self._rerun("open", page_name=path)

    async def leave(self) -> None:
        """Close the tab, whatever goes on."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        if self._socket is not None:
            self._socket.transport.abort()  # a browser that is gone says nothing
            self._socket = None

    async def reload(self) -> None:
        """Press F5: a new session at the same address."""
        path = next((path for path, page in self.pages.items() if page == self.page), "")
        await self.open(path, self.query)

    async def visit(self, path: str) -> None:
        """Pick a page in the menu."""
        self.query = ""
        await self._rerun(f"visit {path or 'home'}", page_hash=self.pages[path])

    # -- what a hand does --------------------------------------------------------------------------------------------

    def find(self, key: str) -> Element | None:
        """Return the widget of that key, or the component of that name."""
        for element in self.elements.values():
            name = getattr(element.proto, "component_name", "")
            if name == key or element.proto.id.endswith(f"-{key}"):
                return element
        return None

    async def click(self, key: str) -> bool:
        """Press a button; False when there is none or it is greyed out."""
        button = self.find(key)
        if button is None or button.proto.disabled:
            return False
        await self._rerun(f"click {key}", button.fragment, [WidgetState(id=button.proto.id, trigger_value=True)])
        return True

    async def choose(self, key: str, **value: Any) -> bool:
        """Set a widget; ``value`` is one field of its state, such as ``int_value=3``."""
        widget = self.find(key)
        if widget is None:
            return False
        self.states[widget.proto.id] = WidgetState(id=widget.proto.id, **value)
        await self._rerun(f"choose {key}", widget.fragment)
        return True

    async def draw(self, drawn: "Drawing", ups: Sequence[float], stroke_s: float = 0.7) -> None:
        """Draw stroke by stroke; the pen goes up at the loop's times ``ups``, whether an answer has come or not."""
        clock = asyncio.get_running_loop()
        for n, up in enumerate(ups, 1):
            before, points = drawn.strokes[: n - 1], drawn.strokes[n - 1]["points"]
            await asyncio.sleep(max(0.0, up - stroke_s - clock.time()))
            down = clock.time()
            while clock.time() < up - EMIT_S:
                await asyncio.sleep(LOOK_S)
                if not self._may_send():
                    continue
                part = max(1, round(len(points) * (clock.time() - down) / max(up - down, EMIT_S)))
                await self._send_pad([*before, {**drawn.strokes[n - 1], "points": points[:part]}], final=False)
            await asyncio.sleep(max(0.0, up - clock.time()))
            self.room.late.append(clock.time() - up)
            self._waits[drawn.images[n - 1]] = clock.time()
            await self._send_pad(drawn.strokes[:n], final=True)
        with suppress(TimeoutError):
            await self._until(lambda: not self._waits, "the answers to a drawing")
        self._waits = {}

    def _may_send(self) -> bool:
        """Whether the pad sends the drawing so far: the last one is answered, and that is long enough ago."""
        waited = asyncio.get_running_loop().time() - self._sent_at
        if self._before is not None and (self._shown != self._before or waited > LOST_S):
            self._before, self._pause = None, min(LOST_S, max(EMIT_S, PAUSES * waited))
        return self._before is None and waited >= self._pause

    async def clear(self) -> None:
        """Press the pad's own Clear."""
        count = self._finished["fragment"]
        await self._send_pad([], final=True)
        await self._until(lambda: self._finished["fragment"] > count, "clear")

    async def _send_pad(self, strokes_: Strokes, final: bool) -> None:
        pad = self.find(PAD)
        if pad is None:
            return
        self._sent_at, self._before = asyncio.get_running_loop().time(), self._shown
        rev = json.loads(pad.proto.json)["rev"]
        value = json.dumps({"drawing": {"rev": rev, "strokes": strokes_, "final": final}})
        self.states[pad.proto.id] = WidgetState(id=pad.proto.id, json_value=value)
        await self._send(pad.fragment)

    def _answered(self, image: str) -> None:
        """Note the answer to a drawing: it is also that to the ones before it which it has overtaken."""
        if image in self._waits:
            order = list(self._waits)
            for earlier in order[: order.index(image) + 1]:
                self.room.answers.append((self._waits.pop(earlier), asyncio.get_running_loop().time()))

    async def follow(self, seconds: float) -> str | None:
        """Look at the live chart as long as its run goes on, at most so long; return the run's last state."""
        found, until = self._live_chart(), time.monotonic() + seconds
        if found is None:
            return None
        chart, run = found
        since, final, answer = 0, run["state"] in ("done", "stopped", "failed"), {"state": run["state"]}
        while not final and time.monotonic() < until:
            began = time.perf_counter()
            body = await self.room.get(self.browser, f"{run['url']}?since={since}")
            self.room.polls.append(time.perf_counter() - began)
            answer = json.loads(body)
            since = max([since, *(point["seq"] for point in answer["points"])])
            final = answer["final"]
            await asyncio.sleep(POLL_S)
        if final and run["state"] != answer["state"] and chart.proto.id in {e.proto.id for e in self.elements.values()}:
            trigger = WidgetState(id=TRIGGERS.format(id=chart.proto.id))
            trigger.json_trigger_value = json.dumps([{"event": "finished", "value": answer["state"]}])
            await self._rerun("run ended", chart.fragment, [trigger])
        return answer["state"]

    def _live_chart(self) -> tuple[Element, dict[str, Any]] | None:
        """Return the first chart that asks for its run's points, and that run: what was recorded asks for nothing."""
        for element in self.elements.values():
            if getattr(element.proto, "component_name", "") == CHART:
                for run in json.loads(element.proto.json).get("runs", ()):
                    if run["url"]:
                        return element, run
        return None

    # -- the protocol ------------------------------------------------------------------------------------------------

    async def _rerun(self, what: str, fragment: str = "", triggers: Iterable[WidgetState] = (), **where: str) -> None:
        """Send a click and wait until the script has answered it; note how long that took."""
        kind = "fragment" if fragment else "full"
        count, began = self._finished[kind], time.perf_counter()
        await self._send(fragment, triggers, **where)
        with suppress(TimeoutError):
            await self._until(lambda: self._finished[kind] > count, what)
            self.room.clicks.append((what, time.perf_counter() - began))

    async def _send(
        self, fragment: str = "", triggers: Iterable[WidgetState] = (), page_name: str = "", page_hash: str = ""
    ) -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.fragment_id = self.query, fragment
        state.page_name, state.page_script_hash = page_name, page_hash or ("" if page_name else self.page)
        state.widget_states.widgets.extend([*self.states.values(), *triggers])
        state.cached_message_hashes.extend(self._kept)
        state.context_info.timezone, state.context_info.locale = "Etc/UTC", "en"
        state.context_info.url = f"{self.address}/"
        self.room.sent += 1
        if self._socket is not None:
            await self._socket.send(message.SerializeToString())

    async def _until(self, true: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_S
        while not true():
            self._heard.clear()
            try:
                await asyncio.wait_for(self._heard.wait(), max(0.0, until - time.monotonic()))
            except TimeoutError:
                self.room.errors.append(f"no answer within {PATIENCE_S:.0f} s: {what}")
                raise

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                self.room.received_bytes += len(data)
                message = ForwardMsg.FromString(data)  # type: ignore[arg-type]
                if message.WhichOneof("type") == "ref_hash":
                    kept = self._kept[message.ref_hash]
                    metadata = message.metadata
                    message = ForwardMsg()
                    message.CopyFrom(kept)
                    message.metadata.CopyFrom(metadata)
                elif message.metadata.cacheable:
                    self._kept[message.hash] = message
                self._hear(message)
        except Exception as error:  # the room goes on without; the report tells
            self.room.errors.append(f"connection: {error!r}")

    def _hear(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            if message.delta.WhichOneof("type") == "new_element":
                self._show(message)
        elif kind == "new_session":
            self._runs += not message.metadata.run.fragment_ids
            self.page = message.new_session.page_script_hash
            self.session = message.new_session.initialize.session_id or self.session
        elif kind == "navigation":
            self.page = message.navigation.page_script_hash  # an address that was typed in is known from here on
            self.pages = {"" if page.is_default else page.url_pathname: page.page_script_hash
                          for page in message.navigation.app_pages}  # fmt: skip
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "script_finished":
            self._end(message.script_finished)
        elif kind == "session_event" and message.session_event.HasField("script_compilation_exception"):
            self.room.errors.append(f"exception: {message.session_event.script_compilation_exception.message}")
        self._heard.set()

    def _show(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind, place = element.WhichOneof("type"), str(message.metadata.delta_path)
        self.elements.pop(place, None)
        proto: Any = getattr(element, kind) if kind else None
        if kind == "exception":
            self.room.errors.append(f"exception on a page: {proto.type}: {proto.message}")
        elif kind == "alert" and proto.format == proto.ERROR:
            self.room.refusals.append(proto.body)
        elif kind == "html":
            _, found, rest = proto.body.partition('data-image="')
            if found:
                self._shown = rest[:8]
            if found and 'data-answer="' in rest:  # else the model is still being loaded
                self._answered(rest[:8])
        elif getattr(proto, "id", ""):
            self.elements[place] = Element(kind or "", proto, message.delta.fragment_id, self._runs)

    def _end(self, status: int) -> None:
        if status == ForwardMsg.FINISHED_SUCCESSFULLY:
            self.elements = {place: one for place, one in self.elements.items() if one.run == self._runs}
            self._finished["full"] += 1
        elif status == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            self._finished["fragment"] += 1
        elif status == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self.room.errors.append("a script did not compile")


@dataclass(frozen=True)
class Drawing:
    """A digit as the pad sends it, and the checksum of what the models see after each of its strokes."""

    strokes: Strokes
    images: tuple[str, ...]


def drawings(n: int, seed: int) -> list[Drawing]:
    """Return ``n`` digits of many hands, of one or two strokes each."""
    rng = np.random.default_rng(seed)
    shapes = [shape for hands in strokes.SHAPES.values() for shape in hands]
    return [_drawing(shapes[rng.integers(len(shapes))], rng) for _ in range(n)]


def _drawing(shape: list, rng: np.random.Generator) -> Drawing:
    moved = [[p if p == "~" else rng.normal(p, strokes.JITTER) for p in stroke] for stroke in shape]
    drawn = [
        {"width": one["width"], "points": [[round(float(x), 3), round(float(y), 3)] for x, y in one["points"]]}
        for one in strokes.pen(moved, width=0.085)
    ]
    items = [inputs.modality(FORM.modality).accept(drawn[: n + 1], FORM) for n in range(len(drawn))]
    return Drawing(drawn, tuple(f"{crc32(item.tobytes()):08x}" for item in items if item is not None))


@asynccontextmanager
async def people(n: int, room: Room, address: str, path: str = "") -> AsyncIterator[list[Person]]:
    """Let ``n`` people in, one after another; all leave at the end."""
    everyone = [Person(room, address) for _ in range(n)]
    try:
        for person in everyone:
            await person.open(path)
        yield everyone
    finally:
        for person in everyone:
            await person.leave()
