"""The main job as a person does it: the real app, a real Chromium, real pointer events, real training."""

import csv
import hashlib
import io
import json
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import pairwise, product
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import few_pictures
import numpy as np
import pytest
from browser import everybody, filmed, minute
from browser.everybody import serious
from browser.kept import KeptPages, resized, settled
from browser.lab_server import ROOT, LabServer
from coroutines import finished
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from bench import _room
from pages.ui.inputs import three_answers
from tlcore import datasets, heads, people, sources
from tlcore.lessons import TOURS
from tlcore.prediction import own_heads, taught
from tlcore.prediction.serving import LOADING
from tlcore.rooms import Activity, Rooms, to_teach
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Origin, Phase
from tlcore.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

SLOW_MS = 60_000  # the machine may be busy: a wait ends when its condition holds, this is only when it gives up
TITLES = {
    "": "See transfer learning work",
    "layers": "Layers",
    "train": "Train",
    "heads": "Compare heads",
    "draw": "Try",
    "runs": "Runs",
}
EVERY_PAGE = [
    "" if path.stem == "home" else path.stem
    for path in sorted((ROOT / "pages").glob("*.py"))
    if path.stem not in ("menu", "__init__")
]
LISTENING = ROOT / "tests" / "browser" / "heard.js"  # notes what a screen reader is told
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
LIVE = ".tl-live:not([data-recorded])"  # charts of runs; Train shows a recorded one first
SEVEN = ((0.26, 0.2), (0.74, 0.2), (0.46, 0.84))


# ------------------------------------------------------------------ the server, its pages, and what a hand does


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The app, ready; at the end it must go quietly and have logged no bug."""
    server = LabServer(tmp_path_factory.mktemp("journey") / "home")
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()
    assert "Traceback" not in server.log.read_text()


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


# Sums what moves on the page by itself, as the browser measures it; what follows a click or a key is not counted.
WATCH_SHIFTS = """
window.shifted = 0;
window.shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.shifted += entry.value;
    for (const {node, previousRect: from, currentRect: to} of entry.sources) {
      const name = node?.closest?.("[class*=st-key-]")?.className.match(/st-key-\\S+/)[0] ?? node?.nodeName;
      window.shifts.push(`${entry.value.toFixed(3)} ${name} "${node?.textContent?.slice(0, 40)}" ` +
        `${from.y}+${from.height} to ${to.y}+${to.height}`);
    }
  }
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="module")
def kept(lab, browser):
    """The pages of one person."""

    def begin(context) -> None:
        context.set_default_timeout(SLOW_MS)
        context.add_init_script(WATCH_SHIFTS)
        context.add_init_script(LISTENING.read_text(encoding="utf-8"))

    kept = KeptPages(browser, f"{lab.url}/healthz", begin)
    yield kept
    kept.close()


@pytest.fixture(scope="module")
def opening(lab, kept):
    """``opening(path, **options of kept.open)``: a page of the same person, settled."""
    return lambda path="", **options: settled(kept.open(f"{lab.url}/{path}", **options))


@pytest.fixture
def visit(opening, kept):
    """As ``opening``, for one test: the errors of its pages are its failure."""
    yield opening
    kept.rest()
    errors = kept.errors + kept.complaints
    kept.errors.clear()
    kept.complaints.clear()
    assert errors == []


def go(page: Page, title: str) -> None:
    """Change page as a person does: by the menu."""
    page.get_by_role("link", name=title, exact=True).click()
    expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
    settled(page)


