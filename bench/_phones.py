"""Phones in a room, without a browser: they join, poll, draw and vote through the room's routes, each with its cookie.

They ask as ``server/phone.js`` does. A host beside them changes what is asked for, and watches the wall as its page
does. What the server has answered is held against the run store in the end: nothing may be lost.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import _room, _timing
from bench._http import Browser
from tlcore.people import Person, keys
from tlcore.rooms import Activity, Rooms
from tlcore.rooms.bets import VOTE
from tlcore.store import Room, Store

POLL_S, WALL_S = 2.0, 1.0  # phone.js's and wall.js's POLL_MS
THINK_S = (5.0, 12.0)  # from one drawing or vote to the next of the same person
SLEEP_S = 30.0  # of a phone that is locked
SLEEPS = 0.03  # of what a person does
LANES = ("nothing", "convolutions", "scratch")
TASKS = (Activity("draw", "5"), Activity("bet", lanes=LANES, label=""), Activity("draw", "8"))
ROUND_S = 30.0
HOST = Person("", host=True)


@dataclass
class Seen:
    """What the phones of a room saw. Times are seconds."""

    drawings: list[float] = field(default_factory=list)  # from Send to the answer
    votes: list[float] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)  # from the answer to a drawing until the wall shows it
    taken: dict[int, float] = field(default_factory=dict)  # drawings that the server took, by number, and when
    shown: set[int] = field(default_factory=set)  # of the wall
    bets: dict[int, dict[str, str]] = field(default_factory=dict)  # by round: what each phone's last bet was
    silent: int = 0  # drawings that a network did not answer in time
    overtaken: int = 0  # sent while the host asked something new
    returned: int = 0  # phones that slept, and came back as who they were
    errors: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the rows of the report."""
        times = {
            "drawings of phones": self.drawings, "bets": self.votes, "polls of phones": self.polls,
            "answered drawings until they stand on the wall": self.walls,
        }  # fmt: skip
        rows = [
            f"{what}, median and 95th percentile | {len(waits)}, {1000 * _timing.quantile(waits, 0.5):.0f} ms, "
            f"{1000 * _timing.quantile(waits, 0.95):.0f} ms"
            for what, waits in times.items()
            if waits
        ]
        counts = f"{self.returned} came back after sleeping, {self.overtaken} sent too late for the last task"
        return [*rows, f"phones | {counts}"]


class Phone:
    """One phone of a room, held by somebody who does what is asked."""

    def __init__(self, seen: Seen, address: str, room: Room, drawn: Sequence[_room.Drawing], seed: int):
        self.seen, self.room, self.drawn = seen, room, drawn
        self.random, self.name = random.Random(seed), f"Phone {seed}"
        self.browser = Browser(address)
        self.me: dict[str, Any] = {}
        self.asleep = False

    async def join(self) -> None:
        """Open the address of the QR code and join."""
        await self._opened(f"?k={self.room.key}")
        status, self.me = await self._ask("join", {"name": self.name}, key=self.room.key)
        if status != 200:
            self.seen.errors.append(f"join: {status} {self.me.get('error')}")

    async def stay(self, until: float) -> None:
        """Join, then poll and do what is asked until the time is over."""
        await asyncio.sleep(self.random.uniform(0.0, POLL_S))
        await self.join()
        polling = asyncio.create_task(self._poll(until))
        while time.monotonic() < until:
            await asyncio.sleep(min(self.random.uniform(*THINK_S), max(0.0, until - time.monotonic())))
            if time.monotonic() >= until:  # else all phones send at this moment
                break
            if self.random.random() < SLEEPS:
                await self.sleep(SLEEP_S)
            elif self.me["activity"]["kind"] == "bet":
                await self.vote(self.random.choice(self.me["activity"]["lanes"]))
            else:
                await self.draw(self.random.choice(self.drawn))
        await polling

    async def draw(self, drawing: _room.Drawing) -> None:
        """Send a drawing, and note its number and how long its answer took."""
        round, began = self.me["round"], time.perf_counter()
        status, answer = await self._ask("drawings", {"strokes": drawing.strokes, "label": ""})
        if status != 200:
            return await self._refused("drawing", round, status, answer)
        self.seen.drawings.append(time.perf_counter() - began)
        self.seen.taken[answer["number"]] = time.monotonic()
        self.seen.silent += not all(answer["answers"].values())

    async def vote(self, lane: str) -> None:
        """Bet on a lane; the answer says which bet counts."""
        round, began = self.me["round"], time.perf_counter()
        status, answer = await self._ask("votes", {"lane": lane, "round": round})
        if status != 200:
            return await self._refused("vote", round, status, answer)
        self.seen.votes.append(time.perf_counter() - began)
        if answer["round"] == round and answer["vote"] != lane:
            self.seen.errors.append("a bet was answered with another one")
        self.seen.bets.setdefault(round, {})[self.name] = lane

    async def sleep(self, seconds: float) -> None:
        """Lock the screen: nothing is asked. Then load the page again: it is to be the same person's."""
        self.asleep = True
        await asyncio.sleep(seconds)
        start = await self._opened()
        if (me := start["me"] or {}).get("name") == self.name:
            self.me, self.seen.returned = me, self.seen.returned + 1
        else:
            self.seen.errors.append(f"a phone that slept came back as {me.get('name')!r}")
        self.asleep = False

    async def _poll(self, until: float) -> None:
        while time.monotonic() < until:
            await asyncio.sleep(POLL_S * self.random.uniform(0.9, 1.1))
            if not self.asleep:
                await self._look()

    async def _look(self) -> None:
        began = time.perf_counter()
        status, answer = await self._ask("me")
        if status == 200:
            self.seen.polls.append(time.perf_counter() - began)
            self.me = answer
        else:
            self.seen.errors.append(f"poll: {status} {answer.get('error')}")

    async def _refused(self, what: str, round: int, status: int, answer: dict[str, Any]) -> None:
        """Note a refusal: it is right where the host has asked something new meanwhile."""
        await self._look()
        if status in (400, 403) and self.me["round"] != round:
            self.seen.overtaken += 1
        else:
            self.seen.errors.append(f"{what}: {status} {answer.get('error')}")

    async def _opened(self, query: str = "") -> dict[str, Any]:
        """Load the phone's page; return what it starts with."""
        status, page = await self.browser.exchange("GET", f"/join/{self.room.code}{query}")
        if status != 200:
            raise RuntimeError(f"the page of phones answered {status}")
        return json.loads(page.decode().split('id="start">')[1].split("</script>")[0])

    async def _ask(self, what: str, sent: dict[str, Any] | None = None, key: str = "") -> tuple[int, dict[str, Any]]:
        path = f"/api/rooms/{self.room.code}/{what}?language=en" + (f"&key={key}" if key else "")
        method, body = ("GET", b"") if sent is None else ("POST", json.dumps(sent).encode())
        status, answer = await self.browser.exchange(method, path, body)
        return status, json.loads(answer or b"{}")


