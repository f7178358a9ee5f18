"""One server of a machine for each data folder: a lock that the kernel lets go when its holder ends, however it does.

Replicas on other machines, or in containers of their own, may share a folder: with the store on Postgres that is safe,
and each has its own lock.
"""

import errno
import os
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from tlcore.errors import StoreError

try:
    import fcntl
except ImportError:  # not there on Windows: two servers on one folder are then not noticed
    fcntl = None

FILE = f"server-{socket.gethostname()}.lock"
WAIT_S = 15.0  # for a server that is stopping
# What a file system without locks answers, NFS without its lock service above all; a lock that is held is EAGAIN.
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EIO}
_LOOK_S = 0.1


class Lock:
    """The right to serve a data folder.

    Commands beside the server need no such right: the store decides who runs what.

    Parameters
    ----------
    folder : the data folder
    wait_s : how long to wait for a server that is stopping

    Raises
    ------
    StoreError
        Another server has it, the folder cannot be written, or files cannot be locked there.
    """

    def __init__(self, folder: Path, wait_s: float = WAIT_S):
        self._path, self._file = Path(folder) / FILE, None
        until = time.monotonic() + wait_s
        while (file := self._take()) is None:
            if time.monotonic() >= until:
                raise StoreError(
                    "Another server works on the data folder {folder} ({holder}). "
                    "Open that one, stop it, or name another folder in TRANSFER_LAB_HOME.",
                    folder=folder,
                    holder=self._holder(),
                )
            time.sleep(_LOOK_S)
        self._file: IO[str] | None = file
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%Y-%m-%d %H:%M')}")
        file.flush()

    def release(self) -> None:
        """Give the right back; leaves no file."""
        if self._file is not None:
            self._path.unlink(missing_ok=True)  # before the lock is let go: whoever waits sees that it is gone
            self._file.close()
            self._file = None

    def _take(self) -> IO[str] | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            file = open(self._path, "a+")  # noqa: SIM115 (open as long as the lock is held)
        except OSError as error:
            raise StoreError(
                "The data folder {folder} cannot be used ({reason}). "
                "Make it writable, or name another one in TRANSFER_LAB_HOME.",
                folder=self._path.parent,
                reason=error.strerror,
            ) from error
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Held, but of a file that another has removed meanwhile, is not held.
            if os.path.samestat(os.fstat(file.fileno()), os.stat(self._path)):
                return file
        except OSError as error:
            if error.errno in NO_LOCKS:
                file.close()
                self._path.unlink(missing_ok=True)
                raise _no_locks(self._path.parent, error) from error
        file.close()
        return None

    def _holder(self) -> str:
        with suppress(OSError):
            return self._path.read_text() or "it is just starting"
        return "it is just starting"


def refusal(folder: Path) -> StoreError | None:
    """Return the error of a folder in which files cannot be locked as SQLite does it; None where they can."""
    path = Path(folder) / f"lock-{os.getpid()}-{threading.get_ident()}"
    try:
        with open(path, "w") as file:
            if fcntl is not None:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return _no_locks(folder, error) if error.errno in NO_LOCKS else None
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    return None


def _no_locks(folder: Path, error: OSError) -> StoreError:
    return StoreError(
        "File locks do not work in the data folder {folder} ({reason}), as on some network drives. "
        "Use a folder on a local disk: TRANSFER_LAB_HOME=/path/to/folder.",
        folder=folder,
        reason=error.strerror,
    )
