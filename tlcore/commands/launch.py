"""The server as one command: what would keep it from starting is said in one sentence, before it starts."""

import errno
import os
import socket
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from tlcore import datasets, sources
from tlcore.datasets import own_sets
from tlcore.engine import cluster
from tlcore.errors import SpecError
from tlcore.machine import Lock, certificate, logs
from tlcore.people import embedding, limits, whole_number
from tlcore.sentences import Sentence
from tlcore.store import Store

ROOT = Path(__file__).resolve().parents[2]
HOST, PORT = "127.0.0.1", 8501
HTTPS = "TRANSFER_LAB_HTTPS"

# What to do about an address that cannot be used, by the reason; any other: another port.
_OWN = Sentence("HOST must be an address of this machine, such as 127.0.0.1 or 0.0.0.0.")
ADVICE = {
    errno.EADDRNOTAVAIL: _OWN,
    errno.EAFNOSUPPORT: _OWN,
    errno.EACCES: Sentence("Ports below 1024 are for the administrator: pick another, such as PORT=8501."),
}


def address(host: str | None, port: str | None, environ: Mapping[str, str]) -> tuple[str, int]:
    """Return where to listen: as given, else as HOST and PORT of the environment say, else the default.

    Raises
    ------
    SpecError
        The port is no number from 1 to 65535.

    Examples
    --------
    >>> address(None, "8600", {"PORT": "9000", "HOST": "0.0.0.0"}), address("[::1]", None, {})
    (('0.0.0.0', 8600), ('::1', 8501))
    """
    text = port or environ.get("PORT") or str(PORT)
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise SpecError(
            "PORT must be a whole number from 1 to 65535. Received: {text!r}. Try PORT={port}.",
            text=text[:40],
            port=PORT,
        )
    name = (host or environ.get("HOST") or "").strip() or HOST
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name, int(text)


def check_free(host: str, port: int) -> None:
    """Raise a SpecError when nothing can listen at that address: its reason, and what to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET  # as Streamlit chooses
    try:
        place = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)[0][4]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a server that was just stopped would
            probe.bind(place)
    except (socket.gaierror, UnicodeError) as error:  # UnicodeError: a name that no host could have
        raise SpecError(
            "Cannot listen on {host}:{port}: there is no such host. HOST is an address of this machine, such as "
            "127.0.0.1 for this machine alone or 0.0.0.0 for everybody on the network.",
            host=host[:80],
            port=port,
        ) from error
    except OSError as error:
        other = port + 1 if port < 65535 else PORT
        raise SpecError(
            "Cannot listen on {host}:{port}: {reason}. {advice}",
            host=f"[{host}]" if ":" in host else host,
            port=port,
            reason=error.strerror or error,
            advice=ADVICE.get(
                error.errno or 0, Sentence("Stop what uses it, or pick another: PORT={port}.", port=other)
            ),
        ) from error


def check_assets() -> None:
    """Hold every shipped file against its hash.

    Raises
    ------
    DataError
        One is missing or damaged.
    """
    sources.check_shipped()
    datasets.check_shipped()


def serve(host: str, port: int, folder: Path) -> NoReturn:
    """Become the server. It is the same process, so that whoever stops this one stops the server.

    Parameters
    ----------
    folder : the data folder of the store

    Raises
    ------
    LabError
        The address, the data folder or a shipped file cannot be used.
    """
    check_free(host, port)
    whole_number("TRANSFER_LAB_WORKERS", 2, os.environ, most=64)
    cluster.address(os.environ)
    limits(os.environ)
    own_sets.limits(os.environ)
    embedding.sites(os.environ)
    Lock(folder).release()  # the server takes it for good, when it is up
    store = Store(folder)
    store.files.mark()  # an object store that cannot be used is said now, not by the first run
    store.close()
    check_assets()
    options = ["--server.headless=true", f"--server.address={host}", f"--server.port={port}"]
    home = str(folder.resolve())
    os.chdir(ROOT)  # Streamlit looks for its configuration there
    options += secure(host, Path(home))
    logs.gather()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", *options]
    os.execve(sys.executable, command, {**os.environ, "TRANSFER_LAB_HOME": home})


def secure(host: str, folder: Path) -> list[str]:
    """Return the options of a server that speaks https with a certificate of its own, where that is asked for.

    Raises
    ------
    SpecError
        The setting is neither 0 nor 1, or no certificate can be made.
    """
    asked = os.environ.get(HTTPS, "").strip() or "0"
    if asked not in ("0", "1"):
        raise SpecError("{name} must be 1 or 0. Received: {text!r}. Try {name}=1.", name=HTTPS, text=asked[:40])
    if asked == "0" or os.environ.get("STREAMLIT_SERVER_SSL_CERT_FILE"):  # of one's own
        return []
    made, key = certificate.of_folder(folder, certificate.names(host))
    return [f"--server.sslCertFile={made}", f"--server.sslKeyFile={key}"]


def serve_command(options: Namespace) -> int:
    """Do what ``python -m tlcore serve`` says."""
    serve(*address(options.host, options.port, os.environ), options.home)