class Host:
    """Who runs the room: asks something new every half minute, and has the wall on a screen."""

    def __init__(self, seen: Seen, address: str, home: Path):
        self.seen = seen
        signed = keys(home)
        self.browser = Browser(address, {signed.host_name: signed.host_cookie()})
        self.store = Store(home)
        self.rooms = Rooms(self.store)
        self.room = self.rooms.open(HOST, TASKS[0])
        self.since = self.round = 0  # of the wall that is on the screen

    async def stay(self, until: float) -> None:
        """Ask one task after another, and watch the wall, until the time is over."""
        watching = asyncio.create_task(self._watch(until))
        n = 1
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(ROUND_S, left))
            if until - time.monotonic() > 1.0:
                await asyncio.to_thread(self.rooms.begin, self.room, TASKS[n % len(TASKS)])
                n += 1
        await watching

    async def _watch(self, until: float) -> None:
        while time.monotonic() < until:
            await self.look()
            await asyncio.sleep(WALL_S)

    async def look(self) -> None:
        """Ask what is new on the wall."""
        path = f"/api/rooms/{self.room.code}/wall?since={self.since}&round={self.round}"
        status, body = await self.browser.exchange("GET", path)
        if status != 200:
            self.seen.errors.append(f"wall: {status}")
            return
        wall = json.loads(body)
        self.since, self.round = wall["rev"], wall["round"]
        self._note({tile["number"] for tile in wall["tiles"]})

    def _note(self, numbers: set[int]) -> None:
        now = time.monotonic()
        fresh = numbers - self.seen.shown
        self.seen.walls += [max(0.0, now - self.seen.taken[number]) for number in fresh if number in self.seen.taken]
        self.seen.shown |= fresh

    def lost(self) -> list[str]:
        """Return what the server has taken and does not hold."""
        items = self.store.rooms.items(self.room.id, removed=False)
        gone = set(self.seen.taken) - {item.number for item in items if item.kind == "draw"}
        problems = [f"{len(gone)} drawings that were answered are lost"] if gone else []
        for round, bets in self.seen.bets.items():
            kept = Counter(item.label for item in items if item.kind == VOTE and item.round == round)
            if kept != Counter(bets.values()):
                problems.append(
                    f"round {round}: {dict(kept)} bets are kept, {dict(Counter(bets.values()))} were placed"
                )
        return problems

    def close(self) -> None:
        self.store.close()


@contextmanager
def room(
    seen: Seen, address: str, home: Path, drawn: Sequence[_room.Drawing], n: int
) -> Iterator[tuple[Host | Phone, ...]]:
    """Open a room for ``n`` phones, give who stays in it, and in the end note what was lost; without phones: nobody."""
    if not n:
        yield ()
        return
    host = Host(seen, address, home)
    try:
        yield (host, *(Phone(seen, address, host.room, drawn, number) for number in range(n)))
        seen.errors += host.lost()
    finally:
        host.close()
