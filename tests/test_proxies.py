"""What a reverse proxy gets wrong is told to the browser and the log; what it gets right is let through."""

import logging

import pytest
from coroutines import finished
from starlette.requests import HTTPConnection

from server import proxies
from server.door import Door
from tlcore.people import Keys

KEYS = Keys("s" * 32)
COOKIE = f"{KEYS.person_name}={KEYS.person_cookie('a' * 32)}"


@pytest.fixture
def lab():
    """``lab(path, **headers)``: the status and text of the answer to one request at the door; 200 when it came in."""
    came_in = []

    async def inside(scope, receive, send):
        came_in.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    door = Door(inside, lambda: KEYS, lambda: ["https://named.example"])

    def ask(path, websocket=False, method="GET", **headers):
        sent = []

        async def send(message):
            sent.append(message)

        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "websocket" if websocket else "http", "method": method, "scheme": "http", "path": path}
        finished(door(scope | {"query_string": b"", "headers": raw}, None, send))
        if not sent or sent[0]["type"] == "websocket.close":
            return None if sent else 101
        return sent[0]["status"], b"".join(part.get("body", b"") for part in sent[1:]).decode()

    return ask


@pytest.fixture
def logged(caplog):
    caplog.set_level(logging.WARNING, "server")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("https://lab.example/train", "127.0.0.1:8501"),  # nginx's default
        ("http://lab.example:8080/", "lab.example"),  # $host has no port
        ("https://lab.example/", "backend"),
    ],
)
def test_a_proxy_that_changes_the_host_is_told_to_the_browser_and_once_to_the_log(lab, logged, page, host):
    for path in ("/_stcore/health", "/_stcore/host-config"):
        status, words = lab(path, host=host, referer=page)
        assert status == 400 and words.startswith('"The lab was opened at ') and words.endswith('has the lines."')
        assert page.rpartition("/")[0] in words and host in words and "proxy_set_header Host $http_host" in words
    assert len(logged()) == 1 and host in logged()[0]


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("http://lab.example:8501/train?ft=1", "lab.example:8501"),
        ("https://lab.example/", "lab.example:443"),  # some proxies always say the port
        ("https://LAB.example/", "lab.example"),
        ("https://named.example/", "127.0.0.1:8501"),  # corsAllowedOrigins
        ("", "lab.example"),  # a program, or a browser that tells no page's address
    ],
)
def test_a_proxy_that_passes_the_host_on_is_let_through(lab, logged, page, host):
    assert lab("/_stcore/health", host=host, **({"referer": page} if page else {})) == (200, "")
    assert logged() == []


def test_a_path_that_a_proxy_takes_off_is_said(lab, logged):
    words = lab("/_stcore/health", host="lab.example", referer="https://lab.example/tools/lab/train")[1]
    assert "STREAMLIT_SERVER_BASE_URL_PATH=tools/lab" in words and "under /tools/lab/" in words and len(logged()) == 1
    assert lab("/lab/_stcore/health", host="lab.example", referer="https://lab.example/lab/")[0] == 200
    assert lab("/api/runs/1/metrics", host="lab.example", referer="https://lab.example/lab/")[0] == 200


def test_a_websocket_that_arrives_as_a_plain_request_is_said_to_its_own_browser(lab, logged):
    here = {"host": "lab.example", "referer": "https://lab.example/"}
    handshake = {"host": "lab.example", "origin": "https://lab.example", "sec_websocket_key": "x", "cookie": COOKIE}
    assert lab("/_stcore/health", **here, cookie=COOKIE)[0] == 200
    assert lab("/_stcore/stream", **handshake)[0] == 400
    status, words = lab("/_stcore/health", **here, cookie=COOKIE)
    assert status == 400 and "passes no websockets on" in words and "$http_upgrade" in words
    assert lab("/_stcore/health", **here)[0] == 200  # somebody else
    assert len(logged()) == 1 and "passes no websockets on" in logged()[0]


def test_the_word_to_a_deaf_browser_ends_when_the_proxy_is_mended():
    now = [0.0]
    watch = proxies.Proxies(lambda connection, origin: True, now=lambda: now[0])

    def ask(path):
        headers = [(b"host", b"lab"), (b"sec-websocket-key", b"x")]
        scope = {"type": "http", "path": path, "scheme": "http", "query_string": b"", "headers": headers}
        return watch.word(HTTPConnection(scope), lambda: "ann")

    assert ask("/_stcore/stream") == ask("/_stcore/health") == proxies.NO_WEBSOCKET
    now[0] = proxies.DEAF_S
    assert ask("/_stcore/health") == ""


def test_a_refused_websocket_and_post_are_in_the_log(lab, logged):
    headers = {"host": "127.0.0.1:8501", "origin": "https://lab.example"}
    for _ in range(3):
        assert lab("/_stcore/stream", websocket=True, **headers) is None
        assert lab("/_stcore/upload_file", method="POST", **headers)[0] == 403
    assert [line.split(" was refused")[0] for line in logged()] == [
        "A websocket from https://lab.example",
        "A POST from https://lab.example",
    ]
    assert "docs/hosting.md" in logged()[0]


def test_made_up_origins_do_not_fill_the_log(lab, logged):
    for number in range(3 * proxies.MOST_LINES):
        lab("/_stcore/stream", websocket=True, host="lab", origin=f"https://{number}.example")
    assert len(logged()) == proxies.MOST_LINES
