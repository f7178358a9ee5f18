"""One place for a run each: a child process that warms up, waits, works on one run, and is replaced."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from logging import getLogger
from multiprocessing.connection import Connection
from pathlib import Path

from pebble import ProcessPool

from tlcore import extensions
from tlcore.machine import LeanContext, affinity, begin_child, identity, nursery, scratch
from tlcore.spec import Progress

log = getLogger(__name__)
nursery.also(__name__)

LONGEST_WARM_UP_S = 30.0  # after which nobody waits for a child's word
NICE = 15  # a click, a pen stroke and a camera go before training

Execute = Callable[[str, str], None]
Warm = Callable[[], None]


@dataclass
class Job:
    """One run in one child's hands. Times are of the monotonic clock; 0 means not yet."""

    run_id: str
    attempt: int  # how often the run had been claimed before
    future: Future[str]
    asked: float = 0.0  # since when it should end
    sign: float = 0.0  # its last progress after that
    progress: Progress = field(default_factory=Progress)
    gone: bool = False  # its process was not there at the last look


class Slot:
    """One place for a run: a child process that warms up, waits, works on one run, and is replaced.

    A pool of one, and a new pool after a child that died: children of one pool share a pipe and its locks, and a
    killed one may hold them. It gives way to a server that answers on this machine.
    """

    def __init__(self, folder: Path, warm: Warm | None, with_keras: bool = False, gives_way: bool = True):
        self._folder, self._warm, self._gives_way = Path(folder), warm, gives_way
        self._pool: ProcessPool | None = None
        self._context = LeanContext(scratch.own_folder(folder) if with_keras else None)
        self._deaths, self._not_before = 0, 0.0
        self._told: Connection | None = None  # every child says once that it is warm
        self._tell: Connection | None = None
        self._n_warm = self._n_given = 0  # children of this pool that said so, and runs given to one
        self.job: Job | None = None
        self.free_since = 0.0

    @property
    def is_free(self) -> bool:
        return self.job is None and self._pool is not None

    @property
    def is_warm(self) -> bool:
        """Whether the child that gets the next run has warmed up. For the engine's thread alone."""
        while self._told is not None and self._told.poll():
            self._told.recv_bytes()
            self._n_warm += 1
        return self._n_warm > self._n_given

    @property
    def is_warming(self) -> bool:
        """Whether a child is on its way that may be expected soon."""
        return self.is_free and not self.is_warm and time.monotonic() - self.free_since < LONGEST_WARM_UP_S

    @property
    def is_broken(self) -> bool:
        """Whether the pool has ended because its child died."""
        return self._pool is not None and not self._pool.active

    def keep_warm(self) -> None:
        """See that a child is there or on its way; one that dies while it waits is replaced, ever more slowly."""
        if self.job is None and self.is_broken:
            self._discard()
        if self._pool is None and time.monotonic() >= self._not_before:
            self._told, self._tell = self._context.Pipe(duplex=False)
            self._n_warm, self._n_given, self.free_since = 0, 0, time.monotonic()
            self._pool = ProcessPool(
                max_workers=1,
                max_tasks=1,
                initializer=_begin,
                initargs=(self._folder, self._warm, self._tell, self._gives_way),
                context=self._context,
            )
            _ = self._pool.active  # starts the child now, in this thread, and not with the first run

    def give(self, run_id: str, attempt: int, execute: Execute, on_end: Callable[[], None]) -> None:
        """Let the child work on a run."""
        assert self._pool is not None
        try:
            future = self._pool.schedule(_work, args=(execute, run_id, str(self._folder)))
        except RuntimeError:  # the child died a moment ago; the next turn replaces it
            return
        self._n_given += 1
        self.job = Job(run_id, attempt, future)
        future.add_done_callback(lambda _: on_end())

    def free(self, broken: bool, began: bool) -> None:
        """Be ready for the next run, after one whose child died or not, and had begun with it or not."""
        self.job, self.free_since = None, time.monotonic()
        if began:
            self._deaths = 0
        if broken:
            self._discard()
        scratch.sweep(self._folder / scratch.FOLDER)

    def kill(self) -> None:
        self._context.kill()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.stop()
            self._context.kill()
            self._pool.join()
            self._context.end()
            self._pool = None
            assert self._told is not None and self._tell is not None
            self._told.close()
            self._tell.close()
            self._told = self._tell = None
            scratch.sweep(self._folder / scratch.FOLDER)

    def _discard(self) -> None:
        self.close()
        self._not_before = time.monotonic() + (min(2.0**self._deaths, 30.0) if self._deaths else 0.0)
        self._deaths += 1


def _begin(folder: Path, warm: Warm | None, tell: Connection, gives_way: bool) -> None:
    begin_child()
    scratch.enter(folder)
    if hasattr(os, "nice"):
        os.nice(NICE)
    if gives_way:
        affinity.step_back()
    extensions.load()
    try:
        if warm is not None:
            warm()
    except Exception:  # the run itself will fail on it, in words
        log.exception("a worker process could not warm up")
    tell.send_bytes(b"!")


def _work(execute: Execute, run_id: str, folder: str) -> str:
    try:
        execute(run_id, folder)
    except BaseException:  # even an exit: the row tells what became of the run
        log.exception("run %s raised in its worker process", run_id)
    return identity()
