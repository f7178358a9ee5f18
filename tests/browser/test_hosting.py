"""The real server where others reach it: on every address of the machine, under a path, in a page of another site."""

import io
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from browser import proxies
from browser.kept import settled
from browser.lab_server import LabServer
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from waiting import wait_for

from bench._tree import tree

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

SLOW_MS = 60_000


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


def printed(lab: LabServer, name: str) -> str:
    """Return the address that the server printed under a name."""
    return re.search(rf"^{name}: (\S+)", lab.log.read_text(), re.MULTILINE)[1]


# -- every address of the machine, and a path


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The app for everybody on the network, under a path; each line that it logs must be JSON."""
    home = tmp_path_factory.mktemp("hosting") / "home"
    server = LabServer(home, address="0.0.0.0", path="/lab", TRANSFER_LAB_WORKERS="1")
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


def kept(lab: LabServer) -> frozenset[int]:
    """Return on which processors a server says that its threads run; empty while it has not said so."""
    if "server threads stay spread" in lab.log.read_text():  # other servers of the tests keep to each of them
        return frozenset(os.sched_getaffinity(0))
    line = re.search(r"server threads keep to processor (\d+)", lab.log.read_text())
    return frozenset({int(line[1])} if line else ())


def policies(pids: list[int]) -> dict[int, tuple[frozenset[int], int]]:
    """Return where those of these processes and threads that live may run, and how they are scheduled."""
    found = {}
    for pid in pids:
        with suppress(ProcessLookupError):
            found[pid] = frozenset(os.sched_getaffinity(pid)), os.sched_getscheduler(pid)
    return found


@pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="there is one processor, or no such call"
)
def test_a_servers_threads_are_on_one_processor_and_training_gives_way(lab):
    server, everywhere = lab.process.pid, frozenset(os.sched_getaffinity(0))
    where = wait_for(lambda: kept(lab), 60.0)
    threads = policies([int(thread) for thread in os.listdir(f"/proc/{server}/task")])
    assert set(threads.values()) == {(where, os.SCHED_OTHER)}

    def children():
        found = policies([pid for pid in tree(server) if pid != server])
        return found if any(policy == os.SCHED_IDLE for _, policy in found.values()) else {}  # its worker

    assert {place for place, _ in wait_for(children, 60.0).values()} == {everywhere}


def test_the_printed_addresses_open(lab, visit):
    address = printed(lab, "Transfer Lab")
    assert address.endswith(f":{lab.port}/lab") and "0.0.0.0" not in address
    page = settled(visit(address))
    expect(page.get_by_role("heading", level=1, name="See transfer learning work")).to_be_visible()
    page.goto(printed(lab, "Host link"))
    expect(settled(page).get_by_text("Everybody's runs")).to_be_visible()
    assert page.url.startswith(address + "/runs")


def test_a_link_is_copied_on_plain_http(lab, visit):
    page = settled(visit(printed(lab, "Transfer Lab") + "/train"))
    if page.evaluate("() => isSecureContext"):
        pytest.skip("this machine has no address of its own: a page of localhost has a clipboard")
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
    expect(settled(page).get_by_role("heading", level=1, name="Compare heads", exact=True)).to_be_visible()
    page.get_by_role("link", name="Try", exact=True).click()
    expect(page).to_have_url(f"{lab.url}/draw")
    page.close()
    assert missing == []


@proxies.needs_nginx
def test_the_lines_for_nginx_under_a_path(lab, browser, tmp_path):
    lines = proxies.block("nginx").replace("    location / {\n", proxies.block("nginx", 1))
    assert "location /lab/ {" in lines
    with proxies.nginx(lines, lab, tmp_path) as port:
        proxies.opens_whole(browser, f"https://localhost:{port}/lab")


@proxies.needs_caddy
def test_the_lines_for_caddy_under_a_path(lab, browser, tmp_path):
    with proxies.caddy(proxies.block("caddy", 1), lab, tmp_path) as port:
        proxies.opens_whole(browser, f"https://localhost:{port}/lab")


# -- inside a page of another site

COURSE, OTHER, LAB = "course.example", "other.example", "lab.example"  # three sites, by Chromium's own reckoning


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key, signed by nobody."""
    if not shutil.which("openssl"):
        pytest.skip("no openssl: a page of another site needs https, and nothing here can make a certificate")
    folder = tmp_path_factory.mktemp("certificate")
    files = {"-keyout": folder / "key.pem", "-out": folder / "cert.pem"}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={LAB}"]
    subprocess.run([*command, *(str(word) for pair in files.items() for word in pair)], check=True, capture_output=True)
    return files["-out"], files["-keyout"]


