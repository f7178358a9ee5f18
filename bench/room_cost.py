"""What a room costs the server, held against as many people on Try.

Ours is a room whose phones draw, bet, poll and sleep while its host watches the wall; the other way is that many
sessions of Try, each of which draws as often. Of both: cores of all processes, and what one person takes of the
server's own memory. Nobody trains.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from statistics import median

from bench import _phones, _room, _served, _timing, _tree

POOL = 100  # different drawings

Crowd = Callable[[_served.LabServer, list[_room.Drawing], int, float], Awaitable[list[str]]]


def ours(seed: int, n_people: int, seconds: float) -> _timing.Result:
    return _used(_in_a_room, seed, n_people, seconds)


def plain(seed: int, n_people: int, seconds: float) -> _timing.Result:
    return _used(_on_try, seed, n_people, seconds)


def _used(crowd: Crowd, seed: int, n_people: int, seconds: float) -> _timing.Result:
    with _served.lab() as server:
        pid, drawn = server.process.pid, _room.drawings(POOL, seed)
        asyncio.run(_warm(crowd, server, drawn))
        empty = _tree.pss_mb([pid])
        with _tree.watch(pid) as used:
            errors = asyncio.run(crowd(server, drawn, n_people, seconds))
        if errors:
            raise RuntimeError(f"{len(errors)} errors, the first: {errors[0]}")
        each = (_tree.pss_mb([pid]) - empty) / n_people
        return {"cores": used.cores, "mb_each": each, "client_cores": used.own_cores}


async def _warm(crowd: Crowd, server: _served.LabServer, drawn: list[_room.Drawing]) -> None:
    """Let one person come and go: what is loaded with the first is not theirs."""
    await crowd(server, drawn, 1, 10.0)


async def _in_a_room(server: _served.LabServer, drawn: list[_room.Drawing], n: int, seconds: float) -> list[str]:
    seen, until = _phones.Seen(), time.monotonic() + seconds
    with _phones.room(seen, server.url, server.home, drawn, n) as everyone:
        await asyncio.gather(*(one.stay(until) for one in everyone))
    return seen.errors


async def _on_try(server: _served.LabServer, drawn: list[_room.Drawing], n: int, seconds: float) -> list[str]:
    room = _room.Room()
    async with _room.people(n, room, server.url, "draw") as everyone:
        until = time.monotonic() + seconds
        await asyncio.gather(*(_draw(one, drawn, until, seed) for seed, one in enumerate(everyone)))
    return room.errors


async def _draw(person: _room.Person, drawn: list[_room.Drawing], until: float, seed: int) -> None:
    draw = random.Random(seed)
    while time.monotonic() < until:
        await asyncio.sleep(min(draw.uniform(*_phones.THINK_S), max(0.0, until - time.monotonic())))
        digit, now = draw.choice(drawn), asyncio.get_running_loop().time()
        await person.draw(digit, [now + 1.0 + 1.5 * n for n in range(len(digit.strokes))])
        await person.clear()


def measure(quick: bool = False) -> list[_timing.Row]:
    settings = {"n_people": 5, "seconds": 8.0} if quick else {"n_people": 100, "seconds": 60.0}
    found = _timing.in_turn("bench.room_cost", ("ours", "plain"), 1 if quick else 3, **settings)
    room, tries = ([{k: v for k, v in one.items() if k != "peak_mb"} for one in found[way]] for way in found)
    n, words = settings["n_people"], "the other way is as many sessions of Try that draw as often"
    mb = {way: median(one["mb_each"] for one in results) for way, results in (("room", room), ("Try", tries))}
    memory = f"a session of Try {mb['Try']:.2f} MB; wanted: 1 MB"
    return [
        _timing.row("room_cost", f"A room of {n} phones: cores", room, tries, key="cores", unit="cores", note=words),
        _timing.figure("room_cost_memory", f"One phone of {n} in a room: server memory", mb["room"], "MB", memory),
    ]


if __name__ == "__main__":
    _timing.script({"ours": ours, "plain": plain}, measure)
