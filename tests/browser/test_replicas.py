"""Two real servers, one store, one secret: what is started on one is watched, stopped and answered on the other."""

import json
import os
import re
import urllib.request
from functools import partial

import pytest
import waiting
from browser import proxies
from browser.kept import settled
from browser.lab_server import LabServer, free_port
from playwright.sync_api import expect

from tlcore.datasets import samples
from tlcore.people import Person
from tlcore.people.tokens import Tokens
from tlcore.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

SLOW_MS = 180_000
PER_CLASS, EPOCHS = 4500, 100  # so many that a run is not over before somebody looks
wait_for = partial(waiting.wait_for, timeout_s=SLOW_MS / 1000)


@pytest.fixture(scope="module")
def replicas(tmp_path_factory, postgres_of_module):
    """Two servers as the table of docs/hosting.md asks: a data folder each, the rest shared; and their store."""
    place = tmp_path_factory.mktemp("replicas")
    shared = {
        "TRANSFER_LAB_DATABASE": postgres_of_module,
        "TRANSFER_LAB_SECRET": "of both replicas " + "x" * 32,
        "TRANSFER_LAB_RESULTS": str(place / "results"),
        "TRANSFER_LAB_WORKERS": "1",
        "TF_NUM_INTRAOP_THREADS": "1",  # a long run that is watched leaves the other cores to others
    }
    servers = [LabServer(place / name, **shared) for name in ("one", "two")]
    before = {name: os.environ.get(name) for name in shared}
    os.environ.update(shared)
    try:
        for server in servers:
            server.wait_ready()
        yield *servers, Store(place / "here")
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        for server in servers:
            server.close()


@pytest.fixture
def person(browser):
    """The pages of one browser: cookies know no ports."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SLOW_MS)
    yield context
    context.close()


def start(page, address):
    """Start a long training on a page, and return its id."""
    page.goto(address + "/train")
    settled(page).get_by_test_id("stExpander").filter(has_text="Settings").locator("summary").first.click()
    for key, value in (("per_class", PER_CLASS), ("epochs", EPOCHS)):
        field = page.locator(f".st-key-{key} input")
        field.fill(str(value))
        field.press("Tab")
        settled(page)
    page.locator(".st-key-start_ft button").first.click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('ft')")
    return re.search(r"[?&]ft=([0-9a-f]{16})", page.url)[1]


def test_a_run_started_on_one_replica_is_watched_stopped_and_answered_on_the_other(replicas, person):
    one, other, store = replicas
    here, there = person.new_page(), person.new_page()
    run_id = start(here, one.url)
    there.goto(f"{other.url}/train?ft={run_id}")
    charts = [page.locator(".tl-live:not([data-recorded])").first for page in (here, there)]
    wait_for(lambda: int(charts[1].get_attribute("data-points") or 0) > 3)

    settled(there).locator(".st-key-stop_ft button").click()  # the same person: one secret signs the cookies of both
    for chart in charts:
        expect(chart).to_have_attribute("data-state", "stopped", timeout=SLOW_MS)
    run = wait_for(lambda: (now := store.get(run_id)).final and now)
    assert run.state == "stopped" and run.result.network
    assert {path.name for path in one.home.parent.glob("results/runs/*")} == {run_id}
    assert not (one.home / "runs").exists() and not (other.home / "runs").exists()

    token, _ = Tokens(store).make(Person(run.owner))
    items, _ = samples(run.spec.data.target, 1)
    body = json.dumps({"model": f"run:{run_id}", "pixels": items[0].reshape(28, 28).tolist()}).encode()
    answers = []
    for server in (one, other):
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        asked = urllib.request.Request(server.url + "/api/predict", body, headers)
        with urllib.request.urlopen(asked, timeout=SLOW_MS / 1000) as answer:
            answers.append(json.load(answer))
    assert answers[0] == answers[1] and answers[0]["label"] in run.result.class_names


@proxies.needs_nginx
def test_behind_the_documented_load_balancer_a_browser_stays_at_one_replica(replicas, browser, tmp_path):
    one, other, _ = replicas
    proxy, balance = proxies.block("nginx"), proxies.block("nginx", 2)
    port, log = free_port(), tmp_path / "log"
    proxy = re.sub(r" *(ssl_certificate|server_name).*\n", "", proxy).replace(
        "listen 443 ssl", f"listen 127.0.0.1:{port}"
    )
    proxy = proxy.replace("http://127.0.0.1:8501", "http://lab")
    for name, server in (("11", one), ("12", other)):
        balance = balance.replace(f"10.0.0.{name}:8501", f"127.0.0.1:{server.port}")
    assert "10.0.0." not in balance
    said = f"log_format l '$lab_browser $upstream_addr $uri'; access_log {log} l;\n{balance}\n{proxy}"
    with proxies.running_nginx(said, tmp_path, port):
        for _ in range(3):
            context = browser.new_context()
            context.set_default_timeout(SLOW_MS)
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/runs")
            expect(settled(page).get_by_text("No runs yet")).to_be_visible()
            page.reload()
            expect(settled(page).get_by_text("No runs yet")).to_be_visible()
            context.close()
    lines = [line.split() for line in log.read_text().splitlines()]
    by_browser: dict[str, set[str]] = {}
    for browser_id, upstream, _path in lines:
        by_browser.setdefault(browser_id, set()).add(upstream)
    people = {name: upstreams for name, upstreams in by_browser.items() if name != "127.0.0.1"}
    assert len(people) == 3 and all(len(upstreams) == 1 for upstreams in people.values())