@pytest.fixture(scope="module")
def course(certificate):
    """``course.page``: the whole page at any address of a site that is not the lab's; ``course.port``: its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 (the library's name)
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(site.page.encode())

        def log_message(self, *words):
            """Nothing."""

    site = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    site.socket = context.wrap_socket(site.socket, server_side=True)
    site.port = site.server_port
    Thread(target=site.serve_forever, daemon=True).start()
    yield site
    site.shutdown()
    site.server_close()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory, certificate, course):
    """The app over https, which the course's site alone may show."""
    settings = dict(zip(("STREAMLIT_SERVER_SSL_CERT_FILE", "STREAMLIT_SERVER_SSL_KEY_FILE"), certificate, strict=True))
    settings = {"TRANSFER_LAB_WORKERS": "1"} | {name: str(path) for name, path in settings.items()}
    home = tmp_path_factory.mktemp("embedded") / "home"
    server = LabServer(home, TRANSFER_LAB_EMBED=f"https://{COURSE}:{course.port}", **settings)
    try:
        server.wait_ready()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def strict_browser(chromium_path, browser):
    """Chromium without third-party cookies, as most people have it soon, that finds the three sites on this machine."""
    arguments = [
        *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--test-third-party-cookie-phaseout"),
        "--ignore-certificate-errors",
        f"--host-resolver-rules=MAP {COURSE} 127.0.0.1, MAP {OTHER} 127.0.0.1, MAP {LAB} 127.0.0.1",
    ]
    chromium = browser.browser_type.launch(executable_path=chromium_path, args=arguments)
    yield chromium
    chromium.close()


@pytest.fixture
def course_page(embedded, course, strict_browser):
    """``course_page(path, site)``: the page, and in it the frame with the lab; asked again it loads the page again."""
    context = strict_browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(SLOW_MS)
    page = context.new_page()

    def open_page(path, site=COURSE):
        address = f"https://{LAB}:{embedded.port}/{path}"
        course.page = f'<h1>A course</h1><iframe id="lab" src="{address}" width="1200" height="900"></iframe>'
        place = f"https://{site}:{course.port}/"
        page.reload() if page.url == place else page.goto(place)
        return page, page.frame_locator("#lab")

    yield open_page
    context.close()


def test_in_a_course_page_a_run_is_still_ones_own_after_a_reload(course_page):
    page, frame = course_page("train")
    field = settled(frame).locator(".st-key-per_class input")
    field.fill("5")
    field.press("Tab")
    settled(frame).locator(".st-key-start_ft button").first.click()
    expect(frame.get_by_text("Test accuracy")).to_be_visible(timeout=2 * SLOW_MS)
    expect(frame.get_by_text("This browser blocks cookies")).to_have_count(0)
    frame.get_by_role("button", name="Copy link").click()
    copied = frame.get_by_text(re.compile(r"\?ft=[0-9a-f]{16}$"))
    expect(copied).to_be_visible()
    run_id = copied.text_content()[-16:]

    page, frame = course_page(f"runs?run={run_id}")
    expect(settled(frame).get_by_role("button", name="Delete")).to_be_visible()
    expect(frame.get_by_text("Shared with you by link")).to_have_count(0)
    cookies = [cookie for cookie in page.context.cookies() if cookie["domain"] == LAB]
    assert cookies and all(cookie["sameSite"] == "None" and cookie["secure"] for cookie in cookies)
    assert {cookie.get("partitionKey", "").split(":")[1] for cookie in cookies} == {f"//{COURSE}"}


def test_a_picture_is_uploaded_in_a_course_page(course_page):
    _, frame = course_page("draw")
    settled(frame).get_by_role("radio", name="Upload").or_(frame.get_by_role("button", name="Upload")).first.click()
    image = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(image).line([(50, 40), (150, 40), (90, 170)], fill=0, width=18, joint="curve")
    content = io.BytesIO()
    image.save(content, "PNG")
    field = settled(frame).locator(".st-key-upload input[type=file]")
    field.set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": content.getvalue()})
    expect(frame.locator('[data-model="source:digits"] [data-answer]')).to_have_attribute("data-answer", "7")


def test_any_other_sites_page_is_refused_the_lab(course_page):
    page, frame = course_page("train", site=OTHER)
    wait_for(lambda: page.frames[1].url.startswith("chrome-error:") or page.wait_for_timeout(50), SLOW_MS / 1000)
    expect(frame.get_by_test_id("stApp")).to_have_count(0)
