"""What grows with use, and how: memory with people, the Runs page with runs, a poll with points, training with images.

The people are real sessions without a browser; the runs of the store are copies of one real run. ``docs/growth.svg``
is drawn from the same figures.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench import _plot, _room, _served, _timing, _tree
from tlcore.spec import MetricPoint, Spec
from tlcore.store import Run, Store, tables
from tlcore.store import connection as database

PLOT = _timing.ROOT / "docs" / "growth.svg"
FULL = {
    "people": (1, 10, 25, 50),
    "runs": (10, 100, 1000, 10_000),
    "points": (100, 1000, 10_000),
    "per_class": (100, 300, 1000, 3000, None),
}
QUICK = {"people": (1, 5), "runs": (10, 100), "points": (100, 1000), "per_class": (20, 50)}
PAGES = ("draw", "train", "layers", "heads", "runs", "")
VISITS, POLLS = 10, 50
ALL = 55_000

Curve = list[tuple[float, float]]


def measure(quick: bool = False) -> list[_timing.Row]:
    sizes: dict[str, Any] = QUICK if quick else FULL
    with _served.lab() as server:
        held = asyncio.run(memory(server, sizes["people"]))
    with _served.lab() as server:
        pages, polls = asyncio.run(stored(server, sizes["runs"], sizes["points"]))
    fits = {per_class: _fits(per_class, quick) for per_class in sizes["per_class"]}
    rows = [*_memory_rows(held), *_stored_rows(pages, polls)]
    for per_class, found in fits.items():
        n = 10 * per_class if per_class else ALL
        title = f"Both convolutions frozen, {n:,} images, {3 if quick else 5} epochs, one turn"
        rows.append(_timing.row(f"growth_fit_{n}", title, found["ours"], found["plain"]))
    if not quick:
        _draw(held, pages, polls, rows)
    return rows


# -- memory ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """Memory in MB with so many sessions: of all processes, and of the server's own."""

    n: int
    all: float
    server: float


async def memory(server: _served.LabServer, sizes: tuple[int, ...]) -> list[Held]:
    """Return what the processes hold with so many people there, two runs training all the while."""
    room = _room.Room()
    async with _room.people(1, room, server.url, "train") as (first,):
        await first.choose("all_images", bool_value=True)
        await first.choose("epochs", int_value=50)
        await first.click("start_scratch")  # the whole network on all images: minutes each, and the most memory
        await first.click("start_scratch")
        await _until(server, _both_train)
        await asyncio.sleep(20)  # both train: the caches of TensorFlow are as large as they get
        drawn = _room.drawings(sizes[-1], 0)
        held, others = [await _held(server, 1)], []
        try:
            for n in sizes[1:]:
                for i in range(len(others), n - 1):
                    others.append(_room.Person(room, server.url))
                    await _look_around(others[-1], drawn[i], PAGES[i % len(PAGES)])
                held.append(await _held(server, n))
            await _until(server, _both_train, most_s=0)
        finally:
            for person in others:
                await person.leave()
    if room.errors:
        raise RuntimeError(f"{len(room.errors)} errors, the first: {room.errors[0]}")
    return held


async def _look_around(person: _room.Person, drawn: _room.Drawing, page: str) -> None:
    await person.open()
    await person.visit("draw")
    await person.draw(drawn, [asyncio.get_running_loop().time() + 0.8 * (1 + n) for n in range(len(drawn.strokes))])
    await person.visit(page)


async def _held(server: _served.LabServer, n: int) -> Held:
    """Look some times: a training's memory goes up and down, and the most counts."""
    looks = []
    for _ in range(7):
        pids = _tree.tree(server.process.pid)
        looks.append((_tree.pss_mb(pids), _tree.pss_mb(pids[:1])))
        await asyncio.sleep(1.0)
    return Held(n, max(look[0] for look in looks), median(look[1] for look in looks))


def _both_train(health: dict[str, Any]) -> bool:
    return health["engine"]["busy"] == 2


async def _until(server: _served.LabServer, true: Callable[[dict[str, Any]], bool], most_s: float = 120.0) -> None:
    until = time.monotonic() + most_s
    while not true(await asyncio.to_thread(server.ask, "/healthz")):
        if time.monotonic() > until:
            raise RuntimeError("the server did not get that far")
        await asyncio.sleep(0.2)


def _memory_rows(held: list[Held]) -> list[_timing.Row]:
    one, most = held[0], held[-1]
    each = (most.server - one.server) / (most.n - one.n)
    note = (
        f"{one.all:,.0f} MB with one session; the server's own {one.server:.0f} and {most.server:.0f}; wanted: 4,000 MB"
    )
    title = f"Memory of all processes, {most.n} sessions and two busy workers"
    return [
        _timing.figure("growth_memory", title, most.all, "MB", note),
        _timing.figure("growth_session", "Memory of one more session", each, "MB", "wanted: 10 MB"),
    ]


# -- the store -------------------------------------------------------------------------------------------------------


