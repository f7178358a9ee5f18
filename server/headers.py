"""What every answer carries: the content policy, who may frame the page, and how its cookies are kept."""

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection

from server import page

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": (  # the camera for our own pages, and nothing else
        "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=()"
    ),
}


def policy(inline_scripts: Iterable[str], sites: Iterable[str] = ()) -> str:
    """Return the content security policy: nothing but this server, and of inline scripts only those given.

    ``blob:`` scripts are the code of components, which Streamlit puts into the page that way; styles are inline
    throughout Streamlit and Plotly.

    Parameters
    ----------
    sites : those that may show the page inside one of theirs
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'" for code in inline_scripts
    ]
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src 'self' blob:", *hashes]),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'self'",
            "form-action 'self'",
            " ".join(["frame-ancestors", *(sites or ["'none'"])]),
        ]
    )


@lru_cache
def page_policy(sites: tuple[str, ...] = ()) -> str:
    """Return the policy for the page, whose own inline scripts are known by their hashes."""
    return policy(page.inline_scripts(), sites)


def dress(headers: MutableHeaders, connection: HTTPConnection, sites: tuple[str, ...]) -> None:
    """Put on an answer what every answer carries, and keep its cookies as ``sites`` need it."""
    for name, value in HEADERS.items():
        headers[name] = value
    headers["content-security-policy"] = page_policy(sites)
    if is_trustworthy(connection):  # elsewhere a browser ignores it, and says so in red on every page
        headers["cross-origin-opener-policy"] = "same-origin"
    if not sites:  # it knows all or nothing: with sites the policy alone speaks
        headers["x-frame-options"] = "DENY"
        return
    cookies = headers.getlist("set-cookie")
    del headers["set-cookie"]
    for value in cookies:
        headers.append("set-cookie", embedded(value))


def embedded(cookie: str) -> str:
    """Return a Set-Cookie header that a browser keeps inside another site's page, one jar for each such site.

    Examples
    --------
    >>> embedded("a=1; Path=/; HttpOnly; SameSite=Lax")
    'a=1; Path=/; HttpOnly; SameSite=None; Secure; Partitioned'
    """
    replaced = ("samesite=", "secure", "partitioned")
    parts = [part.strip() for part in cookie.split(";")]
    kept = [part for part in parts[1:] if not part.lower().startswith(replaced)]
    return "; ".join([parts[0], *kept, "SameSite=None", "Secure", "Partitioned"])


def is_trustworthy(connection: HTTPConnection) -> bool:
    """Return whether a browser takes the address that was asked for as safe: https, or its own machine."""
    name = connection.url.hostname or ""
    return connection.url.scheme in ("https", "wss") or name == "localhost" or name.startswith("127.") or name == "::1"


def cookie(connection: HTTPConnection, name: str, value: str, path: str, max_age: int | None = None) -> str:
    """Return a Set-Cookie header that no script can read and no other site can send along with a post."""
    parts = [f"{name}={value}", f"Path={path}", "HttpOnly", "SameSite=Lax"]
    parts += [f"Max-Age={max_age}"] if max_age is not None else []
    parts += ["Secure"] if connection.url.scheme in ("https", "wss") else []
    return "; ".join(parts)
