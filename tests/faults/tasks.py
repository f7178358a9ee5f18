"""What the processes of the fault tests do: real runs, which die by SIGKILL at the moments that a plan names."""

import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

from tlcore import heads
from tlcore.engine import LocalEngine
from tlcore.features import extraction
from tlcore.jobs import execution as worker
from tlcore.jobs import fine_tune, reporter
from tlcore.jobs.reporter import Keeper, Reporter
from tlcore.store import Attempt, Store
from tlcore.training import clock

PLAN = "plan"  # in the data folder: a moment for every attempt, one a line


def serve(folder: str, warm: bool = False) -> None:
    """Be a server that is killed: an engine with one worker, and nothing that would close it."""
    LocalEngine(Path(folder), 1, execute=execute, warm=worker.warm if warm else None, with_keras=True)
    print("serving", flush=True)
    threading.Event().wait()


def execute(run_id: str, folder: str) -> None:
    """Do a run as a worker does, with a checkpoint after every epoch, and die where this attempt's line says."""
    reporter.CHECKPOINT_S, reporter.CHECKPOINT_COST = 0.0, 1e9
    attempt = Store(Path(folder)).get(run_id).attempt
    plan = Path(folder, PLAN).read_text().split() if Path(folder, PLAN).exists() else []
    if attempt < len(plan):
        MOMENTS[plan[attempt]]()
    worker.execute(run_id, folder)


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_with_the_server(*_: object) -> None:
    os.kill(parent_process().pid, signal.SIGKILL)
    threading.Event().wait()  # for the kernel to take this process along


def before(owner: Any, name: str, when: Callable[..., bool], end: Callable[..., None] = die) -> None:
    """Have ``owner.name`` end this process when it is called with arguments that ``when`` is true of."""
    original = getattr(owner, name)

    def dying(*arguments: Any, **keywords: Any) -> Any:
        if when(*arguments):
            end()
        return original(*arguments, **keywords)

    setattr(owner, name, dying)


def _always(*_: object) -> bool:
    return True


def _in_epoch(number: int) -> Callable[..., bool]:
    return lambda counts, *_: counts.epoch == number


def _after_one_batch_of_images() -> None:
    whole = extraction._parts

    def first(*arguments: Any) -> Any:
        yield next(whole(*arguments))
        die()

    extraction._parts = first


MOMENTS: dict[str, Callable[[], None]] = {
    "extracting": _after_one_batch_of_images,
    "first_batch": lambda: before(clock.Clock, "stretch", _in_epoch(0)),
    "mid_epoch": lambda: before(clock.Clock, "stretch", _in_epoch(1)),
    "server": lambda: before(clock.Clock, "stretch", _in_epoch(2), die_with_the_server),
    "checkpointing": lambda: before(Keeper, "_move", lambda keeper, *_: keeper._reporter.n_points >= 8),
    "evaluating": lambda: before(fine_tune, "evaluate", _always),
    "saving": lambda: before(Reporter, "move", _always),
    "finishing": lambda: before(Attempt, "finish", _always),
}


def stuck_in_the_third_head(run_id: str, folder: str) -> None:
    """Compare heads; the third fit goes on for ever and hears nothing."""
    fit, fitted = heads.fit, []

    def slow(*arguments: Any, **keywords: Any) -> Any:
        if len(fitted) == 2:
            threading.Event().wait()
        fitted.append(arguments[0])
        return fit(*arguments, **keywords)

    heads.fit = slow
    worker.execute(run_id, folder)


def take_all_memory(run_id: str, folder: str) -> None:
    """Claim a run and take memory until the kernel ends it."""
    Store(Path(folder)).claim(run_id)
    taken = []
    while True:
        taken.append(bytearray(b"x" * 2**24))
