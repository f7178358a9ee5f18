"""What a reverse proxy may get wrong, in a word for the browser and the log: else the page stays grey for ever.

Streamlit's page asks ``_stcore/health`` before it connects, and shows an answer that is not 200 when it is JSON.
"""

import logging
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

log = logging.getLogger(__name__)

ASKED_FIRST = ("/_stcore/health", "/_stcore/host-config")
AGAIN_S = 60.0  # a line of the log is said again after so long
MOST_LINES = 100  # in that time: whoever makes up origins does not fill the log
DEAF_S = 60.0  # how long the word is told to a browser whose websocket did not get through
MOST_DEAF = 1000

OTHER_HOST = (
    "The lab was opened at {origin}, but the proxy in front of it asks it as {host}. Have the proxy pass the host on "
    "(nginx: proxy_set_header Host $http_host;). docs/hosting.md has the lines."
)
OTHER_PATH = (
    "The lab was opened under {there}, but the proxy in front of it asks it under {here}. Name the path to the lab "
    "(STREAMLIT_SERVER_BASE_URL_PATH={path}) and have the proxy pass it on as it is. docs/hosting.md has the lines."
)
NO_WEBSOCKET = (
    "The proxy in front of the lab passes no websockets on (nginx: proxy_http_version 1.1; proxy_set_header Upgrade "
    '$http_upgrade; proxy_set_header Connection "upgrade";). docs/hosting.md has the lines.'
)


def is_same(origin: str, host: str) -> bool:
    """Return whether an origin is the host that a request names; a port that goes without saying counts as said.

    Examples
    --------
    >>> is_same("https://lab.example", "lab.example:443"), is_same("http://lab.example:8080", "lab.example")
    (True, False)
    """
    scheme, _, place = origin.lower().partition("://")
    usual = {"http": ":80", "https": ":443"}.get(scheme, ":")
    return bool(place) and place.removesuffix(usual) == host.lower().removesuffix(usual)


class Proxies:
    """Notices a proxy that changes the host or the path, or passes no websockets on.

    Parameters
    ----------
    is_ours : ``is_ours(connection, origin)``: whether a page of that origin may connect
    """

    def __init__(self, is_ours: Callable[[HTTPConnection, str], bool], now: Callable[[], float] = time.monotonic):
        self._is_ours, self._now = is_ours, now
        self._said: dict[object, float] = {}
        self._deaf: dict[str, float] = {}

    def word(self, connection: HTTPConnection, person: Callable[[], str | None]) -> str:
        """Return what is wrong with the way by which this request came, nothing when all is well.

        Parameters
        ----------
        person : returns whose browser it is, where that is known
        """
        path = connection.scope["path"]
        if path.endswith("/_stcore/stream"):  # a websocket's address, by a plain request
            if "sec-websocket-key" in connection.headers and (deaf := person()):
                self._deaf = {deaf: self._now(), **dict(list(self._deaf.items())[: MOST_DEAF - 1])}
            return self.say("no websocket", NO_WEBSOCKET)
        if not path.endswith(ASKED_FIRST):
            return ""
        if self._deaf and self._now() - self._deaf.get(person() or "", -DEAF_S) < DEAF_S:
            return NO_WEBSOCKET
        page = urlsplit(connection.headers.get("referer", ""))
        if not page.netloc:
            return ""
        origin, host = f"{page.scheme}://{page.netloc}", connection.headers.get("host", "")
        if not self._is_ours(connection, origin):
            return self.say((origin, host), OTHER_HOST.format(origin=origin[:80], host=host[:80]))
        there, here = page.path.rpartition("/")[0], path.partition("/_stcore/")[0]  # pages are one level deep
        if there != here:
            words = OTHER_PATH.format(there=f"{there[:80]}/", here=f"{here}/", path=there.strip("/")[:80])
            return self.say((origin, there), words)
        return ""

    def say(self, key: object, sentence: str) -> str:
        """Log a sentence, not more than once a minute for each ``key``; return it."""
        self._said = {key: when for key, when in self._said.items() if self._now() - when < AGAIN_S}
        if key not in self._said and len(self._said) < MOST_LINES:
            self._said[key] = self._now()
            log.warning("%s", sentence)
        return sentence
