"""The lines of docs/hosting.md for nginx and Caddy, nginx and Caddy that run them, and what holds behind any."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from browser.kept import settled
from browser.lab_server import ROOT, LabServer, free_port
from playwright.sync_api import expect
from waiting import wait_for

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


@contextmanager
def nginx(lines: str, lab: LabServer, folder: Path) -> Iterator[int]:
    """Run nginx with a server block; its port 443 and certificate become the test's. Yield the port."""
    port = free_port()
    key, certificate = folder / "lab.key", folder / "lab.pem"
    command = f"{OPENSSL} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    lines = lines.replace("listen 443", f"listen 127.0.0.1:{port}").replace("127.0.0.1:8501", f"127.0.0.1:{lab.port}")
    lines = re.sub(r"/etc/ssl/\w+/lab\.(pem|key)", rf"{folder}/lab.\1", lines)
    with running_nginx(f"access_log off;\n{lines}", folder, port):
        yield port


@contextmanager
def running_nginx(http: str, folder: Path, port: int) -> Iterator[None]:
    """Run nginx with what its block ``http`` says, once it listens on the port."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root; " if os.geteuid() == 0 else ""  # else its worker may not enter the test's folder
    top = f"{user}daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}"
    (folder / "conf").write_text(f"{top} http {{ {folders}\n{http}\n}}")
    with _running([NGINX, "-c", folder / "conf", "-p", folder], port, stderr=subprocess.PIPE):
        yield


@contextmanager
def caddy(lines: str, lab: LabServer, folder: Path) -> Iterator[int]:
    """Run Caddy with a site block, for the site lab.example on a port of the test's. Yield the port."""
    port = free_port()
    lines = lines.replace("127.0.0.1:8501", f"127.0.0.1:{lab.port}")
    lines = lines.replace("lab.example {", f"https://localhost:{port} {{\n    tls internal")
    top = "{\n    admin off\n    skip_install_trust\n    auto_https disable_redirects\n}\n"
    (folder / "Caddyfile").write_text(top + lines)
    command = [CADDY, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
    own = os.environ | dict.fromkeys(("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"), str(folder))
    with _running(command, port, env=own, stderr=subprocess.DEVNULL):
        yield port


@contextmanager
def _running(command: list, port: int, **how) -> Iterator[None]:
    with subprocess.Popen(command, **how) as process:
        try:
            _wait_for_port(port, process)
            yield
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _wait_for_port(port: int, process: subprocess.Popen) -> None:
    def is_open() -> bool:
        assert process.poll() is None, f"the proxy did not start: {process.stderr and process.stderr.read()}"
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return True
        return False

    wait_for(is_open, 30)


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
