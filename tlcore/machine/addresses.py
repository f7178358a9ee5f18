"""Addresses that open in a browser, for a server that listens on a name, a number or on everything there is."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

# Nothing is sent to these: choosing a way to them tells which address of this machine others see.
_ELSEWHERE = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}  # RFC 5737, RFC 3849: nobody's


def url(host: str, port: int, path: str = "", secure: bool = False) -> str:
    """Return the address of a server that listens at ``host``.

    Parameters
    ----------
    host : a name, an IPv4 or an IPv6 address; ``0.0.0.0`` and ``::`` listen on all of the machine's addresses, and
        cannot be opened themselves: the address is then the machine's own
    path : begins with a slash, or is empty

    Examples
    --------
    >>> url("localhost", 8501, "/lab"), url("::1", 8501, secure=True)
    ('http://localhost:8501/lab', 'https://[::1]:8501')
    """
    name = own_address(host) if is_everything(host) else host
    return f"{'https' if secure else 'http'}://{f'[{name}]' if ':' in name else name}:{port}{path}"


def is_everything(host: str) -> bool:
    """Return whether a server that listens at ``host`` listens on all addresses of its machine."""
    with suppress(ValueError):
        return ip_address(host).is_unspecified
    return not host


def own_address(host: str = "::") -> str:
    """Return the address under which other machines reach this one; ``localhost`` where none can.

    Not the machine's name: a phone on the same Wi-Fi does not know it.

    Parameters
    ----------
    host : what the server listens on: with ``0.0.0.0`` it has no IPv6
    """
    return next(iter(own_addresses(host)), "localhost")


def own_addresses(host: str = "::") -> tuple[str, ...]:
    """Return all addresses under which other machines may reach this one, the likeliest first."""
    families = [socket.AF_INET] if host == "0.0.0.0" else [socket.AF_INET, socket.AF_INET6]
    return tuple(dict.fromkeys(a for family in families for a in _addresses(family) if _reaches(a)))


def is_own_machine(url: str) -> bool:
    """Return whether an address leads from every machine to that machine itself.

    Examples
    --------
    >>> is_own_machine("http://localhost:8501/room"), is_own_machine("http://192.168.1.20:8501")
    (True, False)
    """
    name = urlsplit(url).hostname or ""
    with suppress(ValueError):
        return ip_address(name).is_loopback
    return name == "localhost" or name.endswith(".localhost")


def _addresses(family: socket.AddressFamily) -> Iterator[str]:
    with suppress(OSError), closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
        probe.connect((_ELSEWHERE[family], 9))
        yield probe.getsockname()[0]
    with suppress(OSError):  # a network without a way out
        for *_, place in socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_STREAM):
            yield str(place[0])


def _reaches(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    return not (found.is_loopback or found.is_link_local or found.is_unspecified)
