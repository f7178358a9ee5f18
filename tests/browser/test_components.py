"""The three components in a real Chromium, on the scratch server of ``component_app.py``."""

import csv
import json
import math
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser.kept import KeptPages, resized, settled
from PIL import Image
from playwright.sync_api import expect
from waiting import wait_for

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
SLOW_MS = 60_000  # the machine may be busy: a wait ends when its condition holds, this is only when it gives up
PHONE = {"viewport": {"width": 360, "height": 560}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


# ------------------------------------------------------------------ the server and its pages


class Server:
    """The scratch server, and orders to the runs it invents."""

    def __init__(self, base: str = ""):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {"port": port, "address": "127.0.0.1", "headless": "true", "fileWatcherType": "none"}
        options |= {"baseUrlPath": base} if base else {}
        flags = [f"--server.{name}={value}" for name, value in options.items()]
        self.url = f"http://127.0.0.1:{port}" + (f"/{base}" if base else "")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "tests/browser/component_app.py", *flags],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"},
            stdout=subprocess.DEVNULL,
        )
        self.wait()

    def wait(self) -> None:
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)  # between two looks, not instead of one
        pytest.fail("the scratch server did not start")

    def change(self, run: str, **order) -> dict:
        request = urllib.request.Request(f"{self.url}/test/{run}", json.dumps(order).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def kept(server, browser):
    kept = KeptPages(browser, f"{server.url}/_stcore/health", lambda context: context.set_default_timeout(SLOW_MS))
    yield kept
    kept.close()


@pytest.fixture
def show(server, kept):
    """Open ``show(component, **options of kept.open)``; fails the test when the page threw an error."""

    def open_page(component: str, **options):
        page = kept.open(f"{server.url}/?show={component}", **options)
        settled(page)
        return page

    yield open_page
    kept.rest()
    errors = kept.errors[:]
    kept.errors.clear()
    assert errors == []


def wait_said(page, name: str, holds: str):
    """Wait until what Python says fulfils ``holds``, a JavaScript condition on ``said``; return it."""
    code = page.locator(f".st-key-said_{name} code")
    expect(code).to_be_visible()
    page.wait_for_function(
        """([name, holds]) => {
            const code = document.querySelector(`.st-key-said_${name} code`);
            const check = new Function("said", `return ${holds}`);
            try { return check(JSON.parse(code.textContent)); } catch { return false; }
        }""",
        arg=[name, holds],
    )
    return json.loads(code.text_content())


def shade(page, x: float, y: float) -> float:
    """Return how light the pad's ink is at a place in units of its side, or -1 where there is none."""
    return page.locator(".tl-pad-canvas").evaluate(
        """(canvas, [x, y]) => {
            const at = [Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1];
            const [r, g, b, a] = canvas.getContext("2d").getImageData(...at).data;
            return a < 128 ? -1 : (r + g + b) / 3 / 255;
        }""",
        [x, y],
    )


def draw(page, *points, up: bool = True, steps: int = 8) -> None:
    """Draw one stroke with the mouse through ``points``, in units of the pad's side."""
    box = page.locator(".tl-pad-canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=steps)
    if up:
        page.mouse.up()


# ------------------------------------------------------------------ the pad


def test_a_stroke_arrives_while_it_is_drawn_and_whole_at_pen_up(show):
    page = show("pad")
    expect(page.get_by_text("Draw a 7")).to_be_visible()
    draw(page, (0.25, 0.25), (0.75, 0.25), up=False)
    live = wait_said(page, "pad", "!said.final && said.strokes.length === 1 && said.strokes[0].points.at(-1)[0] > 0.7")
    assert live["rev"] == 0
    page.mouse.up()
    value = wait_said(page, "pad", "said.final && said.strokes.length === 1")
    points = value["strokes"][0]["points"]
    assert points[0] == pytest.approx([0.25, 0.25], abs=0.01)
    assert points[-1] == pytest.approx([0.75, 0.25], abs=0.01)
    assert all(round(part, 3) == part for point in points for part in point)
    assert value["strokes"][0]["width"] == 0.085
    expect(page.get_by_text("Draw a 7")).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="It is a seven")).to_be_visible()


def test_reruns_in_the_middle_of_a_stroke_do_not_tear_it(show):
    page = show("pad")
    draw(page, (0.2, 0.2), (0.8, 0.2), up=False)
    before = wait_said(page, "pad", "said.reruns > 1")["reruns"]
    box = page.locator(".tl-pad-canvas").bounding_box()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    wait_said(page, "pad", f"said.reruns > {before}")
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    page.mouse.up()
    value = wait_said(page, "pad", "said.final && said.strokes.length > 0")
    assert len(value["strokes"]) == 1
    for place in ((0.5, 0.2), (0.8, 0.5), (0.5, 0.8)):
        assert shade(page, *place) >= 0


# The pad alone in an empty page whose clock stands still until it is set.
PACED = """async (source) => {
    const { default: mount } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    document.body.innerHTML = '<div id="pad"></div><i class="shown" data-image="none"></i>';
    let now = 10000, timers = [];
    performance.now = () => now;
    window.setTimeout = (act) => timers.push(act);
    window.requestAnimationFrame = () => 0;
    const sent = [];
    const data = { key: "pad", rev: 0, strokes: [], label: "", result: "", answers: ".shown", brushes: { medium: 0.1 },
                   words: {} };
    mount({ parentElement: document.querySelector("#pad"), data, setStateValue: () => sent.push(now - 10000) });
    const canvas = document.querySelector("canvas");
    canvas.setPointerCapture = () => {};
    const pen = (type, x) => canvas.dispatchEvent(
        new PointerEvent(type, { pointerId: 1, button: 0, clientX: x, clientY: 20, bubbles: true }));
    const at = (time) => { now = 10000 + time; timers.splice(0).forEach((act) => act()); };
    const seen = (image) => { document.querySelector(".shown").dataset.image = image; };
    pen("pointerdown", 10);
    at(0); pen("pointermove", 20);            // sent at once
    at(150); pen("pointermove", 30);          // the first is not answered
    at(200); seen("first"); at(201);          // it is now: the next may come three times that later
    at(500); at(604);                         // and does
    pen("pointermove", 40); at(900);          // that one is never answered
    at(1700);                                 // so it is given up, and a second later, not sooner, comes the next
    at(1800); pen("pointerup", 50);           // the end is not held back
    return sent;
}"""


def test_a_slow_answer_slows_the_drawing_that_is_sent_while_the_pen_is_down(browser):
    page = browser.new_page()
    sent = page.evaluate(PACED, (ROOT / "pages" / "ui" / "components" / "pad.js").read_text(encoding="utf-8"))
    assert sent == [0, 604, 1700, 1800]
    page.close()


def test_undo_redo_and_clear(show):
    page = show("pad")
    undo, redo, clear = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo", "Clear"))
    for button in (undo, redo, clear):
        expect(button).to_be_disabled()
    draw(page, (0.2, 0.2), (0.8, 0.2))
    draw(page, (0.5, 0.2), (0.5, 0.8))
    wait_said(page, "pad", "said.strokes.length === 2")
    undo.click()
    wait_said(page, "pad", "said.strokes.length === 1")
    redo.click()
    wait_said(page, "pad", "said.strokes.length === 2")
    clear.click()
    wait_said(page, "pad", "said.strokes.length === 0")
    expect(page.get_by_text("Draw a 7")).to_be_visible()
    undo.click()  # a slip of the finger on Clear costs nothing
    wait_said(page, "pad", "said.strokes.length === 2")


def test_the_keyboard_clears_and_undoes_and_the_focus_is_seen(show):
    page = show("pad")
    canvas = page.locator(".tl-pad-canvas")
    draw(page, (0.2, 0.2), (0.8, 0.8))
    wait_said(page, "pad", "said.strokes.length === 1")
    page.get_by_role("checkbox", name="Hide the pad").focus()
    page.keyboard.press("Tab")
    expect(canvas).to_be_focused()
    assert canvas.evaluate("canvas => getComputedStyle(canvas).outlineStyle") == "solid"
    page.keyboard.press("Delete")
    wait_said(page, "pad", "said.strokes.length === 0")
    page.keyboard.press("Control+z")
    wait_said(page, "pad", "said.strokes.length === 1")
    page.keyboard.press("Escape")
    wait_said(page, "pad", "said.strokes.length === 0")


