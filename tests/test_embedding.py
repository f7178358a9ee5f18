"""The lab inside a page of another site: only of those that are named, and over https."""

import pytest
from coroutines import finished

from server.door import Door
from server.headers import embedded, page_policy
from tlcore.errors import SpecError
from tlcore.people import Keys, embedding

COURSE = "https://course.example"


def answer(sites, *cookies, scheme="https"):
    """Return the headers of a page's answer, each with its values."""

    async def inside(scope, receive, send):
        headers = [(b"content-type", b"text/html"), *((b"set-cookie", cookie.encode()) for cookie in cookies)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    sent = []

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "scheme": scheme, "path": "/", "query_string": b"", "headers": []}
    finished(Door(inside, lambda: Keys("s" * 32), lambda: (), sites=lambda: sites)(scope, None, send))
    found = {}
    for name, value in sent[0]["headers"]:
        found.setdefault(name.decode(), []).append(value.decode())
    return found


def framers(headers):
    (policy,) = headers["content-security-policy"]
    return next(part.split()[1:] for part in policy.split("; ") if part.startswith("frame-ancestors"))


def test_without_the_setting_nobody_frames_the_page():
    headers = answer(())
    assert framers(headers) == ["'none'"] and headers["x-frame-options"] == ["DENY"]
    assert all("SameSite=Lax" in cookie and "Partitioned" not in cookie for cookie in headers["set-cookie"])


@pytest.mark.parametrize("scheme", ["https", "http"])  # http: a proxy that does not say that it speaks https
def test_exactly_the_named_sites_may_and_every_cookie_is_kept_for_each_of_them(scheme):
    headers = answer((COURSE, "https://wiki.example:8443"), "_streamlit_xsrf=1; Path=/; SameSite=Lax", scheme=scheme)
    assert framers(headers) == [COURSE, "https://wiki.example:8443"] and "x-frame-options" not in headers
    assert len(headers["set-cookie"]) == 2
    for cookie in headers["set-cookie"]:
        attributes = cookie.split("; ")[1:]
        assert attributes[-3:] == ["SameSite=None", "Secure", "Partitioned"]
        assert [name for name in attributes if name.startswith("SameSite")] == ["SameSite=None"]


def test_a_cookie_keeps_what_else_it_has():
    assert embedded("a=b; Path=/lab; Max-Age=0; secure; HttpOnly; samesite=strict") == (
        "a=b; Path=/lab; Max-Age=0; HttpOnly; SameSite=None; Secure; Partitioned"
    )
    assert embedded("Secure=1") == "Secure=1; SameSite=None; Secure; Partitioned"


@pytest.mark.parametrize(
    "name",
    [
        "http://course.example", "course.example", "https://", "https://*.example", "*", "https:", "'self'", "null",
        "https://course.example/path", "https://course.example?x", "https://user@course.example", "https://a b",
        "https://course.example;script-src", "https://kurs.exämple", "https://-a.example", "https://a:port",
        "https://a..example", "https://[::1]", "data:", "https://course.example\\", "javascript://course.example",
    ],
)  # fmt: skip
def test_what_is_no_https_site_is_refused_in_one_sentence(name):
    with pytest.raises(SpecError, match="TRANSFER_LAB_EMBED names the sites .* Try TRANSFER_LAB_EMBED=https://moodle"):
        embedding.sites({embedding.SETTING: f"https://first.example {name}"})


def test_several_are_separated_by_spaces_or_commas_and_named_once():
    text = f" {COURSE}/, https://Wiki.example:8443\n{COURSE} "
    assert embedding.sites({embedding.SETTING: text}) == (COURSE, "https://wiki.example:8443")
    assert embedding.sites({}) == embedding.sites({embedding.SETTING: "  "}) == ()


def test_the_policy_names_no_other_site_for_anything_else():
    with_sites, without = page_policy((COURSE,)), page_policy()
    assert with_sites.replace(f"frame-ancestors {COURSE}", "") == without.replace("frame-ancestors 'none'", "")
