"""A person who is free in the lab: draws, changes layers, trains, looks around, reloads, is lost and comes back."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

from bench import _room

THINK_S = (2.0, 8.0)  # between two things that a person does
HEADS_SHARE = 0.1  # of the starts; a comparison of all heads takes as long as ten small trainings
ELSEWHERE = ("evidence", "how_it_works", "break_it", "race", "")
PRESETS = ("preset_nothing", "preset_article", "preset_convolutions", "preset_all_but_head")


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