def test_the_brush_changes_by_mouse_and_by_arrow_key(show):
    page = show("pad")
    page.get_by_role("radio", name="Fat").click()
    draw(page, (0.5, 0.5))
    assert wait_said(page, "pad", "said.strokes.length === 1")["strokes"][0] == {"width": 0.13, "points": [[0.5, 0.5]]}
    assert shade(page, 0.54, 0.5) >= 0
    page.get_by_role("radio", name="Fat").press("ArrowRight")
    expect(page.get_by_role("radio", name="Thin")).to_be_checked()
    draw(page, (0.2, 0.2), (0.3, 0.2))
    assert wait_said(page, "pad", "said.strokes.length === 2")["strokes"][1]["width"] == 0.05


def test_python_replaces_the_drawing_only_with_a_new_revision(show):
    page = show("pad")
    draw(page, (0.1, 0.9), (0.9, 0.9))
    wait_said(page, "pad", "said.strokes.length === 1")
    page.get_by_role("button", name="Pick a seven").click()
    wait_said(page, "pad", "said.rev === 1 && said.strokes[0].points.length === 3")
    expect(page.locator(".tl-pad-canvas")).to_have_attribute("data-strokes", "1")
    page.wait_for_function("() => true")
    assert shade(page, 0.5, 0.25) >= 0
    assert shade(page, 0.5, 0.95) == -1
    draw(page, (0.3, 0.5), (0.7, 0.5))  # on top of the seven
    value = wait_said(page, "pad", "said.strokes.length === 2")
    assert value["rev"] == 1
    page.get_by_role("button", name="Reset").click()
    wait_said(page, "pad", "said.rev === 2 && said.strokes.length === 0")
    expect(page.get_by_text("Draw a 7")).to_be_visible()


def test_a_pad_that_comes_back_shows_and_sends_what_was_on_it(show):
    page = show("pad")
    draw(page, (0.2, 0.2), (0.8, 0.8))
    drawn = wait_said(page, "pad", "said.final && said.strokes.length === 1")["strokes"]
    page.get_by_text("Hide the pad").click()
    expect(page.locator(".tl-pad-canvas")).to_have_count(0)
    page.get_by_text("Hide the pad").click()
    assert wait_said(page, "pad", "said.strokes.length === 1")["strokes"] == drawn
    expect(page.locator(".tl-pad-canvas")).to_have_attribute("data-strokes", "1")


@pytest.mark.parametrize(("scheme", "dark_ink"), [("light", True), ("dark", False)])
def test_the_ink_stands_out_in_both_themes(show, scheme, dark_ink):
    page = show("pad", color_scheme=scheme)
    draw(page, (0.2, 0.5), (0.8, 0.5))
    wait_said(page, "pad", "said.strokes.length === 1")
    assert (shade(page, 0.5, 0.5) < 0.4) == dark_ink
    assert (shade(page, 0.5, 0.5) > 0.6) != dark_ink


def test_a_canvas_has_a_dot_for_every_pixel_of_the_screen(show):
    page = show("pad", device_scale_factor=2)
    width, shown = page.locator(".tl-pad-canvas").evaluate("canvas => [canvas.width, canvas.clientWidth]")
    assert width == 2 * shown


def swipe(page, x: float, y: float, by: float) -> None:
    """Move one finger down the screen: real touch events, which scroll where nothing forbids it."""
    screen = page.context.new_cdp_session(page)
    screen.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 13):
        point = {"x": x, "y": y + by * step / 12}
        screen.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


class Screen:
    """Real pen and touch events at places in units of the pad's side."""

    def __init__(self, page):
        self.box = page.locator(".tl-pad-canvas").bounding_box()
        self.devtools = page.context.new_cdp_session(page)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [dict(zip("xy", self._place(*point), strict=True), radiusX=20, radiusY=20) for point in points]
        self.devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def pen(self, kind: str, x: float, y: float) -> None:
        down = {"button": "left", "buttons": int(kind != "mouseReleased"), "clickCount": 1}
        event = {"type": kind, "pointerType": "pen", **dict(zip("xy", self._place(x, y), strict=True))}
        self.devtools.send("Input.dispatchMouseEvent", event | down)

    def write(self, *points: tuple[float, float]) -> None:
        """Draw one stroke with the pen."""
        self.pen("mousePressed", *points[0])
        for point in points[1:]:
            self.pen("mouseMoved", *point)
        self.pen("mouseReleased", *points[-1])

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return self.box["x"] + x * self.box["width"], self.box["y"] + y * self.box["height"]


def test_a_touch_that_the_system_takes_back_leaves_nothing(show):
    page = show("pad", **PHONE)
    page.locator(".tl-pad-canvas").scroll_into_view_if_needed()
    screen = Screen(page)
    screen.touch("touchStart", (0.5, 0.5))
    screen.touch("touchCancel")  # before anything of it was sent
    screen.touch("touchStart", (0.2, 0.2))
    screen.touch("touchEnd")
    assert len(wait_said(page, "pad", "said.final && said.strokes.length")["strokes"]) == 1
    screen.touch("touchStart", (0.5, 0.5))
    screen.touch("touchMove", (0.6, 0.6))
    wait_said(page, "pad", "!said.final && said.strokes.length === 2")  # answered already
    screen.touch("touchCancel")
    wait_said(page, "pad", "said.final && said.strokes.length === 1")
    expect(page.locator(".tl-pad-canvas")).to_have_attribute("data-strokes", "1")
    assert shade(page, 0.5, 0.5) == -1
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_disabled()  # nor is it there to undo


def test_the_pen_wins_over_the_palm_that_rests_on_the_pad(show):
    page = show("pad", **PHONE)
    page.locator(".tl-pad-canvas").scroll_into_view_if_needed()
    screen = Screen(page)
    screen.touch("touchStart", (0.8, 0.9))
    screen.touch("touchMove", (0.82, 0.92))
    wait_said(page, "pad", "!said.final && said.strokes.length === 1")
    screen.write((0.2, 0.2), (0.5, 0.2), (0.5, 0.5))
    written = wait_said(page, "pad", "said.final && said.strokes.length === 1")["strokes"]
    assert written[0]["points"][0] == pytest.approx([0.2, 0.2], abs=0.01)
    screen.touch("touchMove", (0.8, 0.95))
    screen.touch("touchEnd")
    screen.touch("touchStart", (0.8, 0.9))  # it comes down again between two strokes
    screen.write((0.3, 0.3), (0.6, 0.3))
    screen.touch("touchEnd")
    value = wait_said(page, "pad", "said.final && said.strokes.length === 2")
    assert value["strokes"][0] == written[0]
    assert value["strokes"][1]["points"][0] == pytest.approx([0.3, 0.3], abs=0.01)
    assert shade(page, 0.8, 0.9) == -1


def test_a_finger_draws_again_when_the_pen_is_away(show):
    page = show("pad", **PHONE)
    page.locator(".tl-pad-canvas").scroll_into_view_if_needed()
    screen = Screen(page)
    screen.write((0.2, 0.2), (0.5, 0.2))
    wait_said(page, "pad", "said.final && said.strokes.length === 1")
    page.wait_for_timeout(1100)  # PALM_MS: the time itself is what is tried here
    screen.touch("touchStart", (0.4, 0.6))
    screen.touch("touchEnd")
    wait_said(page, "pad", "said.final && said.strokes.length === 2")


def test_a_vertical_stroke_on_a_phone_draws_and_does_not_scroll(show):
    page = show("pad", **PHONE)
    main = page.get_by_test_id("stMain")
    canvas = page.locator(".tl-pad-canvas")
    canvas.scroll_into_view_if_needed()
    top = main.evaluate("main => main.scrollTop = 60")
    assert main.evaluate("main => main.scrollTop") == top, "the page must be long enough to scroll"
    box = canvas.bounding_box()
    assert box["width"] >= 280
    swipe(page, box["x"] + box["width"] / 2, box["y"] + 0.8 * box["height"], -0.6 * box["height"])
    swipe(page, box["x"] + box["width"] / 4, box["y"] + 0.2 * box["height"], 0.6 * box["height"])
    value = wait_said(page, "pad", "said.final && said.strokes.length === 2")
    assert main.evaluate("main => main.scrollTop") == top
    assert value["strokes"][0]["points"][-1][1] == pytest.approx(0.2, abs=0.02)
    # The same movement beside the pad does scroll, so this could have failed.
    # At the very edge of the screen: a finger is broad, and the pad takes what it touches.
    swipe(page, 2, box["y"] + 0.2 * box["height"], 0.6 * box["height"])
    page.wait_for_function("top => document.querySelector('[data-testid=stMain]').scrollTop < top", arg=top)


def test_every_button_of_the_pad_suits_a_finger(show):
    page = show("pad", **PHONE)
    for button in page.locator(".tl-pad button").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 44


