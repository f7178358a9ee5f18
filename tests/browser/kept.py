"""Pages that a test hands on to the next: one that goes elsewhere costs a third of the work of one that opens anew."""

import json
from collections.abc import Callable
from typing import Literal, TypeVar

from playwright.sync_api import Browser, BrowserContext, Error, FrameLocator, Page, expect

Theme = Literal["light", "dark"]
Shown = TypeVar("Shown", Page, FrameLocator)

DESKTOP = {"width": 1280, "height": 900}
SETTLED_MS = 180_000  # the machine may be busy: the wait ends when the script has ended, this is only when it gives up
# Somebody who has been here: no tour is offered, which would stand in a corner of every page.
NO_TOURS = """
try {
  localStorage.getItem("transfer-lab-tours") ?? localStorage.setItem("transfer-lab-tours", '{"off": true}');
} catch { /* about:blank keeps nothing */ }
"""


class KeptPages:
    """The pages of one person, a context for each: as many of a kind of screen as were open at once.

    ``begin(context)`` sees every context before its page; between two tests a page is at ``rest``, an address of the
    same server where nothing runs.
    """

    def __init__(self, browser: Browser, rest: str, begin: Callable[[BrowserContext], object] = lambda context: None):
        self.errors: list[str] = []  # that scripts threw, on any page
        self.complaints: list[str] = []  # what consoles call an error
        self._browser, self._rest, self._begin = browser, rest, begin
        self._cookies = None
        self._idle: dict[str, list[Page]] = {}
        self._taken: list[tuple[str, Page]] = []

    def open(self, address: str, stranger=False, viewport=DESKTOP, color_scheme: Theme = "light", **screen) -> Page:
        """Open an address of the server in a page of that size and theme; ``screen``: as for a context.

        A stranger is somebody else: nobody has been in that context before, nor will be afterwards.
        """
        kind = "" if stranger else json.dumps(screen, sort_keys=True)
        idle = self._idle.get(kind)
        page = idle.pop() if idle else self._begun({"storage_state": None if stranger else self._cookies, **screen})
        self._taken.append((kind, page))
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, forced_colors="null")
        page.goto(address)
        if not stranger:
            self._cookies = self._cookies or page.context.storage_state()
        return page

    def rest(self) -> None:
        """Take back what was opened; nothing of it is left in the page that the next test gets."""
        while self._taken:
            kind, page = self._taken.pop()
            if kind and self._is_at_rest(page):
                self._idle.setdefault(kind, []).append(page)
            else:
                page.context.close()

    def close(self) -> None:
        self.rest()
        for pages in self._idle.values():
            for page in pages:
                page.context.close()

    def _begun(self, options: dict) -> Page:
        context = self._browser.new_context(**options)
        context.add_init_script(NO_TOURS)
        self._begin(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._hear)
        return page

    def _hear(self, message) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url')})")

    def _is_at_rest(self, page: Page) -> bool:
        try:
            for other in page.context.pages[1:]:
                other.close()
            page.mouse.up()
            page.mouse.move(0, 0)
            page.context.clear_cookies(name="transfer_lab_language")
            page.goto(self._rest)
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            return True
        except Error:  # it hangs, or its test has closed it
            return False


def resized(page: Page, width: int, height: int) -> None:
    """Give the page another size, and wait until what follows the size by script has been drawn."""
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")


def settled(page: Shown) -> Shown:
    """Wait until the script of a page, or of one in a frame, has ended; before it begins a page looks so, too."""
    state = "data-test-script-state"
    expect(page.get_by_test_id("stApp")).to_have_attribute(state, "notRunning", timeout=SETTLED_MS)
    return page
