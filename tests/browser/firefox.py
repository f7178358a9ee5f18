"""Firefox by WebDriver BiDi: Playwright drives only a build of its own, and people have Debian's or Mozilla's."""

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

NAMES = ("firefox-esr", "firefox")
NOT_FOUND = "No Firefox was found (Debian: apt-get install firefox-esr; or name it in FIREFOX_PATH)."
PATIENCE_S = 60  # the machine may be busy


def find_firefox() -> str | None:
    """Return the path of a Firefox, or None."""
    named = os.environ.get("FIREFOX_PATH")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


class Window:
    """One tab. ``errors`` are what its pages wrote to the console as errors."""

    def __init__(self, socket: Any):
        self._socket, self._n, self.errors, self.asked = socket, 0, [], []
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        (tree,) = self.command("browsingContext.getTree")["contexts"]
        self.context = tree["context"]

    def command(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; what the browser tells meanwhile is kept."""
        self._n += 1
        self._socket.send(json.dumps({"id": self._n, "method": method, "params": params}))
        while True:
            told = json.loads(self._socket.recv(timeout=PATIENCE_S))
            if told.get("id") == self._n:
                assert told["type"] == "success", told
                return told["result"]
            if told.get("method") == "log.entryAdded" and told["params"]["level"] == "error":
                self.errors.append(told["params"]["text"])
            elif told.get("method") == "network.beforeRequestSent":
                self.asked.append(told["params"]["request"]["url"])

    def open(self, address: str, width: int, height: int) -> None:
        """Open an address in a window of that size, and wait until it is loaded."""
        self.command("browsingContext.setViewport", context=self.context, viewport={"width": width, "height": height})
        self.command("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def value(self, expression: str) -> Any:
        """Return what a JavaScript expression gives, awaited; a value that JSON has."""
        script = f"(async () => JSON.stringify(await ({expression})))()"
        done = self.command("script.evaluate", expression=script, target={"context": self.context}, awaitPromise=True)
        assert done["type"] == "success", done
        return json.loads(done["result"]["value"]) if done["result"]["type"] == "string" else None

    def draw(self, points: list[tuple[int, int]]) -> None:
        """Press the pointer at the first place of the page, move it along the others, and let go."""
        (x, y), *rest = points
        moves = [{"type": "pointerMove", "x": x, "y": y, "duration": 10} for x, y in rest]
        first = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        pen = {"type": "pointer", "id": "pen", "actions": [*first, *moves, {"type": "pointerUp", "button": 0}]}
        self.command("input.performActions", context=self.context, actions=[pen])


@contextmanager
def window(path: str, profile: Path):
    """Give a tab of a Firefox of its own, without a screen."""
    profile.mkdir()
    line = [path, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        told = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
        address = next((found[1] for found in told if found), None)
        assert address, "Firefox ended before it could be asked"
        with connect(f"{address}/session", max_size=None, open_timeout=PATIENCE_S, proxy=None) as socket:
            yield Window(socket)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
