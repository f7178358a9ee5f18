"""Fifty people draw at once on this machine: from pen up to the answer of all shipped models.

Each draws stroke after stroke, one every 3 to 5 s, and while the pen is down the drawing so far is sent as the pad
sends it. Ours is the whole way through the server, over loopback, to the delta that the browser would show; the client
shares the machine. The plain way is given the finished strokes alone, at the same moments, with no server in between:
one process that calls each model's ``predict`` one after another.
"""

import asyncio
import time
from statistics import median
from typing import Any

import numpy as np

from bench import _room, _served, _timing, _tree

GAP_S = (3.0, 5.0)  # from one pen up to the next of the same person
PLAIN_SECONDS = 20.0  # of arrivals: the plain way takes many times as long to answer them
POOL = 200  # different drawings

Plan = list[tuple[int, list[float]]]  # drawing, and when the pen goes up after each stroke


def plans(n_people: int, seconds: float, seed: int) -> list[Plan]:
    """Return what everybody draws and when, in seconds from the start."""
    drawn = _room.drawings(POOL, seed)
    rng = np.random.default_rng(seed)
    return [_plan(drawn, seconds, rng) for _ in range(n_people)]


def _plan(drawn: list[_room.Drawing], seconds: float, rng: np.random.Generator) -> Plan:
    found: Plan = []
    up = rng.uniform(0.8, GAP_S[1])
    while up < seconds:
        which = int(rng.integers(len(drawn)))
        ups = []
        for _ in drawn[which].strokes:
            ups.append(float(up))
            up += rng.uniform(*GAP_S)
        found.append((which, ups))
    return found


def ours(seed: int, n_people: int, seconds: float) -> _timing.Result:
    with _served.lab() as server:
        return asyncio.run(_ours(server, seed, n_people, seconds))


async def _ours(server: _served.LabServer, seed: int, n_people: int, seconds: float) -> _timing.Result:
    room, drawn = _room.Room(), _room.drawings(POOL, seed)
    async with _room.people(n_people, room, server.url, "draw") as everyone:
        with _tree.watch(server.process.pid) as used:
            start = asyncio.get_running_loop().time() + 1
            tasks = zip(everyone, plans(n_people, seconds, seed), strict=True)
            await asyncio.gather(*(_draw(person, plan, drawn, start) for person, plan in tasks))
    if room.errors:
        raise RuntimeError(f"{len(room.errors)} errors, the first: {room.errors[0]}")
    return {
        **_summary([answered - up for up, answered in room.answers]),
        "reruns_per_s": room.sent / used.seconds,
        "late_ms": 1000 * _timing.p95(room.late),
        "server_cores": used.cores,
        "client_cores": used.own_cores,
    }


async def _draw(person: _room.Person, plan: Plan, drawn: list[_room.Drawing], start: float) -> None:
    for which, ups in plan:
        await person.draw(drawn[which], [start + up for up in ups])
        await person.clear()


def plain(seed: int, n_people: int, seconds: float) -> _timing.Result:
    """Answer each finished stroke with every model's ``predict``, in the order of their arrival."""
    _timing.keras_as_it_comes()
    from tlcore import sources

    models = [sources.load(card.name) for card in sources.catalogue() if card.sha256]
    image = np.zeros((1, 28, 28, 1), np.uint8)
    for model in models:
        model.predict(image, verbose=0)
    all_ups = sorted(up for plan in plans(n_people, min(seconds, PLAIN_SECONDS), seed) for _, ups in plan for up in ups)
    began, waits = time.perf_counter(), []
    for up in all_ups:
        time.sleep(max(0.0, began + up - time.perf_counter()))
        for model in models:
            model.predict(image, verbose=0)
        waits.append(time.perf_counter() - began - up)
    return _summary(waits)


def _summary(waits: list[float]) -> dict[str, Any]:
    return {
        "seconds": median(waits),
        "median_ms": 1000 * median(waits),
        "p95_ms": 1000 * _timing.p95(waits),
        "n": len(waits),
    }


def measure(quick: bool) -> list[_timing.Row]:
    settings = {"n_people": 8, "seconds": 10.0} if quick else {"n_people": 50, "seconds": 60.0}
    found = _timing.in_turn("bench.pen_room", ("ours", "plain"), 1 if quick else 3, **settings)
    a, b = (
        _without_memory(found[way]) for way in ("ours", "plain")
    )  # the client's memory says nothing of the server's
    n, rate = settings["n_people"], median(one["reruns_per_s"] for one in a)
    note = (
        f"a stroke every {GAP_S[0]:.0f} to {GAP_S[1]:.0f} s each, {rate:.0f} messages/s in all, "
        f"server {median(one['server_cores'] for one in a):.2f} and client "
        f"{median(one['client_cores'] for one in a):.2f} cores"
    )
    title = f"pen up to the answer, {n} people drawing"
    return [
        _timing.row(f"pen_room_{n}_p95", f"{title}, 95th percentile", a, b, key="p95_ms", unit="ms", note=note),
        _timing.row(f"pen_room_{n}_median", f"{title}, median", a, b, key="median_ms", unit="ms"),
    ]


def _without_memory(results: list[_timing.Result]) -> list[_timing.Result]:
    return [{name: value for name, value in one.items() if name != "peak_mb"} for one in results]


if __name__ == "__main__":
    _timing.script({"ours": ours, "plain": plain}, measure)
