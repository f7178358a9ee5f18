"""Streamlit's page with what it leaves out: where ours goes out, and where it does not."""

import gzip
import re

import pytest
from coroutines import finished
from starlette.responses import Response

from pages.ui.style import SHEETS, style
from server import page
from server.door import page_policy


def get(answer, method="GET", **headers):
    """Return what an app that answers with ``answer`` is asked, and what comes out of the middleware."""
    asked, sent = [], []

    async def app(scope, receive, send):
        asked.append(dict(scope["headers"]))
        await answer(scope, receive, send)

    async def send(message):
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": "/train", "query_string": b"", "headers": raw}
    finished(page.Page(app)(scope, None, send))
    start, *bodies = sent
    found = {name.decode(): value.decode() for name, value in start["headers"]}
    return asked[0], start["status"], found, b"".join(message["body"] for message in bodies)


def streamlits():
    return Response(page.streamlits(), media_type="text/html")


def test_our_script_and_style_stand_before_streamlits_in_its_page():
    _, status, headers, body = get(streamlits())
    assert status == 200 and headers["content-length"] == str(len(body))
    assert body.index(page.script()) < body.index(b'<script type="module"')
    assert {sheet.name for sheet in SHEETS} == {sheet.name for sheet in SHEETS[0].parent.glob("*.css")}
    head = b"\n    <script>" + page.script() + b"</script><style>" + style() + b"</style>"
    assert body.replace(head, b"") == page.streamlits()
    assert b"</script" not in page.script() and b"</style" not in style()


def test_no_style_asks_of_the_whole_page_what_is_somewhere_in_it():
    # else each mark that a chart gets has the browser find every style anew: of 17 times as many elements as now
    styles = re.sub(rb"/\*.*?\*/", b"", style(), flags=re.DOTALL)
    assert re.findall(rb"(?:html|body|:root|stApp\"?\])[^\s{,]*:has\([^{]*", styles) == []


def test_the_policy_names_the_script_by_its_hash():
    assert page.script().decode() in page.inline_scripts()
    assert page_policy().count("'sha256-") == len(page.inline_scripts()) == 2


def test_a_browser_that_has_the_page_is_told_so_and_it_comes_compressed():
    browser = {"accept": "text/html,*/*", "accept_encoding": "gzip, br"}
    _, _, headers, body = get(streamlits(), **browser)
    assert gzip.decompress(body) == page.ours() and headers["content-encoding"] == "gzip"
    asked, status, _, body = get(streamlits(), **browser, if_none_match=headers["etag"])
    assert (status, body) == (304, b"")
    assert set(asked) == {b"accept"}  # else Streamlit would say of its own page that the browser has it
    assert get(streamlits(), **browser, if_none_match='"streamlits"')[1] == 200


@pytest.mark.parametrize(
    "answer",
    [
        Response("<p>another page</p>", media_type="text/html"),
        Response("x" * len(page.streamlits()), media_type="text/plain"),
        Response("x" * len(page.streamlits()), 404, media_type="text/html"),
    ],
)
def test_any_other_answer_is_left_as_it_is(answer):
    assert get(answer)[1:] == (answer.status_code, dict(answer.headers), answer.body)


def test_a_post_is_not_answered_with_a_page():
    assert get(streamlits(), "POST")[3] == page.streamlits()