# ------------------------------------------------------------------ the live chart


def graph(page, expression: str):
    return page.locator(".tl-live-plot").evaluate(f"graph => {expression}")


def wait_points(page, n: int) -> None:
    expect(page.locator(".tl-live")).to_have_attribute("data-points", str(n))
    page.wait_for_function("() => document.querySelector('.tl-live-plot .scatterlayer .trace')")


OVER_THE_FIRST_PLOT = """() => {
  const [stage, note] = ["stage", "empty span"].map((name) => document.querySelector(`.tl-live-${name}`));
  const [all, own] = [stage, note].map((element) => element.getBoundingClientRect());
  return 2 * (own.right - all.left) <= all.width || 2 * (own.bottom - all.top) <= all.height;
}"""


def test_points_appear_as_they_are_measured(show, server):
    server.change("one", reset=True)
    page = show("chart")
    note = page.get_by_text("The first point appears here")
    expect(note).to_be_visible()
    page.wait_for_function(OVER_THE_FIRST_PLOT)  # where it lies on no title
    progress = {"step": 250, "n_steps": 1000, "left_s": 12, "images_per_s": 8900, "first_step_s": 1.2}
    server.change("one", curve=[0, 25], progress=progress)
    wait_points(page, 27)
    expect(note).to_be_hidden()
    assert graph(page, "graph.data.filter(t => t.uid).map(trace => trace.line.dash)") == [
        "5px,4px",
        "5px,4px",
        "solid",
        "solid",
    ]
    assert graph(page, "new Set(graph.data.filter(t => t.uid).map(trace => trace.line.color)).size") == 1
    for fact in ("step 250 of 1,000", "12 s left", "8,900 images/s", "14 s elapsed", "first step (compiling) 1.2 s"):
        expect(page.locator(".tl-live-facts")).to_contain_text(fact)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "25")
    assert "conv_2 unfreezes" in page.locator(".tl-live-plot").text_content()


def test_a_plot_is_drawn_when_a_point_has_come_and_not_when_words_alone_have(show, server):
    server.change("one", reset=True, curve=[0, 5], progress={"step": 50, "n_steps": 1000})
    page = show("chart")
    wait_points(page, 5)
    page.evaluate("""() => {
      globalThis.draws = 0;
      const counts = new MutationObserver((changes) => { draws += changes.length; });
      counts.observe(document.querySelector(".tl-live"), { attributeFilter: ["data-drawn"] });
    }""")
    for step in (60, 70, 80):
        server.change("one", progress={"step": step, "n_steps": 1000})
        expect(page.locator(".tl-live-facts")).to_contain_text(f"step {step} of")
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert page.evaluate("draws") == 0
    server.change("one", curve=[5, 6])
    page.wait_for_function("() => draws > 0")


def test_in_a_narrow_window_no_button_lies_over_the_title(show, server):
    server.change("one", reset=True, curve=[0, 40])
    page = show("ways", viewport={"width": 360, "height": 900})
    wait_points(page, 44)
    page.locator(".tl-live-plot .nsewdrag").first.hover()
    expect(page.locator(".tl-live-plot .annotation-text").filter(has_text="Error").first).to_be_visible()
    expect(page.locator(".tl-live-plot .modebar")).to_be_hidden()
    resized(page, 1280, 900)
    page.locator(".tl-live-plot .nsewdrag").first.hover()
    expect(page.locator(".tl-live-plot .modebar")).to_be_visible()


def test_on_a_phone_what_begins_at_a_line_is_said_within_the_plot(show, server):
    server.change("one", reset=True, curve=[0, 40])
    page = show("rules", viewport={"width": 360, "height": 700})
    wait_points(page, 44)
    plot = page.locator(".tl-live-plot .nsewdrag").first.bounding_box()
    said = page.locator(".tl-live-plot .annotation-text").filter(has_text="frozen")
    assert plot and said.count() == 2
    for label in said.all():
        box = label.bounding_box()
        assert box and box["x"] >= plot["x"] and box["x"] + box["width"] <= plot["x"] + plot["width"] + 18


WATCH_SHIFTS = """() => {
  window.shifted = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.shifted += entry.value; }))
    .observe({type: "layout-shift"});
}"""


def test_neither_the_plots_when_they_come_nor_the_first_point_move_anything(server, browser):
    """A run that waits, and a line on which Plotly is slow to arrive."""
    server.change("one", reset=True, state="queued", ahead=2)
    context, held = browser.new_context(viewport={"width": 1280, "height": 900}), []
    context.route("**/assets/plotly.min.js*", lambda route: held.append(route))
    page = context.new_page()
    page.goto(f"{server.url}/?show=chart")
    expect(page.get_by_text("2 before this one")).to_be_visible()
    wait_for(lambda: held or page.wait_for_timeout(50), SLOW_MS / 1000)
    page.evaluate(WATCH_SHIFTS)
    held.pop().continue_()
    expect(page.locator(".tl-live-plot .cartesianlayer")).to_be_visible()
    server.change("one", state="running", curve=[0, 1], progress={"step": 1, "n_steps": 1000})
    wait_points(page, 1)
    server.change("one", curve=[1, 30], progress={"step": 30, "n_steps": 1000, "left_s": 12})
    wait_points(page, 33)
    shifted = page.evaluate("() => window.shifted")
    context.close()
    assert shifted < 0.01


def test_zoom_and_hover_survive_an_update(show, server):
    server.change("one", reset=True, curve=[0, 40])
    page = show("chart")
    wait_points(page, 44)
    graph(page, "(graph.marked = true, null)")
    drag = page.locator(".tl-live-plot .nsewdrag").first.bounding_box()
    page.mouse.move(drag["x"] + 0.1 * drag["width"], drag["y"] + 0.2 * drag["height"])
    page.mouse.down()
    page.mouse.move(drag["x"] + 0.5 * drag["width"], drag["y"] + 0.7 * drag["height"], steps=5)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('.tl-live-plot')._fullLayout.xaxis.range[1] < 9")
    zoomed = graph(page, "[graph._fullLayout.xaxis.range, graph._fullLayout.yaxis.range]")
    page.mouse.move(drag["x"] + 0.5 * drag["width"], drag["y"] + 0.5 * drag["height"])
    expect(page.locator(".tl-live-plot .hoverlayer .legend")).to_be_visible()
    server.change("one", curve=[40, 60])
    wait_points(page, 66)
    page.wait_for_function("() => document.querySelector('.tl-live-plot').data[0].x.at(-1) >= 4")
    assert graph(page, "[graph._fullLayout.xaxis.range, graph._fullLayout.yaxis.range]") == zoomed
    expect(page.locator(".tl-live-plot .hoverlayer .legend")).to_be_visible()
    assert graph(page, "graph.marked") is True, "the graph must be the same element as before"


def test_the_end_is_told_exactly_once(show, server):
    server.change("one", reset=True, curve=[0, 30])
    page = show("chart")
    wait_points(page, 33)
    server.change("one", curve=[30, 40], state="done")
    wait_said(page, "chart", "said.finished.length > 0")
    wait_points(page, 44)
    expect(page.locator(".tl-live-spoken")).to_contain_text("Done. Accuracy")
    asked = server.change("one")["asked"]
    for _ in range(2):
        reruns = wait_said(page, "chart", "true")["reruns"]
        page.get_by_role("button", name="Rerun").click()
        said = wait_said(page, "chart", f"said.reruns > {reruns}")
        assert said["finished"] == ["done"]
    assert server.change("one")["asked"] == asked, "a finished run needs no polling"


def test_a_run_that_the_page_knows_to_be_over_does_not_end_again(show, server):
    reason = "The loss is not a number after step 412. Lower the learning rate."
    server.change("one", reset=True, curve=[0, 30], state="failed", error=reason)
    page = show("over")
    wait_points(page, 33)
    expect(page.locator(".tl-live-error")).to_have_text(reason)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.get_by_role("button", name="Rerun").click()
    assert wait_said(page, "over", "said.length > 1") == [None, None]


def test_each_head_of_a_run_has_its_colour_and_one_label(show, server):
    curves = [
        {"head": head, "input": "features", "part": part}
        for head in ("linear_svm", "random_forest")
        for part in ("train", "validation")
    ]
    points = [{**curve, "x": x, "loss": 1 / x, "accuracy": 0.8} for curve in curves for x in (10, 20, 50)]
    server.change("one", reset=True, points=points)
    page = show("long")
    wait_points(page, 12)
    assert graph(page, "new Set(graph.data.filter(t => t.uid).map(trace => trace.line.color)).size") == 2
    labels = graph(page, "[...graph.querySelectorAll('.annotation-text')].map(text => text.textContent)")
    assert [labels.count(f"{head} · features") for head in ("Linear SVM", "Random forest")] == [2, 2]
    expect(page.locator(".tl-live-key")).to_contain_text("dashed: training")


