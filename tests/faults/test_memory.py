"""A run that the kernel kills for memory, in a control group with a real limit."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tlcore.spec import FineTuneSpec

GROUPS = Path("/sys/fs/cgroup")
LIMIT = 400 * 2**20


@pytest.fixture
def group():
    """A control group of little memory; version 1 or 2."""
    first = GROUPS / "memory"
    folder = (first if first.is_dir() else GROUPS) / f"transfer-lab-{os.getpid()}"
    try:
        folder.mkdir()
        (folder / ("memory.limit_in_bytes" if first.is_dir() else "memory.max")).write_text(str(LIMIT))
    except OSError as error:
        pytest.skip(f"needs a control group with a limit of its own: {error}")
    yield folder
    for _ in range(200):  # its processes may take a moment to be gone
        try:
            folder.rmdir()
            return
        except OSError:
            threading.Event().wait(0.05)


@pytest.mark.soak
def test_a_run_killed_for_memory_says_so(store, group):
    run = store.create(FineTuneSpec())
    code = f"""
import os, threading
from pathlib import Path
Path({str(group / "cgroup.procs")!r}).write_text(str(os.getpid()))
from faults import tasks
from tlcore.engine import LocalEngine
from tlcore.store import Store
store = Store(Path({str(store.folder)!r}))
engine = LocalEngine(store.folder, 1, execute=tasks.take_all_memory)
while not store.get({run.id!r}).final:
    threading.Event().wait(0.1)
engine.close()
"""
    subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, timeout=300
    )
    found = store.get(run.id)
    assert (found.state, found.attempt) == ("failed", 3)
    assert "the last time because memory ran out and the system killed it (SIGKILL)." in str(found.error)
