"""A workshop of a hundred people: sixty are in a room with their phones, twenty before cameras, twenty are free.

Those in the room draw, bet, lock their phones and come back, through the room's routes, while a host changes the task
and watches the wall. Who is free holds a real session over Streamlit's websocket: draws, changes layers, starts and
stops runs, reloads, loses the connection and leaves. The server is the real one with its workers. Whatever goes wrong
ends in the report's ``problems``: an error on a page, a click without an answer, a drawing or a run that is lost,
memory or open files that grow, a process that outlives the server.

    python -m bench.room --people 100 --minutes 10
"""

import argparse
import asyncio
import os
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench import _lenses, _phones, _room, _served, _timing, _tree
from bench._visitor import Visitor
from bench.cameras import jpegs
from tlcore.spec import FINAL_STATES
from tlcore.store import Store

LOOK_S = 5.0  # between two looks at the processes
CLICK_S, ANSWER_S, MEMORY_MB = 2.0, 0.5, 4000.0  # wanted
SOME_RUNS = 5  # of so many at least one is followed on its chart
PHONES, CAMERAS = 0.6, 0.2  # of all people; the others are free
FLAT = 0.1  # the last third of the time holds at most so much more memory than the middle one
DRAIN_S = 180.0


@dataclass(frozen=True)
class Look:
    """The server's processes at one moment."""

    seconds: float
    mb: float
    handles: int
    processes: int
    threads: int
    disk_mb: float
    kinds: Counter[str]  # of handles