def test_a_lost_connection_is_said_and_recovers_by_itself(show, server):
    server.change("one", reset=True, curve=[0, 10])
    page = show("chart")
    wait_points(page, 11)
    server.change("one", broken=True)
    expect(page.locator(".tl-live-note")).to_have_text("Connection lost, trying again.")
    server.change("one", curve=[10, 20], broken=False)
    expect(page.locator(".tl-live-note")).to_be_hidden()
    wait_points(page, 22)


def test_a_run_that_begins_again_is_drawn_from_its_beginning(show, server):
    server.change("one", reset=True, curve=[0, 30])
    page = show("chart")
    wait_points(page, 33)
    server.change("one", reset=True, curve=[0, 10], attempt=2)
    wait_points(page, 11)


def test_ten_thousand_points_are_thinned_and_memory_stays_flat(show, server):
    server.change("one", reset=True, curve=[0, 2000])
    page = show("long")
    wait_points(page, 2200)
    tools = page.context.new_cdp_session(page)
    heap = {}
    for first, last in ((2000, 4000), (4000, 10_000)):
        total = server.change("one", curve=[first, last])["points"]
        wait_points(page, total)
        page.wait_for_function("x => document.querySelector('.tl-live-plot').data[0].x.at(-1) === x", arg=last / 10)
        tools.send("HeapProfiler.collectGarbage")
        heap[last] = tools.send("Runtime.getHeapUsage")["usedSize"]
    assert int(page.locator(".tl-live").get_attribute("data-drawn")) <= 1000
    assert heap[10_000] - heap[4000] < 8_000_000
    peaks = graph(page, "[Math.max(...graph.data[0].y), graph.data[0].x[0], graph.data[0].x.at(-1)]")
    assert peaks[0] > 1.8 and peaks[1:] == [0.1, 1000], "thinning keeps the ends and the spikes"


def test_the_axes_say_what_they_show(show, server):
    server.change("one", reset=True, curve=[0, 60])
    page = show("chart")
    wait_points(page, 66)
    titles = page.locator(".tl-live-plot .annotation")
    expect(titles.filter(has_text="Accuracy")).to_have_text("Accuracy, axis 0 % to 100 %")
    page.get_by_role("button", name="Zoom to the curves").click()
    expect(titles.filter(has_text="Accuracy")).to_have_text(re.compile(r"axis 1\d\.\d\s% to 9\d\.\d\s%"))
    page.get_by_role("button", name="Log scale").click()
    expect(titles.filter(has_text="log axis")).to_have_count(1)
    assert graph(page, "graph._fullLayout.yaxis.type") == "log"
    expect(page.get_by_role("button", name="Log scale")).to_have_attribute("aria-pressed", "true")


def compared(last: int) -> list[dict]:
    """Return the points of a comparison after some epochs of both networks, and the tests of those that ended."""
    errors = {"fine_tune": (0.6, 0.2, 0.4, 0.1, 0.3, 0.1), "scratch": (0.8, 0.7, 0.6, 0.5, 0.4, 0.4)}
    points = [
        {"part": "validation", "head": head, "x": i + 1.0, "loss": 1.0, "accuracy": 1 - error, "elapsed_s": 0.5 * i + 1}
        for head, curve in errors.items()
        for i, error in enumerate(curve[:last])
    ]
    return [*points, {"part": "test", "head": "linear_svm", "x": 6.0, "accuracy": 0.92, "elapsed_s": 0.8}]


def curve_of(page, head: str, axis: str = "y") -> list[float]:
    return graph(page, f"(graph.data.find(t => t.uid?.includes('_{head}_')) ?? {{{axis}: []}}).{axis}")


def test_a_comparison_is_one_chart_of_errors_and_a_head_is_a_line_across(show, server):
    server.change("one", reset=True, points=compared(6))
    page = show("ways")
    wait_points(page, 13)
    assert curve_of(page, "fine_tune") == pytest.approx([60, 20, 40, 10, 30, 10])
    assert (curve_of(page, "linear_svm", "x"), curve_of(page, "linear_svm")) == ([0, 6], pytest.approx([8, 8]))
    assert graph(page, "Object.keys(graph._fullLayout).filter(name => /^yaxis/.test(name))") == ["yaxis"]
    colours = graph(page, "graph.data.filter(t => t.uid).map(t => t.uid.split('_').slice(1, -2).join('_'))")
    assert sorted(colours) == ["fine_tune", "linear_svm", "scratch"]
    expect(page.locator(".tl-live-plot .annotation").first).to_contain_text("axis 0 % to")
    page.get_by_text("Data table").click()
    expect(page.locator(".tl-live-table th")).to_have_text(["", "Epoch", "Error"])


