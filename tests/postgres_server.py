"""Start a Postgres of our own for the tests, in a temporary folder, reached by a socket there and nowhere else.

Run as a script with ``--install`` before the tests: where none is found, Debian's package is installed when we are
root. TRANSFER_LAB_TEST_POSTGRES names one that runs already, as an SQLAlchemy address; its role must be allowed to
make schemas.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "TRANSFER_LAB_TEST_POSTGRES"
NOT_FOUND = (
    "no Postgres was found and none could be installed: install one (Debian and Ubuntu, as root: apt-get install "
    f"postgresql) or name one that runs in {VARIABLE}"
)
SETTINGS = ("listen_addresses=''", "fsync=off", "max_connections=200", "shared_buffers=32MB", "timezone=UTC")


def find_binaries() -> Path | None:
    """Return the folder of ``initdb`` and ``postgres``: Debian's newest, else where the path finds them."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max(debian, key=lambda path: float(path.parts[-3]), default=None) or shutil.which("initdb")
    return Path(newest).resolve().parent if newest else None


def available() -> bool:
    """Return whether ``running`` has one to start or to name."""
    return bool(os.environ.get(VARIABLE) or find_binaries())


def unprivileged() -> dict[str, object]:
    """Return how to start a process as somebody whom Postgres accepts: it refuses to run as root."""
    if os.geteuid():
        return {}
    import pwd

    entry = next(entry for name in ("postgres", "nobody") for entry in pwd.getpwall() if entry.pw_name == name)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Postgres:
    """A Postgres in a folder of its own; it can be stopped and started again."""

    def __init__(self, folder: Path):
        self.folder, self.binaries, self.person = folder, find_binaries(), unprivileged()
        self.address = f"postgresql+psycopg://lab@/postgres?host={folder}"
        if self.person:
            os.chown(folder, self.person["user"], self.person["group"])
        # Trust: the folder, and so the socket, is closed to everybody else.
        self._do("initdb", "-U", "lab", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")

    def start(self, *further: str) -> None:
        """Start it; ``further`` settings hold in place of those of the same name."""
        chosen = (*SETTINGS, f"unix_socket_directories={self.folder}", *further)
        settings = " ".join(f"-c {setting}" for setting in chosen)
        self._do("pg_ctl", "start", "-w", "-o", settings)

    def stop(self) -> None:
        """End it at once, as a crash would."""
        self._do("pg_ctl", "stop", "-w", "-m", "immediate")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Stop it after the block, and too when this process is killed: its end of the pipe closes then."""
        stop = f"read _; {self.binaries}/pg_ctl -D {self.folder}/data stop -w -m immediate; rm -rf {self.folder}/data"
        with subprocess.Popen(
            ["sh", "-c", stop],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,  # Ctrl+C is not for it
            **self.person,
        ):
            yield

    def _do(self, program: str, *arguments: str) -> None:
        command = [str(self.binaries / program), "-D", f"{self.folder}/data", *arguments]
        # No pipes: the server would inherit them and keep them open.
        with open(self.folder / "said", "a+", encoding="utf-8") as said:
            if subprocess.run(command, stdout=said, stderr=said, cwd=self.folder, **self.person).returncode:
                said.seek(0)
                raise RuntimeError(f"{program} failed: {said.read()}")


@contextmanager
def started() -> Iterator[Postgres]:
    """Yield a Postgres of our own that answers; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:  # short: a socket's path may have 107 characters
        server = Postgres(Path(name))
        server.start()
        with server.guard():
            yield server


@contextmanager
def running() -> Iterator[str]:
    """Yield the address of a Postgres that answers, ours or the one that was named; ours ends with the block."""
    if named := os.environ.get(VARIABLE):
        yield named
        return
    with started() as server:
        yield server.address


def install() -> None:
    """Install Debian's package when we are root; nobody else gets a database server by running tests."""
    if os.geteuid() or not shutil.which("apt-get"):
        return
    for command in (
        ["apt-get", "update", "-q"],
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "postgresql"],
    ):
        print("Database tests:", *command, file=sys.stderr, flush=True)
        try:
            if subprocess.run(command, stdout=sys.stderr, timeout=600).returncode:
                return
        except (OSError, subprocess.TimeoutExpired) as error:
            print(error, file=sys.stderr)
            return


def main() -> int:
    if not available() and "--install" in sys.argv:
        install()
    if not available():
        print(f"The run store is tested on SQLite alone: {NOT_FOUND}.", file=sys.stderr)
    return 0  # the tests that need it are skipped with the reason


if __name__ == "__main__":
    sys.exit(main())
