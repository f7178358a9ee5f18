"""The nursery: a process that has imported Keras and what else children need, from which they are forked.

Importing Keras takes as long as a small training; a forked child has it at once, and shares its memory. TensorFlow
hangs in a fork of a process in which it has computed: its threads do not come along. In this one it never does.
It is the fork server of ``multiprocessing``, started with the first child and gone with the process that started it.
"""

import atexit
import os
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from multiprocessing import forkserver, process
from pathlib import Path
from typing import Any

from .affinity import anywhere

MARK = "TL_NURSERY"  # in the environment of the nursery while it starts
_server: Any = forkserver._forkserver  # type: ignore[attr-defined]
_lock = threading.Lock()
_place: Path | None = None  # the folder of its socket
_at: int = -1  # a descriptor of that folder
pid: int | None = None  # of the nursery; in a process that came from it
_also: list[str] = []  # the modules that its children import anyway
_later: list[str] = []  # those that its first child does not wait for
_children = 0  # forked so far; in the nursery


def also(module: str) -> None:
    """Have the nursery import a module too when it starts: a child that needs it has it from the first moment.

    Nothing that starts a thread or computes with TensorFlow: neither comes along when a child is forked.
    """
    _also.append(module)


def later(*modules: str) -> None:
    """Have the nursery import modules before its second child: the first, which answers the pen, does not wait.

    To be called where a module that is named to ``also`` is imported. The same holds for these as for those.
    """
    _later.extend(modules)


def grow() -> None:
    """In the nursery, before a child is forked: import what comes later, when its turn has come."""
    global _children
    _children += os.getpid() == pid  # else a child of it forks
    if _children == 2:
        while _later:
            with suppress(ImportError):  # who needs it says so
                import_module(_later.pop(0))


def start(folder: Path) -> bool:
    """Start the nursery, unless it is there; return whether it is, which it cannot be everywhere.

    Returns at once: a child asked for meanwhile waits for Keras.

    Parameters
    ----------
    folder : for its socket: one of this process's own, swept where it was killed
    """
    global _place, _at
    if sys.platform != "linux":
        return False
    with _lock:
        try:
            if _place is None:
                folder.mkdir(parents=True, exist_ok=True)
                _place, _at = folder, os.open(folder, os.O_DIRECTORY)
            with _socket_there(), _imports_as_here(), anywhere():
                _server.set_forkserver_preload(["tlcore.machine.raise_keras", *_also])
                _server.ensure_running()
            return os.path.exists(_server._forkserver_address)
        except OSError:  # a data folder on a disk that has no sockets
            return False


def place() -> Path | None:
    """Return where this process's nursery has its socket; None while there is no nursery."""
    return _place if _server._forkserver_pid is not None else None


def close() -> None:
    """End it, and with it its children."""
    global _place, _at
    with _lock:
        if _server._forkserver_pid is not None:
            with suppress(OSError):
                os.kill(_server._forkserver_pid, 9)
                _server._stop()
        if _place is not None:
            os.close(_at)
            shutil.rmtree(_place, ignore_errors=True)
            _place = None


def leave() -> int | None:
    """In a child: let go of the line that keeps the nursery alive; return its process id, None in any other process."""
    if _server.get_inherited_fds() is None:
        return None
    if _server._forkserver_alive_fd is not None:
        os.close(_server._forkserver_alive_fd)
        _server._forkserver_alive_fd = None
    return pid or os.getppid()


def environment() -> dict[str, str]:
    """Return the environment of this process, as it is while no nursery is started."""
    with _lock:
        return dict(os.environ)


@contextmanager
def _socket_there() -> Iterator[None]:
    """Have ``multiprocessing`` make its socket in our folder, by a name that is never too long for one."""
    settings: dict[str, Any] = process.current_process()._config  # type: ignore[attr-defined]
    before = settings.get("tempdir")
    settings["tempdir"] = f"/proc/self/fd/{_at}"
    try:
        yield
    finally:
        settings["tempdir"] = before


@contextmanager
def _imports_as_here() -> Iterator[None]:
    """Have a process started meanwhile find the modules that this one finds, and know that it is the nursery."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(path or os.getcwd() for path in sys.path)
    os.environ[MARK] = "1"
    try:
        yield
    finally:
        del os.environ[MARK]
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


atexit.register(close)  # of who ends without it; what starts children ends earlier, for it registers later