def test_the_axes_smoothing_and_lanes_are_set_told_and_stay_over_an_update(show, server):
    server.change("one", reset=True, points=compared(3))
    page = show("ways")
    wait_points(page, 7)
    page.get_by_role("combobox", name="X axis").select_option("Step")
    wait_said(page, "ways", "said.x === 'step'")
    assert curve_of(page, "fine_tune", "x") == [4, 8, 12] and curve_of(page, "linear_svm", "x") == [0, 24]
    page.get_by_role("button", name="From scratch").click()
    wait_said(page, "ways", "said.hidden[0] === 'scratch'")
    expect(page.get_by_role("button", name="From scratch")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("slider", name="Smoothing").press("End")
    wait_said(page, "ways", "said.smooth === 0.99")
    expect(page.locator(".tl-live-plot .annotation").first).to_contain_text("smoothed 0.99")
    page.get_by_role("button", name="Log scale").click()
    wait_said(page, "ways", "said.log")
    server.change("one", points=compared(6)[3:6])  # three more epochs of the first
    wait_points(page, 10)
    page.wait_for_function("() => document.querySelector('.tl-live-plot').data[0].x.length === 6")
    smooth = curve_of(page, "fine_tune")
    assert smooth[0] == pytest.approx(60) and smooth[1] == pytest.approx((60 * 0.99 + 20) / 1.99)
    assert curve_of(page, "scratch") == []
    assert graph(page, "graph._fullLayout.yaxis.type") == "log"
    page.get_by_role("combobox", name="X axis").select_option("Seconds")
    wait_said(page, "ways", "said.x === 'seconds'")
    assert curve_of(page, "linear_svm", "x") == [0.8]


def test_a_chart_opens_as_the_address_says_and_what_is_no_view_is_ignored(show, server):
    server.change("one", reset=True, points=compared(6))
    page = show("ways&" + urlencode({"view": json.dumps({"x": "seconds", "smooth": 0.5, "hidden": ["scratch"]})}))
    wait_points(page, 13)
    expect(page.get_by_role("combobox", name="X axis")).to_have_value("seconds")
    assert curve_of(page, "scratch") == [] and curve_of(page, "fine_tune", "x") == [1, 1.5, 2, 2.5, 3, 3.5]
    page = show("ways&" + urlencode({"view": json.dumps({"x": "<img>", "smooth": -1, "log": "yes", "hidden": [None]})}))
    wait_points(page, 13)
    assert len(curve_of(page, "scratch")) == 6 and graph(page, "graph._fullLayout.yaxis.type") == "linear"


def test_a_recorded_run_says_so_asks_nothing_and_is_replayed(show):
    page = show("recorded")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    wait_points(page, 8)
    expect(page.locator(".tl-live-pill")).to_have_text("Recorded")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.evaluate(WATCH_POINTS)  # every number of points that there was
    page.get_by_role("button", name="Replay").click()
    page.wait_for_function("() => window.seen.some(n => n < 8) && window.seen.at(-1) === 8")
    assert curve_of(page, "fine_tune") == pytest.approx([90, 80, 70, 60])
    assert not [url for url in asked if "/test/" in url]


def test_what_was_started_scrolls_into_view(show, server):
    server.change("one", reset=True, points=compared(6))
    page = show("ways&reveal=one", viewport={"width": 400, "height": 420})
    wait_points(page, 13)
    expect(page.locator(".tl-live-plot")).to_be_in_viewport(ratio=0.2)


def test_a_run_that_waits_says_how_many_come_first_and_how_many_go_on_at_a_time(show, server):
    for name in ("frozen", "from_scratch"):
        server.change(name, reset=True, curve=[0, 10])
    server.change("all", reset=True, state="queued", ahead=2002)
    page = show("race")
    row = page.locator(".tl-live-run").filter(has_text="all: Waiting")
    expect(row).to_contain_text("2,002 before this one")
    expect(row).to_contain_text("This server runs 2 at a time")


def test_the_numbers_are_a_click_away(show, server):
    server.change("one", reset=True, curve=[0, 20])
    page = show("chart")
    wait_points(page, 22)
    page.get_by_text("Data table").click()
    rows = page.locator(".tl-live-table tbody tr")
    expect(rows).to_have_count(22)
    expect(rows.filter(has_text="validation")).to_have_count(2)
    expect(page.get_by_role("figure", name=re.compile("Fine-tuning.*validation Accuracy"))).to_have_count(1)


# Two runs hear at one moment that they are done.
DONE_AT_ONCE = """() => {
  const [ask, held] = [window.fetch, []];
  window.fetch = async (...order) => {
    const answer = await ask(...order);
    const isDone = answer.url.includes("/test/") && (await answer.clone().json()).state === "done";
    if (isDone) await new Promise((go) => held.push(go) > 1 && held.forEach((one) => one()));
    return answer;
  };
}"""


def test_runs_race_on_shared_axes_each_in_its_colour_and_two_that_end_at_once_are_both_told(show, server):
    names = ("frozen", "from_scratch", "all")
    for name in names:
        server.change(name, reset=True, curve=[0, 30])
    page = show("race")
    wait_points(page, 99)
    assert graph(page, "new Set(graph.data.filter(t => t.uid).map(trace => trace.line.color)).size") == 3
    labels = graph(page, "[...graph.querySelectorAll('.annotation-text')].map(text => text.textContent)")
    assert [labels.count(label) for label in ("frozen", "from scratch", "all")] == [2, 2, 2]
    # All three end at one point: the labels must stand apart.
    ends = graph(
        page, "graph.layout.annotations.filter(a => a.text === 'all' || a.text === 'frozen').map(a => a.yshift)"
    )
    assert len(set(ends)) >= 2
    page.evaluate(DONE_AT_ONCE)
    for name in names[:2]:
        server.change(name, state="done")
    told = page.locator(".tl-live-spoken")
    expect(told).to_contain_text("from scratch: Done")
    expect(told).to_contain_text("frozen: Done")  # both in one text, or the first would never be heard


def test_a_long_name_is_cut_short_at_the_line_end_and_leaves_the_plot_its_place(show, server):
    for name in ("frozen", "all"):
        server.change(name, reset=True, curve=[0, 30])
    page = show("named")
    wait_points(page, 66)
    labels = "graph.layout.annotations.filter(each => /^(frozen|all): /.test(each.text)).map(each => each.text)"
    shown = graph(page, labels)
    assert len(shown) == 4 and all(label.endswith("…") for label in shown)
    share = graph(page, "graph._fullLayout.margin.r / graph.clientWidth")
    assert share < 0.25
    expect(page.locator(".tl-live")).to_contain_text("frozen: " + "frozen " * 11)  # the legend has it whole


def epochs(began: float, n: int = 4) -> list[dict]:
    """Return the points of a run whose first came so many seconds after its start."""
    return [
        {"part": "validation", "x": i + 1.0, "loss": 1.0, "accuracy": i / 10, "elapsed_s": began + i} for i in range(n)
    ]


WATCH_POINTS = """() => {
    const chart = document.querySelector(".tl-live");
    window.seen = [];
    new MutationObserver(() => window.seen.push(+chart.dataset.points)).observe(chart, { attributes: true });
}"""


def test_lanes_of_a_race_leave_from_one_start_each_at_its_own_pace_and_again_on_replay(show, server):
    for name in ("frozen", "from_scratch", "all"):
        server.change(name, reset=True)
    server.change("all", state="queued", ahead=2)
    page = show("race&together=yes")
    expect(page.locator(".tl-live")).to_be_visible()
    page.evaluate(WATCH_POINTS)
    server.change("frozen", points=epochs(0.5, 1), state="done")
    server.change("from_scratch", points=epochs(9.0), state="done")
    page.wait_for_function("() => window.seen.at(-1) === 5")
    assert next(n for n in page.evaluate("window.seen") if n) == 2, "the first points of both come together"
    assert any(2 < n < 5 for n in page.evaluate("window.seen")), "and the next ones when they are due"
    server.change("all", points=epochs(4.0, 2), state="done")
    page.wait_for_function("() => window.seen.at(-1) === 7")
    page.get_by_role("combobox", name="X axis").select_option("Seconds")
    firsts = "() => [...(document.querySelector('.tl-live-plot').data ?? [])].filter(t => t.uid).map(t => t.x[0])"
    page.wait_for_function(f"() => new Set(({firsts})()).size === 1")
    assert set(page.evaluate(firsts)) == {0}, "every lane's seconds count from its own first point"
    page.evaluate("() => { window.seen.length = 0; }")
    page.get_by_role("button", name="Replay").click()
    page.wait_for_function("() => window.seen.at(-1) === 7")
    assert any(n < 7 for n in page.evaluate("window.seen")), "from their first points on"


def test_the_chart_works_below_a_base_path(browser):
    server = Server("lab")
    try:
        server.change("one", curve=[0, 20])
        page = browser.new_page()
        page.goto(f"{server.url}/?show=chart")
        wait_points(page, 22)
        page.close()
    finally:
        server.close()


# ------------------------------------------------------------------ the layer picker


def switch(page, name: str):
    return page.get_by_role("switch", name=re.compile(rf"Freeze {name}\b"))


def test_the_boundary_moves_by_arrow_keys_and_the_switches_follow(show):
    page = show("picker")
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-valuetext", "0 of 7 layers frozen")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "2 of 7 layers frozen: conv_1, pool_1")
    wait_said(page, "picker", "said.join() === 'conv_1'")
    expect(switch(page, "conv_1")).to_be_checked()
    expect(switch(page, "conv_1")).to_contain_text("frozen")
    expect(switch(page, "conv_2")).not_to_be_checked()
    expect(switch(page, "conv_2")).to_contain_text("trainable")
    slider.press("End")
    wait_said(page, "picker", "said.length === 4")
    slider.press("Home")
    wait_said(page, "picker", "said.length === 0")


def test_dragging_the_boundary_freezes_what_lies_before_it(show):
    page = show("picker")
    knob = page.get_by_role("slider").bounding_box()
    pool = page.locator("[data-layer=pool_2]").bounding_box()
    page.mouse.move(knob["x"] + 22, knob["y"] + 22)
    page.mouse.down()
    page.mouse.move(pool["x"] + pool["width"] + 6, knob["y"] + 60, steps=10)
    expect(switch(page, "conv_2")).to_be_checked()  # before it is let go
    assert json.loads(page.locator(".st-key-said_picker code").text_content()) == []
    page.mouse.up()
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2'")


def test_switches_move_the_boundary(show):
    page = show("picker")
    slider = page.get_by_role("slider")
    switch(page, "conv_2").click()
    wait_said(page, "picker", "said.join() === 'conv_2'")
    expect(slider).to_have_attribute("aria-valuenow", "0")
    switch(page, "conv_1").focus()
    page.keyboard.press("Space")
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2'")
    expect(slider).to_have_attribute("aria-valuenow", "3")
    page.keyboard.press("Enter")
    wait_said(page, "picker", "said.join() === 'conv_2'")


def test_shift_and_click_sets_a_range(show):
    page = show("picker")
    switch(page, "dense_1").click()
    switch(page, "conv_1").click(modifiers=["Shift"])
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2,dense_1'")


def test_layers_without_weights_say_so_and_have_no_switch(show):
    page = show("picker")
    expect(page.get_by_role("switch")).to_have_count(4)
    for name in ("pool_1", "pool_2", "flatten"):
        expect(page.locator(f"[data-layer={name}]")).to_contain_text("nothing to freeze")


def test_a_click_on_a_layer_looks_inside_it_and_freezes_nothing(show):
    page = show("picker")
    conv_2 = page.get_by_role("button", name=re.compile("Look inside conv_2"))
    conv_2.click()
    wait_said(page, "opened", "said === 'conv_2'")
    expect(conv_2).to_have_attribute("aria-expanded", "true")
    conv_2.click()  # a second click puts it away
    wait_said(page, "opened", "said === ''")
    expect(conv_2).to_have_attribute("aria-expanded", "false")
    page.get_by_role("button", name=re.compile("Look inside pool_1")).focus()  # it has no weights, and yet an output
    page.keyboard.press("Enter")
    wait_said(page, "opened", "said === 'pool_1'")
    assert json.loads(page.locator(".st-key-said_picker code").text_content()) == []


def test_under_every_cut_stands_what_it_reaches_and_the_boundary_marks_its_own(show):
    page = show("picker&scored=1")
    cuts = page.get_by_role("listitem")
    expect(cuts).to_have_count(8)
    assert (
        cuts.first.text_content() == "Nothing frozen: 88.0\u00a0%"
        and cuts.last.text_content() == "Cut after dense_2: 90.3\u00a0%"
    )
    expect(page.locator(".tl-net-cut.here")).to_have_text("Nothing frozen: 88.0 %")
    page.get_by_role("slider").press("ArrowRight")
    expect(page.locator(".tl-net-cut.here")).to_have_text("Cut after conv_1: 90.0 %")
    expect(page.locator(".tl-net-cut.best")).to_have_text("Cut after dense_2: 90.3 %")
    middle = "box => { const { x, width } = box.getBoundingClientRect(); return x + width / 2; }"
    line, number = page.locator(".tl-net-line"), page.locator(".tl-net-cut.here")
    until = time.monotonic() + 30
    while abs(line.evaluate(middle) - number.evaluate(middle)) >= 2 and time.monotonic() < until:
        page.wait_for_timeout(50)  # the line slides to its place
    assert abs(line.evaluate(middle) - number.evaluate(middle)) < 2


def test_a_preset_replaces_the_choice(show):
    page = show("picker")
    switch(page, "dense_2").click()
    wait_said(page, "picker", "said.join() === 'dense_2'")
    page.get_by_role("button", name="All convolutions").click()
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2'")
    expect(switch(page, "dense_2")).not_to_be_checked()
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", "3")


def test_on_a_phone_the_network_runs_down_the_page(show):
    page = show("picker", **PHONE)
    first, last = (page.locator(f"[data-layer={name}]").bounding_box() for name in ("conv_1", "dense_2"))
    assert first["x"] == last["x"] and first["y"] < last["y"]
    assert first["height"] >= 44
    slider = page.get_by_role("slider")
    expect(slider).to_have_attribute("aria-orientation", "vertical")
    slider.press("ArrowDown")
    wait_said(page, "picker", "said.join() === 'conv_1'")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


RAIL = """(root) => {
    const row = root.querySelector(".tl-net-row");
    const track = getComputedStyle(row).getPropertyValue("--track").trim();
    const names = { "#0072b2": "frozen", "#d55e00": "trainable" };
    return track.split(", ").map((stop) => names[stop.split(" ")[0]]);
}"""


def test_the_rail_has_every_blocks_own_colour_to_its_very_ends(show):
    page = show("picker")
    assert page.locator(".tl-net").evaluate(RAIL) == ["trainable"] * 7  # nothing frozen: no blue stub at the input
    slider = page.get_by_role("slider")
    slider.press("End")
    wait_said(page, "picker", "said.length === 4")
    assert page.locator(".tl-net").evaluate(RAIL) == ["frozen"] * 7  # everything: no orange one at the output
    page.get_by_role("button", name="All convolutions").click()
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2'")
    assert page.locator(".tl-net").evaluate(RAIL) == ["frozen"] * 3 + ["trainable"] * 4  # it ends where the knob stands
    page.get_by_role("slider").press("End")
    switch(page, "dense_1").click()
    wait_said(page, "picker", "said.join() === 'conv_1,conv_2,dense_2'")
    assert page.locator(".tl-net").evaluate(RAIL) == ["frozen"] * 5 + ["trainable", "frozen"]
    switch(page, "conv_1").click()  # conv_2 stays frozen, and is seen to
    wait_said(page, "picker", "said.join() === 'conv_2,dense_2'")
    assert page.locator(".tl-net").evaluate(RAIL) == [
        "trainable",
        "frozen",
        "frozen",
        "trainable",
        "trainable",
        "trainable",
        "frozen",
    ]


def test_the_boundary_stands_in_its_place_from_the_start_and_slides_only_when_it_is_moved(show):
    page = show("picker")
    knob, duration = page.get_by_role("slider"), "(knob) => getComputedStyle(knob).transitionDuration"
    assert knob.evaluate(duration) == "0s"
    knob.press("ArrowRight")
    wait_said(page, "picker", "said.join() === 'conv_1'")
    assert knob.evaluate(duration).startswith("0.12s")


CUT = """(net) => {
    const root = net.getBoundingClientRect();
    const clipped = (e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible";
    const parts = [...net.querySelectorAll(".tl-net-cell, .tl-net-cell span, .tl-net-end, .tl-net-knob")];
    return parts.filter((e) => {
        if (e.classList.contains("tl-net-verb")) return false; // for screen readers alone
        const box = e.getBoundingClientRect();
        return box.width && (box.left < root.left - 4 || box.right > root.right + 4 || clipped(e));
    }).map((e) => `${e.className} ${e.textContent.trim()}`);
}"""


def test_nothing_of_the_network_is_cut_off_at_any_width(show):
    page = show("picker&scored=1")
    for width in (320, 360, 480, 600, 700, 768, 900, 1024, 1280, 1600, 1920):
        resized(page, width, 900)
        for key in ("Home", "End"):
            page.get_by_role("slider").press(key)
            assert page.locator(".tl-net").evaluate(CUT) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_blocks_never_make_the_page_wider_than_its_window(show):
    page = show("deep&scored=1")
    for width in (320, 480, 599, 600, 700, 768, 900, 1024, 1280, 1600, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        for key in ("Home", "End"):
            page.get_by_role("slider").press(key)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            own = "net => net.scrollWidth <= net.clientWidth + 4"  # the margin of the part that scrolls
            assert page.locator(".tl-net").evaluate(own)


def test_a_hundred_and_fifty_four_layers_are_drawn_as_groups(show):
    page = show("deep")
    expect(page.get_by_role("switch")).to_have_count(21)
    slider = page.get_by_role("slider")
    slider.press("ArrowRight")
    slider.press("ArrowRight")
    wait_said(page, "picker", "said.length === 6")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("9 of 154 layers frozen: Conv1, block_0_expand.*…"))
    slider.press("End")
    wait_said(page, "picker", "said.length === 97")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280


# ------------------------------------------------------------------ for everyone


def test_axe_finds_nothing_critical_and_nothing_serious_in_the_components(show, server):
    server.change("one", reset=True, curve=[0, 30], progress={"step": 1, "n_steps": 2, "message": "Training"})
    page = show("", viewport={"width": 1280, "height": 2400})
    wait_points(page, 33)
    switch(page, "conv_1").click()
    draw(page, (0.2, 0.2), (0.8, 0.2))
    wait_said(page, "pad", "said.final && said.strokes.length === 1")
    for found in in_either_theme(page):
        assert [violation["id"] for violation in found if violation["impact"] == "critical"] == []
        ours = [
            (v["id"], node["html"][:200])
            for v in found
            if v["impact"] == "serious"
            for node in v["nodes"]
            if "tl-" in str(node)
        ]
        assert ours == []


# Once the page is dark, and not while it is still told to be.
DARK = "() => getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor.match(/\\d+/)[0] < 60"


def in_either_theme(page) -> Iterator[list[dict]]:
    """Yield what axe finds in the page as it is, in light, and then in dark."""
    yield Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)
    yield Axe().run(page).response["violations"]


