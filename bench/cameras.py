"""What a person before a camera waits for: a picture's answer, for one and for ten cameras, and Teach's next answer.

Pictures go to the routes as the page's camera sends them: JPEGs of 224 px, the next when the last is answered, each
camera with a cookie of its own. There is no plain way to hold these against.
"""

import http.client
import io
import json
import random
import threading
import time
from statistics import median
from typing import Any

from bench import _timing
from bench._served import LabServer, lab

KIND = "photo"
FULL, QUICK = {"pictures": 100, "samples": 40}, {"pictures": 8, "samples": 6}
MOST_CAMERAS = 10
PATIENCE_S = 120.0


class Camera:
    """One browser's camera: a connection that stays, and the cookie that the first page gave it."""

    def __init__(self, server: LabServer):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.connection.request("GET", "/")
        first = self.connection.getresponse()
        first.read()
        given = [value.partition(";")[0] for name, value in first.getheaders() if name.lower() == "set-cookie"]
        self.headers = {"cookie": "; ".join(given), "content-type": "image/jpeg"}

    def send(self, path: str, content: bytes) -> dict[str, Any]:
        """Return the answer to a picture."""
        try:
            self.connection.request("POST", path, content, self.headers)
            answer = self.connection.getresponse()
        except (ConnectionError, http.client.BadStatusLine):  # the server has closed what was idle for long
            self.connection.close()
            self.connection.request("POST", path, content, self.headers)
            answer = self.connection.getresponse()
        body = json.loads(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body}")
        return body


def jpegs(n: int, seed: int = 0) -> list[tuple[bytes, int]]:
    """Return ``n`` photographs of hands as a camera sends them, with the sign of each."""
    import numpy as np
    from PIL import Image

    from tlcore import datasets

    items, labels = datasets.samples("hands", n, seed)
    found = []
    for item, label in zip(np.asarray(items), labels, strict=True):
        content = io.BytesIO()
        Image.fromarray(item).resize((224, 224)).save(content, "JPEG", quality=80)
        found.append((content.getvalue(), int(label)))
    return found


def answer(camera: Camera, content: bytes) -> bool:
    """Ask what was taught of a picture; return whether that was answered, not refused because it still loads."""
    shares = camera.send(f"/api/teach/{KIND}/answers", content)["answers"].values()
    return all(isinstance(each, list) for each in shares)


def kept(camera: Camera, content: bytes, label: int) -> bool:
    """Show an example of a class; return whether it was kept, not refused because the network still loads."""
    try:
        camera.send(f"/api/teach/{KIND}/examples?class={label}", content)
    except RuntimeError:
        return False
    return True


def taught(camera: Camera, n_samples: int) -> list[float]:
    """Return milliseconds from a new example to the answer of the head that has learned it, of two classes in turn."""
    pictures = [picture for picture in jpegs(6 * n_samples + 40) if picture[1] in (0, 5)]
    first = [next(content for content, sign in pictures if sign == wanted) for wanted in (0, 5)]
    until = time.monotonic() + PATIENCE_S
    for label, content in enumerate(first, 1):
        while not kept(camera, content, label):  # the network is loaded with the first
            if time.monotonic() > until:
                raise RuntimeError("no example was kept")
    while not answer(camera, first[0]):
        if time.monotonic() > until:
            raise RuntimeError("nothing was answered")
    waits = []
    for content, sign in pictures[:n_samples]:
        began = time.perf_counter()
        camera.send(f"/api/teach/{KIND}/examples?class={1 if sign == 0 else 2}", content)
        if not answer(camera, content):
            raise RuntimeError("an example was not answered")
        waits.append(1000 * (time.perf_counter() - began))
    return waits


def answered(cameras: list[Camera], n_pictures: int) -> list[float]:
    """Return milliseconds from each picture to its answer, all cameras at once."""
    waits: list[float] = []
    failed: list[BaseException] = []
    lock, start = threading.Lock(), threading.Barrier(len(cameras))

    def hold(camera: Camera, seed: int) -> None:
        try:
            pictures = jpegs(20, seed)
            start.wait(60)
            time.sleep(random.Random(seed).uniform(0, 0.1))
            for at in range(n_pictures):
                began = time.perf_counter()
                if not answer(camera, pictures[at % len(pictures)][0]):
                    raise RuntimeError("a picture was not answered in time")
                with lock:
                    waits.append(1000 * (time.perf_counter() - began))
                time.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))  # ten pictures a second at most, as the page
        except BaseException as error:  # told by the thread that waits
            failed.append(error)
            start.abort()

    threads = [threading.Thread(target=hold, args=(camera, seed)) for seed, camera in enumerate(cameras)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return waits


def measure(quick: bool = False) -> list[_timing.Row]:
    sizes = QUICK if quick else FULL
    with lab() as server:
        cameras = [Camera(server) for _ in range(MOST_CAMERAS)]
        waits = taught(cameras[0], sizes["samples"])
        for camera in cameras[1:]:
            taught(camera, 3)  # so that each has a head of its own
        alone, together = answered(cameras[:1], sizes["pictures"]), answered(cameras, sizes["pictures"])
    assert median(alone) > 0
    title = "Camera picture to answer by a head of one's own"
    return [
        _timing.wait("teach_sample", "Teach: new example to new answer", waits, unit="ms", limit="1,000 ms", digits=1),
        _timing.wait("camera_1", f"{title}, one camera", alone, unit="ms", limit="150 ms", digits=1),
        _timing.wait("camera_10", f"{title}, ten cameras", together, unit="ms", limit="400 ms", digits=1),
    ]


if __name__ == "__main__":
    _timing.script({}, measure)
