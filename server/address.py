"""Where the server lives: the path in front of its routes, and its own address as a browser opens it."""

import streamlit as st

from tlcore.machine import addresses


def base_path() -> str:
    """Return the path the server lives under, such as ``"/lab"``, or nothing.

    Routes of ``st.App`` and urls in the browser both need it in front.
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def cookie_path() -> str:
    """Return where the lab's cookies hold: the path it lives under."""
    return base_path() or "/"


def address(path: str = "") -> str:
    """Return the server's own address, as a browser opens it, with a path of the lab at its end."""
    host, port = str(st.get_option("server.address") or "0.0.0.0"), int(st.get_option("server.port"))
    return addresses.url(host, port, base_path() + path, secure=bool(st.get_option("server.sslCertFile")))