@dataclass
class Report:
    """What was seen in the room."""

    people: int
    minutes: float
    room: _room.Room
    phones: _phones.Seen = field(default_factory=_phones.Seen)
    cameras: _lenses.Sights = field(default_factory=_lenses.Sights)
    looks: list[Look] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    empty_before: Look | None = None  # nobody there, before and after
    empty_after: Look | None = None
    client_cores: float = 0.0
    server_cores: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def click_p95(self) -> float:
        return _timing.p95([seconds for _, seconds in self.room.clicks])

    def third(self, which: int, what: str) -> float:
        """Return the mean of one third of the looks."""
        n = len(self.looks)
        return float(np.mean([getattr(look, what) for look in self.looks[which * n // 3 : (which + 1) * n // 3]]))

    def came_and_went(self) -> str:
        """Return by kind how many more handles the last look saw than that after a third of the time, most first."""
        then, last = self.looks[len(self.looks) // 3].kinds, self.looks[-1].kinds
        changes = Counter({kind: last[kind] - then[kind] for kind in then | last if last[kind] != then[kind]})
        return ", ".join(f"{kind} {n:+}" for kind, n in changes.most_common())

    def lines(self) -> list[str]:
        room, answers = self.room, [1000 * (b - a) for a, b in self.room.answers]
        before, after = self.empty_before, self.empty_after
        assert before and after
        clicks, thirds = (
            [s for _, s in room.clicks],
            {w: [self.third(i, w) for i in range(3)] for w in ("mb", "handles", "disk_mb")},
        )
        kinds = Counter(what.split(" ")[0] for what, _ in room.clicks)
        return [
            f"people, minutes | {self.people}, {self.minutes:.1f}",
            f"clicks | {len(room.clicks)}: " + ", ".join(f"{name} {n}" for name, n in kinds.most_common()),
            f"click, median and 95th percentile | {np.median(clicks):.3f} s, {self.click_p95:.3f} s",
            f"drawings on pads answered, median and 95th percentile | {len(answers)}, "
            f"{np.median(answers or [0.0]):.0f} ms, {_timing.p95(answers or [0.0]):.0f} ms",
            *self.phones.lines(),
            *self.cameras.lines(),
            f"polls of charts, 95th percentile | {len(room.polls)}, {1000 * _timing.p95(room.polls or [0.0]):.0f} ms",
            f"runs started | {len(room.started)}: "
            + ", ".join(f"{n} {state}" for state, n in self.states.most_common()),
            f"sentences of refusal | {sum(Counter(room.refusals).values())} of {len(set(room.refusals))} kinds",
            f"errors | {len(room.errors + self.phones.errors + self.cameras.errors)}",
            f"memory, most | {max(look.mb for look in self.looks):,.0f} MB",
            f"memory, thirds of the time | {', '.join(f'{mb:,.0f}' for mb in thirds['mb'])} MB",
            f"open files, thirds of the time | {', '.join(f'{n:.0f}' for n in thirds['handles'])}",
            f"open files that came or went since a third of the time | {self.came_and_went() or 'none'}",
            f"disk, thirds of the time; at the end | "
            f"{', '.join(f'{mb:,.0f}' for mb in thirds['disk_mb'])} MB; {after.disk_mb:,.0f} MB",
            f"nobody there: memory | {before.mb:,.0f} MB before, {after.mb:,.0f} MB after",
            f"nobody there: open files, processes, threads | {before.handles}, {before.processes}, {before.threads} "
            f"before; {after.handles}, {after.processes}, {after.threads} after",
            f"cores used by the server, by the people | {self.server_cores:.2f}, {self.client_cores:.2f}",
        ]


# -- the room --------------------------------------------------------------------------------------------------------


def run(
    people: int,
    minutes: float,
    seed: int = 0,
    seconds_a_start: float = 6.0,
    phones: float = PHONES,
    cameras: float = CAMERAS,
) -> Report:
    """Fill a room, watch it, and say what was seen.

    Parameters
    ----------
    seconds_a_start : one of all who are free starts a run so often
    phones, cameras : shares of the people, in [0, 1]; the others, one at least, are free
    """
    report = Report(people, minutes, _room.Room())
    shares = round(phones * people), round(cameras * people)
    with _served.lab() as server:
        report.empty_before = _look(server, 0.0)
        with _tree.watch(server.process.pid) as used:
            asyncio.run(_stay(server, report, seed, seconds_a_start, *shares))
        report.server_cores, report.client_cores = used.cores, used.own_cores
        _drain(server, report)
        report.empty_after = _look(server, 0.0)
        pids = _tree.tree(server.process.pid)
    alive = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    if alive:
        report.problems.append(f"{len(alive)} processes outlived the server")
    _judge(report)
    return report


async def _stay(
    server: _served.LabServer, report: Report, seed: int, seconds_a_start: float, n_phones: int, n_cameras: int
) -> None:
    drawn, n_free = _room.drawings(100, seed), max(1, report.people - n_phones - n_cameras)
    pictures = [content for content, _ in jpegs(50, seed)] if n_cameras else []
    if n_cameras:
        await _lenses.warm(server.url, pictures)
    # A person does something every 10 s or so; of all that is done, this share starts a run.
    share = min(0.5, 10.0 / seconds_a_start / n_free)
    async with _room.people(n_free, report.room, server.url) as everyone:
        watching = asyncio.create_task(_watch(server, report.looks))
        until = time.monotonic() + 60 * report.minutes
        free = [Visitor(one, drawn, seed + n, share) for n, one in enumerate(everyone)]
        cameras = [_lenses.Lens(report.cameras, server.url, pictures, seed + n) for n in range(n_cameras)]
        with _phones.room(report.phones, server.url, server.home, drawn, n_phones) as phones:
            await asyncio.gather(*(one.stay(until) for one in (*free, *cameras, *phones)))
        watching.cancel()


async def _watch(server: _served.LabServer, looks: list[Look]) -> None:
    began = time.monotonic()
    while True:
        looks.append(await asyncio.to_thread(_look, server, time.monotonic() - began))
        await asyncio.sleep(LOOK_S)


def _look(server: _served.LabServer, seconds: float) -> Look:
    pids = _tree.tree(server.process.pid)
    disk = _tree.disk_mb(server.home)
    kinds = _tree.kinds_of_handles(pids)
    return Look(seconds, _tree.pss_mb(pids), kinds.total(), len(pids), _tree.n_threads(pids), disk, kinds)


def _drain(server: _served.LabServer, report: Report) -> None:
    """Let the queue run out for a while, then hold what was started against what the store has."""
    store, until = Store(server.home), time.monotonic() + DRAIN_S
    while time.monotonic() < until and store.count(states=("queued", "running")):
        time.sleep(1.0)
    _served.settle(server.process.pid)
    for run_id in report.room.started:
        found = store.get(run_id)
        report.states[found.state] += 1
        if found.state == "failed":
            report.problems.append(f"run {run_id} failed: {found.error}")
        elif found.state == "running" and not server.ask("/healthz")["engine"]["busy"]:
            report.problems.append(f"run {run_id} is stuck")
    waiting = store.count(states=("queued",))
    if waiting and not store.count(states=FINAL_STATES):
        report.problems.append(f"{waiting} runs wait and none was ever executed")
    if (n := store.count() + store.count(deleted=True)) != len(set(report.room.started)):
        report.problems.append(f"{len(set(report.room.started))} runs were started, the store has {n}")
    store.close()


def _judge(report: Report) -> None:
    room, problems = report.room, report.problems
    errors = Counter(room.errors + report.phones.errors + report.cameras.errors)
    problems += [f"{error} ({n} times)" for error, n in errors.most_common()]
    problems += [f"a page said: {words}" for words in sorted(set(room.refusals)) if "(log id" in words]
    if report.click_p95 > CLICK_S:
        problems.append(f"the 95th percentile of clicks took {report.click_p95:.2f} s, {CLICK_S:g} s are wanted")
    problems += _too_late(report)
    if len(room.started) >= SOME_RUNS and not room.polls:
        problems.append(f"{len(room.started)} runs were started, and no chart asked for its points")
    most = max(look.mb for look in report.looks)
    if most > MEMORY_MB:
        problems.append(f"the processes held {most:,.0f} MB, {MEMORY_MB:,.0f} MB are wanted")
    if report.minutes >= 5:  # before that, caches and workers still fill up
        for what in ("mb", "handles"):
            middle, last = report.third(1, what), report.third(2, what)
            if last > (1 + FLAT) * middle:
                problems.append(f"{what} grew from {middle:,.0f} to {last:,.0f} between two thirds of the time")


def _too_late(report: Report) -> list[str]:
    """Return which answers took longer than is wanted, and which phones and cameras did not get at all."""
    phones, cameras = report.phones, report.cameras
    waits = {
        "drawings on pads": [heard - up for up, heard in report.room.answers],
        "drawings of phones": phones.drawings,
        "bets": phones.votes,
        "pictures of cameras": cameras.answers,
    }
    late = {what: _timing.p95(seconds) for what, seconds in waits.items() if seconds}
    problems = [
        f"the 95th percentile of {what} took {seconds:.2f} s, {ANSWER_S:g} s are wanted"
        for what, seconds in late.items()
        if seconds > ANSWER_S
    ]
    silent = {"drawings of phones": phones.silent, "pictures of cameras": cameras.silent}
    return problems + [f"{n} {what} were not answered in time" for what, n in silent.items() if n]


def measure(quick: bool = False) -> list[_timing.Row]:
    free: dict[str, Any] = {"phones": 0.0, "cameras": 0.0}
    report = run(8, 0.5, **free) if quick else run(50, 10, **free)
    print("\n".join(report.lines()), file=sys.stderr)
    if report.problems:
        raise RuntimeError("\n".join(report.problems))
    n, minutes = report.people, report.minutes
    most = max(look.mb for look in report.looks)
    words = f"{n} people in a room, {minutes:g} minutes"
    clicks, started = [seconds for _, seconds in report.room.clicks], len(report.room.started)
    thirds = ", ".join(f"{report.third(i, 'mb'):,.0f}" for i in range(3))
    return [
        _timing.wait("room_click", f"{words}: a click, {started} runs started meanwhile", clicks, limit="2 s"),
        _timing.figure(
            "room_memory", f"{words}: most memory of all processes", most, "MB", f"thirds of the time: {thirds}"
        ),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--start-every", type=float, default=6.0, metavar="S", help="seconds from run to run, of all")
    parser.add_argument("--phones", type=float, default=PHONES, metavar="SHARE", help="of the people, in a room")
    parser.add_argument("--cameras", type=float, default=CAMERAS, metavar="SHARE", help="of the people, with a camera")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    mix = options.phones, options.cameras
    report = run(options.people, options.minutes, options.seed, options.start_every, *mix)
    print("\n".join(["what | seen", "---|---", *report.lines()]))
    for problem in report.problems:
        print(f"PROBLEM: {problem}")
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
