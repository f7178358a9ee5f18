"""What a process gives away that reads foreign files: memory and time beyond a limit, the network, other processes."""

import os
import sys
from pathlib import Path
from typing import Any

FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.system", "os.exec", "os.fork",
             "os.posix_spawn", "os.spawn", "pty.spawn")  # fmt: skip


def limit(memory: int, cpu_s: int, file: int | None = None) -> None:
    """Limit this process from here on, for good; on Windows the time limit of the caller is all there is.

    Parameters
    ----------
    memory : bytes beyond what it has now; on Linux alone
    cpu_s : processor seconds beyond those it has used
    file : bytes of the largest file that it may write
    """
    try:
        import resource
    except ImportError:
        return
    if sys.platform == "linux":
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, used + memory))
    until = int(sum(os.times()[:2])) + cpu_s
    resource.setrlimit(resource.RLIMIT_CPU, (until, until))
    if file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file, file))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def forbid(what: str, *more: str) -> None:
    """Refuse this process ``FORBIDDEN`` and ``more``, events of Python's audit hooks, for good; ``what`` it reads."""
    forbidden = (*FORBIDDEN, *more)

    def refuse(event: str, _arguments: tuple[Any, ...]) -> None:
        if event.startswith(forbidden):
            raise PermissionError(f"{event} in the process that reads {what}")

    sys.addaudithook(refuse)
