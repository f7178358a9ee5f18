"""What a person waits for, in a real Chromium against a real server: first page, pen, first live point.

Prints medians and 95th percentiles. There is no plain way to hold these against; the limits are a person's patience.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from browser.find_chromium import find_chromium  # noqa: E402
from browser.server import LabServer  # noqa: E402

SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"

# Notes when the pen goes up, and every new picture that the answers on screen belong to.
WATCH = """
window.seen = []; window.up = 0;
window.addEventListener('pointerup', () => { window.up = performance.now(); }, true);
new MutationObserver(() => {
  const image = document.querySelector('.answers')?.dataset.image;
  if (image && window.seen.at(-1)?.image !== image) window.seen.push({image, at: performance.now()});
}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
"""


def p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * (len(values) - 1)))]


def seconds_until(server: LabServer, word: str) -> float:
    """Return the seconds from now until /healthz says that ``word`` is so."""
    began = time.perf_counter()
    while True:
        try:
            if server.ask("/healthz")[word]:
                return time.perf_counter() - began
        except (OSError, ValueError):
            assert server.process.poll() is None, "the server ended"
        time.sleep(0.02)


def pen(page: Page, address: str, n: int) -> list[float]:
    """Return milliseconds from pen up to the answer to the finished drawing, ``n`` times."""
    page.goto(f"{address}/draw")
    page.wait_for_selector(SETTLED)
    page.evaluate(WATCH)
    canvas = page.locator("canvas").first
    waits = []
    for i in range(n + 3):
        box = canvas.bounding_box()
        assert box
        at = lambda x, y, box=box: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
        shift = 0.01 * (i % 7)
        page.mouse.move(*at(0.3 + shift, 0.25))
        page.mouse.down()
        page.mouse.move(*at(0.7, 0.25 + shift), steps=10)
        page.mouse.move(*at(0.5, 0.6), steps=10)
        page.mouse.move(*at(0.42 + shift, 0.85))  # the last bit comes with the pen's lift: it is never sent before
        page.mouse.up()
        page.wait_for_timeout(1200)
        found = page.evaluate("[window.up, ...window.seen.filter(s => s.at > window.up).map(s => s.at)]")
        if len(found) > 1 and i >= 3:  # the first three warm the path
            waits.append(found[-1] - found[0])
        page.get_by_role("button", name="Clear").first.click()
        page.wait_for_timeout(400)
    return waits


def first_point(page: Page, address: str, n: int) -> list[float]:
    """Return seconds from Start to the first point on the chart, ``n`` times, each on a warm worker."""
    waits = []
    for _ in range(n):
        page.goto(f"{address}/train")
        page.wait_for_selector(SETTLED)
        began = time.perf_counter()
        page.locator(".st-key-start_ft button").click()
        page.wait_for_function("document.querySelector('.tl-live')?.dataset.points > 0", timeout=60_000, polling=20)
        waits.append(time.perf_counter() - began)
        page.get_by_text("Test accuracy").first.wait_for(timeout=60_000)
        page.wait_for_timeout(8000)  # a spare worker takes the used one's place
    return waits


def page_changes(page: Page, address: str, n: int) -> list[float]:
    """Return seconds from a click in the menu until the new page stands, ``n`` times."""
    page.goto(address)
    page.wait_for_selector(SETTLED)
    waits = []
    for i in range(n):
        name = ("Layers", "Train", "Heads", "Draw", "Runs", "Home")[i % 6]
        began = time.perf_counter()
        page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
        title = "See transfer learning work" if name == "Home" else name
        page.get_by_role("heading", name=title, exact=True).first.wait_for()
        waits.append(time.perf_counter() - began)
        page.wait_for_selector(SETTLED)
    return waits


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true")
    quick = options.parse_args().quick
    chromium = find_chromium()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = LabServer(Path(folder) / "lab")
        up = seconds_until(server, "alive")
        ready = up + seconds_until(server, "ready")
        address = server.url
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(address)
        page.get_by_role("heading", name="See transfer learning work").wait_for()
        first = time.perf_counter() - began
        print(f"server answers after {up:.2f} s, its models after {ready:.2f} s; first page {first:.2f} s")
        changes = page_changes(page, address, 6 if quick else 30)
        print(f"page change: median {median(changes):.2f} s, p95 {p95(changes):.2f} s of {len(changes)}")
        waits = pen(page, address, 3 if quick else 30)
        print(f"pen up to answer: median {median(waits):.0f} ms, p95 {p95(waits):.0f} ms of {len(waits)}")
        points = first_point(page, address, 1 if quick else 7)
        print(f"Start to first live point: median {median(points):.2f} s, worst {max(points):.2f} s of {len(points)}")
        browser.close()
        server.close()


if __name__ == "__main__":
    main()
