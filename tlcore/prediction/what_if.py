"""Questions that need Keras or scikit-learn, asked of a process that stays warm: above all a moved boundary."""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tlcore import extensions, sources
from tlcore.errors import LabError, TrainingError
from tlcore.machine import affinity, nursery, processes, scratch
from tlcore.spec import FineTuneSpec

from .moves import (
    N_IMAGES,
    N_TEST,
    TAILS,
    Answer,
    Cuts,
    CutScores,
    Move,
    check,
    cuts_of,
    every_cut,
    is_averaged,
    retrain,
)

__all__ = [
    "Answer", "CutScores", "Cuts", "Move", "N_IMAGES", "N_TEST", "TAILS", "WhatIf", "check", "cuts_of", "every_cut",
    "is_averaged", "retrain",
]  # fmt: skip

log = logging.getLogger(__name__)
nursery.also(__name__)
T = TypeVar("T")

NICE = 5  # drawings, pictures and clicks of a full room come first; on Linux training and moves share what they leave
MOST_WAITING = 20
MOST_KEPT = 200  # answers


def warm(folder: str) -> None:
    """Compute what the default moves need."""
    processes.begin_child()
    scratch.enter(Path(folder))
    if hasattr(os, "nice"):
        os.nice(NICE)
    affinity.step_back()
    extensions.load()
    processes.import_keras()
    try:
        every_cut(Cuts(per_class=FineTuneSpec().data.per_class))
        retrain(Move(tail="dense"))
    except LabError:  # a damaged asset: the move itself will say so
        log.exception("the first moves could not be prepared")


class WhatIf:
    """The warm process and its client; moves of all people wait in one line. Starts at the first move or ``start``."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        self._context = processes.LeanContext(scratch.own_folder(folder))
        self._pool: ProcessPoolExecutor | None = None
        # One thread that lives as long as this object: the child ends with the thread that started it.
        self._line = ThreadPoolExecutor(1, thread_name_prefix="what-if")
        self._waiting = 0
        self._kept: OrderedDict[tuple[Move | Cuts, str], Future[Any]] = OrderedDict()
        self._lock = threading.RLock()  # over what is kept and how many wait
        self.ready = False  # whether a move was answered yet
        self._closing = False

    def start(self) -> None:
        """Start the process, without waiting for it; after ``close`` nothing starts."""
        with suppress(RuntimeError):
            self._line.submit(self._ask, retrain, Move())

    def answer(self, move: Move, timeout_s: float = 60.0) -> Answer:
        """Return what a move leads to; raises as ``ask`` and, for a move that names what is not there, a SpecError."""
        check(move)
        return self.ask(retrain, move, timeout_s=timeout_s)

    def soon(self, question: Move | Cuts, wait_s: float = 0.0) -> Answer | CutScores | None:
        """Return the answer to a question; None while it is computed, which the first who asks starts.

        Answers are kept, for everybody: by what was asked and the network's checksum.

        Parameters
        ----------
        wait_s : at most so long it is waited for

        Raises
        ------
        SpecError, DataError, TrainingError
            It cannot be answered. Who asks again starts it again.
        """
        check(question if isinstance(question, Move) else Move(question.source, question.target, None))
        key = (question, sources.info(question.source).sha256)
        with self._lock:
            future = self._kept.get(key)
            if future is None:
                future = self._kept[key] = self._begin(question)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        try:
            return future.result(wait_s)
        except TimeoutError:
            return None
        except Exception:
            with self._lock:
                self._kept.pop(key, None)
            raise

    def _begin(self, question: Move | Cuts) -> "Future[Any]":
        if isinstance(question, Move):
            return self._submit(retrain, question)
        return self._submit(every_cut, question)

    def ask(self, function: Callable[..., T], *arguments: Any, timeout_s: float = 60.0) -> T:
        """Return ``function(*arguments)``, computed in the process; what it raises is raised here.

        Parameters
        ----------
        function : of a module; it and what it takes and returns cross the process border

        Raises
        ------
        TrainingError
            Too many are waiting, it took too long, or the process died twice.
        """
        future = self._submit(function, *arguments)
        try:
            return future.result(timeout_s)
        except TimeoutError as error:
            future.cancel()
            raise TrainingError("This took longer than {s:.0f} s. Try again in a moment.", s=timeout_s) from error

    def _submit(self, function: Callable[..., T], *arguments: Any) -> "Future[T]":
        if self._waiting >= MOST_WAITING:
            raise TrainingError("{n} questions are waiting already. Try again in a few seconds.", n=self._waiting)
        with self._lock:
            self._waiting += 1
        future = self._line.submit(self._ask, function, *arguments)
        future.add_done_callback(self._over)
        return future

    def _over(self, _future: "Future[Any]") -> None:
        with self._lock:
            self._waiting -= 1

    def _ask(self, function: Callable[..., T], *arguments: Any) -> T:
        for _attempt in range(2):
            if self._closing:
                raise TrainingError("The server is stopping. Try again when it is back.")
            if self._pool is None:
                self._pool = ProcessPoolExecutor(1, self._context, initializer=warm, initargs=(self._folder,))
            try:
                answer = self._pool.submit(function, *arguments).result()
                self.ready = True
                return answer
            except BrokenProcessPool:
                self._pool = None
                if not self._closing:  # else it was killed on purpose
                    log.exception("the what-if process died")
        raise TrainingError("The process that computes this died twice. Try other settings, or start a run instead.")

    def close(self) -> None:
        """End the process at once."""
        self._closing = True
        self._context.kill()
        self._line.shutdown(wait=True, cancel_futures=True)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._context.end()
        scratch.sweep(Path(self._folder) / scratch.FOLDER)
