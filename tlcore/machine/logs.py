"""The log: one JSON object a line, with the run and the person it is about; never a drawing, never a cookie."""

import atexit
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from tlcore.errors import SpecError

from . import stderr_lines

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
RUN = re.compile(r"\brun ([0-9a-f]{16})\b")
GATHERED = "TRANSFER_LAB_LOG_PIPE"  # of this process and its children: which pipe their standard error is
LAST_LINES_S = 2.0  # how long a server that ends waits until its last lines are out

log = logging.getLogger(__name__)


class Line(logging.Formatter):
    """Formats a record as one line of JSON.

    ``run`` and ``person`` come from the record's ``extra``; a run's id in the message counts too.

    Examples
    --------
    >>> record = logging.LogRecord("tlcore.engine", logging.WARNING, "", 0, "run %s died", ("0" * 16,), None)
    >>> json.loads(Line().format(record))["run"]
    '0000000000000000'
    """

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        found = RUN.search(message)
        fields = {
            "time": stderr_lines.stamp(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "run": getattr(record, "run", found and found[1]),
            "person": getattr(record, "person", None),
            "message": message,
            "trace": self.formatException(record.exc_info) if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in fields.items() if value is not None}, ensure_ascii=False)


class Trouble:
    """Says once that what is tried again and again fails, and once that it works again."""

    def __init__(self, log: logging.Logger):
        self._log, self._last = log, ""

    def begins(self, error: Exception, message: str, *values: object) -> None:
        """Log an error with its trace; not when it is the last one again."""
        what = f"{type(error).__name__}: {error}"
        if what != self._last:
            self._log.error(message, *values, exc_info=error)
        self._last = what

    def ends(self, message: str, *values: object) -> None:
        """Log that it works again, if it did not."""
        if self._last:
            self._log.warning(message, *values)
        self._last = ""


def configure(environ: Mapping[str, str] = os.environ) -> None:
    """Write the log of this process to standard error, from the level that TRANSFER_LAB_LOG_LEVEL names (INFO) on.

    Handlers that libraries brought along keep their levels and take the same form.

    Raises
    ------
    SpecError
        There is no such level.
    """
    level = environ.get("TRANSFER_LAB_LOG_LEVEL", "").strip().upper() or "INFO"
    if level not in LEVELS:
        raise SpecError(
            "TRANSFER_LAB_LOG_LEVEL must be one of {levels}. Received: {level!r}. Try TRANSFER_LAB_LOG_LEVEL=INFO.",
            levels=", ".join(LEVELS),
            level=level,
        )
    handler = logging.StreamHandler()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("tlcore").setLevel(level)
    logging.getLogger("pages").setLevel(level)
    for logger in (logging.root, *map(logging.getLogger, list(logging.root.manager.loggerDict))):
        for each in logger.handlers:
            each.setFormatter(Line())
    if logging.lastResort:
        logging.lastResort.setFormatter(Line())  # of loggers that have no handler: uvicorn's, among others
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda found: found.exc_value and _uncaught(found.exc_type, found.exc_value, None)


def _uncaught(kind: type[BaseException], error: BaseException, trace: object) -> None:
    if issubclass(kind, Exception):  # Ctrl+C is no fault
        log.critical("an exception was not caught", exc_info=error)


def gather() -> None:
    """Have everything on standard error come out as JSON, a line each, from here on.

    That is what Python's loggers write, and what TensorFlow, a crash or a library prints to the file descriptor, in
    this process and in its children. It outlives an ``exec``.
    """
    atexit.register(_wait_for_last_lines)
    with suppress(OSError):  # no standard error, as under some service managers: nothing to gather
        if os.name == "posix" and os.environ.get(GATHERED, "").rpartition(":")[0] != _pipe():
            reader = subprocess.Popen(
                [sys.executable, "-I", "-S", stderr_lines.__file__], stdin=subprocess.PIPE, stdout=2, stderr=2
            )
            assert reader.stdin
            sys.stderr.flush()
            os.dup2(reader.stdin.fileno(), 2)
            reader.stdin.close()
            os.environ[GATHERED] = f"{_pipe()}:{reader.pid}"
            reader.returncode = 0  # it ends after this process, which must not wait for it


def _wait_for_last_lines() -> None:
    """Have the last lines written before this process is gone, which ends a container at once."""
    pipe, _, reader = os.environ.get(GATHERED, "").rpartition(":")
    with suppress(OSError, ValueError):
        if pipe == _pipe():
            sys.stderr.flush()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            until = time.monotonic() + LAST_LINES_S
            while os.waitpid(int(reader), os.WNOHANG) == (0, 0) and time.monotonic() < until:
                time.sleep(0.01)


def _pipe() -> str:
    """Name what standard error is: a child inherits it, an unrelated process with our environment does not have it."""
    what = os.fstat(2)
    return f"{what.st_dev}:{what.st_ino}"
