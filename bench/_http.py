"""One request of a browser without one: over a connection of its own, with its cookies."""

import asyncio
from urllib.parse import urlsplit

PATIENCE_S = 60.0  # who waits longer has got no answer


async def exchange(
    address: str, method: str, path: str, cookies: dict[str, str], body: bytes = b"", kind: str = "application/json"
) -> tuple[int, bytes]:
    """Return the status and the body of an answer; keep in ``cookies`` what it sets."""
    place = urlsplit(address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    words = "; ".join(f"{name}={value}" for name, value in cookies.items())
    lines = [f"{method} {path} HTTP/1.0", f"Host: {place.netloc}", *([f"Cookie: {words}"] if words else [])]
    if method == "POST":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    finally:
        writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    status, *headers = head.decode("latin-1").split("\r\n")
    for line in headers:
        name, _, value = line.partition(":")
        if name.lower() == "set-cookie":
            key, _, text = value.strip().partition(";")[0].partition("=")
            cookies[key] = text
    return int(status.split(" ")[1]) if " " in status else 0, content