def bad(page, own: str) -> list[tuple[str, str]]:
    """Return what axe finds critical or serious in either theme about parts of that name."""
    return [
        (violation["id"], node["html"])
        for violations in in_either_theme(page)
        for violation in violations
        if violation["impact"] in ("critical", "serious")
        for node in violation["nodes"]
        if own in str(node)
    ]


# The chart with nothing to draw yet, in an empty page whose timers wait to be called.
STILL = """async (source) => {
    const { default: mount } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    const timers = new Map();
    window.setTimeout = (act) => timers.set(timers.size + 1, act).size;
    window.clearTimeout = (timer) => timers.has(timer) && timers.set(timer, null);
    const waiting = () => [...timers.values()].filter(Boolean);
    const found = () => [document.head.querySelectorAll("link"), timers, waiting(), document.scripts].map(
        (all) => all.length ?? all.size);
    const data = { plotly: "data:text/javascript,window.Plotly = {}" }, seen = [];
    mount({ data }); mount({ data });                // a rerun asks again
    seen.push(found());
    dispatchEvent(new Event("pointermove"));
    seen.push(found());
    waiting().forEach((act) => act());               // a second later
    timers.set(2, null);
    dispatchEvent(new Event("pointermove")); mount({ data });
    seen.push(found());
    return seen;
}"""


