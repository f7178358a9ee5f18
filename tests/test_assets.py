"""What the server answers from memory, and how soon its answers leave."""

import gzip
import http.client
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from coroutines import finished
from starlette.requests import Request

from server import assets, sockets


def get(files, path="/a.js", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw}
    return finished(assets.Assets(None, files).answer(Request(scope)))


def test_the_whole_frontend_and_plotlys_script_are_known_by_their_addresses():
    found = assets.files()
    assert any("/static/js/index." in path for path in found) and "/assets/plotly.min.js" in found
    assert all(file.is_file() for file in found.values())
    assert not any(path.endswith("index.html") for path in found)  # it names no version


def test_plotlys_script_comes_compressed_and_is_then_known():
    files, path = assets.files(), "/assets/plotly.min.js"
    plain, packed = get(files, path), get(files, path, accept_encoding="gzip, br")
    assert gzip.decompress(packed.body) == plain.body and b"plotly.js" in plain.body[:200]
    assert (
        plain.headers["content-type"].startswith("text/javascript") and "immutable" in packed.headers["cache-control"]
    )
    again = get(files, path, accept_encoding="gzip", if_none_match=packed.headers["etag"])
    assert (again.status_code, again.body) == (304, b"")
    assert get(files, path, if_none_match='"other"').status_code == 200


def test_a_font_is_not_compressed_again_and_a_file_is_read_once(tmp_path):
    (tmp_path / "a.js").write_text("1")
    (tmp_path / "a.woff2").write_bytes(b"font")
    files = {"/a.js": tmp_path / "a.js", "/a.woff2": tmp_path / "a.woff2"}
    font = get(files, "/a.woff2", accept_encoding="gzip")
    assert font.body == b"font" and "content-encoding" not in font.headers
    assert get(files).body == b"1"
    (tmp_path / "a.js").unlink()
    assert get(files).body == b"1"


def test_what_the_first_page_names_is_kept_before_anyone_asks(monkeypatch):
    files = assets.files()
    monkeypatch.setattr(assets, "_kept", {})
    assets.keep_first(files)
    monkeypatch.setattr(assets, "read", None)
    index = next(path for path in files if "/static/js/index." in path)
    assert gzip.decompress(get(files, index, accept_encoding="gzip").body) == files[index].read_bytes()
    with pytest.raises(TypeError):  # Plotly's script is not among them
        get(files, "/assets/plotly.min.js", accept_encoding="gzip")


@pytest.mark.parametrize(
    ("kind", "method", "path"), [("http", "POST", "/a.js"), ("http", "GET", "/b.js"), ("websocket", "GET", "/a.js")]
)
def test_everything_else_is_passed_on(kind, method, path):
    passed = []

    async def app(scope, receive, send):
        passed.append(scope["path"])

    scope = {"type": kind, "method": method, "path": path}
    finished(assets.Assets(app, {"/a.js": None})(scope, None, None))
    assert passed == [path]


class TwoWrites(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # noqa: N802 (http.server's name)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        self.wfile.flush()
        time.sleep(0.001)
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def test_a_listening_socket_and_those_it_accepts_send_at_once():
    with ThreadingHTTPServer(("127.0.0.1", 0), TwoWrites) as server, socket.socket() as idle:
        assert server.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        n_open = len(os.listdir("/dev/fd"))
        assert sockets.send_at_once() >= 1
        assert len(os.listdir("/dev/fd")) == n_open  # looking leaves nothing open
        assert idle.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = http.client.HTTPConnection(*server.server_address)
        for _ in range(3):
            client.request("GET", "/")
            assert client.getresponse().read() == b"ok"
        client.close()
        server.shutdown()
        with socket.create_connection(server.server_address) as one:
            accepted, _ = server.socket.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
            assert one
