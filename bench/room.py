"""A workshop: fifty people draw, change layers, start and stop runs, reload, lose their connection and leave.

Every one holds a real session over Streamlit's websocket; the server is the real one with its workers. Whatever goes
wrong ends in the report's ``problems``: an error on a page, a click without an answer, a run that is lost, memory or
open files that grow, a process that outlives the server.

    python -m bench.room --people 50 --minutes 10
"""

import argparse
import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import numpy as np

from bench import _room, _served, _timing, _tree
from tlcore.spec import FINAL_STATES
from tlcore.store import Store

THINK_S = (2.0, 8.0)  # between two things that a person does
LOOK_S = 5.0  # between two looks at the processes
CLICK_S, MEMORY_MB = 2.0, 4000.0  # wanted
FLAT = 0.1  # the last third of the time holds at most so much more memory than the middle one
DRAIN_S = 180.0

HEADS_SHARE = 0.1  # of the starts; a comparison of all heads takes as long as ten small trainings
ELSEWHERE = ("evidence", "how_it_works", "break_it", "race", "")
PRESETS = ("preset_nothing", "preset_article", "preset_convolutions", "preset_all_but_head")


@dataclass(frozen=True)
class Look:
    """The server's processes at one moment."""

    seconds: float
    mb: float
    handles: int
    processes: int
    threads: int
    disk_mb: float


@dataclass
class Report:
    """What was seen in the room."""

    people: int
    minutes: float
    room: _room.Room
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
            f"drawings answered, median and 95th percentile | {len(answers)}, "
            f"{np.median(answers):.0f} ms, {_timing.p95(answers):.0f} ms",
            f"polls of charts, 95th percentile | {len(room.polls)}, {1000 * _timing.p95(room.polls or [0.0]):.0f} ms",
            f"runs started | {len(room.started)}: "
            + ", ".join(f"{n} {state}" for state, n in self.states.most_common()),
            f"sentences of refusal | {sum(Counter(room.refusals).values())} of {len(set(room.refusals))} kinds",
            f"errors | {len(room.errors)}",
            f"memory, most | {max(look.mb for look in self.looks):,.0f} MB",
            f"memory, thirds of the time | {', '.join(f'{mb:,.0f}' for mb in thirds['mb'])} MB",
            f"open files, thirds of the time | {', '.join(f'{n:.0f}' for n in thirds['handles'])}",
            f"disk, thirds of the time; at the end | "
            f"{', '.join(f'{mb:,.0f}' for mb in thirds['disk_mb'])} MB; {after.disk_mb:,.0f} MB",
            f"nobody there: memory | {before.mb:,.0f} MB before, {after.mb:,.0f} MB after",
            f"nobody there: open files, processes, threads | {before.handles}, {before.processes}, {before.threads} "
            f"before; {after.handles}, {after.processes}, {after.threads} after",
            f"cores used by the server, by the people | {self.server_cores:.2f}, {self.client_cores:.2f}",
        ]


# -- what a person does ----------------------------------------------------------------------------------------------


class Visitor:
    """One person of the room, who does one thing after another until the time is over."""

    def __init__(self, person: _room.Person, drawn: list[_room.Drawing], seed: int, start_share: float):
        self.person, self.drawn, self.random = person, drawn, random.Random(seed)
        self.mine: list[str] = []  # runs started and not deleted
        self.habits: list[tuple[float, Callable[[], Awaitable[None]]]] = [
            (0.45, self.draw),
            (0.15, self.change_layers),
            (start_share * (1 - HEADS_SHARE), self.train),
            (start_share * HEADS_SHARE, self.compare_heads),
            (0.10, self.look_at_runs),
            (0.03, self.delete_a_run),
            (0.06, self.look_elsewhere),
            (0.06, self.move_the_boundary),
            (0.06, self.reload),
            (0.05, self.lose_connection),
            (0.04, self.leave_in_the_middle),
        ]

    async def stay(self, until: float) -> None:
        shares, habits = zip(*self.habits, strict=True)
        while time.monotonic() < until:
            await asyncio.sleep(self.random.uniform(*THINK_S))
            (habit,) = self.random.choices(habits, shares)
            try:
                await habit()
            except Exception as error:  # a fault of the server's as much as one of ours: it is told
                self.person.room.errors.append(f"{habit.__name__}: {error!r}")
                await asyncio.sleep(1.0)
                await self._come_back()

    async def draw(self) -> None:
        await self.person.visit("draw")
        for _ in range(self.random.randint(1, 3)):
            digit, now = self.random.choice(self.drawn), asyncio.get_running_loop().time()
            ups = [now + 1.0 + 1.5 * n for n in range(len(digit.strokes))]
            await self.person.draw(digit, ups)
            await self.person.clear()

    async def change_layers(self) -> None:
        await self.person.visit("layers")
        for preset in self.random.sample(PRESETS, 2):
            await self.person.click(preset)
            await asyncio.sleep(self.random.uniform(0.5, 2.0))

    async def train(self) -> None:
        """Start a small run, look at its curves; sometimes stop it, sometimes go away from it."""
        await self.person.visit("train")
        await self.person.choose("epochs", int_value=self.random.choice((2, 5, 20)))
        await self._begin("start_ft", "ft")
        if self.random.random() < 0.3:
            await self.person.follow(self.random.uniform(1.0, 4.0))
            await self.person.click("stop_ft")
        elif self.random.random() < 0.7:
            await self.person.follow(self.random.uniform(5.0, 30.0))

    async def compare_heads(self) -> None:
        await self.person.visit("heads")
        await self.person.choose("n_seeds", int_value=1)
        await self._begin("start_cmp", "cmp")
        await self.person.follow(self.random.uniform(5.0, 30.0))

    async def look_at_runs(self) -> None:
        await self.person.visit("runs")
        await asyncio.sleep(self.random.uniform(1.0, 3.0))

    async def delete_a_run(self) -> None:
        """Open one's last run by its address, delete it, and now and then want it back."""
        if not self.mine:
            return
        await self.person.open("runs", query=f"run={self.mine.pop()}")
        await self.person.click("delete")
        if self.random.random() < 0.3:
            await self.person.click("undo_delete")

    async def look_elsewhere(self) -> None:
        await self.person.visit(self.random.choice(ELSEWHERE))
        await asyncio.sleep(self.random.uniform(1.0, 5.0))

    async def move_the_boundary(self) -> None:
        """Ask what another boundary would do, with images of one's own."""
        await self.person.visit("train")
        await self.person.choose("seed", int_value=self.random.randrange(1000))
        await self.person.visit("layers")
        for preset in self.random.sample(PRESETS, 3):
            await self.person.click(preset)
            await asyncio.sleep(self.random.uniform(0.5, 2.0))

    async def reload(self) -> None:
        await self.person.reload()

    async def lose_connection(self) -> None:
        """The network is gone for a moment; the page asks for its old session again."""
        await self.person.leave()
        await asyncio.sleep(self.random.uniform(0.5, 5.0))
        await self.person.open(query=self.person.query, resume=True)

    async def leave_in_the_middle(self) -> None:
        """Close the tab while the server is at work, and come back later as if nothing had been."""
        going = asyncio.create_task(self.person.visit(self.random.choice(("train", "heads", "runs"))))
        await asyncio.sleep(0.01)
        going.cancel()
        await self.person.leave()
        await asyncio.sleep(self.random.uniform(5.0, 20.0))
        await self._come_back()

    async def _come_back(self) -> None:
        await self.person.open(self.random.choice(("", "draw", "train")))

    async def _begin(self, button: str, slot: str) -> None:
        """Start a run, and note which: the address then names it."""
        before = self._shown(slot)
        await self.person.click(button)
        run = self._shown(slot)
        if run and run != before:
            self.person.room.started.append(run)
            self.mine.append(run)

    def _shown(self, slot: str) -> str:
        return parse_qs(self.person.query).get(slot, [""])[0]


