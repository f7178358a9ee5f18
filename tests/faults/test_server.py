"""The whole app, killed in the middle of training and started again: the page goes on without a click."""

import re
import subprocess
import sys
from functools import partial

import pytest
import waiting
from browser.lab_server import ROOT, LabServer
from playwright.sync_api import expect

from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.store import Store

pytestmark = [pytest.mark.soak, pytest.mark.browser, pytest.mark.keras]
SLOW_MS = 120_000
PER_CLASS = 4500  # so many that 100 epochs are not over before somebody looks
LONG = FineTuneSpec(data=DataSpec(per_class=PER_CLASS), phases=(Phase(100, ("conv_1", "conv_2")),))


@pytest.fixture
def lab(tmp_path):
    server = LabServer(tmp_path / "home")
    server.wait_ready()
    yield server
    server.close()  # no process, temporary file or lock is left


wait_for = partial(waiting.wait_for, timeout_s=SLOW_MS / 1000)


def epoch(run):
    """How many of its 100 epochs a run has finished; its progress counts gradient steps."""
    return 100 * run.progress.step // max(run.progress.n_steps, 1)


def test_a_killed_server_comes_back_and_everything_goes_on(lab, browser):
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(SLOW_MS)
    page.goto(lab.url + "/train")
    page.get_by_test_id("stExpander").filter(has_text="Settings").locator("summary").first.click()
    for key, value in (("per_class", PER_CLASS), ("epochs", 100)):
        field = page.locator(f".st-key-{key} input")
        field.fill(str(value))
        field.press("Tab")
        page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.locator(".st-key-start_ft button").first.click()
    store = Store(lab.home)
    run = wait_for(lambda: next(iter(store.list()), None))
    others = [store.create(LONG) for _ in range(2)]  # one runs beside it, one waits
    chart = page.locator(".tl-live:not([data-recorded])").first
    wait_for(lambda: epoch(store.get(run.id)) >= 20)
    before = store.get(run.id)

    lab.kill()
    expect(chart).to_have_attribute("data-lost", "true", timeout=SLOW_MS)
    lab.start()
    lab.wait_ready()
    expect(chart).to_have_attribute("data-lost", "false", timeout=SLOW_MS)
    again = wait_for(lambda: (now := store.get(run.id)).attempt == 2 and epoch(now) > epoch(before) and now)
    assert again.state == "running"
    wait_for(lambda: int(chart.get_attribute("data-points") or 0) > 2 * epoch(before))
    x = [point.x for _, point in store.points(run.id) if point.part == "validation"]
    assert x == [float(epoch) for epoch in range(1, len(x) + 1)]

    page.locator(".st-key-stop_ft button").click()
    expect(chart).to_have_attribute("data-state", "stopped", timeout=SLOW_MS)
    (resumed,) = store.get(run.id).result.resumed_after
    assert 1 <= resumed <= epoch(again)  # not from zero
    for other in others:
        wait_for(lambda other=other: store.get(other.id).state == "running")
        store.request_stop(other.id)
    for other in others:
        assert wait_for(lambda other=other: (now := store.get(other.id)).final and now).state == "stopped"


def test_a_second_server_on_the_folder_is_refused_and_commands_beside_it_work(lab):
    def command(*words, **options):
        words = [sys.executable, "-m", *words]
        return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, **options)

    home = str(lab.home)
    second = command("tlcore", "serve", "--port", "1", "--home", home)
    port = lab.port + 1 if lab.port < 65000 else lab.port - 1
    second = command("tlcore", "serve", "--port", str(port), "--home", home)
    assert second.returncode == 2
    assert re.search(rf"Another server works on the data folder .*process {lab.process.pid} ", second.stderr)
    trained = command("tlcore", "train", "--per-class", "5", "--epochs", "1", "--home", home)
    assert trained.returncode == 0, trained.stderr
    assert lab.ask("/healthz")["alive"]