def draw(page: Page, *points: tuple[float, float], steps: int = 8) -> None:
    """Draw one stroke with the mouse, in units of the pad's side."""
    canvas = page.locator(".tl-pad-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=steps)
    page.mouse.up()


def answer(page: Page, model: str):
    """Return the place where one model's answer stands."""
    return page.locator(f'[data-model="{model}"] [data-answer]')


def fill(page: Page, key: str, value: object) -> None:
    field = page.locator(f".st-key-{key} input")
    field.fill(str(value))
    field.press("Tab")
    settled(page)


def settings(page: Page) -> None:
    """Open the fold of what one rarely changes."""
    page.get_by_test_id("stExpander").filter(has_text="Settings").locator("summary").first.click()
    expect(page.locator(".st-key-epochs input")).to_be_visible()


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()  # one with a help text is drawn twice


def select(page: Page, key: str, option: str) -> None:
    field = page.locator(f".st-key-{key}").get_by_role("combobox")
    field.fill(option)  # narrows the list to it
    field.press("Enter")
    settled(page)
    expect(field).to_have_value(option)


def slot(page: Page, name: str) -> str:
    """Return the run id that the address holds for a slot."""
    page.wait_for_function("name => new URLSearchParams(location.search).get(name)", arg=name)
    return page.evaluate("name => new URLSearchParams(location.search).get(name)", name)


def points(page: Page, chart: int = 0) -> int:
    return int(page.locator(LIVE).nth(chart).get_attribute("data-points") or 0)


def wait_more_points(page: Page, than: int = 0, chart: int = 0) -> int:
    page.wait_for_function(
        "([live, chart, than]) => +document.querySelectorAll(live)[chart]?.dataset.points > than",
        arg=[LIVE, chart, than],
    )
    return points(page, chart)


def wait_state(page: Page, state: str, chart: int = 0) -> None:
    expect(page.locator(LIVE).nth(chart)).to_have_attribute("data-state", state, timeout=2 * SLOW_MS)
    settled(page)


def heard(page: Page, words: str) -> list[str]:
    """Wait until a screen reader is told these words; return all it was told since it was asked the last time."""
    page.wait_for_function("words => window.heard.some((one) => one.includes(words))", arg=words)
    return page.evaluate("window.heard.splice(0)")


@pytest.fixture(scope="module")
def training(opening, kept) -> tuple[str, list[str]]:
    """The default fine-tuning, started by its button and seen to its end; the run's id, and what was told of it."""
    page = opening("train")
    press(page, "start_ft")
    wait_more_points(page)
    wait_state(page, "done")
    expect(page.get_by_text("Test accuracy")).to_be_visible()
    told = slot(page, "ft"), heard(page, "Done")
    kept.rest()
    return told


@pytest.fixture(scope="module")
def trained(training) -> str:
    return training[0]


@pytest.fixture(scope="module")
def comparing(opening, kept) -> tuple[str, list[str]]:
    """Two heads on few labels, started by the button; the run's id, and what was told of it."""
    page = opening("train")
    fill(page, "per_class", 20)
    go(page, "Compare heads")
    for name in ("RBF SVM", "Logistic regression", "k-nearest neighbours", "Dense layer"):
        page.locator(".st-key-compared").get_by_role("button", name=name).click()
    settled(page)
    press(page, "start_cmp")
    expect(page.get_by_text("SVM beside random forest")).to_be_visible(timeout=2 * SLOW_MS)
    told = slot(page, "cmp"), heard(page, page.locator(".st-key-verdict_heads h2").inner_text())
    kept.rest()
    return told


@pytest.fixture(scope="module")
def compared(comparing) -> str:
    return comparing[0]


# ------------------------------------------------------------------ thirty seconds: open it, draw, read


# Two seconds at most: an animation without an end, as that of what loads, would be waited for for ever.
AT_REST = """() => Promise.race([
  Promise.allSettled(document.getAnimations().map(({ finished }) => finished)),
  new Promise((end) => setTimeout(end, 2000)),
])"""
BEFORE, AFTER, SCRATCH = "source:digits_0_4", "taught:transfer", "taught:scratch"


def test_a_seven_drawn_on_the_first_page_has_three_answers_and_is_judged_when_it_is_told(visit):
    page = visit()
    expect(page.locator(".three h2")).to_have_text("Draw a 7, or any other digit")
    draw(page, *SEVEN)
    expect(answer(page, AFTER)).to_have_attribute("data-answer", "7")
    expect(page.locator(".tl-told")).to_have_text(page.locator(".three h2").inner_text())
    # The network before transfer has never seen a seven: it answers what it knows.
    expect(answer(page, BEFORE)).to_have_attribute("data-answer", re.compile("[0-4]"))
    expect(answer(page, SCRATCH)).to_be_visible()
    expect(page.locator(".three small")).to_have_text(["", "", ""])
    page.locator(".st-key-meant").get_by_role("radio", name="7", exact=True).click()
    expect(page.locator(f'[data-model="{BEFORE}"]')).to_contain_text("It has never seen a 7")
    expect(page.locator(f'[data-model="{BEFORE}"] small')).to_have_text("wrong")
    expect(page.locator(f'[data-model="{AFTER}"] small')).to_have_text("right")
    expect(page.locator(".three h2")).to_have_text(re.compile("^(Only transfer reads|Both read) your 7"))
    expect(page.locator(".tl-told")).to_have_text(page.locator(".three h2").inner_text())
    told = page.evaluate("window.heard")  # each headline once, however often a panel came
    assert len(told) >= 2 and all(one != next_one for one, next_one in pairwise(told))
    page.get_by_role("button", name="Clear").click()  # the next digit is another one
    expect(page.locator(".three h2")).to_have_text("Draw a 7, or any other digit")
    expect(page.locator(".st-key-meant").get_by_role("radio", checked=True)).to_have_count(0)


def test_on_try_each_answer_is_told_once(visit):
    page = visit("draw")
    draw(page, *SEVEN)
    is_told = "() => window.heard.includes(document.querySelector('.large').dataset.say)"
    page.wait_for_function(is_told)
    settled(page)
    page.wait_for_function(is_told)  # what had to be loaded first has answered too
    told = page.evaluate("window.heard")
    assert all(one != after for one, after in pairwise(told))


def test_who_goes_to_another_page_together_with_a_stroke_arrives_there_and_the_log_has_no_bug(lab):
    seen = _room.Room()

    async def goes() -> None:
        async with _room.people(1, seen, lab.url, "draw") as (person,):
            for drawn, (page, there) in zip(
                _room.drawings(2, seed=0), {"": "meant", "evidence": "saving_at"}.items(), strict=True
            ):
                await person._send_pad(drawn.strokes, final=True)
                await person.visit(page)  # before the stroke is answered
                assert person.find(there) and not person.find("answer_model")
                await person.visit("draw")

    finished(goes())
    assert seen.errors == seen.refusals == []


def test_how_far_a_run_is_and_how_it_ended_are_told_once(training, comparing):
    told = training[1]
    assert len(set(told)) == len(told) and sum("Done" in one for one in told) == 1
    told = comparing[1]
    assert len(set(told)) == len(told)


def test_how_a_race_ends_is_told_once_on_a_page_that_nobody_has_touched(visit, lab):
    store = Store(lab.home)
    lanes = [store.create(FineTuneSpec(data=DataSpec(per_class=2000), phases=(Phase(100),), seed=n)) for n in (1, 2)]
    page = visit("race?" + "&".join(f"lane{n}={lane.id}" for n, lane in enumerate(lanes, 1)))
    page.locator(".tl-told").wait_for(state="attached")  # the page has come
    for lane in lanes:
        store.request_stop(lane.id)
    ended = page.locator(".st-key-finish [data-say]:not([data-say='The race is on'])")
    told = heard(page, ended.get_attribute("data-say") or "?")
    assert "The race is on" not in told  # with which it came
    assert len(set(told)) == len(told)
    for lane in lanes:
        store.delete(lane.id)
    store.close()


def test_in_a_room_each_task_answer_pause_and_end_is_told_once_on_the_phone_and_each_change_on_the_wall(
    visit, kept, lab
):
    store = Store(lab.home)
    rooms, host = Rooms(store), people.Person("", host=True)
    room = rooms.open(host, Activity("draw", "5"))
    phone = kept.open(f"{lab.url}/join/{room.code}?k={room.key}", stranger=True, **PHONE)
    phone.get_by_role("button", name="Join").click()
    assert heard(phone, "Draw a 5") == ["Draw a 5"]
    draw(phone, *SEVEN)
    phone.get_by_role("button", name="Send").click()
    told = heard(phone, "On the wall.")
    assert [one.split(".")[0] for one in told] == ["Sending …", "On the wall"]
    rooms.pause(room, True)
    paused = heard(phone, "paused")
    assert len(paused) == 1
    rooms.pause(room, False)
    assert heard(phone, "Draw a 5") == ["Draw a 5"]  # it goes on
    rooms.begin(room, Activity("free"))
    assert len(heard(phone, "The lab is yours")) == 1
    expect(phone.get_by_role("link", name="Open the lab")).to_have_attribute("href", "/")
    rooms.begin(room, Activity("bet", lanes=("nothing", "convolutions", "scratch"), label=""))
    assert heard(phone, "Which one will win?") == ["Which one will win?"]
    phone.get_by_role("radio").first.click()
    assert len(heard(phone, "Your bet:")) == 1
    wall = visit(f"host?token={people.keys(lab.home).token}", stranger=True)
    wall.goto(f"{lab.url}/room")
    settled(wall)
    expect(wall.locator(".tl-wall .code b")).to_have_text(room.code)
    rooms.pause(room, True)
    assert heard(wall, "Paused").count("Paused") == 1 and len(heard(phone, "paused")) == 1
    rooms.close(room)
    assert heard(wall, "This room is closed.").count("This room is closed.") == 1
    assert heard(phone, "closed") == ["The host has closed this room. Thank you for taking part."]
    store.close()


# What a screen reader reads on the way of the main job, in this order; more may stand between.
HEARD = {
    "train": """
- main:
  - heading "Train" [level=1]
  - group "Labels per class"
  - spinbutton "Labels per class, as a number"
  - switch "All"
  - link "Change the frozen layers"
  - toolbar "Ways to learn":
    - button "Fine-tuning" [pressed]
    - button "From scratch" [pressed]
  - button "Run the comparison"
  - heading /%/ [level=2]
  - figure /Error of Comparison/
""",
    "": """
- main:
  - heading "See transfer learning work" [level=1]
  - radiogroup "What the networks are shown":
    - radio "Draw a digit" [checked]
  - application /The pad is blank/
  - radiogroup "Brush":
    - radio "Medium" [checked]
  - button "Clear"
  - heading "Draw a 7, or any other digit" [level=2]
  - heading "Before transfer" [level=3]
  - heading "After transfer" [level=3]
  - heading "From scratch" [level=3]
  - radiogroup "The digit that I drew":
    - radio "7"
  - link "Train your own"
""",
    "draw": """
- main:
  - heading "Try" [level=1]
  - button "Try a sample digit"
  - radiogroup "Input":
    - radio "Draw" [checked]
    - radio "Keyboard"
  - application /The pad is blank/
  - radiogroup "Brush"
  - button "Clear"
  - switch "Centre and scale as MNIST does" [checked]
  - heading [level=2]
  - group:
    - combobox "Answer from"
  - heading "Before transfer" [level=3]
  - list
  - heading "After transfer" [level=3]
  - list
""",
}


@pytest.mark.alone
def test_a_newcomer_reads_a_verdict_of_their_own_within_a_minute_and_four_clicks(visit, lab):
    page = visit().context.new_page()
    began = time.monotonic()
    clicks = minute.walk(page, lab.url)
    took = time.monotonic() - began
    verdict = page.get_by_role("heading", level=2).filter(has_text="%").first.inner_text()
    assert len(re.findall(r"\d+\.\d\s%", verdict)) >= 2, verdict  # both accuracies
    assert clicks <= 4
    assert took <= 60
    for path, heard in HEARD.items():
        if path != "train":  # where the walk has ended
            page.goto(f"{lab.url}/{path}")
        expect(page.get_by_test_id("stMain")).to_match_aria_snapshot(heard)


@pytest.mark.parametrize("size", [DESKTOP, PHONE, {"viewport": {"width": 1920, "height": 1080}}], ids=str)
def test_nothing_moves_on_home_while_it_comes_and_answers(visit, size):
    page = visit(**size)
    page.wait_for_load_state("networkidle")
    draw(page, *SEVEN)
    expect(answer(page, AFTER)).to_have_attribute("data-answer", "7")
    settled(page)
    assert page.evaluate("window.shifted") < 0.1, page.evaluate("window.shifts")


def every_panel() -> Iterator[str]:
    """Yield what Home can show of a drawing, in Chromium's words: blank, each outcome, sure and not, and no answer."""
    card = taught.card()
    known = sources.info(card.source).class_names
    models = {way: one.model for way, one in three_answers.cards(card, known, None).items()}
    item = np.zeros((28, 28), np.uint8)
    yield three_answers.panel(card, known, {}, None, None, "Draw a 7, or any other digit")
    yield three_answers.panel(card, known, dict.fromkeys(models.values(), LOADING), item, None, "")
    for after, scratch, meant, sure in product("71", "71", (None, "7"), (0.99, 0.4)):
        labels = {"before": "3", taught.TRANSFER: after, taught.SCRATCH: scratch}
        answers = {}
        for way, label in labels.items():
            names = known if way == "before" else card.class_names
            answers[models[way]] = [sure if name == label else (1 - sure) / (len(names) - 1) for name in names]
        yield three_answers.panel(card, known, answers, item, meant, "")


def test_what_home_answers_is_as_high_as_the_blank_panel_whatever_it_is(visit):
    page = visit()
    page.locator(".three h2").wait_for()
    put = "(box, html) => { box.querySelector('.three').outerHTML = html; return box.getBoundingClientRect().height; }"
    panels = list(every_panel())
    for width in (320, 360, 700, 1000, 1280, 1920):
        resized(page, width, 800)
        heights = [page.locator(".st-key-three").evaluate(put, html) for html in panels]
        assert max(heights) - min(heights) < 2, (width, heights)


# ------------------------------------------------------------------ Layers


def weights_that_train(page: Page) -> int:
    return int(page.locator(".st-key-will_train p").first.inner_text().split(" of ")[0].replace(",", ""))


def test_the_sentence_the_diagram_and_the_table_agree_and_the_choice_survives_other_pages(visit):
    page = visit("layers")
    page.get_by_role("button", name="All but the head").click()
    expect(page.locator(".st-key-will_train")).to_contain_text(re.compile(r"325 of 121,605 weights"))
    assert sum("will train" in one for one in heard(page, "325 of 121,605")) == 1
    page.get_by_text("All layers as a table").click()
    expect(page.get_by_text("121,605 weights in all: 325 train and 121,280 are frozen")).to_be_visible()

    page.get_by_role("slider").scroll_into_view_if_needed()  # the table's place is below it
    knob = page.get_by_role("slider").bounding_box()
    pool = page.locator("[data-layer=pool_1]").bounding_box()
    page.mouse.move(knob["x"] + knob["width"] / 2, knob["y"] + knob["height"] / 2)
    page.mouse.down()
    page.mouse.move(pool["x"] + pool["width"] + 4, knob["y"] + 40, steps=10)
    page.mouse.up()
    expect(page.get_by_text("121,605 weights in all: 121,285 train and 320 are frozen")).to_be_visible()
    settled(page)
    assert weights_that_train(page) == 121_285
    told = heard(page, "trained from the boundary on: ")
    assert len(set(told)) == len(told) and sum("121,285 of 121,605" in one for one in told) == 1
    assert table_cells(page) >= {"conv_1", "frozen", "trainable", "– nothing to freeze"}

    go(page, "Train")
    expect(page.locator(".st-key-frozen")).to_contain_text("Frozen: conv_1.")
    expect(page.locator(".st-key-frozen")).to_contain_text("121,285 of 121,605 weights train")
    go(page, "Try")
    go(page, "Layers")
    expect(page.get_by_role("switch", name=re.compile("conv_1"))).to_be_checked()
    expect(page.get_by_role("switch", name=re.compile("conv_2"))).not_to_be_checked()
    assert weights_that_train(page) == 121_285


def table_cells(page: Page) -> set[str]:
    """Return the texts of the page's first table, as a screen reader gets them."""
    page.get_by_test_id("stDataFrame").first.scroll_into_view_if_needed()
    cells = page.get_by_test_id("stDataFrame").first.locator("td")
    expect(cells.first).to_be_attached()
    return set(cells.all_text_contents())


# ------------------------------------------------------------------ Train


def test_a_running_run_is_watched_reloaded_shared_and_stopped(visit):
    page = visit("train")
    fill(page, "per_class", 2000)
    settings(page)
    fill(page, "epochs", 100)
    press(page, "start_ft")
    first = wait_more_points(page)
    wait_more_points(page, first)  # it moves while it runs
    expect(page.locator(LIVE)).to_have_attribute("data-state", "running")
    page.wait_for_function(  # validation comes with the first whole epoch
        "live => document.querySelector(`${live} .tl-live-plot`).data.filter(trace => trace.uid).length >= 4",
        arg=LIVE,
        timeout=60_000,
    )
    uids = page.locator(f"{LIVE} .tl-live-plot").evaluate(
        "graph => graph.data.map(trace => trace.uid).filter(uid => uid)"
    )
    assert len(uids) == 4 and all(re.fullmatch(r"[\w-]+", uid) for uid in uids)  # Plotly looks them up as CSS classes
    run_id = slot(page, "ft")

    page.reload()
    settled(page)
    wait_more_points(page, first)
    expect(page.locator(LIVE)).to_have_attribute("data-state", "running")
    other = visit(f"train?ft={run_id}", stranger=True)  # somebody else, elsewhere
    expect(other.get_by_text("Shared with you by link")).to_be_visible()
    expect(other.get_by_role("button", name="Stop")).to_have_count(0)
    seen = wait_more_points(other, first)

    press(page, "stop_ft")
    for watched in (page, other):
        wait_state(watched, "stopped")
        expect(watched.get_by_text("Test accuracy")).to_be_visible()
        expect(watched.get_by_text(re.compile("Proof: the weights of 2 frozen layers"))).to_be_visible()
    assert points(page) >= seen
    expect(page.get_by_role("button", name="Download the model")).to_be_visible()


def test_a_finished_run_shows_what_it_reached_proves_it_and_hands_out_its_model(visit, trained, tmp_path):
    page = visit(f"train?ft={trained}")
    accuracy = page.get_by_test_id("stMetric").filter(has_text="Test accuracy").get_by_test_id("stMetricValue")
    assert float(accuracy.text_content().rstrip("\u00a0%")) > 80
    expect(
        page.get_by_text(re.compile(r"4,861 test images never trained on; 95\s% interval 8\d\.\d\s% to"))
    ).to_be_visible()
    expect(
        page.get_by_text("Proof: the weights of 2 frozen layers are bit for bit unchanged, those of 2 trained")
    ).to_be_visible()

    page.get_by_text("Confusion matrix", exact=True).click()
    cells = page.locator(".js-plotly-plot .heatmap-label, .js-plotly-plot .hm").first
    expect(cells).to_be_attached()
    counts = page.locator(".stPlotlyChart .js-plotly-plot").evaluate("graph => graph.data[0].text.flat().map(Number)")
    assert sum(counts) == 4861 and len(counts) == 25

    with page.expect_download() as download:
        page.get_by_role("button", name="Download the model").click()
    download.value.save_as(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert {"config.json", "model.weights.h5", "metadata.json"} <= set(file.namelist())
        assert "conv_1" in file.read("config.json").decode()


def test_the_control_from_scratch_is_one_click_and_extraction_runs_beside_it(visit):
    page = visit("train")
    fill(page, "per_class", 20)
    settings(page)
    fill(page, "epochs", 2)
    press(page, "start_scratch")
    expect(page.get_by_text("From scratch → MNIST digits 5-9, 20 per class")).to_be_visible()
    press(page, "start_fx")
    expect(page.locator(LIVE)).to_have_count(2)
    wait_state(page, "done", chart=0)
    wait_state(page, "done", chart=1)
    wait_more_points(page, than=3, chart=0)  # the end runs the page again, and the chart reads them again
    wait_more_points(page, than=4, chart=1)
    expect(page.locator(f"{LIVE} .tl-live-plot").get_by_text("Hinge loss")).to_be_visible()
    expect(page.get_by_text("Proof: nothing was frozen")).to_be_visible()
    expect(page.get_by_text("Fit time")).to_be_visible()
    assert slot(page, "scratch") != slot(page, "fx")


def test_the_draft_stays_in_the_address_over_a_reload_back_and_in_another_browser(visit):
    page = visit("train")
    fill(page, "per_class", 20)
    expect(page.locator(".st-key-labels").get_by_role("slider").first).to_have_value("20")
    page.wait_for_url(re.compile(r"/train\?labels=20$"))
    go(page, "Layers")
    page.wait_for_url(re.compile(r"/layers\?labels=20$"))
    page.go_back()  # one step: a changed setting is none of its own
    expect(page.get_by_role("heading", level=1)).to_have_text("Train")
    settled(page)
    page.wait_for_url(re.compile(r"/train\?labels=20$"))
    page.reload()
    expect(settled(page).locator(".st-key-per_class input")).to_have_value("20")
    other = visit("layers?labels=20&epochs=<b>&source=digits", stranger=True)  # somebody else, elsewhere
    expect(other.locator(".st-key-strip")).to_contain_text("20 per class")
    expect(other.get_by_role("alert")).to_contain_text("settings that cannot be used here: epochs.")


# Which links of the bar lie under something else of the page.
COVERED = """selector => {
  const over = document.querySelector(selector).getBoundingClientRect();
  return [...document.querySelectorAll("[data-testid=stHeader] :is(a, button), .st-key-strip p")].filter((link) => {
    const range = document.createRange();
    range.selectNodeContents(link);
    const {left, right, top, bottom} = range.getBoundingClientRect();
    return right > left && left < over.right && right > over.left && top < over.bottom && bottom > over.top;
  }).map((link) => link.textContent);
}"""


def test_a_running_run_is_in_the_bar_of_every_page_and_stops_from_there(visit):
    page = visit("train")
    fill(page, "per_class", 2000)
    settings(page)
    fill(page, "epochs", 100)
    press(page, "start_ft")
    wait_more_points(page)
    go(page, "Layers")
    chip = page.locator(".st-key-chip")
    expect(chip.get_by_role("button", name=re.compile(r"Running \d+\s%"))).to_be_visible()
    box = chip.bounding_box()
    assert box["y"] >= 0 and box["y"] + box["height"] <= 60 and box["x"] + box["width"] <= 1280
    for width in (1280, 1150, 900):
        resized(page, width, 800)
        covered = page.evaluate(COVERED, ".st-key-chip")
        assert covered == [], f"at {width} pixels"
    resized(page, 1280, 900)
    chip.get_by_role("button", name="Stop").click()
    expect(chip).to_have_count(0)


def test_a_number_that_is_refused_says_why_at_its_field(visit):
    page = visit("train")
    field = page.locator(".st-key-per_class input").first
    field.fill("9000")
    field.press("Tab")
    reason = page.locator(".st-key-per_class").get_by_role("alert").filter(has_text="between 1 and 4879").first
    expect(reason).to_be_visible()
    box, above = reason.bounding_box(), field.bounding_box()
    assert box["width"] > 100 and box["height"] > 10 and 0 <= box["y"] - above["y"] - above["height"] < 16


def test_a_loss_that_is_not_a_number_stops_the_run_and_says_why(visit):
    page = visit("train")
    fill(page, "per_class", 50)
    settings(page)
    fill(page, "learning_rate", 10)
    select(page, "optimizer", "sgd")
    press(page, "start_ft")
    wait_state(page, "failed")
    expect(page.locator(f"{LIVE} .tl-live-error")).to_contain_text(
        "The learning rate is probably too high: try 1 or less."
    )


@pytest.mark.parametrize("path", ["train?ft=nonsense", "heads?cmp=0123456789abcdef", "runs?run=../../etc/passwd"])
def test_an_address_with_no_such_run_is_told_in_one_sentence(visit, path):
    page = visit(path)
    alert = page.get_by_role("alert").filter(has_text="There is no run")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text("Pick one from the list of runs.")


def test_a_click_on_a_confusion_cell_shows_its_images(visit, trained):
    page = visit(f"runs?run={trained}")
    page.get_by_text("Look closer: every test image").click()
    cells = page.locator(f".st-key-cells_{trained}_model .nsewdrag")
    for column, row, words in ((0.5, 0.5, "images of 7 were called 7"), (0.9, 0.9, "images of 9 were called 9")):
        settled(page)
        box = cells.bounding_box()
        cells.click(position={"x": column * box["width"], "y": row * box["height"]})
        expect(page.get_by_text(re.compile(words))).to_be_visible()
    expect(page.locator(".gallery img")).to_have_count(40)


# ------------------------------------------------------------------ Heads


def test_two_heads_on_few_labels_are_compared_on_features_and_on_pixels(visit, compared):
    page = visit(f"heads?cmp={compared}")
    finding = page.get_by_role("heading", level=2).filter(has_text=re.compile(r"\d+\.\d"))
    expect(finding).to_have_text(re.compile(r"^(Features beat pixels: |A tie: |\d seeds are too few to tell: )"))
    page.get_by_text("Table: accuracy, time and size of every head").click()
    cells = table_cells(settled(page))
    assert {"Linear SVM", "Random forest", "features", "raw pixels"} <= cells
    assert len([cell for cell in cells if re.fullmatch(r"\d+\.\d ± \d+\.\d\s%", cell)]) >= 2
    expect(page.get_by_text("SVM beside random forest")).to_be_visible()
    expect(page.get_by_text("standard deviation over 3 seeds")).to_be_visible()
    expect(page.locator(".stPlotlyChart")).to_have_count(3)


def test_an_svm_is_opened_up_and_its_sum_is_its_answer(visit, compared):
    page = visit(f"heads?cmp={compared}")
    page.get_by_text("Inside the SVM").click()
    sum_of = page.get_by_text(re.compile("the two differ by"))
    expect(sum_of).to_be_visible()
    difference = re.search(r"differ by ([\d.e+-]+\d)", sum_of.inner_text())
    assert difference and float(difference[1]) <= 1e-6
    residual = page.get_by_role("row").filter(has_text="(KKT)").get_by_role("cell").last
    assert float(residual.text_content()) <= 1e-3


# ------------------------------------------------------------------ Draw


def test_a_drawing_is_explained_when_asked(visit):
    page = visit("draw")
    draw(page, *SEVEN)
    expect(answer(page, "source:digits")).to_be_visible()
    select(page, "answer_model", "All ten digits")
    page.get_by_text("Why this answer?").click()
    press(page, "why_now")
    expect(page.get_by_alt_text(re.compile("the pinker"))).to_be_visible()
    expect(page.get_by_text(re.compile("Nearest in the features of dense_1"))).to_be_visible()
    expect(page.get_by_alt_text("activations of conv_1")).to_be_visible()


def test_a_seven_is_read_by_shipped_models_and_by_what_was_trained(visit, trained, compared, lab):
    store = Store(lab.home)
    for run in store.list():  # the newest three heads answer: those of compared, whatever was tried before or again
        if isinstance(run.spec, HeadSpec) and run.id != compared:
            store.delete(run.id)
    store.close()
    page = visit("draw")
    draw(page, *SEVEN)
    heads = [f"head:{compared}/{head}-features.skops" for head in ("linear_svm", "random_forest")]
    for model in ("source:digits", *heads):
        expect(answer(page, model)).to_have_attribute("data-answer", "7")
    own = page.locator('[data-model^="run:"] [data-answer="7"]')  # the newest three networks of those trained here
    expect(own.first).to_be_visible()
    expect(page.locator('[data-model="source:fashion"] [data-answer]')).to_be_visible()


def seen(page: Page) -> str:
    """Return the exact image the models saw, as its address."""
    return page.locator(".large .seen img").get_attribute("src") or ""


def test_a_program_is_shown_when_its_fold_is_opened_and_its_token_until_it_is_hidden(visit):
    page = visit("draw")
    made, token = page.get_by_role("button", name="Make a token"), page.get_by_text("Copy it now")
    expect(made).to_have_count(0)
    page.get_by_text("Use from a program").click()
    made.click()
    expect(token).to_be_visible()
    expect(page.locator("code").filter(has_text="/api/predict").first).to_be_visible()
    settled(page)
    press(page, "hide_token")
    expect(token).to_have_count(0)
    settled(page)
    revoke = page.get_by_role("button", name="Revoke")  # others of a try before this one may stand there
    n = revoke.count()
    revoke.first.click()
    expect(revoke).to_have_count(n - 1)
    expect(made).to_be_visible()


def test_without_centring_the_models_see_another_image(visit):
    page = visit("draw")
    draw(page, (0.06, 0.06), (0.2, 0.06), (0.12, 0.26))  # small, in a corner
    expect(answer(page, "source:digits")).to_have_attribute("data-answer", "7")
    for low, high in ((12, 16), (2, 6), (12, 16)):
        before = seen(page)
        x, y = ink_middle(page)
        assert low < x < high and low < y < high
        page.get_by_text("Centre and scale as MNIST does").click()
        page.wait_for_function("before => document.querySelector('.seen img')?.src !== before", arg=before)


def ink_middle(page: Page) -> tuple[float, float]:
    """Return the centre of mass of the 28×28 image on screen."""
    x, y, width = page.locator(".seen img").evaluate(
        """async image => {
            await image.decode();
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
            const paper = canvas.getContext("2d");
            paper.drawImage(image, 0, 0);
            const pixels = paper.getImageData(0, 0, canvas.width, canvas.height).data;
            let [mass, x, y] = [0, 0, 0];
            for (let i = 0; i < pixels.length; i += 4) {
                mass += pixels[i];
                x += pixels[i] * ((i / 4) % canvas.width);
                y += pixels[i] * Math.floor(i / 4 / canvas.width);
            }
            return [x / mass, y / mass, canvas.width];
        }"""
    )
    assert width == 28
    return x, y


def test_delete_clears_the_pad_from_the_keyboard(visit):
    page = visit("draw")
    draw(page, *SEVEN)
    expect(answer(page, "source:digits")).to_be_visible()
    page.locator(".tl-pad-canvas").focus()
    page.keyboard.press("Delete")
    expect(page.locator("[data-answer]")).to_have_count(0)
    expect(page.get_by_text("Draw a digit, pick a sample")).to_be_visible()


def test_a_sample_is_picked_and_its_true_class_is_said(visit):
    page = visit("draw")
    page.get_by_text("Sample", exact=True).click()
    settled(page)
    truth = page.get_by_text(re.compile("Its true class is"))
    expect(truth).to_be_visible()
    expect(answer(page, "source:digits")).to_be_visible()
    first = seen(page)
    page.get_by_role("radio", name="Sample 3", exact=True).click()  # the picture itself is the button
    page.wait_for_function("before => document.querySelector('.seen img')?.src !== before", arg=first)
    settled(page)
    name = re.search(r"class is (\w+)", truth.inner_text())
    assert name
    expect(answer(page, "source:digits")).to_have_attribute("data-answer", name[1])


def photograph(background: int, ink: int) -> bytes:
    """Return a seven as a camera would bring it: large, off centre."""
    image = Image.new("L", (600, 800), background)
    places = [(600 * x * 0.7 + 60, 800 * y * 0.6 + 200) for x, y in SEVEN]
    ImageDraw.Draw(image).line(places, fill=ink, width=46, joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def test_a_dark_seven_on_light_paper_is_read_and_a_corrupt_file_gives_one_sentence(visit):
    page = visit("draw")
    page.get_by_role("radio", name="Upload").or_(page.get_by_role("button", name="Upload", exact=True)).first.click()
    settled(page)
    field = page.locator(".st-key-upload input[type=file]")
    field.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": photograph(235, 40)})
    expect(answer(page, "source:digits")).to_have_attribute("data-answer", "7")
    field.set_input_files({"name": "broken.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nno more"})
    alert = page.get_by_role("alert").filter(has_text=re.compile("picture|image"))
    expect(alert).to_be_visible()
    expect(page.locator("[data-answer]")).to_have_count(0)
    field.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": photograph(250, 10)})
    expect(answer(page, "source:digits")).to_have_attribute("data-answer", "7")


# ------------------------------------------------------------------ Runs


def row(page: Page, run_id: str):
    """Return the row of a run in the list."""
    return page.locator(f'.tl-runs tr[data-run="{run_id}"]')


def test_runs_are_listed_opened_downloaded_deleted_and_brought_back(visit, trained, compared, lab):
    page = visit("runs")
    expect(row(page, compared)).to_be_visible()
    expect(row(page, trained)).to_contain_text("done")
    row(page, trained).locator(".accuracy").click()  # anywhere on the row
    assert slot(page, "run") == trained
    press(page, "close")
    row(page, trained).get_by_role("link").focus()
    page.keyboard.press("Enter")
    assert slot(page, "run") == trained
    expect(page.get_by_text("Settings, versions and data")).to_be_visible()

    page = visit(f"runs?run={trained}")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
        page.get_by_role("button", name="Metrics (CSV)").click()
    lines = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert len(lines) == 60 and {line["series"] for line in lines} == {"train", "validation"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Settings and result (JSON)").click()
    whole = json.loads(download.value.path().read_text())
    assert (whole["id"], whole["state"], whole["spec"]["data"]["per_class"]) == (trained, "done", 5)
    page.keyboard.press("Escape")

    press(page, "delete")
    expect(page.get_by_text("The run was deleted.")).to_be_visible()
    expect(row(page, compared)).to_be_visible()
    expect(row(page, trained)).to_have_count(0)
    press(page, "undo_delete")
    expect(page.get_by_text("Settings, versions and data")).to_be_visible()
    press(page, "close")
    expect(row(page, trained)).to_be_visible()


def test_a_row_follows_its_run_from_waiting_to_done_without_a_click(visit, lab):
    store = Store(lab.home)
    long, short = DataSpec(per_class=2000), DataSpec(per_class=200)
    n_workers = lab.ask("/healthz")["engine"]["n_workers"]
    busy = [store.create(FineTuneSpec(data=long, phases=(Phase(100),))).id for _worker in range(n_workers)]
    run_id = store.create(FineTuneSpec(data=short, phases=(Phase(100, ("conv_1", "conv_2")),))).id
    try:
        page = visit("runs")
        expect(row(page, run_id)).to_contain_text("waiting")
        page.evaluate("() => { window.stayed = true }")
        for each in busy:
            store.request_stop(each)
        expect(row(page, run_id)).to_contain_text("running", timeout=3 * SLOW_MS)
        expect(row(page, run_id)).to_contain_text("done", timeout=3 * SLOW_MS)
        assert page.evaluate("window.stayed")  # the page was not loaded again
    finally:
        for each in (*busy, run_id):
            store.delete(each)


def test_a_run_is_named_in_its_row_found_by_that_and_sorted(visit, trained, compared):
    page = visit("runs")
    name = "<b>Mine</b> *and* $more$"
    row(page, trained).get_by_role("button", name="Name and note of").click()
    form = row(page, trained).locator("form")
    expect(form.get_by_label("Name")).to_be_focused()
    form.get_by_label("Name").fill(name)
    form.get_by_label("Note").fill("for Monday")
    page.keyboard.press("Escape")  # changes nothing
    expect(form).to_have_count(0)
    row(page, trained).get_by_role("button", name="Name and note of").click()
    form.get_by_label("Name").fill(name)
    form.get_by_label("Note").fill("for Monday")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(row(page, trained).get_by_role("link")).to_have_text(name)
    expect(row(page, trained)).to_contain_text("for Monday")

    page.get_by_role("searchbox").fill("mine MONDAY")
    expect(row(page, compared)).to_have_count(0)
    expect(row(page, trained)).to_be_visible()
    page.reload()
    settled(page)
    expect(page.get_by_role("searchbox")).to_have_value("mine MONDAY")
    expect(row(page, compared)).to_have_count(0)
    page.get_by_role("button", name="Show all runs").click()
    expect(row(page, compared)).to_be_visible()

    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="Started")).to_have_attribute("aria-sort", "descending")
    heads.filter(has_text="Accuracy").get_by_role("button").click()
    expect(heads.filter(has_text="Accuracy")).to_have_attribute("aria-sort", "descending")
    expect(heads.filter(has_text="Started")).to_have_attribute("aria-sort", "none")


@pytest.mark.parametrize("options", [{}, {**PHONE, "color_scheme": "dark"}], ids=["desktop", "dark phone"])
def test_ticked_runs_are_held_side_by_side(visit, trained, compared, options, lab):
    store = Store(lab.home)
    store.annotate(trained, name="<b>Mine</b> & more")
    page = visit("runs", **options)
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    for run_id in (trained, compared):
        row(page, run_id).get_by_role("checkbox").check()
    assert heard(page, "Tick one more.").count("Tick one more.") == 1
    sound(page)
    page.get_by_role("button", name="Compare 2 runs").click()
    expect(page.get_by_role("region", name="The runs compared")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Against the best")).to_be_visible()
    expect(page.get_by_role("heading").filter(has_text=re.compile(r"%.*\s%"))).to_be_visible()  # which is better
    wait_state(page, "done done")
    if not options:  # a phone has no room for names at the ends of lines
        expect(
            page.locator(".tl-live-plot .annotation-text").filter(has_text="<b>Mine</b> & more").first
        ).to_be_visible()
    sound(page)
    store.annotate(trained, name="")
    press(page, "close")
    expect(row(page, trained).get_by_role("checkbox")).to_be_checked()
    page.get_by_role("button", name="Untick all").click()
    expect(row(page, trained).get_by_role("checkbox")).not_to_be_checked()


def sound(page: Page) -> None:
    """Check that nothing sticks out sideways and that axe finds nothing serious."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page, context="[data-testid=stMain]") == []


# ------------------------------------------------------------------ for everyone


@pytest.fixture(scope="module")
def full(trained, compared) -> Callable[[str], str]:
    """``full(page)``: the address of a page with something on it."""
    shown = {"train": f"?ft={trained}&fx={compared}", "heads": f"?cmp={compared}", "runs": f"?run={trained}"}
    return lambda path: path + shown.get(path, "")


# What is shown by a ground alone and looks like its surroundings where grounds are the system's.
LOST = """() => [...document.querySelectorAll(
  "button[data-selected=true], [data-testid=stCheckbox] label:has(:checked) > span + div, .bars i, " +
  "[data-testid=stSlider] [data-rac]:has(> div > input), .st-key-glance i, .lost i, .intervals :is(.bar, .dot)"
)].filter((shown) => {
  const {backgroundColor, borderTopWidth, borderTopStyle} = getComputedStyle(shown);
  const bordered = borderTopStyle !== "none" && parseFloat(borderTopWidth) >= 2;
  const ground = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor;
  const [red, green, blue, alpha = 1] = backgroundColor.match(/[\\d.]+/g);
  return !bordered && (+alpha === 0 || ground.startsWith(`rgb(${red}, ${green}, ${blue}`));
}).map((shown) => shown.outerHTML.slice(0, 160))"""
# Between two themes the ground is none for a moment, "rgba(0, 0, 0, 0)", and so are those of buttons.
DARK = """() => {
  const {backgroundColor} = getComputedStyle(document.querySelector("[data-testid=stApp]"));
  return backgroundColor.startsWith("rgb(") && backgroundColor.match(/\\d+/)[0] < 60;
}"""


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_a_deep_link_opens_its_page_nothing_moves_and_all_can_read_and_reach_it_in_either_theme(visit, lab, full, path):
    page = visit(path)
    has_opened(page, path)
    assert everybody.unseen(page) == []
    page.set_viewport_size({"width": 1280, "height": 2400})
    if full(path) != path:
        page.goto(f"{lab.url}/{full(path)}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()  # before its script runs a page looks settled
    settled(page).wait_for_load_state("networkidle")  # icons come with a script of their own
    if path in ("", "draw"):
        draw(page, *SEVEN)
        expect(answer(page, "source:digits" if path else AFTER)).to_be_visible()
        settled(page)  # while a page runs, what it shows is paler
    found = serious(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(DARK)
    assert found + serious(page) == []
    page.emulate_media(forced_colors="active")
    page.evaluate(AT_REST)
    assert page.evaluate(LOST) == []
    page.emulate_media(forced_colors="null")
    assert everybody.moving(page) == []
    for text in (everybody.LARGE, everybody.SPACED):
        assert everybody.lost(page, text) == []
    assert list(named_by_icons(page)) == []
    told = page.evaluate("window.heard")
    assert len(set(told)) == len(told)  # whatever comes by itself is told once
    if path in ("layers", "train", "runs"):
        assert page.locator("[translate=no]").filter(has_text=re.compile(r"^\w+_\w+$")).count(), "there are icons"


# Keys cannot scroll them.
FORMULAS_FIT = "() => [...document.querySelectorAll('.katex-display')].every(one => one.scrollWidth <= one.clientWidth)"


@pytest.mark.parametrize("path", EVERY_PAGE)
def test_on_a_phone_a_deep_link_opens_nothing_moves_and_in_chinese_axe_finds_nothing_serious(visit, lab, full, path):
    page = visit(path, **PHONE)
    has_opened(page, path)
    if path in ("", "draw"):
        pad = page.locator(".tl-pad-canvas").bounding_box()
        assert pad and pad["width"] >= 300
        assert pad["y"] + pad["height"] <= 740, "the whole pad is on the first screen"
    page.context.add_cookies([{"name": "transfer_lab_language", "value": "zh-CN", "url": lab.url}])
    page.goto(f"{lab.url}/{full(path)}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    settled(page)
    for width in (320, 360):  # 320 is a window of 1280 at 400 %
        page.set_viewport_size({"width": width, "height": 740})
        wide = page.evaluate("['html', '[data-testid=stMain]'].map(name => document.querySelector(name).scrollWidth)")
        assert max(wide) <= width
    page.wait_for_load_state("networkidle")
    assert serious(page, colours=False) == []
    page.set_viewport_size({"width": 320, "height": 740})
    page.wait_for_function(FORMULAS_FIT)
    if path == "runs":  # the chart has its place before it comes, so that the result below it does not jump
        chart = page.locator(".st-key-chart_run")
        expect(chart.locator(".tl-live-plot .cartesianlayer")).to_be_visible()
        assert chart.evaluate("one => one.offsetHeight - parseFloat(getComputedStyle(one).minHeight)") < 120


def has_opened(page: Page, path: str) -> None:
    """Hold a page that was opened by its address, and by no click, against what every page must do by itself."""
    # before its script runs a page looks settled
    expect(page.get_by_role("heading", level=1)).to_have_text(TITLES.get(path, re.compile(".")))
    settled(page)
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")  # all has come
    assert page.evaluate("window.shifted") < 0.1, page.evaluate("window.shifts")
    expect(page.get_by_role("alert").filter(has_text=re.compile("went wrong|Error"))).to_have_count(0)
    strip = page.locator(".st-key-strip")
    if not path:
        expect(strip).to_have_count(0)  # nothing is set up on Home
    elif path in TITLES:
        expect(strip).to_contain_text("5 per class")
    for stop in TOURS.get(path or "home", ()):
        if stop.at == "runs_table":  # there once there is a run; the tour leaves out what is not there
            continue
        expect(page.locator(f".st-key-{stop.at}").first).to_be_visible()


def named_by_icons(page: Page) -> Iterator[tuple[str, str]]:
    """Yield role and accessible name of what is named by the words that an icon's font draws, under every tab."""
    devtools = page.context.new_cdp_session(page)
    for tab in (None, *page.get_by_role("tab").all()):  # what another tab hides is not in the tree
        if tab:
            tab.click()
            settled(page)
        icons = {name for name in page.locator("[translate=no]").all_text_contents() if "_" in name}
        for node in devtools.send("Accessibility.getFullAXTree")["nodes"]:
            words = set(node.get("name", {}).get("value", "").split())
            if not node["ignored"] and (words & icons or "icon" in words):
                yield node["role"]["value"], node["name"]["value"]


def test_the_phones_menu_closes_when_a_page_is_chosen(visit):
    page = visit("draw", **PHONE)
    for title in ("Compare heads", "Evidence"):
        page.get_by_role("button", name="Expand sidebar").click()
        menu = page.get_by_test_id("stSidebarNav")
        expect(menu).to_be_in_viewport()
        menu.get_by_role("link", name=title, exact=True).click()
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        expect(menu).not_to_be_in_viewport()


def test_a_language_that_is_chosen_in_the_menu_is_kept_and_cuts_nothing_off_on_a_phone(visit, lab, full):
    page = visit(full("evidence"), **PHONE)
    page.get_by_role("button", name="Expand sidebar").click()
    page.get_by_test_id("stSidebarNav").get_by_role("link", name="简体中文", exact=True).click()
    title = page.get_by_role("heading", level=1, name="证据", exact=True)
    expect(title).to_be_visible()
    steps = page.evaluate("() => history.length")
    page.reload()
    expect(title).to_be_visible()
    assert page.evaluate("() => [document.documentElement.lang, history.length]") == ["zh-CN", steps]
    expect(page.get_by_role("button", name="打开菜单")).to_be_visible()  # Streamlit's own word
    for path in ("", "train", "runs"):
        page.goto(lab.url + "/" + full(path))
        settled(page)
        widths = page.evaluate("['html', '[data-testid=stMain]'].map(name => document.querySelector(name).scrollWidth)")
        assert max(widths) <= 360, path


def test_the_server_process_holds_neither_tensorflow_nor_keras_after_every_page(visit, full, lab):
    page = visit(full("train"))
    for title in ("Layers", "Compare heads", "Try", "Runs"):
        go(page, title)
    if sys.platform == "linux":
        maps = lab.libraries()
        assert "python" in maps
        for library in ("tensorflow", "libtensorflow", "h5py", "sklearn", "scipy"):
            assert f"/{library}" not in maps
    assert lab.ask("/healthz")["alive"]


def test_a_presenter_turns_the_pages_by_key_and_a_step_of_a_plan_opens_beside_it(visit):
    page = visit("?present=1&pages=home,lesson_plans&seed=3")
    expect(page.locator(".st-key-presenting")).to_contain_text("Home, 1 of 2")
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    expect(page.locator("[data-listens]")).to_have_count(1)
    page.keyboard.press("b")
    black = page.get_by_role("dialog", name=re.compile("The screen is black"))
    expect(black).to_be_focused()
    page.keyboard.press("PageDown")  # the room sees nothing of it
    expect(page.get_by_role("heading", level=1)).to_have_text("Lesson plans")
    settled(page)
    page.keyboard.press("Escape")
    expect(black).to_have_count(0)
    assert parse_qs(urlsplit(page.url).query) == {"seed": ["3"], "present": ["1"], "pages": ["home,lesson_plans"]}
    with page.context.expect_page() as beside:
        page.get_by_role("link", name="Open step 2").click()
    stage = settled(beside.value)
    expect(stage.get_by_role("heading", level=1)).to_have_text("Train")
    expect(stage.locator(".st-key-presenting")).to_be_visible()
    page.get_by_role("link", name="Open step 3").click()
    expect(stage.get_by_role("heading", level=1)).to_have_text("Evidence")  # in the same window
    settled(page).get_by_role("button", name="End").click()
    expect(page.get_by_test_id("stHeader")).to_be_visible()


def test_a_tour_is_offered_left_and_gone_on_with_by_keyboard_alone_and_then_offered_no_more(visit):
    page = visit("teach")
    page.evaluate("localStorage.setItem('transfer-lab-tours', '{}')")
    page.reload()
    settled(page)
    offer = page.locator(".tl-tour .offer")
    expect(offer).to_contain_text("A tour of 4 stops.")
    offer.get_by_role("button", name="Start").press("Enter")
    card = page.get_by_role("dialog", name="Camera or pad")
    expect(card.get_by_role("heading")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="Record examples")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Tour of this page")).to_be_focused()
    page.reload()
    settled(page)
    expect(offer).to_contain_text("You left the tour at stop 2 of 4.")
    offer.get_by_role("button", name="Go on").press("Enter")
    for title in ("Record examples", "How well it does", "More classes"):
        expect(page.get_by_role("dialog", name=title).get_by_role("heading")).to_be_focused()
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    settled(page)
    expect(page.get_by_role("button", name="Tour of this page")).to_be_visible()
    expect(offer).to_be_hidden()


def test_a_zip_of_ones_own_becomes_the_target_of_the_next_training(visit):
    page = visit("data")
    archive = {"name": "shapes.zip", "mimeType": "application/zip", "buffer": few_pictures.zipped()}
    page.locator(".tl-drop input[type=file]").first.set_input_files([archive])
    page.get_by_role("button", name="Add this set").click()
    page.get_by_role("button", name="Train with it").wait_for()
    found = page.locator(".found").first.get_attribute("data-say") or "?"
    told = heard(page, found)
    assert len(set(told)) == len(told) and told.count(found) == 1
    page.get_by_role("button", name="Train with it").click()
    expect(page.get_by_role("heading", level=1, name="Train", exact=True)).to_be_visible()
    settled(page)
    expect(page.locator(".st-key-strip")).to_contain_text("shapes")
    assert "target=set-" in page.url and "source=mobilenet_v2" in page.url
    page.get_by_text("Settings", exact=True).click()
    expect(page.locator(".st-key-target input")).to_have_value("shapes")
    labels = page.locator(".st-key-per_class input")
    chosen = labels.input_value()
    page.get_by_role("link", name="Bring your own pictures").click()  # Data has the same field
    expect(page.get_by_role("heading", name="What the next run learns from shapes")).to_be_visible()
    assert chosen != "1"
    expect(labels).to_have_value(chosen)


# ------------------------------------------------------------------ a room


def test_from_opening_the_joining_address_to_the_first_stroke_on_the_wall_takes_ten_seconds(visit, kept, lab):
    host = visit(f"host?token={people.keys(lab.home).token}", stranger=True)
    host.goto(f"{lab.url}/room")
    settled(host)
    host.get_by_role("button", name="Open a room").click()
    code = host.locator(".tl-wall .code b")
    expect(code).to_have_text(re.compile(r"^\w{5}$"))
    began = time.monotonic()
    phone = kept.open(f"{lab.url}/join/{code.inner_text()}", stranger=True, **PHONE)
    phone.get_by_label("Nickname").fill("Ann")
    phone.get_by_role("button", name="Join").click()
    draw(phone, *SEVEN)
    phone.get_by_role("button", name="Send").click()
    expect(host.locator(".tl-wall .tile")).to_contain_text("Ann")
    assert time.monotonic() - began < 10
    expect(phone.get_by_role("status").filter(has_text="On the wall. Before transfer:")).to_be_visible()
    expect(host.locator(".tl-wall .count.after")).to_contain_text("of 1 right")
    for page in (phone, host):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious(page) == []
    expect(phone.get_by_role("radio", name="Medium")).to_be_checked()  # the brush stays chosen
    phone.reload()  # as a phone that was locked: it is in the room, without joining again
    expect(phone.locator(".who")).to_have_text("You are Ann")
    host.locator(".tl-wall .tile").get_by_role("button", name="Hide this nickname").click()  # one click
    expect(host.locator(".tl-wall .tile")).not_to_contain_text("Ann")
    host.locator(".tl-wall .tile button").first.click()
    host.get_by_role("button", name="Remove this person").click()
    expect(host.locator(".tl-wall .tile")).to_have_count(0)
    expect(phone.get_by_role("status").filter(has_text="removed you")).to_be_visible()
    assert kept.complaints and all("/me" in complaint and "403" in complaint for complaint in kept.complaints)
    kept.complaints.clear()  # a browser calls a refusal an error


def test_on_a_phone_a_bet_and_a_class_are_chosen_by_arrow_keys_and_text_twice_as_large_fits(visit, kept, lab):
    host, store = people.Person("", host=True), Store(lab.home)
    room = Rooms(store).open(host, Activity("bet", lanes=("nothing", "convolutions", "scratch"), label=""))
    phone = kept.open(f"{lab.url}/join/{room.code}?k={room.key}", stranger=True, **PHONE)
    assert everybody.lost(phone, everybody.LARGE) == []
    phone.get_by_role("button", name="Join").click()
    bets = phone.get_by_role("radiogroup").get_by_role("radio")
    expect(bets).to_have_count(3)
    phone.get_by_role("button", name="Change", exact=True).focus()
    phone.keyboard.press("Tab")
    expect(bets.first).to_be_focused()
    phone.keyboard.press("ArrowUp")  # round to the last
    expect(bets.last).to_be_focused()
    expect(bets.last).to_be_checked()
    assert [bet.get_attribute("tabindex") for bet in bets.all()] == ["-1", "-1", "0"]
    assert everybody.lost(phone, everybody.LARGE) == []
    Rooms(store).begin(room, to_teach("heart, star"))
    classes = phone.get_by_role("radiogroup", name="What your drawing is an example of").get_by_role("radio")
    expect(classes).to_have_count(2)
    classes.and_(phone.locator("[tabindex='0']")).press("ArrowRight")
    chosen = classes.and_(phone.locator(":focus"))
    expect(chosen).to_be_checked()
    expect(phone.get_by_role("heading", level=1)).to_contain_text(chosen.inner_text())
    assert everybody.lost(phone, everybody.LARGE) == []
    store.close()


# ------------------------------------------------------------------ the camera


@pytest.fixture(scope="module")
def reader(lab) -> tuple[str, np.ndarray]:
    """A model of photographs that everybody may ask, and a photograph of a 5 that it knows."""
    source = datasets.get("hands")
    labels = source.labels("train")
    rows = np.concatenate([np.flatnonzero(labels == sign)[:4] for sign in range(10)])
    items, signs = source.items("train", rows), labels[rows]
    fitted, _seconds = heads.fit("knn", items.reshape(len(items), -1) / np.float32(255), signs, None, seed=0)
    names, form = source.info.class_names, source.info.form
    fitted.origin = Origin("random", "", 0, True, "", "", "pixels", names, form, DataSpec("hands", per_class=4))
    folder = lab.home / own_heads.FOLDER
    folder.mkdir(exist_ok=True)
    path = folder / "own-0123456789ab.skops"
    heads.save(fitted, path)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    card = own_heads.OwnHead("own-0123456789ab", "hands", "knn", "", fitted.origin, sha256, made=time.time())
    path.with_suffix(".json").write_text(json.dumps(asdict(card)))
    return "own:own-0123456789ab", items[signs == 5][0]


def pictures_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.suffix in (".jpg", ".jpeg", ".png", ".npz")}


def test_what_is_held_before_the_camera_is_answered_on_try_and_learned_on_teach_without_a_run_of_the_page(
    lab, reader, browser, chromium_path, tmp_path
):
    name, five = reader
    before, source = pictures_in(lab.home), datasets.get("hands")
    fist = source.items("train", np.flatnonzero(source.labels("train") == 0)[:1])[0]
    Image.fromarray(fist).resize((1200, 1200)).save(tmp_path / "fist.png")
    with filmed.playing(browser, chromium_path, filmed.film([five], tmp_path / "five.mjpeg")) as other:
        page = other.new_page(viewport={"width": 1280, "height": 800})
        page.add_init_script(LISTENING.read_text(encoding="utf-8"))
        page.set_default_timeout(SLOW_MS)
        said = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(f"{lab.url}/draw?source=mobilenet_v2&target=hands")
        settled(page).locator("[class*=st-key-way]").get_by_text("Camera", exact=True).click()
        settled(page)
        expect(page.locator(".signs img")).to_have_count(10)
        page.get_by_role("button", name="Turn on the camera").click()
        answer_at, camera = page.locator(".tl-camera [data-answer]"), page.locator(".tl-camera")
        expect(answer_at).to_have_text("5")
        expect(camera.locator(".bars .best span")).to_have_text("5")
        n = int(camera.get_attribute("data-answers") or 0)
        page.wait_for_function("(n) => Number(document.querySelector('.tl-camera').dataset.answers) > n", arg=n + 5)
        settled(page)
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Turn on the camera")).to_be_visible()
        assert pictures_in(lab.home) <= before  # what is only asked about is nowhere kept
        assert sum("sure" in one for one in heard(page, "sure")) == 1  # however often it was answered

        go(page, "Teach")
        page.get_by_role("button", name="Turn on the camera").click()
        first, second = page.locator(".tl-camera .record").all()
        first.hover()
        page.mouse.down()
        expect(first.locator("b")).to_have_text(re.compile("[2-9]"))
        page.mouse.up()
        assert sum("Nothing to tell apart yet" in one for one in heard(page, " examples. Nothing to tell")) == 1
        page.get_by_label("Add pictures of Class 2").set_input_files(tmp_path / "fist.png")
        expect(second.locator("b")).to_have_text("1")
        expect(answer_at).to_have_text("Class 1")
        score = page.get_by_role("heading", name=re.compile("Right about .* it had not seen"))
        expect(score).to_be_visible()
        page.wait_for_function("() => window.heard.some((one) => one.includes('Class 1') && one.includes('sure'))")
        told = heard(page, "Right about")
        assert len(set(told)) == len(told)

        store = Store(lab.home)
        room = Rooms(store).open(people.Person("", host=True), Activity("hands", "5"))
        page.goto(f"{lab.url}/join/{room.code}?k={room.key}")  # as a phone does
        page.get_by_role("button", name="Join").click()
        page.get_by_role("button", name="Turn on the camera").click()
        page.get_by_role("button", name="Send what the camera sees").click()
        heard(page, "On the wall.")
        store.close()
        assert said == []
