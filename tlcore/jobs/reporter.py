"""Carries what a run reports to the store and the run's folder: points, progress, finished parts, checkpoints."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tlcore.errors import LabError
from tlcore.machine.logs import Trouble
from tlcore.sentences import Sentence
from tlcore.spec import Cell, Listener, MetricPoint, Progress, Result
from tlcore.store import Attempt, Store, checkpoint, versions
from tlcore.store.checkpoint import Checkpoint

log = logging.getLogger(__name__)

BEAT_S = 0.25  # how often points go to the store and the stop flag comes back
LEAST_LEFT_S = 0.5  # "about 0 s left" tells nobody anything
CHECKPOINT_S = 1.0  # seconds between two checkpoints
PUBLISH_S = 5.0  # how often what a run writes besides goes to an object store: the film of a run that is watched
CHECKPOINT_COST = 0.01  # most of a run's time that goes into writing them


class Reporter(Listener):
    """Carries points and progress from a run to the store, and the stop request back, in a thread of its own.

    Writing happens every quarter of a second however fast the points come, so reporting costs training almost
    nothing, and a long step that reports nothing still has a heartbeat.
    """

    def __init__(self, store: Store, attempt: Attempt, n_points: int = 0):
        self.store, self.attempt, self.run_id = store, attempt, attempt.run_id
        self.n_points = n_points  # reported so far, those of earlier attempts included
        self._progress, self._told = Progress(message=Sentence("starting")), time.perf_counter()
        self._points: list[MetricPoint] = []
        self._cells: list[Cell] = []
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._stop, self._end, self._wake = threading.Event(), threading.Event(), threading.Event()
        self._trouble = Trouble(log)  # of a store that is away at every beat
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Reporter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._wake.set()
        self._thread.join()
        self.flush()

    def on_metric(self, point: MetricPoint) -> None:
        with self._lock:
            self._points.append(point)
            self.n_points += 1
        if self.n_points == 1:
            self._wake.set()  # somebody has just pressed Start and looks at an empty chart

    def on_cell(self, cell: Cell) -> None:
        """Keep a finished experiment at once; what the store cannot take now goes with the next."""
        self._cells.append(cell)
        try:
            self.attempt.add_cells(self._cells)
            self._cells = []
        except LabError:
            log.exception("run %s could not keep an experiment", self.run_id)

    def on_progress(self, progress: Progress) -> None:
        self._progress, self._told = progress, time.perf_counter()

    def progress(self) -> Progress:
        """Return the last progress, its time left counted down since then; less than half a second is not told."""
        progress, told = self._progress, self._told
        if progress.left_s is None:
            return progress
        left_s = progress.left_s - (time.perf_counter() - told)
        return replace(progress, left_s=left_s if left_s >= LEAST_LEFT_S else None)

    def should_stop(self) -> bool:
        return self._stop.is_set()

    def folder(self) -> Path:
        return self.store.run_folder(self.run_id, create=True)

    def move(self, source: Path, target: Path) -> None:
        """Move a finished file into place, unless this run was taken away from us meanwhile."""
        self.attempt.move(source, target)

    def keep(self, result: Result) -> None:
        """Write down what is finished so far, with the points that belong to it."""
        if self.flush():
            self.attempt.keep({**asdict(result), "n_points": self.n_points})

    def on_data(self, data_hash: str) -> None:
        self.attempt.set_data_hash(data_hash)

    def _run(self) -> None:
        publish_at = time.monotonic() + PUBLISH_S
        while True:
            self._wake.wait(BEAT_S)
            self._wake.clear()
            if self._end.is_set():  # what is left then is __exit__'s to bring
                return
            self.flush()
            if self.store.files.remote and time.monotonic() >= publish_at:
                with suppress(LabError, OSError):  # the end brings what is left
                    self.attempt.publish()
                publish_at = time.monotonic() + PUBLISH_S

    def flush(self) -> bool:
        """Bring what was reported to the store; return whether all of it is there."""
        with self._writing:  # one at a time, or the points would change their order
            with self._lock:
                points, self._points = self._points, []
            try:
                if points:
                    self.attempt.add_points(points)
                    points = []
                if self.attempt.beat(self.progress()):
                    self._stop.set()
                self._trouble.ends("run %s can report again", self.run_id)
                return True
            except LabError as error:  # the store may come back; the points are kept for the next beat
                self._trouble.begins(error, "run %s could not report", self.run_id)
                with self._lock:
                    self._points = points + self._points
                return False


class Keeper(Listener):
    """Writes a checkpoint after an epoch when one is due: not too often, and never at much of a run's time."""

    def __init__(self, reporter: Reporter, state: dict[str, Any]):
        self._reporter, self._state = reporter, state
        self._due = time.perf_counter() + CHECKPOINT_S

    def on_checkpoint(self, snapshot: Callable[[], Checkpoint]) -> None:
        began = time.perf_counter()
        if began < self._due:
            return
        self.on_stop(snapshot)
        now = time.perf_counter()
        self._due = now + max(CHECKPOINT_S, (now - began) / CHECKPOINT_COST)

    def on_stop(self, snapshot: Callable[[], Checkpoint]) -> None:
        """Keep where the training was stopped, whatever that costs: a further run may go on from there."""
        if not self._reporter.flush():  # never ahead of the store: the curves go on from the points that are there
            return
        made = snapshot()
        made.state.update(self._state, n_points=self._reporter.n_points, versions=versions())
        try:
            checkpoint.save(self._reporter.folder(), made, self._move)
        except OSError as error:  # the training itself can do without
            log.warning("no checkpoint of run %s: %s", self._reporter.run_id, error)

    def _move(self, source: Path, target: Path) -> None:
        self._reporter.attempt.move(source, target, further=True)
