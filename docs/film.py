"""Make the README's moving picture: a newcomer's minute in the real app, written to docs/minute.gif (``make film``)."""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "tests"))
from browser import minute  # noqa: E402
from browser.find_chromium import find_chromium  # noqa: E402
from browser.kept import NO_TOURS  # noqa: E402
from browser.lab_server import LabServer  # noqa: E402

SCREEN = {"width": 1280, "height": 800}
SIZE = (960, 600)
MOST_BYTES = 3_000_000

# Where the pointer is: a picture of the page does not show it.
POINTER = """
window.pointer = [-100, -100];
for (const kind of ["pointermove", "pointerdown"])
  addEventListener(kind, event => { window.pointer = [event.clientX, event.clientY]; }, true);
"""


class Film:
    """Pictures of a page, each with the seconds it is shown; equal neighbours become one."""

    def __init__(self) -> None:
        self.frames: list[Image.Image] = []
        self.seconds: list[float] = []

    def see(self, page: Page, seconds: float) -> None:
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS)
        x, y = (at * SIZE[0] / SCREEN["width"] for at in page.evaluate("window.pointer"))
        ImageDraw.Draw(picture).ellipse((x - 7, y - 7, x + 7, y + 7), outline="#D62F2F", width=3)
        if self.frames and self.frames[-1].tobytes() == picture.tobytes():
            self.seconds[-1] += seconds
        else:
            self.frames.append(picture)
            self.seconds.append(seconds)

    def save(self, path: Path) -> None:
        """Write it as one GIF with one palette, so that what does not change costs nothing."""
        every = Image.new("RGB", (SIZE[0], SIZE[1] * len(self.frames)))
        for i, frame in enumerate(self.frames):
            every.paste(frame, (0, i * SIZE[1]))
        # The most frequent colours, and those that lie far apart: by frequency alone a chart's thin lines lose theirs.
        kinds = {Image.Quantize.MEDIANCUT: 128, Image.Quantize.MAXCOVERAGE: 64}
        parts = [every.quantize(n, method=method).getpalette()[: 3 * n] for method, n in kinds.items()]  # type: ignore
        palette = Image.new("P", (1, 1))
        palette.putpalette(sum(parts, []))
        first, *rest = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in self.frames)
        milliseconds = [round(1000 * seconds) for seconds in self.seconds]
        first.save(path, save_all=True, append_images=rest, duration=milliseconds, loop=0, optimize=False)
        if path.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{path} has {path.stat().st_size:,} bytes; the limit is {MOST_BYTES:,}.")


def main() -> None:
    chromium, film = find_chromium(), Film()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "lab")
        try:
            server.wait_ready()
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport=SCREEN)
            page.add_init_script(POINTER)
            page.add_init_script(NO_TOURS)  # their card would lie over the chart
            minute.walk(page, server.url, film.see)
            browser.close()
        finally:
            server.close()
    film.save(FOLDER / "minute.gif")
    size = (FOLDER / "minute.gif").stat().st_size
    print(f"docs/minute.gif: {len(film.frames)} pictures, {sum(film.seconds):.0f} s, {size:,} bytes")


if __name__ == "__main__":
    main()
