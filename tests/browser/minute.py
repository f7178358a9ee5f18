"""A newcomer's first minute, as a person lives it: draw a 7, read three answers, train, read the verdict.

The browser test walks it against the clock; ``docs/film.py`` takes its pictures of it.
"""

import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

SEVEN = ((0.26, 0.2), (0.74, 0.2), (0.46, 0.84))
SLOW_MS = 120_000
See = Callable[[Page, float], object]  # told at each moment that is worth a look, and the seconds it is looked at


def unseen(page: Page, seconds: float) -> None:
    """Look at nothing."""


def walk(page: Page, url: str, see: See = unseen) -> int:
    """Open the lab at ``url`` and go to the first verdict of one's own; return the number of clicks.

    Each step waits for what it is to show.
    """
    clicks = 0

    def press(button: Locator) -> None:
        nonlocal clicks
        button.click()
        clicks += 1

    page.set_default_timeout(SLOW_MS)
    page.goto(url)
    expect(page.locator(".three h2")).to_have_text("Draw a 7, or any other digit", timeout=SLOW_MS)
    expect(page.locator(".learned img")).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".tl-pad-canvas")).to_be_visible(timeout=SLOW_MS)
    seven = page.locator(".st-key-meant").get_by_role("radio", name="7", exact=True)
    expect(seven).to_be_visible(timeout=SLOW_MS)
    see(page, 1.2)
    draw(page, see)
    expect(page.locator('[data-model="taught:transfer"] [data-answer]')).to_have_attribute(
        "data-answer", "7", timeout=SLOW_MS
    )
    see(page, 1.6)
    press(seven)
    expect(page.locator(".three h2")).to_contain_text("your 7", timeout=SLOW_MS)
    see(page, 3.5)
    press(page.get_by_role("link", name="Train your own"))
    compare = page.get_by_role("button", name="Run the comparison")
    expect(compare).to_be_visible(timeout=SLOW_MS)
    see(page, 1.5)
    press(compare)
    expect(page.locator(".tl-live[data-recorded]")).to_have_count(0, timeout=SLOW_MS)  # one's own takes its place
    chart = page.locator(".tl-live").first
    expect(chart).to_be_visible(timeout=SLOW_MS)
    chart.evaluate("chart => chart.scrollIntoView({block: 'center'})")
    verdict = page.get_by_role("heading", level=2).filter(has_text="%").first
    until = time.monotonic() + SLOW_MS / 1000
    while not verdict.is_visible() and time.monotonic() < until:
        see(page, 0.12)
        page.wait_for_timeout(150)
    expect(verdict).to_be_visible()
    verdict.evaluate("verdict => verdict.scrollIntoView({block: 'center'})")
    see(page, 4.0)
    return clicks


def draw(page: Page, see: See) -> None:
    """Draw the 7 with the mouse, slowly enough to be watched."""
    box = page.locator(".tl-pad-canvas").bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*places[0])
    page.mouse.down()
    for (x, y), (to_x, to_y) in zip(places, places[1:], strict=False):
        for part in (0.25, 0.5, 0.75, 1.0):
            page.mouse.move(x + part * (to_x - x), y + part * (to_y - y), steps=4)
            see(page, 0.15)
    page.mouse.up()
