"""Printed addresses open: tried with a server behind each."""

import socket
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from threading import Thread

import pytest

from server import address, routes
from tlcore.machine import addresses
from tlcore.people import Keys


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):  # noqa: N802 (the library's name)
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        """Nothing."""


def server(host):
    """Return a server that listens as the lab does, on a free port."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def server_bind(self):
            if ":" in host:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            HTTPServer.server_bind(self)

    return Server((host, 0), Answer)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0", "::", "::1"])
def test_the_address_of_a_server_opens(host):
    try:
        lab = server(host)
    except OSError:
        assert ":" in host
        pytest.skip("this machine has no IPv6")
    with lab:
        Thread(target=lab.serve_forever, daemon=True).start()
        url = addresses.url(host, lab.server_port, "/host?token=1")
        assert "0.0.0.0" not in url and "//[::]" not in url and "//:" not in url
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert answer.status == 204
        lab.shutdown()


@pytest.mark.parametrize(
    ("options", "printed"),
    [
        ({"address": "::1", "port": 8722}, "http://[::1]:8722"),
        ({"address": "127.0.0.1", "port": 8501, "baseUrlPath": "/lab/"}, "http://127.0.0.1:8501/lab"),
        ({"address": "lab.example", "port": 443, "sslCertFile": "cert.pem"}, "https://lab.example:443"),
        ({"address": "0.0.0.0", "port": 8501}, "http://192.168.1.5:8501"),
        ({"address": "::", "port": 8501}, "http://192.168.1.5:8501"),
        ({"port": 8501}, "http://192.168.1.5:8501"),
    ],
)
def test_what_the_server_prints_and_the_host_link_follow_its_options(monkeypatch, options, printed):
    monkeypatch.setattr(address.st, "get_option", lambda name: options.get(name.removeprefix("server.")))
    monkeypatch.setattr(addresses, "own_address", lambda host: "192.168.1.5")
    assert address.address() == printed
    assert routes.host_link(keys := Keys("s" * 32)) == f"{printed}/host?token={keys.token}"


def test_a_machine_without_a_network_is_opened_as_localhost(patch_inside):
    def unreachable(*words, **more):
        raise OSError("Network is unreachable")

    patch_inside(addresses, "socket", socket=unreachable, getaddrinfo=lambda *words: [(0, 0, 0, "", ("127.0.1.1", 0))])
    assert addresses.url("0.0.0.0", 8501) == "http://localhost:8501"