def test_plotly_is_fetched_at_once_and_run_when_a_person_is_still(browser):
    page = browser.new_page()
    found = page.evaluate(STILL, (ROOT / "pages" / "ui" / "components" / "live_chart.js").read_text(encoding="utf-8"))
    assert found == [[1, 1, 1, 0], [1, 2, 1, 0], [1, 2, 0, 1]]  # links, timers, those that still run, scripts
    page.close()


def test_nothing_is_fetched_from_elsewhere(show, server, browser):
    server.change("one", reset=True, curve=[0, 30])
    context = browser.new_context()
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    settled(page)
    wait_points(page, 33)
    context.close()
    assert any("/assets/plotly.min.js?v=" in url for url in asked)
    assert [url for url in asked if not url.startswith((server.url, "blob:", "data:"))] == []


# ------------------------------------------------------------------ the film


def epoch(page, number: int) -> None:
    expect(page.locator(".tl-film")).to_have_attribute("data-epoch", str(number))


def test_a_film_stands_at_its_newest_epoch_until_it_is_scrubbed_and_follows_again_from_its_end(show):
    page = show("film")
    epoch(page, 2)
    slider = page.get_by_role("slider", name="Epoch")
    slider.press("ArrowLeft")
    epoch(page, 1)
    assert slider.get_attribute("aria-valuetext") == "epoch 1 of 4"
    page.get_by_role("button", name="Go on").click()
    settled(page)
    expect(slider).to_have_attribute("max", "3")
    epoch(page, 1)
    slider.press("End")
    epoch(page, 3)


def test_a_film_plays_from_its_beginning_to_its_end(show):
    page = show("film")
    page.get_by_role("button", name="Play").click()
    epoch(page, 0)
    epoch(page, 2)
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_a_frame_says_what_is_frozen_how_far_it_moved_and_what_was_forgotten(show):
    page = show("film", viewport={"width": 360, "height": 700})
    rows = page.locator(".tl-film .bars > div")
    expect(rows).to_have_count(2)
    assert [row.split() for row in rows.all_inner_texts()] == [
        ["conv_1", "frozen", "0"],
        ["dense_1", "trainable", "20", "%"],
    ]
    expect(page.locator(".tl-film .accuracy p:not([role=alert])")).to_have_text(
        "Source (MNIST digits 0-4, 1,000 test images, its own head): 60.0 %. Target (validation): 40.0 %."
    )
    assert page.locator(".tl-film .images .right").count() == page.locator(".tl-film .images .wrong").count() == 6
    assert page.locator(".tl-film .map text").count() == 12
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_no_name_of_a_layer_is_cut_and_all_bars_begin_at_one_place(show):
    page = show("film", viewport={"width": 360, "height": 700})
    names = page.locator(".tl-film .bars span")
    names.first.evaluate("name => { name.textContent = 'expanded_conv'; }")
    assert names.evaluate_all("names => names.every(name => name.scrollWidth <= name.clientWidth)")
    bars = page.locator(".tl-film .bars i").evaluate_all("bars => bars.map(bar => bar.getBoundingClientRect().x)")
    assert len(set(bars)) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_one_slider_moves_the_films_of_all_lanes(show):
    page = show("films")
    epoch(page, 4)
    expect(page.get_by_role("slider")).to_have_count(1)
    lanes = page.locator(".tl-film .lane")
    assert [lane.get_attribute("data-epoch") for lane in lanes.all()] == ["4", "3"], "the second lane is behind"
    page.get_by_role("slider", name="Epoch").press("Home")
    epoch(page, 0)
    assert [lane.get_attribute("data-epoch") for lane in lanes.all()] == ["0", "0"]
    widths = page.locator(".tl-film .bars u").evaluate_all("bars => bars.map(bar => bar.style.width)")
    assert widths == ["0%", "0%", "0%", "76.9231%"], "one scale of drift for all lanes"
    cells = page.locator(".tl-film .together .images > div")
    expect(cells).to_have_count(2)
    assert [line.split(": ")[1] for line in cells.nth(1).locator("span").all_text_contents()] == [
        "✗ 5 60\u00a0%",
        "✓ 6 60\u00a0%",
    ]
    page.get_by_role("slider", name="Epoch").press("End")
    assert [line.split(": ")[1] for line in cells.nth(1).locator("span").all_text_contents()] == [
        "✗ 5 100\u00a0%",
        "✓ 6 90\u00a0%",
    ]


@pytest.mark.parametrize("shown", ["film", "films"])
def test_axe_finds_nothing_critical_and_nothing_serious_in_a_film(show, shown):
    page = show(shown)
    epoch(page, 2 if shown == "film" else 4)
    assert bad(page, "tl-film") == []


# ------------------------------------------------------------------ the walk down a loss curve


def walked(page, step: int) -> None:
    expect(page.locator(".tl-descent")).to_have_attribute("data-step", str(step))


def test_a_point_walks_down_the_loss_by_keyboard_and_another_rate_begins_again(show):
    page = show("descent", reduced_motion="reduce")
    walked(page, 0)
    told = page.locator(".tl-descent [role=status]")
    expect(told).to_have_text("Start: loss 1. The slope is -2, so a step of η = 0.25 moves the weights by 0.5.")
    page.get_by_role("button", name="Step").press("Enter")
    walked(page, 1)
    expect(told).to_have_text("Step 1: loss 0.25. The slope is -1 here, so the next step moves by 0.25.")
    assert page.locator(".tl-descent .point").evaluate("point => getComputedStyle(point).transitionDuration") == "0s"
    page.get_by_role("button", name="Back to the start").press("Space")
    walked(page, 0)
    page.get_by_role("slider", name="Rate").press("End")
    expect(told).to_contain_text("η = 2.5")
    page.get_by_role("button", name="Step").click()
    expect(told).to_have_text("Step 1 has left the picture: the loss is 16. This rate is far too large.")
    expect(page.get_by_role("button", name="Step")).to_be_disabled()


def test_the_walk_is_played_to_its_end(show):
    page = show("descent", viewport={"width": 360, "height": 700})
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    told = page.locator(".tl-descent [role=status]")
    expect(told).to_have_attribute("aria-live", "off")  # not each step: where it ends
    walked(page, 12)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(told).to_contain_text("It has arrived")
    expect(told).to_have_attribute("aria-live", "polite")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_axe_finds_nothing_critical_and_nothing_serious_in_the_walk(show):
    page = show("descent")
    walked(page, 0)
    assert bad(page, "tl-descent") == []


# ------------------------------------------------------------------ files on their way