async def stored(server: _served.LabServer, runs: tuple[int, ...], points: tuple[int, ...]) -> tuple[Curve, Curve]:
    """Return seconds of the Runs page against runs in the store, and of a poll against points of the run."""
    room, pages, polls = _room.Room(), [], []
    store = Store(server.home)
    async with _room.people(1, room, server.url, "train") as (person,):
        await person.click("start_ft")
        await person.follow(120)
        for n in runs:
            copy_runs(store, n - store.count())
            seconds = []
            for _ in range(VISITS):
                await person.visit("")
                began = time.perf_counter()
                await person.visit("runs")
                seconds.append(time.perf_counter() - began)
            pages.append((float(n), median(seconds)))
        for n in points:
            run = measured_so_far(store, store.list(limit=1)[0].spec, n)
            polls.append((float(n), median([await _poll(room, person, run.id, n - 5) for _ in range(POLLS)])))
            store.finish(run.id, "stopped")
    store.close()
    if room.errors:
        raise RuntimeError(f"{len(room.errors)} errors, the first: {room.errors[0]}")
    return pages, polls


def copy_runs(store: Store, n: int) -> None:
    """Add ``n`` copies of the newest run to a store, results and points included."""
    run = store.list(states=("done",), limit=1)[0]
    engine = database.connect(sa.URL.create("sqlite", database=str(store.folder / database.FILE)))
    with engine.begin() as connection:
        row = dict(connection.execute(tables.runs.select().where(tables.runs.c.id == run.id)).mappings().one())
        its = [dict(one) for one in connection.execute(
            tables.points.select().where(tables.points.c.run_id == run.id)).mappings()]  # fmt: skip
        del row["number"]
        ids = [secrets.token_hex(8) for _ in range(n)]
        if ids:
            connection.execute(tables.runs.insert(), [{**row, "id": one} for one in ids])
        if ids and its:  # a comparison of heads measures no points
            connection.execute(tables.points.insert(), [{**point, "run_id": one} for one in ids for point in its])
    engine.dispose()


def measured_so_far(store: Store, spec: Spec, n: int) -> Run:
    """Return a run with ``n`` points that this process has claimed: left in the queue, a worker would train it."""
    run = store.create(spec)
    while not (attempt := store.claim(run.id, worker="bench")):  # a worker was quicker: let it have that one
        store.request_stop(run.id)
        run = store.create(spec)
    attempt.add_points([MetricPoint("train", i / 100, 1.0, 0.5, float(i)) for i in range(n)])
    return store.get(run.id)


async def _poll(room: _room.Room, person: _room.Person, run_id: str, since: int) -> float:
    began = time.perf_counter()
    body = await room.get(person.browser, f"/api/runs/{run_id}/metrics?since={since}")
    took_s = time.perf_counter() - began
    if (n := len(json.loads(body)["points"])) != 5:
        raise RuntimeError(f"a poll of run {run_id} brought {n} points in place of 5")
    return took_s


def _stored_rows(pages: Curve, polls: Curve) -> list[_timing.Row]:
    words = "; ".join(f"{y:.3g} s at {x:,.0f}" for x, y in pages[:-1])
    n, seconds = pages[-1]
    rows = [
        _timing.figure(
            "growth_runs_page", f"Runs page, {n:,.0f} runs in the store", seconds, "s", f"{words}; wanted: 1 s"
        )
    ]
    words = "; ".join(f"{1000 * y:.3g} ms at {x:,.0f}" for x, y in polls[:-1])
    n, seconds = polls[-1]
    title = f"A poll of the live chart, {n:,.0f} points measured so far"
    return [*rows, _timing.figure("growth_poll", title, 1000 * seconds, "ms", words)]


# -- training --------------------------------------------------------------------------------------------------------


def _fits(per_class: int | None, quick: bool) -> dict[str, list[_timing.Result]]:
    return _timing.in_turn("bench.frozen_convs", ("plain", "ours"), 1, per_class=per_class, epochs=3 if quick else 5)


def _draw(held: list[Held], pages: Curve, polls: Curve, rows: list[_timing.Row]) -> None:
    fits = {float(row.name.rpartition("_")[2]): row for row in rows if row.name.startswith("growth_fit")}
    memory_curves = {
        "all processes": [(one.n, one.all) for one in held],
        "the server": [(one.n, one.server) for one in held],
    }
    poll_curve = {"poll": [(x, 1000 * y) for x, y in polls]}
    fit_curves = {
        "Keras fit": [(n, row.plain or 0.0) for n, row in fits.items()],
        "ours": [(n, row.ours) for n, row in fits.items()],
    }
    panels = [
        _plot.Panel("Memory, two workers busy", "sessions", "MB", memory_curves, limit=4000),
        _plot.Panel("Runs page", "runs in the store", "seconds", {"Runs page": pages}, limit=1.0),
        _plot.Panel("One poll of the live chart", "points of the run", "ms", poll_curve),
        _plot.Panel("Training, both convolutions frozen, 5 epochs", "images", "seconds", fit_curves),
    ]
    _plot.write(PLOT, panels, f"Measured on {rows[0].machine}, {date.today().isoformat()}, by python -m bench growth")


if __name__ == "__main__":
    _timing.script({}, measure)
