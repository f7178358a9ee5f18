"""The programs that the page shows, run as they stand: the JavaScript in a page of another origin."""

import http.server
import json
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
import uvicorn
from browser.lab_server import free_port
from starlette.applications import Starlette
from test_predict_route import ANN, KEYS, lab, png  # noqa: F401

from server import predict
from server.door import Door
from tlcore.prediction import programs

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>Elsewhere</title><input type="file">
<script>
window.told = [];
console.log = word => window.told.push(word);
addEventListener("unhandledrejection", event => window.told.push(String(event.reason)));
addEventListener("error", event => window.told.push(event.message));
</script>"""


@pytest.fixture
def url(lab):  # noqa: F811
    """The address of the route, behind the lab's own door."""
    app = Door(Starlette(routes=predict.routes()), lambda: KEYS, lambda: (), open_paths=predict.open_paths())
    server = uvicorn.Server(uvicorn.Config(app, port=free_port(), log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.01)  # between two looks, not instead of one
    yield f"http://127.0.0.1:{server.config.port}{predict.PATH}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def elsewhere(tmp_path):
    """The address of a page of another origin."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(PAGE)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "site")) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def written(title, url, token):
    """Return a program of the page with a token in its place."""
    (code,) = [snippet.code for snippet in programs.snippets(url, "source:digits") if snippet.title == title]
    return code.replace(programs.TOKEN, token)


def test_the_javascript_asks_from_a_page_of_another_origin_until_the_token_is_revoked(browser, lab, url, elsewhere):  # noqa: F811
    context = browser.new_context()
    page = context.new_page()
    page.goto(elsewhere)
    page.locator("input").set_input_files({"name": "seven.png", "mimeType": "image/png", "buffer": png()})

    def told(code):
        page.evaluate("() => { window.told = []; }")
        page.evaluate(
            "code => { document.head.append(Object.assign(document.createElement('script'), "
            "{ type: 'module', textContent: code })); }",
            code,
        )
        page.wait_for_function("() => window.told.length")
        return page.evaluate("() => window.told[0]")

    code = written("JavaScript", url, lab.token)
    assert told(code) == "7"
    with_cookies = code.replace("body: picture", "body: picture, credentials: 'include'")
    context.add_cookies([{"name": KEYS.person_name, "value": KEYS.person_cookie(ANN.id), "url": url}])
    assert "Failed to fetch" in told(with_cookies)
    context.clear_cookies()
    lab.tokens.revoke(ANN, lab.row.id)
    assert told(code.replace(".label", ".error")).startswith("This needs a token that holds")
    context.close()


@pytest.mark.parametrize("title", ["Python", "curl"])
def test_the_other_programs_run_as_they_stand(lab, url, tmp_path, title):  # noqa: F811
    (tmp_path / "picture.png").write_bytes(png())
    code = written(title, url, lab.token)
    command = [sys.executable, "-c", code] if title == "Python" else ["sh", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    label = done.stdout.strip() if title == "Python" else json.loads(done.stdout)["label"]
    assert label == "7", done.stderr
