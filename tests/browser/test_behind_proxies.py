"""The lines of docs/hosting.md for nginx and Caddy, with nginx and Caddy in front of the real server."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from browser.lab_server import LabServer, free_port
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.keras, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
SLOW_MS = 60_000
NGINX, CADDY, OPENSSL = (
    shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/bin") for name in ("nginx", "caddy", "openssl")
)
needs_nginx = pytest.mark.skipif(not (NGINX and OPENSSL), reason="no nginx or no openssl: its lines are not tried here")
needs_caddy = pytest.mark.skipif(not CADDY, reason="no Caddy: its lines are not tried here")


def block(language: str, number: int = 0) -> str:
    """Return the lines of docs/hosting.md in one language."""
    text = (ROOT / "docs" / "hosting.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[number]


@pytest.fixture(scope="module", autouse=True)
def patience():
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    server = LabServer(tmp_path_factory.mktemp("proxied") / "home")
    server.wait_ready()
    yield server
    server.close()


@pytest.fixture(scope="module")
def lab_under_a_path(tmp_path_factory):
    server = LabServer(tmp_path_factory.mktemp("under") / "home", path="/lab")
    server.wait_ready()
    yield server
    server.close()


@pytest.fixture
def nginx(tmp_path):
    """``nginx(server block)``: run nginx with it; the block's port 443 and certificate become the test's."""
    started = []

    def run(lines: str, lab: LabServer) -> int:
        port = free_port()
        key, certificate = tmp_path / "lab.key", tmp_path / "lab.pem"
        command = f"{OPENSSL} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -keyout {key} -out {certificate}"
        subprocess.run(command.split(), check=True, capture_output=True)
        lines = lines.replace("listen 443", f"listen 127.0.0.1:{port}").replace(
            "127.0.0.1:8501", f"127.0.0.1:{lab.port}"
        )
        lines = re.sub(r"/etc/ssl/\w+/lab\.(pem|key)", rf"{tmp_path}/lab.\1", lines)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"{kind}_temp_path {tmp_path}/{kind};" for kind in kinds)
        user = "user root; " if os.geteuid() == 0 else ""  # else its worker may not enter the test's folder
        top = f"{user}daemon off; pid {tmp_path}/pid; error_log {tmp_path}/errors; events {{}}"
        (tmp_path / "conf").write_text(f"{top} http {{ access_log off; {folders}\n{lines}\n}}")
        started.append(subprocess.Popen([NGINX, "-c", tmp_path / "conf", "-p", tmp_path], stderr=subprocess.PIPE))
        wait_for_port(port, started[-1])
        return port

    yield run
    for process in started:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def caddy(tmp_path, monkeypatch):
    """``caddy(site block)``: run Caddy with it, for the site lab.example on a port of the test's."""
    started = []
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))

    def run(lines: str, lab: LabServer) -> int:
        port = free_port()
        lines = lines.replace("127.0.0.1:8501", f"127.0.0.1:{lab.port}")
        lines = lines.replace("lab.example {", f"https://localhost:{port} {{\n    tls internal")
        top = "{\n    admin off\n    skip_install_trust\n    auto_https disable_redirects\n}\n"
        (tmp_path / "Caddyfile").write_text(top + lines)
        command = [CADDY, "run", "--config", tmp_path / "Caddyfile", "--adapter", "caddyfile"]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        wait_for_port(port, started[-1])
        return port

    yield run
    for process in started:
        process.terminate()
        process.wait(timeout=30)


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)  # between two looks, not instead of one
    pytest.fail(f"the proxy did not start: {process.stderr and process.stderr.read()}")


def opens_whole(browser, address: str) -> None:
    """Hold a page behind a proxy against what it must do: draw, be somebody, take a large file, have no error."""
    context = browser.new_context()
    context.set_default_timeout(SLOW_MS)
    page, errors = context.new_page(), []
    page.on("console", lambda said: errors.append((said.text, said.location)) if said.type == "error" else None)
    page.goto(f"{address}/layers")
    settled(page)
    expect(page.get_by_role("heading", level=1, name="Layers", exact=True)).to_be_visible()
    expect(page.get_by_text("This browser blocks cookies")).to_have_count(0)
    (cookie,) = [cookie for cookie in context.cookies() if cookie["name"].startswith("transfer_lab")]
    assert cookie["secure"] and cookie["sameSite"] == "Lax"
    page.get_by_text("Use your own model").click()
    field = page.locator("input[type=file]")
    field.set_input_files({"name": "x.keras", "mimeType": "application/zip", "buffer": b"PK" + bytes(4_000_000)})
    expect(page.get_by_text("This model cannot be used")).to_be_visible()  # by then the upload has ended
    page.get_by_role("link", name="Runs", exact=True).click()
    expect(page.get_by_text("No runs yet")).to_be_visible()
    context.close()
    assert errors == []


def settled(page):
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning", timeout=SLOW_MS)
    return page


@needs_nginx
def test_the_lines_for_nginx(nginx, lab, browser):
    opens_whole(browser, f"https://localhost:{nginx(block('nginx'), lab)}")


@needs_nginx
def test_the_lines_for_nginx_under_a_path(nginx, lab_under_a_path, browser):
    lines = block("nginx").replace("    location / {\n", block("nginx", 1))
    assert "location /lab/ {" in lines
    opens_whole(browser, f"https://localhost:{nginx(lines, lab_under_a_path)}/lab")


@needs_caddy
def test_the_lines_for_caddy(caddy, lab, browser):
    opens_whole(browser, f"https://localhost:{caddy(block('caddy'), lab)}")


@needs_caddy
def test_the_lines_for_caddy_under_a_path(caddy, lab_under_a_path, browser):
    opens_whole(browser, f"https://localhost:{caddy(block('caddy', 1), lab_under_a_path)}/lab")


WITHOUT = {
    "proxy_set_header Host $http_host;": "Have the proxy pass the host on",
    "proxy_set_header Upgrade $http_upgrade;": "passes no websockets on",
}


@needs_nginx
@pytest.mark.parametrize("line", WITHOUT)
def test_a_line_that_is_forgotten_is_told_on_the_page_and_in_the_log(nginx, lab, browser, line):
    assert line in block("nginx")
    page = browser.new_context().new_page()
    page.goto(f"https://localhost:{nginx(block('nginx').replace(line, ''), lab)}/train")
    expect(page.get_by_role("dialog").get_by_text(WITHOUT[line])).to_be_visible()
    page.context.close()
    assert WITHOUT[line] in lab.log.read_text()
