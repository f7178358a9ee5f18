"""The pages while a long line of runs waits, in a real Chromium, for one of a thousand people and for the host."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench import waits
from bench._cluster import cluster
from bench._served import LabServer, find_chromium, lab_in
from tlcore import people
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

PEOPLE = 1000
PAGES = ("Runs", "Train", "Home")
CHART = ".tl-live:not([data-recorded])"

# Notes when a button is pressed, and when the chart first says what is to come of it.
WATCH = """
window.pressed = window.told = 0;
addEventListener('pointerup', event => { window.pressed = event.timeStamp; }, {capture: true, once: true});
new MutationObserver((_, watch) => {
  const chart = document.querySelector('CHART');
  if (window.pressed && chart && (WANTED)) { window.told = performance.now(); watch.disconnect(); }
}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
"""
PLACE, STOPPED = "/[0-9] before this one/.test(chart.textContent)", "chart.dataset.state === 'stopped'"


def owner(number: int) -> str:
    return f"person-{number % PEOPLE}"


def fill(store: Store, n: int) -> list[str]:
    """Add ``n`` runs of a thousand people; return their ids."""
    return [store.create(FineTuneSpec(), owner=owner(number)).id for number in range(n)]


@contextmanager
def served(n: int) -> Iterator[LabServer]:
    """Start a server whose ``n`` runs wait for a cluster without a worker."""
    limits = dict.fromkeys(("MOST_WAITING_SERVER", "MOST_WAITING_PERSON", "IDLE_MINUTES"), "100000")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name) / "lab"
        store = Store(home)
        fill(store, n)
        store.close()
        with cluster(home, 0) as address:
            words = {f"TRANSFER_LAB_{limit}": value for limit, value in limits.items()}
            with lab_in(home, TRANSFER_LAB_ENGINE=address, **words) as server:
                yield server


def pages(n: int, clicks: int) -> dict[str, list[float]]:
    """Return the seconds from a click to what it shows while ``n`` runs wait, by what it is and who clicks."""
    chromium, found = find_chromium(), {}
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with served(n) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        keys = people.keys(server.home)
        one = {keys.person_name: keys.person_cookie(owner(7))}
        for who, cookies in {"one of the people": one, "the host": one | {keys.host_name: keys.host_cookie()}}.items():
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.add_cookies([{"name": name, "value": value, "url": server.url} for name, value in cookies.items()])
            found |= {f"{what}, {who}": values for what, values in _clicks(context, server.url, clicks).items()}
            context.close()
        browser.close()
    return found


def _clicks(context: BrowserContext, address: str, n: int) -> dict[str, list[float]]:
    page = context.new_page()
    _, lasts = waits.page_changes(page, address, n * len(PAGES), PAGES)
    found: dict[str, list[float]] = {f"{name} opened": lasts[at :: len(PAGES)] for at, name in enumerate(PAGES)}
    found |= {"a training started, to its place in the line": [], "a training stopped": []}
    started, stopped = list(found.values())[-2:]
    for _ in range(n):
        page.goto(address)
        waits.until(page, waits.STOOD)
        waits.to_page(page, "Train")
        started.append(_pressed(page, "start_ft", PLACE))
        page.wait_for_timeout(2000)
        stopped.append(_pressed(page, "stop_ft", STOPPED))
    return found


def _pressed(page: Page, button: str, wanted: str) -> float:
    page.evaluate(WATCH.replace("CHART", CHART).replace("WANTED", wanted))
    page.locator(f".st-key-{button} button").click()
    waits.until(page, "window.told > 0")
    return page.evaluate("(window.told - window.pressed) / 1000")
