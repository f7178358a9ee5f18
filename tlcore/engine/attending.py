"""A worker of a cluster in this process: it attends a scheduler, and keeps its runs while that is away."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tlcore.machine.addresses import is_own_machine
from tlcore.sentences import Sentence

from .custody import Custody

NO_PAGES = "127.0.0.1:0"  # where dask shows pages of its own: a port that is never told, and for this machine alone
CLOSE_S = 10.0  # for dask to let go of a worker; its scheduler may stand still
AGAIN_S = 1.0  # until a scheduler that has gone is looked for again
# One run at a time comes from each server; a worker that dies takes nobody else's tasks down; no profile of a thread
# that waits.
SETTINGS = {
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.scheduler.allowed-failures": 10,
    "distributed.worker.profile.enabled": False,
}


@dataclass(frozen=True)
class Attendance:
    """How a worker presents itself.

    Attributes
    ----------
    scheduler : ``tcp://host:port`` or ``tls://host:port``
    memory : of this process, as dask writes it ("4GB", "auto"); its runs' processes are not counted
    host : this machine's address for the others; "" finds the one that leads to the scheduler
    """

    scheduler: str
    name: str
    memory: str = "auto"
    resources: Mapping[str, float] = field(default_factory=dict)
    host: str = ""


async def attend(
    how: Attendance, custody: Custody, stop: asyncio.Event, tell: Callable[[Sentence], object] = lambda _: None
) -> None:
    """Be a worker until ``stop`` is set; a scheduler that ends or cannot be reached is waited for.

    A worker of dask's own ends with its connection; this one begins again as a new worker with the same name, while its
    runs go on. One thread: one run at a time.

    Parameters
    ----------
    tell : hears when a scheduler was found, and when it has gone
    """
    from dask import config

    with config.set(SETTINGS):
        while not stop.is_set():
            await _once(how, stop, tell)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)
    await asyncio.to_thread(custody.close)


async def _once(how: Attendance, stop: asyncio.Event, tell: Callable[[Sentence], object]) -> None:
    """Be a worker as long as the connection lasts."""
    from distributed import Worker

    worker = Worker(how.scheduler, **_settings(how))
    life = asyncio.create_task(_live(worker, how, stop, tell))
    ending = asyncio.create_task(stop.wait())
    await asyncio.wait({life, ending}, return_when=asyncio.FIRST_COMPLETED)
    if stop.is_set():
        closing = asyncio.create_task(worker.close(timeout=2, executor_wait=False, reason="told to stop"))
        await asyncio.wait({closing}, timeout=CLOSE_S)
    for task in (life, ending):
        task.cancel()
    await asyncio.wait({life}, timeout=CLOSE_S)
    problem = life.exception() if life.done() and not life.cancelled() else None
    if isinstance(problem, Exception):  # a scheduler that refuses, a certificate that it does not know
        reason = " ".join(f"{type(problem).__name__}: {problem}".split())[:200]
        tell(Sentence("The scheduler {address} cannot be used ({reason}).", address=how.scheduler, reason=reason))


async def _live(worker: Any, how: Attendance, stop: asyncio.Event, tell: Callable[[Sentence], object]) -> None:
    async with worker:
        tell(Sentence("{name} waits for runs of {address}. Stop with Ctrl+C.", name=how.name, address=how.scheduler))
        await worker.finished()
    if not stop.is_set():
        tell(Sentence("The scheduler {address} has gone; waiting for it. Runs go on.", address=how.scheduler))


def _settings(how: Attendance) -> dict[str, Any]:
    host = how.host or ("127.0.0.1" if is_own_machine(how.scheduler) else None)
    return {
        "nthreads": 1,
        "name": how.name,
        "memory_limit": how.memory,
        "resources": dict(how.resources),
        "host": host,
        "dashboard_address": NO_PAGES,
    }
