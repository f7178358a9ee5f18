"""What everybody needs of a page: axe, text twice as large, text that is spaced, and the keyboard (WCAG 2.2 AA)."""

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCRIPT = Path(__file__).with_suffix(".js")
LARGE = "html {font-size: 34px !important}"  # 1.4.4: twice the lab's own
SPACED = """
* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important}
p {margin-bottom: 2em !important}
[translate=no] {letter-spacing: normal !important; word-spacing: normal !important}
"""  # 1.4.12; icons are letters of a font
OPTIONS = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}


def serious(page: Page, context: str | None = None, colours: bool = True) -> list[str]:
    """Return what axe finds that is serious or critical, targets below 24 x 24 pixels too.

    Parameters
    ----------
    colours : whether to hold all colours against their grounds, which takes most of the time; a theme has the same on
        every screen and in every language
    """
    rules = {**OPTIONS["rules"], "color-contrast": {"enabled": colours}}
    return [
        f"{violation['id']} at {node['html'][:160]}: {node.get('failureSummary', '')}"
        for violation in Axe().run(page, context=context, options={**OPTIONS, "rules": rules}).response["violations"]
        if violation["impact"] in ("critical", "serious")
        for node in violation["nodes"]
    ]


def lost(page: Page, css: str) -> list[str]:
    """Return what is cut off, lies over other text or makes the page scroll sideways when its text is dressed so."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    page.evaluate("css => everybody.dress(css)", css)
    page.evaluate("() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found = page.evaluate("() => [...everybody.cutOff(), ...everybody.overlapping(), ...everybody.sideways()]")
    page.evaluate("() => everybody.dress('')")
    return found


def moving(page: Page) -> list[str]:
    """Return what moves by itself or with a click although the person asks for less motion."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    page.emulate_media(reduced_motion="reduce")
    found = page.evaluate("() => everybody.moving()")
    page.emulate_media(reduced_motion="null")
    return found


def unseen(page: Page) -> list[str]:
    """Return the stops of Tab that are not marked, not on the screen, below something else, or out of order."""
    page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    page.keyboard.press("Tab")
    return page.evaluate("() => everybody.stops()")
