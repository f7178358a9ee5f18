"""The real server where others reach it: on every address of the machine, under a path."""

import json
import re

import pytest
from browser.lab_server import LabServer
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

SLOW_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


def settled(page):
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW_MS)
    return page


def printed(lab: LabServer, name: str) -> str:
    """Return the address that the server printed under a name."""
    return re.search(rf"^{name}: (\S+)", lab.log.read_text(), re.MULTILINE)[1]


# -- every address of the machine, and a path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The app for everybody on the network, under a path; each line that it logs must be JSON."""
    server = LabServer(tmp_path_factory.mktemp("hosting") / "home", address="0.0.0.0", path="/lab")
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()
    lines = server.log.read_text().splitlines()
    assert [line for line in lines if not line.startswith(("Transfer Lab: http", "Host link: http", "{"))] == []
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    assert logged and all(isinstance(line, dict) and line["message"] for line in logged)


@pytest.fixture
def visit(lab, browser):
    """``visit(address)``: a page of somebody new; an error on its console fails the test."""
    contexts, errors = [], []

    def open_page(address, **options):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))
        context.set_default_timeout(SLOW_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def test_the_printed_addresses_open(lab, visit):
    address = printed(lab, "Transfer Lab")
    assert address.endswith(f":{lab.port}/lab") and "0.0.0.0" not in address
    page = settled(visit(address))
    expect(page.get_by_role("heading", level=1, name="See transfer learning work")).to_be_visible()
    page.goto(printed(lab, "Host link"))
    expect(settled(page).get_by_text("Runs of everybody")).to_be_visible()
    assert page.url.startswith(address + "/runs")


def test_a_link_is_copied_on_plain_http(lab, visit):
    page = settled(visit(printed(lab, "Transfer Lab") + "/train"))
    assert not page.evaluate("() => isSecureContext"), "the machine has no address of its own: nothing is tried here"
    field = page.locator(".st-key-per_class input")
    field.fill("5")
    field.press("Tab")
    settled(page).locator(".st-key-start_ft button").first.click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('ft')")
    copy = settled(page).get_by_role("button", name="Copy link")
    copy.click()
    expect(page.get_by_text("Copied:")).to_be_visible()
    expect(copy).to_be_focused()
    page.evaluate("() => document.body.appendChild(document.createElement('textarea')).focus()")
    page.keyboard.press("Control+V")
    pasted = page.locator("body > textarea").input_value()
    assert pasted == page.url and re.fullmatch(r"http://.*/lab/train\?ft=[0-9a-f]{16}", pasted)


def test_a_deep_link_under_a_path_opens_at_once_and_asks_for_nothing_that_is_not_there(lab, browser):
    page, missing = browser.new_page(), []
    page.on("response", lambda answer: missing.append(answer.url) if answer.status >= 400 else None)
    page.goto(f"{lab.url}/heads")
    expect(settled(page).get_by_role("heading", level=1, name="Heads", exact=True)).to_be_visible()
    page.get_by_role("link", name="Draw", exact=True).click()
    expect(page).to_have_url(f"{lab.url}/draw")
    page.close()
    assert missing == []
