"""Cameras without a browser: as the page's, each sends pictures to the model that reads hands, two a second."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench import _timing
from bench._http import Browser
from tlcore.prediction import signs

MODEL = signs.NAMES[1]  # the shipped reader of hands, on MobileNetV2's features
EVERY_S = 0.5
WARM_UP_S = 60.0


@dataclass
class Sights:
    """What the cameras were answered. Times are seconds."""

    answers: list[float] = field(default_factory=list)
    silent: int = 0  # pictures that the model did not answer in time
    errors: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the rows of the report."""
        if not self.answers:
            return []
        waits = [1000 * _timing.quantile(self.answers, share) for share in (0.5, 0.95)]
        times = f"{len(self.answers)}, {waits[0]:.0f} ms, {waits[1]:.0f} ms"
        return [f"pictures of cameras answered, median and 95th percentile | {times}"]


class Lens:
    """One camera, of a browser of its own."""

    def __init__(self, sights: Sights, address: str, pictures: Sequence[bytes], seed: int):
        self.sights, self.browser, self.pictures = sights, Browser(address), pictures
        self.random = random.Random(seed)

    async def stay(self, until: float) -> None:
        """Send a picture every half second; the next waits until the last is answered."""
        await asyncio.sleep(self.random.uniform(0.0, 2 * EVERY_S))
        await self.browser.exchange("GET", "/")
        while (began := time.monotonic()) < until:
            await self.send()
            await asyncio.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))

    async def send(self) -> None:
        """Send one picture and note how long its answer took."""
        began = time.perf_counter()
        if await self.answered():
            self.sights.answers.append(time.perf_counter() - began)

    async def answered(self) -> bool:
        """Send one picture; return whether the model answered it. What else came is noted."""
        path = "/api/answers?" + urlencode({"model": MODEL, "language": "en"})
        status, body = await self.browser.exchange("POST", path, self.random.choice(self.pictures), "image/jpeg")
        if status != 200:
            self.sights.errors.append(f"picture: {status} {body[:200].decode(errors='replace')}")
            return False
        answer = json.loads(body)["answers"][MODEL]
        self.sights.silent += isinstance(answer, str)
        return not isinstance(answer, str)


async def warm(address: str, pictures: Sequence[bytes]) -> None:
    """Wait until the model is loaded: a server loads it with the first picture that asks for it."""
    sights = Sights()
    first, until = Lens(sights, address, pictures, 0), time.monotonic() + WARM_UP_S
    await first.browser.exchange("GET", "/")
    while not await first.answered():
        if sights.errors or time.monotonic() > until:
            raise RuntimeError(f"no picture was answered within {WARM_UP_S:.0f} s: {sights.errors}")
        await asyncio.sleep(EVERY_S)