# -- the room --------------------------------------------------------------------------------------------------------


def run(people: int, minutes: float, seed: int = 0, seconds_a_start: float = 6.0) -> Report:
    """Fill a room, watch it, and say what was seen; ``seconds_a_start``: one of all starts a run so often."""
    report = Report(people, minutes, _room.Room())
    with _served.lab() as server:
        report.empty_before = _look(server, 0.0)
        with _tree.watch(server.process.pid) as used:
            asyncio.run(_stay(server, report, seed, seconds_a_start))
        report.server_cores, report.client_cores = used.cores, used.own_cores
        _drain(server, report)
        report.empty_after = _look(server, 0.0)
        pids = _tree.tree(server.process.pid)
    alive = [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    if alive:
        report.problems.append(f"{len(alive)} processes outlived the server")
    _judge(report)
    return report


async def _stay(server: _served.LabServer, report: Report, seed: int, seconds_a_start: float) -> None:
    drawn = _room.drawings(100, seed)
    # A person does something every 10 s or so; of all that is done, this share starts a run.
    share = min(0.5, 10.0 / seconds_a_start / report.people)
    async with _room.people(report.people, report.room, server.url) as everyone:
        began = time.monotonic()
        watching = asyncio.create_task(_watch(server, report.looks))
        until = began + 60 * report.minutes
        await asyncio.gather(*(Visitor(one, drawn, seed + n, share).stay(until) for n, one in enumerate(everyone)))
        watching.cancel()


async def _watch(server: _served.LabServer, looks: list[Look]) -> None:
    began = time.monotonic()
    while True:
        looks.append(await asyncio.to_thread(_look, server, time.monotonic() - began))
        await asyncio.sleep(LOOK_S)


def _look(server: _served.LabServer, seconds: float) -> Look:
    pids = _tree.tree(server.process.pid)
    disk = _tree.disk_mb(server.home)
    return Look(seconds, _tree.pss_mb(pids), _tree.n_handles(pids), len(pids), _tree.n_threads(pids), disk)


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
    problems += [f"{error} ({n} times)" for error, n in Counter(room.errors).most_common()]
    problems += [f"a page said: {words}" for words in sorted(set(room.refusals)) if "(log id" in words]
    if report.click_p95 > CLICK_S:
        problems.append(f"the 95th percentile of clicks took {report.click_p95:.2f} s, {CLICK_S:g} s are wanted")
    most = max(look.mb for look in report.looks)
    if most > MEMORY_MB:
        problems.append(f"the processes held {most:,.0f} MB, {MEMORY_MB:,.0f} MB are wanted")
    if report.minutes >= 5:  # before that, caches and workers still fill up
        for what in ("mb", "handles"):
            middle, last = report.third(1, what), report.third(2, what)
            if last > (1 + FLAT) * middle:
                problems.append(f"{what} grew from {middle:,.0f} to {last:,.0f} between two thirds of the time")


def measure(quick: bool = False) -> list[_timing.Row]:
    report = run(8, 0.5) if quick else run(50, 10)
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--start-every", type=float, default=6.0, metavar="S", help="seconds from run to run, of all")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report = run(options.people, options.minutes, options.seed, options.start_every)
    print("\n".join(["what | seen", "---|---", *report.lines()]))
    for problem in report.problems:
        print(f"PROBLEM: {problem}")
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
