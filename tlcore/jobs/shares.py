"""A sweep that several processes share, on any machines: each takes shares that nobody has, files in the run's folder.

What was measured is in the store; a share only says who measures what, so that nobody waits for what another does. A
process that dies leaves its share to the others.
"""

import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tlcore.evidence.sweeps import Sharing
from tlcore.machine import identity, is_alive
from tlcore.spec import Cell, Listener
from tlcore.store import Run, Store

FOLDER = "shares"  # in the run's folder
MOST = 64  # shares of one sweep: some for each worker, and not too small to be worth the way
ABANDONED_S = 300.0  # without a finished experiment, after which a share is anybody's: its process may stand still
LOOK_S = 1.0  # how often the store is asked what others have done


class Shares(Sharing):
    """This process's part in a shared sweep.

    Parameters
    ----------
    planned : all experiments of the sweep, in order; the same in each process
    owns : this process has the run: it waits for the others, and does at the end what nobody did
    """

    def __init__(self, store: Store, run_id: str, planned: Sequence[Cell], owns: bool):
        self._store, self._run_id, self._planned, self._owns = store, run_id, planned, owns
        self._size = -(-len(planned) // MOST)
        self._folder = store.run_folder(run_id, create=owns) / FOLDER
        self._mine: set[tuple] = set()
        self._seen: tuple[Cell, ...] = ()
        self._look_at = 0.0
        if owns:
            self._folder.mkdir(exist_ok=True)

    def mine(self, todo: Sequence[Cell]) -> Iterator[Cell | None]:
        wanted = {cell.key for cell in todo}
        while self._owns or not self._store.queued(limit=1):  # who only helps makes room for what waits
            number = self._take()
            if number is not None:
                yield from self._of(number, wanted)
            elif self._owns and not self._all_finished():
                yield None
                threading.Event().wait(LOOK_S / 2)
            else:
                break
        if self._owns:
            measured = {cell.key for cell in self._store.cells(self._run_id)} | self._mine
            yield from (cell for cell in todo if cell.key not in measured)

    def others(self, now: bool = False) -> Sequence[Cell]:
        if now or time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_S
            self._seen = tuple(cell for cell in self._store.cells(self._run_id) if cell.key not in self._mine)
        return self._seen

    def n_processes(self) -> int:
        holders = {_holder(path) for path in self._taken()} - {""}
        return max(1, len(holders))

    def close(self) -> None:
        """Remove what said who measures what; the sweep is over."""
        gone = self._folder.with_name(f"{FOLDER}-over")
        with suppress(OSError):
            self._folder.rename(gone)  # at once: a helper that is just writing there would keep it from being removed
        shutil.rmtree(gone, ignore_errors=True)

    def _of(self, number: int, wanted: set[tuple]) -> Iterator[Cell]:
        """Yield the experiments of a share that nobody has measured, and note that it is finished."""
        known = {cell.key for cell in self._store.cells(self._run_id)}
        for cell in self._planned[number * self._size : (number + 1) * self._size]:
            if cell.key in wanted and cell.key not in known:
                self._mine.add(cell.key)
                yield cell
                with suppress(OSError):
                    os.utime(self._path(number))
        with suppress(OSError):
            self._path(number).rename(self._finished(number))

    # -- the files ---------------------------------------------------------------------------------------------------

    def _take(self) -> int | None:
        """Take a share that nobody has; None when there is none."""
        for number in range(-(-len(self._planned) // self._size)):
            path = self._path(number)
            if self._finished(number).exists():
                continue
            if path.exists() and _is_abandoned(path):
                with suppress(OSError):  # another was quicker
                    path.unlink()
            try:
                with open(path, "x", encoding="utf-8") as file:
                    file.write(identity())
                return number
            except (FileExistsError, FileNotFoundError):  # somebody's; or the sweep is over
                continue
        return None

    def _all_finished(self) -> bool:
        return not any(self._taken())

    def _taken(self) -> list[Path]:
        return [path for path in self._folder.glob("share-*") if path.suffix != ".finished"]

    def _path(self, number: int) -> Path:
        return self._folder / f"share-{number:02}"

    def _finished(self, number: int) -> Path:
        return self._folder / f"share-{number:02}.finished"


class Helping(Listener):
    """Brings what a process measures for another's sweep to the store, and hears when that is no longer wanted."""

    def __init__(self, store: Store, run: Run):
        self._store, self._run = store, run
        self._attempt = store.beside(run)
        self._stop, self._look_at = False, 0.0

    def on_cell(self, cell: Cell) -> None:
        self._attempt.add_cells([cell])

    def should_stop(self) -> bool:
        if not self._stop and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_S
            now = self._store.get(self._run.id)
            self._stop = now.state != "running" or now.attempt != self._run.attempt or now.stop_requested
        return self._stop


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:  # finished just now
        return ""


def _is_abandoned(path: Path) -> bool:
    """Return whether nobody works on a share any more."""
    holder = _holder(path)
    alive = is_alive(holder) if holder.count(":") >= 2 else None
    if alive is False:
        return True
    with suppress(OSError):
        return path.stat().st_mtime < time.time() - ABANDONED_S
    return False
