"""The process at the end of a server's standard error: what is not JSON yet becomes it, line by line.

It runs as a script of the standard library alone (`logs.gather` starts it): TensorFlow and crashing processes write to
the file descriptor itself, past every handler of Python's. It ends when the last writer has ended, and a crash of the
server cannot take the crash's own last words with it.
"""

import json
import os
import re
import signal
import sys
import time
from typing import Any

LONGEST = 1 << 16  # bytes: a line longer than that goes out in parts
LEVELS = {"D": "debug", "I": "info", "W": "warning", "E": "error", "F": "critical", "C": "critical"}

# How others begin a line, each with some of: the level's first letter, the logger, what is said.
_FORMS = [
    re.compile(r"(?P<level>[IWEF])\d{4} [\d:.]+ +\d+ (?P<logger>[\w./-]+:\d+)\] (?P<message>.*)"),  # abseil
    re.compile(r"\d{4}-\d\d-\d\d [\d:.]+: (?P<level>[IWEF]) (?P<logger>[\w./-]+:\d+)\] (?P<message>.*)"),  # TensorFlow
    re.compile(r"\d{4}-\d\d-\d\d [\d:]+[.,]\d{3} (?P<level>[DIWEC])[A-Z]{3,7} +(?P<logger>[\w.]+): (?P<message>.*)"),
    re.compile(r"\d{4}-\d\d-\d\d [\d:]+[.,]\d{3} (?P<message>.*)"),  # Streamlit
    re.compile(r"(?P<level>[DIWEC])(?:EBUG|NFO|ARNING|RROR|RITICAL): +(?P<message>.*)"),  # uvicorn
]


def stamp(seconds: float) -> str:
    """Return a moment as the log writes it.

    Examples
    --------
    >>> stamp(0.25)
    '1970-01-01T00:00:00.250Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03d}Z"


def as_json(line: str, now: float) -> str:
    """Return a line of the log as one JSON object: as it is when it is one, else wrapped.

    Examples
    --------
    >>> as_json('{"message": "as it is"}', 0)
    '{"message": "as it is"}'
    >>> as_json("WARNING:  Not so.", 0)
    '{"time": "1970-01-01T00:00:00.000Z", "level": "warning", "logger": "stderr", "message": "Not so."}'
    """
    if _is_object(line):
        return line
    matched = next(filter(None, (form.fullmatch(line) for form in _FORMS)), None)
    parts: dict[str, Any] = matched.groupdict() if matched else {}
    fields = {
        "time": stamp(now),
        "level": LEVELS[parts.get("level") or "I"],
        "logger": parts.get("logger") or "stderr",
        "message": parts.get("message", line),
    }
    return json.dumps(fields, ensure_ascii=False)


def _is_object(line: str) -> bool:
    try:
        return line.startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def main() -> None:
    """Copy standard input to standard output until it ends, each line as JSON."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # they reach the whole group: the last lines are yet to come
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    rest = b""
    while chunk := os.read(sys.stdin.fileno(), LONGEST):
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) >= LONGEST:
            lines, rest = [*lines, rest], b""
        _write(lines)
    _write([rest])


def _write(lines: list[bytes]) -> None:
    texts = [line.decode("utf-8", "replace").strip() for line in lines]
    out = "".join(as_json(text, time.time()) + "\n" for text in texts if text).encode("utf-8", "replace")
    try:
        while out:
            out = out[os.write(sys.stdout.fileno(), out) :]
    except OSError:  # nobody reads the log any more: the server must not stop at a full pipe
        pass


if __name__ == "__main__":
    main()
