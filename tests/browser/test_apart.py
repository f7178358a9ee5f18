"""Two persons and a host in front of the real server, with a proxy or none, and what somebody else tries."""

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
from browser import proxies
from browser.kept import settled
from browser.lab_server import LabServer
from playwright.sync_api import expect
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tlcore.people import keys
from tlcore.spec import FineTuneSpec
from tlcore.store import Store

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

SLOW_MS = 60_000


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The app, ready."""
    server = LabServer(tmp_path_factory.mktemp("apart") / "home", TRANSFER_LAB_WORKERS="1")
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


def ask(lab, path, method="GET", body=None, **headers):
    """Return status, headers and text of one request, redirects not followed."""
    place = urlsplit(lab.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=30)
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers=sent)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, answer.headers, text


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture
def person(lab, browser):
    """``person()``: a browser of somebody new; errors on its console fail the test."""
    contexts, errors = [], []

    def arrive(path=""):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(SLOW_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(lab.url + path)
        return settled(page)

    yield arrive
    for context in contexts:
        context.close()
    refused = re.compile(r"status of 403")  # the wrong token
    assert [error for error in errors if not refused.search(error)] == []


# -- behind a proxy


@proxies.needs_nginx
def test_the_lines_for_nginx(lab, browser, tmp_path):
    with proxies.nginx(proxies.block("nginx"), lab, tmp_path) as port:
        proxies.opens_whole(browser, f"https://localhost:{port}")


@proxies.needs_caddy
def test_the_lines_for_caddy(lab, browser, tmp_path):
    with proxies.caddy(proxies.block("caddy"), lab, tmp_path) as port:
        proxies.opens_whole(browser, f"https://localhost:{port}")


WITHOUT = {
    "proxy_set_header Host $http_host;": "Have the proxy pass the host on",
    "proxy_set_header Upgrade $http_upgrade;": "passes no websockets on",
}


@proxies.needs_nginx
@pytest.mark.parametrize("line", WITHOUT)
def test_a_line_that_is_forgotten_is_told_on_the_page_and_in_the_log(lab, browser, tmp_path, line):
    assert line in proxies.block("nginx")
    with proxies.nginx(proxies.block("nginx").replace(line, ""), lab, tmp_path) as port:
        page = browser.new_context().new_page()
        page.goto(f"https://localhost:{port}/train")
        expect(page.get_by_role("dialog").get_by_text(WITHOUT[line])).to_be_visible()
        page.context.close()
    assert WITHOUT[line] in lab.log.read_text()


# -- without one


def test_two_persons_and_the_host(lab, person):
    ann, bob = person("/train"), person("/runs")
    ann.locator(".st-key-start_ft button").first.click()
    ann.wait_for_function("() => new URLSearchParams(location.search).get('ft')")
    run_id = ann.evaluate("new URLSearchParams(location.search).get('ft')")
    ann.goto(f"{lab.url}/runs")
    expect(settled(ann).locator(f'.tl-runs tr[data-run="{run_id}"]')).to_have_count(1)
    bob.reload()
    expect(settled(bob).get_by_text("No runs yet")).to_be_visible()

    bob.goto(f"{lab.url}/runs?run={run_id}")
    expect(settled(bob).get_by_text("Shared with you by link")).to_be_visible()
    expect(bob.get_by_role("button", name=re.compile("Stop|Delete"))).to_have_count(0)
    bob.get_by_role("button", name="Copy link").click()
    expect(bob.get_by_text(f"{lab.url}/runs?run={run_id}")).to_be_visible()

    bob.goto(f"{lab.url}/host?token={'0' * 32}")
    expect(bob.get_by_text("This host link is not valid.")).to_be_visible()
    link = re.search(r"Host link: (\S+)", lab.log.read_text())[1]
    bob.goto(link)
    expect(settled(bob).get_by_text("Everybody's runs")).to_be_visible()
    assert "token" not in bob.url
    expect(bob.locator(f'.tl-runs tr[data-run="{run_id}"]')).to_have_count(1)
    bob.goto(f"{lab.url}/runs?run={run_id}")
    settled(bob).get_by_role("button", name="Delete").click()
    expect(bob.get_by_text("The run was deleted.")).to_be_visible()


def test_no_cookie_a_forged_one_and_a_foreign_site_at_the_websocket(lab):
    address = lab.url.replace("http", "ws") + "/_stcore/stream"
    for origin in ("https://evil.example", "http://127.0.0.1:1", "http://localhost:8501", "null", None):
        with pytest.raises(InvalidStatus) as refused:
            connect(address, origin=origin, subprotocols=["streamlit"])
        assert refused.value.response.status_code == 403
    for cookie in ("", f"{keys(lab.home).person_name}={'a' * 32}.{'A' * 27}"):
        with connect(
            address, origin=lab.url, subprotocols=["streamlit"], additional_headers={"Cookie": cookie}
        ) as socket:
            assert socket.ping().wait(30)  # somebody who passes, and no error


def test_other_sites_cannot_post_and_routes_take_no_other_method(lab):
    upload = "/_stcore/upload_file/some-session/some-file"
    assert ask(lab, upload, "PUT", b"x", Origin="https://evil.example")[0] == 403
    assert ask(lab, upload, "PUT", b"x", Origin=lab.url)[0] in (400, 403)  # ours, and without the token of XSRF
    for path in ("/healthz", "/metrics", "/host", f"/api/runs/{'0' * 16}/metrics"):
        for method in ("POST", "PUT", "DELETE"):
            assert ask(lab, path, method)[0] == 405
    for run_id in ("..%2f..%2fsecret", "0" * 16, "%00", "x" * 5000):
        status, _, text = ask(lab, f"/api/runs/{run_id}/metrics")
        assert status in (400, 404) and "Traceback" not in text and str(lab.home) not in text


def test_a_plain_get_brings_a_cookie_and_every_answer_its_headers(lab):
    status, headers, _ = ask(lab, "/")
    (cookie,) = [found for found in headers.get_all("set-cookie") if found.startswith("transfer_lab")]
    assert status == 200 and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    for path in ("/", "/healthz", "/nowhere", "/_stcore/health", "/assets/plotly.min.js", "/_stcore/host-config"):
        headers = ask(lab, path)[1]
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


def test_the_measures_are_for_this_machine_and_the_host(lab):
    status, _, text = ask(lab, "/metrics")
    assert status == 200 and "transfer_lab_queue_length" in text and 'transfer_lab_workers{state="busy"}' in text
    assert 'transfer_lab_runs{state="queued"}' in text and "transfer_lab_answer_seconds_bucket" in text
    assert ask(lab, "/metrics", X_Forwarded_For="10.0.0.7")[0] == 403  # a proxy on this machine speaks for others
    token = keys(lab.home).token
    assert ask(lab, "/metrics", X_Forwarded_For="10.0.0.7", Authorization=f"Bearer {token}")[0] == 200
    assert ask(lab, "/metrics", Authorization=f"Bearer {token[:-1]}")[0] == 403
    assert ask(lab, "/metrics", Host="rebound.example")[0] == 403
    assert ask(lab, "/readyz")[0] == 200


def test_the_log_is_json_lines_with_run_and_person_and_no_cookie(lab, person):
    page = person("/train")
    cookies = [cookie["value"] for cookie in page.context.cookies()]
    page.locator(".st-key-start_ft button").first.click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('ft')")
    run_id = page.evaluate("new URLSearchParams(location.search).get('ft')")
    log = lab.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line.get("run") == run_id and line["logger"] == "pages.ui.session.state"]
    assert len(line["person"]) == 8 and line["level"] == "info"
    owner = Store(lab.home).get(run_id).owner
    assert not [secret for secret in (*cookies, owner, keys(lab.home).host_cookie()) if secret in log]
    assert not [line for line in log.splitlines() if line.startswith("Traceback")]
    assert Store(lab.home).create(FineTuneSpec()).owner == ""
