"""The real app as a person starts it, on a free port and a data folder of its own."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WARM_UP_S = 180  # TensorFlow on a busy machine


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class LabServer:
    """``streamlit run app.py``; ``home`` becomes its data folder, beside it lie the log and its temporary files.

    ``address`` is what it listens on, ``path`` what it lives under.
    """

    def __init__(self, home: Path, address: str = "127.0.0.1", path: str = "", **environment: str):
        self.home, self.address, self.environment = Path(home), address, environment
        self.port = free_port()
        scheme = "https" if "STREAMLIT_SERVER_SSL_CERT_FILE" in environment else "http"
        self.url = f"{scheme}://127.0.0.1:{self.port}{path}"
        if path:
            environment["STREAMLIT_SERVER_BASE_URL_PATH"] = path.strip("/")
        self.log = self.home.with_suffix(".log")
        self.temporary = self.home.with_suffix(".tmp")
        self.temporary.mkdir()
        self.start()

    def start(self) -> None:
        """Start it, for the first time or again at the same address."""
        own = {"TRANSFER_LAB_HOME": str(self.home), "TMPDIR": str(self.temporary)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", "app.py"),
                    *(f"--server.port={self.port}", f"--server.address={self.address}", "--server.headless=true"),
                ],
                cwd=ROOT,
                env=os.environ | own | self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own: close() sees whether all of it is gone
            )

    def ask(self, path: str) -> dict:
        """Return the JSON that a route answers, refusals too."""
        try:
            own = ssl._create_unverified_context()  # a test's certificate is signed by nobody
            with urllib.request.urlopen(self.url + path, timeout=10, context=own) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return json.load(refusal)

    def wait_ready(self, timeout_s: float = WARM_UP_S) -> None:
        """Wait until the shipped models answer and a worker is warm."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until and self.process.poll() is None:
            try:
                if self.ask("/healthz")["ready"]:
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)  # between two looks, not instead of one
        raise AssertionError(f"the app did not start:\n{self.log.read_text()[-4000:]}")

    def libraries(self) -> str:
        """Return what the server process itself, not its children, has mapped into memory."""
        return Path(f"/proc/{self.process.pid}/maps").read_text()

    def kill(self) -> None:
        """End the server process, and no other, by SIGKILL; wait until its children are gone too."""
        self.process.kill()
        self.process.wait()
        if not self._gone():
            raise AssertionError("processes of the app outlived it by a minute")

    def close(self) -> None:
        """Stop it as a service manager does; fail when it, or any process or file it made for a while, is left."""
        if self.process.poll() is not None:
            raise AssertionError(f"the app ended by itself, code {self.process.returncode}")
        self.process.send_signal(signal.SIGTERM)
        if not self._gone():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError("processes of the app were still there a minute after it was told to stop")
        if left := self.leftovers():
            raise AssertionError(f"the app left these behind: {left}")

    def leftovers(self) -> list[str]:
        """Return the locks, temporary and unfinished files there are."""
        unfinished = [path for path in self.home.rglob("*") if path.name.startswith("part")]
        locks = list(self.home.glob("*.lock"))
        return [str(path) for path in (*self.temporary.iterdir(), *(self.home / "tmp").glob("*"), *unfinished, *locks)]

    def _gone(self) -> bool:
        """Wait until no process of the group is left; return whether that came."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            self.process.poll()
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.05)  # between two looks, not instead of one
        return False
