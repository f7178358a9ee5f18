"""A certificate of the server's own, for https without a proxy: made by openssl, kept in the data folder.

Nobody has signed it, so a browser warns once; after that it gives pages the camera as it does on any https address.
"""

import shutil
import socket
import subprocess
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

from tlcore.errors import SpecError

from . import scratch
from .addresses import own_address

FOLDER, CERTIFICATE, KEY, NAMES = "https", "cert.pem", "key.pem", "names"
DAYS = 397  # browsers refuse longer ones
LEFT_S = 7 * 24 * 3600  # with less to go a new one is made
PATIENCE_S = 60


def names(host: str) -> tuple[str, ...]:
    """Return under which names and addresses people may open a server that listens at ``host``."""
    found = ("localhost", "127.0.0.1", "::1", socket.gethostname(), host, own_address(host))
    usable = (name for name in found if name and name not in ("0.0.0.0", "::") and _is_plain(name))
    return tuple(dict.fromkeys(usable))


def of_folder(folder: Path, wanted: Sequence[str]) -> tuple[Path, Path]:
    """Return the files of the certificate and of its key, made anew where there is none that still holds for all names.

    Parameters
    ----------
    folder : the data folder
    wanted : names and addresses that it must hold for

    Raises
    ------
    SpecError
        There is no openssl here, or it made none.
    """
    place = folder / FOLDER
    certificate, key = place / CERTIFICATE, place / KEY
    openssl = shutil.which("openssl")
    if openssl is None:
        raise SpecError(
            "TRANSFER_LAB_HTTPS=1 needs the program openssl to make a certificate. Install it, or name files of your "
            "own in STREAMLIT_SERVER_SSL_CERT_FILE and STREAMLIT_SERVER_SSL_KEY_FILE."
        )
    if not _holds(openssl, certificate, key, wanted):
        _make(openssl, place, wanted)
    return certificate, key


def _holds(openssl: str, certificate: Path, key: Path, wanted: Sequence[str]) -> bool:
    listed = certificate.with_name(NAMES)
    if not (certificate.is_file() and key.is_file() and listed.is_file()):
        return False
    if not set(wanted) <= set(listed.read_text(encoding="utf-8").split()):
        return False
    command = [openssl, "x509", "-in", str(certificate), "-noout", "-checkend", str(LEFT_S)]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE_S).returncode == 0


def _make(openssl: str, place: Path, wanted: Sequence[str]) -> None:
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in wanted)

    def write(key: Path) -> None:
        key.touch(mode=0o600)
        command = [
            *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-sha256", "-nodes", "-days", str(DAYS)),
            *("-subj", "/CN=Transfer Lab", "-addext", f"subjectAltName={alternatives}"),
            *("-addext", "extendedKeyUsage=serverAuth", "-keyout", str(key), "-out", str(place / CERTIFICATE)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode:
            reason = " ".join(done.stderr.split())[-200:]
            raise SpecError(
                "openssl could not make a certificate ({reason}). Name files of your own in "
                "STREAMLIT_SERVER_SSL_CERT_FILE and STREAMLIT_SERVER_SSL_KEY_FILE.",
                reason=reason,
            )

    scratch.write_whole(place / KEY, write)
    (place / NAMES).write_text("\n".join(wanted) + "\n", encoding="utf-8")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_plain(name: str) -> bool:
    return _is_address(name) or all(part.isascii() and part.replace("-", "").isalnum() for part in name.split("."))
