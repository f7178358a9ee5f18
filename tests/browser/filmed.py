"""What a camera sees in a test: a film of photographs, played by Chromium as if it were a camera."""

import io
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser

WIDTH, HEIGHT = 640, 480
SQUARE = round(0.84 * HEIGHT)  # the guide that the page draws


def film(items: Sequence[np.ndarray], path: Path, times: int = 30) -> Path:
    """Write an MJPEG, JPEGs joined end to end: each item, uint8 (h, w, 3), in the guide, so many frames long."""
    with path.open("wb") as file:
        for item in items:
            frame = Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90))
            square = Image.fromarray(item).resize((SQUARE, SQUARE))
            frame.paste(square, ((WIDTH - SQUARE) // 2, (HEIGHT - SQUARE) // 2))
            content = io.BytesIO()
            frame.save(content, "JPEG", quality=90)
            file.write(content.getvalue() * times)
    return path


@contextmanager
def playing(browser: Browser, path: str, film: Path):
    """Another Chromium like ``browser``, at ``path`` on disk, whose camera plays a film and is allowed."""
    arguments = [
        *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
        *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
        f"--use-file-for-fake-video-capture={film}",
    ]
    other = browser.browser_type.launch(executable_path=path, args=arguments)
    try:
        yield other
    finally:
        other.close()
