"""https by one setting: a certificate that a browser of any of the machine's addresses can check."""

import shutil
import socket
import ssl
import stat
import threading
from contextlib import suppress

import pytest

from tlcore.commands import launch
from tlcore.errors import SpecError
from tlcore.machine import certificate

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: it makes the certificate")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    return folder, certificate.of_folder(folder, ("localhost", "127.0.0.1", "::1", "lab-pc"))


def shaken(files, name):
    """Shake hands with a server of that certificate as a client that trusts it alone, asking for ``name``."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*files)
    client = ssl.create_default_context(cafile=str(files[0]))
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _address = listening.accept()
            with connection, suppress(OSError):  # the client may not like the certificate
                server.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            plain = socket.create_connection(listening.getsockname(), timeout=20)
            with plain, client.wrap_socket(plain, server_hostname=name) as spoken:
                return spoken.version()
        finally:
            thread.join(20)


@needs_openssl
@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "lab-pc"])
def test_the_certificate_holds_for_every_name_of_the_machine(made, name):
    assert (shaken(made[1], name) or "").startswith("TLSv1")


@needs_openssl
def test_it_holds_for_no_other_name_and_nobody_else_reads_its_key(made):
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for 'elsewhere.example'"):
        shaken(made[1], "elsewhere.example")
    assert stat.S_IMODE(made[1][1].stat().st_mode) == 0o600


@needs_openssl
def test_it_is_kept_and_made_anew_for_a_new_address_or_where_it_ends_soon(made, monkeypatch):
    folder, (path, key) = made
    first = path.read_bytes()
    assert certificate.of_folder(folder, ("localhost", "::1")) == (path, key) and path.read_bytes() == first
    certificate.of_folder(folder, ("localhost", "192.0.2.9"))
    second = path.read_bytes()
    assert second != first and shaken((path, key), "192.0.2.9")
    monkeypatch.setattr(certificate, "LEFT_S", (certificate.DAYS + 1) * 24 * 3600)
    certificate.of_folder(folder, ("localhost",))
    assert path.read_bytes() != second


def test_names_are_those_under_which_it_can_be_opened():
    names = certificate.names("0.0.0.0")
    assert {"localhost", "127.0.0.1", "::1"} <= set(names) and "0.0.0.0" not in names
    assert "lab.example" in certificate.names("lab.example") and len(set(names)) == len(names)


@needs_openssl
def test_one_setting_has_the_server_speak_https_and_files_of_ones_own_come_first(monkeypatch, tmp_path):
    assert launch.secure("127.0.0.1", tmp_path) == [] and not list(tmp_path.iterdir())
    monkeypatch.setenv("TRANSFER_LAB_HTTPS", "1")
    cert, key = launch.secure("127.0.0.1", tmp_path)
    assert cert == f"--server.sslCertFile={tmp_path}/https/cert.pem"
    assert key == f"--server.sslKeyFile={tmp_path}/https/key.pem"
    monkeypatch.setenv("STREAMLIT_SERVER_SSL_CERT_FILE", "mine.pem")
    assert launch.secure("127.0.0.1", tmp_path) == []


def test_another_value_and_no_openssl_are_one_sentence(monkeypatch, patch_inside, tmp_path):
    monkeypatch.setenv("TRANSFER_LAB_HTTPS", "yes")
    with pytest.raises(SpecError, match="TRANSFER_LAB_HTTPS must be 1 or 0. Received: 'yes'"):
        launch.secure("127.0.0.1", tmp_path)
    monkeypatch.setenv("TRANSFER_LAB_HTTPS", "1")
    patch_inside(certificate, "shutil", which=lambda name: None)
    with pytest.raises(SpecError, match="needs the program openssl"):
        launch.secure("127.0.0.1", tmp_path)
