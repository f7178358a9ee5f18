"""The real app as a person starts it, on a free port and a data folder of its own."""

import json
import os
import signal
import socket
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
    """``streamlit run app.py``; ``home`` becomes its data folder, beside it lies the log."""

    def __init__(self, home: Path, **environment: str):
        self.home = Path(home)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = self.home.with_suffix(".log")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "streamlit", "run", "app.py"),
                    *(f"--server.port={port}", "--server.address=127.0.0.1", "--server.headless=true"),
                ],
                cwd=ROOT,
                env=os.environ | {"TRANSFER_LAB_HOME": str(self.home)} | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a group of its own: close() sees whether all of it is gone
            )

    def ask(self, path: str) -> dict:
        """Return the JSON that a route answers, refusals too."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
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

    def close(self) -> None:
        """Stop it as a service manager does; fail when it, or any process it started, lives on."""
        if self.process.poll() is not None:
            raise AssertionError(f"the app ended by itself, code {self.process.returncode}")
        self.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            self.process.poll()
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.05)  # between two looks, not instead of one
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        raise AssertionError("processes of the app were still there a minute after it was told to stop")
