"""What a person waits for, in a real Chromium against a real server: first page, pen, boundary, first live point.

There is no plain way to hold these against; the limits are a person's patience.
"""

import compileall
import random
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench import _timing
from bench._served import LabServer, find_chromium, settle
from tlcore.prediction.what_if import Cuts, Move, WhatIf
from tlcore.spec import FineTuneSpec

LABELS = FineTuneSpec().data.per_class
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning]"

# Notes when the pen goes up, and every new picture that the answers on screen belong to.
WATCH = """
window.seen = []; window.up = 0;
window.addEventListener('pointerup', event => { window.up = event.timeStamp; }, true);
new MutationObserver(() => {
  const image = document.querySelector('.answers')?.dataset.image;
  if (image && window.seen.at(-1)?.image !== image) window.seen.push({image, at: performance.now()});
}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
"""


HOME = "See transfer learning work"
MENU = ("Layers", "Train", "Compare heads", "Try", "Runs", "Home")

# Notes when the pointer goes up, when the heading that is wanted has been painted, and when the page last changed. The
# browser's own clock: Playwright's click and its looks take up to a tenth of a second.
WATCH_PAGE = f"""
window.wanted = '{HOME}';
window.began = window.shown = window.changed = 0;
addEventListener('pointerup', event => {{ window.began = event.timeStamp; window.shown = 0; }}, true);
new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {{
  window.changed = performance.now();
  const is_there = [...document.querySelectorAll('h1')].some(one => one.textContent === window.wanted);
  if (is_there) window.shown ||= window.changed;
}}))).observe(document, {{subtree: true, childList: true, characterData: true}});
"""
STOOD = f"window.shown > 0 && performance.now() - window.changed > 500 && document.querySelector('{SETTLED}') !== null"

# Notes when Start is pressed, and when the chart first has a point.
WATCH_POINTS = """
window.drawn = 0;
addEventListener('pointerup', event => { window.began = event.timeStamp; }, {capture: true, once: true});
new MutationObserver((_, watch) => {
  const chart = document.querySelector('.tl-live:not([data-recorded])');
  if (chart?.dataset.points > 0) { window.drawn = performance.now(); watch.disconnect(); }
}).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-points']});
"""


def until(page: Page, condition: str) -> None:
    """Wait for a JavaScript condition: the page's policy forbids the way in which Playwright itself waits for one."""
    for _ in range(3000):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(20)
    raise RuntimeError(f"{condition} did not come true in a minute")


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
        page.wait_for_timeout(2000)  # to choose; Plotly's script comes meanwhile
        page.evaluate(WATCH_POINTS)
        page.locator(".st-key-start_ft button").click()
        until(page, "window.drawn > 0")
        waits.append(page.evaluate("(window.drawn - window.began) / 1000"))
        page.get_by_text("Test accuracy").first.wait_for(timeout=60_000)
        page.wait_for_timeout(8000)  # a spare worker takes the used one's place
    return waits


def page_changes(page: Page, address: str, n: int, names: Sequence[str] = MENU) -> tuple[list[float], list[float]]:
    """Return seconds from a click in the menu until the new page's heading is there, and until its last change.

    The lab is opened again after all of ``names``, so that each page's scripts are run for the first time again, and a
    person looks at each page for a while of any length: Plotly's script may just be running.
    """
    page.add_init_script(WATCH_PAGE)
    looks = random.Random(0)
    headings, lasts = [], []
    for i in range(n):
        if i % len(names) == 0:
            page.goto(address)
            until(page, STOOD)
        page.wait_for_timeout(looks.uniform(0, 2500))
        to_page(page, names[i % len(names)])
        headings.append(page.evaluate("(window.shown - window.began) / 1000"))
        lasts.append(page.evaluate("(window.changed - window.began) / 1000"))
    return headings, lasts


def to_page(page: Page, name: str) -> None:
    """Click on a page in the menu and wait until it stands."""
    page.evaluate("name => { window.wanted = name; window.began = 0; }", HOME if name == "Home" else name)
    page.get_by_test_id("stTopNavLink").filter(has_text=name).click()
    until(page, f"window.began > 0 && {STOOD}")


def boundary(folder: Path, n: int) -> tuple[list[float], list[float]]:
    """Return seconds from a question to its answer: what every cut reaches, and the network's own layers trained.

    Each seed is asked for the first time, so that nothing is answered from what is kept; the page comes on top.
    """
    what_if = WhatIf(folder)
    what_if.answer(Move(tail="dense", per_class=LABELS), timeout_s=300)

    def seconds(question: Cuts | Move) -> float:
        began = time.perf_counter()
        what_if.soon(question, wait_s=60)
        return time.perf_counter() - began

    cuts, trainings = [], []
    for seed in range(1, n + 1):
        cuts.append(seconds(Cuts(seed=seed, per_class=LABELS)))
        for cut in (None, "pool_1", "flatten", "dense_1"):  # what a boundary can change
            trainings.append(seconds(Move(cut=cut, tail="dense", seed=seed, per_class=LABELS)))
    what_if.close()
    return cuts, trainings


def measure(quick: bool = False) -> list[_timing.Row]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    chromium = find_chromium()
    for package in ("pages", "server", "tlcore"):  # as make run does: a person's start has its bytecode
        compileall.compile_dir(_timing.ROOT / package, quiet=1)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        starts = [_one_start(browser, Path(folder) / str(i)) for i in range(1 if quick else 3)]
        up, ready, first = (list(values) for values in zip(*starts, strict=True))
        server = LabServer(Path(folder) / "lab")
        seconds_until(server, "ready")
        settle(server.process.pid)  # a person's first run finds a warm worker some seconds after the pen answers
        new = partial(browser.new_page, viewport={"width": 1280, "height": 900})
        headings, lasts = page_changes(new(), server.url, 6 if quick else 30)
        points = first_point(new(), server.url, 1 if quick else 9)
        waits = pen(new(), server.url, 3 if quick else 30)
        browser.close()
        server.close()
        cuts, trainings = boundary(Path(folder) / "lab", 1 if quick else 8)
    row = _timing.wait
    return [
        row("wait_server", "Server start to its first answer", up),
        row("wait_models", "Server start to the first prediction", ready, limit="5 s"),
        row("wait_first_page", "First page", first, limit="1 s"),
        row("wait_page_change", "Page change, to its heading", headings, limit="0.3 s"),
        row("wait_page_change_last", "Page change, to the last change of the page", lasts),
        row("wait_first_point", "Start to the first live point", points, limit="1.5 s"),
        row("wait_what_if_cuts", "New labels to the accuracy at every cut, linear head", cuts, limit="1 s"),
        row("wait_what_if_dense", "Boundary let go to the new accuracy, dense tail", trainings, limit="1 s"),
        row("wait_pen", "Pen up to the answers of all shipped models", waits, unit="ms", limit="100 ms", digits=0),
    ]


def _one_start(browser: Browser, home: Path) -> tuple[float, float, float]:
    """Return seconds from a server's start to its answer, to its models, and of the first page after the answer."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.wait_for_timeout(2000)  # a person's browser has its window; opening one costs Chromium most of a second
    page.add_init_script(WATCH_PAGE)
    began = time.perf_counter()
    server = LabServer(home)
    seconds_until(server, "alive")
    up = time.perf_counter() - began
    page.goto(server.url)
    until(page, "window.shown > 0")
    first = page.evaluate("window.shown / 1000")
    seconds_until(server, "ready")
    ready = time.perf_counter() - began
    page.close()
    server.close()
    return up, ready, first


if __name__ == "__main__":
    _timing.script({}, measure)