class Taking:
    """The server's side of an upload: what it was told and sent; ``lose`` pieces get no answer."""

    def __init__(self, page, lose: int = 0, refusal: str = ""):
        self.files, self.content, self.lose, self.refusal, self.cancelled = [], b"", lose, refusal, False
        page.route("**/api/uploads**", self.answer)
        page.route("**/api/uploads/**", self.answer)

    def answer(self, route) -> None:
        request = route.request
        sent = request.post_data_buffer or b""
        if request.method == "DELETE":
            self.cancelled = True
            return route.fulfill(status=204)
        if request.method == "POST" and "at=" not in request.url:
            if self.refusal:
                return route.fulfill(status=400, json={"error": self.refusal})
            self.files = json.loads(sent)
        elif request.method == "POST":
            self.content += sent[: len(sent) // 2] if self.lose else sent
            if self.lose:
                self.lose -= 1
                return route.abort()
        return route.fulfill(json={"id": "0123456789abcdef", "arrived": len(self.content)})


def files(*named: tuple[str, bytes]) -> list[dict]:
    return [{"name": name, "mimeType": "image/png", "buffer": content} for name, content in named]


def test_loose_pictures_are_sent_under_their_class_and_a_lost_piece_goes_on_where_it_broke_off(show):
    page = show("drop")
    taking = Taking(page, lose=1)
    field = page.locator(".tl-drop input[type=file]").first
    field.set_input_files(files(("1.png", b"0123"), ("2.png", b"4567"), (".hidden", b"no"), ("3.png", b"")))
    expect(page.get_by_label("Which class do these 3 pictures belong to?")).to_be_focused()
    page.keyboard.type("cats / dogs")
    page.keyboard.press("Enter")
    expect(page.get_by_text("a classifier needs two")).to_be_visible()
    field.set_input_files(files(("1.png", b"89")))
    page.keyboard.type("birds")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send 4 pictures").click()
    expect(page.locator("body")).to_contain_text("0123456789abcdef")
    assert [name for name, *_ in taking.files] == ["cats   dogs/1.png", "cats   dogs/2.png", "birds/1.png"]
    assert taking.content == b"0123456789"


def test_pictures_that_need_no_class_are_sent_at_once(show):
    page = show("drop_plain")
    taking = Taking(page)
    page.locator(".tl-drop input[type=file]").first.set_input_files(files(("1.png", b"01"), ("2.png", b"23")))
    expect(page.locator("body")).to_contain_text("0123456789abcdef")
    assert [name for name, *_ in taking.files] == ["1.png", "2.png"] and taking.content == b"0123"


def test_a_refusal_is_read_out_and_other_files_can_be_chosen(show):
    page = show("drop")
    Taking(page, refusal="These files have 600 MB; the limit for a set is 500.")
    page.locator(".tl-drop input[type=file]").first.set_input_files(files(("a.zip", b"0123")))
    expect(page.get_by_role("alert")).to_have_text("These files have 600 MB; the limit for a set is 500.")
    page.get_by_role("button", name="Choose other files").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_focused()
    assert [each for each in Axe().run(page).response["violations"] if each["impact"] in ("critical", "serious")] == []


# ------------------------------------------------------------------ charts as files


def saved(page, within: str, chart: str) -> dict[str, bytes]:
    """Press the three buttons of a chart; return what arrives, by its kind."""
    files = {}
    for kind in ("PNG", "SVG", "CSV"):
        with page.expect_download() as download:
            page.locator(within).get_by_role("button", name=f"Save as {kind}: {chart}", exact=True).click()
        assert download.value.suggested_filename.endswith(f".{kind.lower()}")
        files[kind] = Path(download.value.path()).read_bytes()
    return files


def colours(picture: Image.Image) -> set[tuple[int, ...]]:
    return {tuple(map(int, pixel)) for pixel in np.unique(np.asarray(picture).reshape(-1, 3), axis=0)}


def opened_files(files: dict[str, bytes]) -> tuple[Image.Image, ElementTree.Element, list[dict[str, str]]]:
    svg = files["SVG"].decode()
    assert "url(http" not in svg and "<style" not in svg and "foreignObject" not in svg
    rows = list(csv.DictReader(files["CSV"].decode("utf-8-sig").splitlines()))
    return Image.open(BytesIO(files["PNG"])).convert("RGB"), ElementTree.fromstring(svg), rows


@pytest.mark.parametrize("screen", [{}, PHONE | {"color_scheme": "dark"}], ids=["desktop", "phone, dark"])
def test_a_chart_of_streamlits_is_saved_as_it_is_seen(show, screen):
    page = show("figure", **screen)
    expect(page.locator(".st-key-drawn_figure .scatterlayer .trace").first).to_be_visible()
    picture, svg, rows = opened_files(saved(page, ".st-key-drawn_figure", "Error of three heads"))
    drawn = page.locator(".st-key-drawn_figure .main-svg").first.bounding_box()
    assert drawn
    assert (int(svg.attrib["width"]), int(svg.attrib["height"])) == (round(drawn["width"]), round(drawn["height"]))
    assert picture.size == (2 * round(drawn["width"]), 2 * round(drawn["height"]))
    assert picture.getpixel((2, 2)) == ((16, 23, 30) if screen else (255, 255, 255))  # the page's own ground
    assert (0, 158, 115) in colours(picture)  # of the dots
    texts = {text.strip() for text in svg.itertext() if text.strip()}
    assert {"SVM", "Forest", "error, %"} <= texts
    assert rows == [
        dict(zip(("error, %", "y"), pair, strict=True)) for pair in (("1.5", "SVM"), ("4", "Forest"), ("2.5", "Dense"))
    ]
    page.get_by_role("button", name="Data table").click()
    region = page.get_by_role("region", name="Data table: Error of three heads")
    expect(region.get_by_role("columnheader")).to_have_text(["error, %", "y"])
    expect(region.get_by_role("cell")).to_have_text(["1.5", "SVM", "4", "Forest", "2.5", "Dense"])
    box = page.locator(".st-key-drawn_figure .tl-save").bounding_box()
    assert box and page.viewport_size
    assert box["x"] >= 0 and box["x"] + box["width"] <= page.viewport_size["width"]
    if screen:
        buttons = page.locator(".tl-save button").all()
        assert all(button.evaluate("button => button.offsetHeight") >= 44 for button in buttons)
        assert len({button.evaluate("button => button.offsetTop") for button in buttons}) == 1, "in one row"


def test_a_live_chart_is_saved_with_every_point(show, server):
    server.change("one", reset=True, curve=[0, 40])
    page = show("chart")
    wait_points(page, 44)
    picture, svg, rows = opened_files(saved(page, ".tl-live", "Fine-tuning"))
    assert len(colours(picture)) > 10 and "conv_2 unfreezes" in "".join(svg.itertext())
    assert len(rows) == 44 and list(rows[0]) == ["curve", "Epoch", "Loss", "Accuracy"]
    assert [row["Epoch"] for row in rows if row["curve"] == "validation"] == ["1", "2", "3", "4"]


def test_the_buttons_below_a_narrow_chart_stand_in_one_row(show):
    page = show("film")
    drift = page.locator(".tl-film .drift")
    words = drift.locator(".tl-save > span")
    drift.evaluate("drift => { drift.style.width = '30rem'; }")
    expect(words).to_be_visible()
    drift.evaluate("drift => { drift.style.width = '17rem'; }")  # three lanes beside one another
    expect(words).to_be_hidden()
    tops = drift.locator(".tl-save > button").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert len(tops) == 4 and len(set(tops)) == 1


def test_the_charts_of_a_film_and_of_a_walk_are_saved(show):
    page = show("film")
    for chart, first in {
        "A lane: How far each layer has moved": ["conv_1", "frozen", "0"],
        "A lane: What it learned, what it forgot": ["0", "1", ""],
        "A lane: Where the last hidden layer puts 300 test images": ["5", "0", "3"],
    }.items():
        picture, _svg, rows = opened_files(saved(page, ".tl-film", chart))
        assert len(colours(picture)) > 5 and list(rows[0].values()) == first
    page = show("descent")
    picture, svg, rows = opened_files(saved(page, ".tl-descent", "the walk down the loss"))
    assert len(colours(picture)) > 10 and "Loss of the batch" in "".join(svg.itertext())
    assert rows[-1]["Step"] == "0" and len(rows) > 20


@pytest.mark.parametrize("screen", [{}, PHONE | {"color_scheme": "dark"}], ids=["desktop", "phone, dark"])
def test_a_chart_that_is_made_of_html_is_saved_as_it_is_seen(show, screen):
    page = show("markup", **screen)
    table = page.locator(".intervals")
    expect(table).to_be_visible()
    picture, svg, rows = opened_files(saved(page, ".st-key-drawn_claims", "Two claims"))
    drawn = table.bounding_box()
    assert drawn and (int(svg.attrib["width"]), int(svg.attrib["height"])) == tuple(
        math.ceil(drawn[side]) for side in ("width", "height")
    )
    assert picture.size == (2 * math.ceil(drawn["width"]), 2 * math.ceil(drawn["height"]))
    good, bad = ((51, 199, 156), (255, 111, 165)) if screen else ((0, 158, 115), (194, 24, 91))
    assert {good, bad} <= colours(picture), "both intervals are drawn in their colours"
    texts = " ".join(svg.itertext())
    assert all(words in texts for words in ("Two claims", "Features beat pixels", "refuted", "5 labels", "9.0×"))
    assert svg.findall(".//{*}polygon") and svg.findall(".//{*}line[@stroke-dasharray]")  # beyond the axis; to pass
    assert rows == [
        {"Claim": "Features beat pixels", "times": "3", "end": ""},
        {"Claim": "Forests beat SVMs", "times": "9", "end": ""},
    ]


def test_an_answer_is_saved_once_there_is_one_and_follows_what_is_shown(show):
    page = show("markup")
    buttons = page.get_by_role("group", name="Save: The answer of Two")
    buttons.get_by_role("button", name="Save as CSV").click()
    expect(buttons.get_by_role("alert")).to_contain_text("Wait until it is drawn")
    page.get_by_text("Answer", exact=True).click()
    expect(page.locator("[data-answer]")).to_be_visible()
    _picture, svg, rows = opened_files(saved(page, "body", "The answer of Two"))
    assert rows == [{"class": "'=yes", "probability": "0.75"}, {"class": "no", "probability": "0.25"}]
    assert "=yes, 75 % sure" in " ".join(svg.itertext()) and svg.findall(".//{*}image")
