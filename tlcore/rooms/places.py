"""Where phones reach this server, and that address as a QR code."""

import io
import os
import re
from collections.abc import Iterable, Mapping

from tlcore.errors import SpecError
from tlcore.machine import addresses

SETTING = "TRANSFER_LAB_PUBLIC_URL"
_SITE = re.compile(r"https?://[a-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?")


def public(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address that people outside use, from TRANSFER_LAB_PUBLIC_URL; "" when it is not set.

    Raises
    ------
    SpecError
        It is no address of a site.

    Examples
    --------
    >>> public({"TRANSFER_LAB_PUBLIC_URL": "https://lab.example/"})
    'https://lab.example'
    """
    named = environ.get(SETTING, "").strip().rstrip("/")
    if named and not _SITE.fullmatch(named):
        raise SpecError(
            "{setting} is the address that people use, such as https://lab.example or http://192.168.1.20:8501. "
            "Received: {name!r}.",
            setting=SETTING,
            name=named[:80],
        )
    return named


def offered(
    host: str, port: int, path: str, secure: bool, opened: str = "", environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Return the addresses under which phones may reach this server, the likeliest first.

    Parameters
    ----------
    host, port : what the server listens on
    path : what it lives under
    opened : the address that the host's own browser opened; left out where it is this machine's own name for itself

    Examples
    --------
    >>> offered("192.168.1.20", 8501, "", False, environ={})
    ('http://192.168.1.20:8501',)
    """
    if named := public(environ):
        return (named,)
    listed = [opened] if opened and not addresses.is_own_machine(opened) else []
    names: Iterable[str] = addresses.own_addresses(host) if addresses.is_everything(host) else (host,)
    listed += [addresses.url(name, port, path, secure) for name in names]
    return tuple(dict.fromkeys(address for address in listed if not addresses.is_own_machine(address)))


def qr(address: str) -> str:
    """Return an address as a QR code: SVG, dark on white with its quiet zone, so that any phone reads it."""
    import segno

    out = io.BytesIO()
    segno.make(address, error="m", micro=False).save(
        out, kind="svg", border=4, dark="#000", light="#fff", xmldecl=False, svgns=True, omitsize=True
    )
    return out.getvalue().decode()
