"""``python -m tlcore`` in a process that need not import Keras: forked from the nursery, where that can be."""

import os
import runpy
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tlcore.machine import ChildProcess, LeanContext, processes, scratch

ROOT = Path(__file__).resolve().parents[1]
LONG_S = 300  # longer than any command here takes


@dataclass
class Command:
    """A command at work; what it writes is in two files."""

    process: ChildProcess
    place: tempfile.TemporaryDirectory

    @property
    def stdout(self) -> str:
        return Path(self.place.name, "out").read_text(encoding="utf-8")

    @property
    def stderr(self) -> str:
        return Path(self.place.name, "err").read_text(encoding="utf-8")

    @property
    def returncode(self) -> int | None:
        return self.process.exitcode

    def wait(self) -> "Command":
        self.process.join(LONG_S)
        assert self.process.exitcode is not None, "it did not end"
        return self


def begin(*line: object, home: Path) -> Command:
    """Start a command on a data folder."""
    place = tempfile.TemporaryDirectory(prefix="command-")
    for name in ("out", "err"):
        Path(place.name, name).touch()
    context = LeanContext(Path(tempfile.gettempdir(), scratch.prefix()))  # the nursery's own, which removes it
    process = context.Process(target=_run, args=(tuple(map(str, line)), str(home), place.name))
    process.start()
    return Command(process, place)


def command(*line: object, home: Path) -> Command:
    """Do a command on a data folder, to its end."""
    return begin(*line, home=home).wait()


def _run(line: tuple[str, ...], home: str, place: str) -> None:
    processes.die_with_parent()
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(f"{place}/{name}", os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which the nursery ignores
    os.environ["TRANSFER_LAB_HOME"] = home
    os.chdir(ROOT)
    sys.argv = ["tlcore", *line]
    runpy.run_module("tlcore", run_name="__main__", alter_sys=True)
