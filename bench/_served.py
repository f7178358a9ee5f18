"""The real server for a benchmark: its own data folder, idle before the clock starts, and gone afterwards."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import _tree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from browser.find_chromium import find_chromium  # noqa: E402, F401
from browser.lab_server import LabServer  # noqa: E402

QUIET = 0.1  # cores: nobody warms up any more
LONGEST_S = 180.0


@contextmanager
def lab(**environment: str) -> Iterator[LabServer]:
    """Start the app on an empty data folder and wait until models, workers and what-if are warm."""
    with tempfile.TemporaryDirectory() as folder:
        with lab_in(Path(folder) / "lab", **environment) as server:
            yield server
        trouble = [line for line in server.log.read_text().splitlines() if "Traceback" in line]
        if trouble:
            raise RuntimeError(f"the server's log has {len(trouble)} tracebacks:\n{server.log.read_text()[-3000:]}")


@contextmanager
def lab_in(home: Path, **environment: str) -> Iterator[LabServer]:
    """The same on a data folder as it is, whatever its log says in the end."""
    server = LabServer(home, **environment)
    try:
        server.wait_ready()
        settle(server.process.pid)
        yield server
    finally:
        server.close()


def settle(pid: int) -> None:
    """Wait until a process and its descendants use almost no processor for a second."""
    until = time.monotonic() + LONGEST_S
    while time.monotonic() < until:
        with _tree.watch(pid) as used:
            time.sleep(1.0)
        if used.cores < QUIET and _tree.tree(pid):
            return
    raise RuntimeError(f"the server was not idle within {LONGEST_S:.0f} s")
