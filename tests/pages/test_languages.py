"""Every page in Chinese: it opens, and no English sentence is left in what the browser is sent."""

import json
import re

import pytest
from google.protobuf.json_format import MessageToDict
from pages.test_pages import COMPARED, ROOT, TUNED, finished, lab, opened, sound  # noqa: F401

from pages.ui.words import text
from tlcore import translation
from tlcore.spec import HeadSpec

PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "menu")

# What of a message no person reads: names, code, addresses, what a chart is made of.
UNREAD = {
    *(
        "css",
        "js",
        "html_content",
        "jsContent",
        "cssContent",
        "id",
        "formId",
        "elementId",
        "key",
        "url",
        "image",
        "icon",
    ),
    *("icon", "locale", "config", "d", "points", "colors", "class", "src", "figure", "spec"),
}
ENGLISH = re.compile(r"[A-Za-z][a-z'’-]+(?:[ ,;:]+[A-Za-z][a-z'’-]*){2,}")  # three words in a row
TITLES = (  # of publications
    "How transferable are features in deep neural networks",
    "Nearest neighbor pattern classification",
    "Chollet, Transfer learning and fine-tuning",
    "scikit-learn and Keras examples on M",
    "Yosinski et al",
    "Goodfellow et al",
    "Deep Learning, section",
    "Cover and Hart",
    "Keras examples, mnist",
    "for the expectation",
    "for how it is counted",
)
# What Streamlit writes itself, whatever the language; the names of its buttons and fields are put right by page.js.
STREAMLITS = (
    "Running...",  # at the top right, while a page takes long
    "Connecting",  # the same, when the server is gone
    "Skip to main content",  # the first stop of Tab
    "No results",  # of a list that is searched
    "Press Enter to apply",  # under a field
    "Stop",  # beside "Running..."
    "Upload",  # in a file field
    "Download as CSV",  # what a table's own button shows when it is pointed at
)


@pytest.fixture
def chinese(monkeypatch):
    """A server whose own language is Chinese, as a browser's that names none is."""
    monkeypatch.setenv("TRANSFER_LAB_LANGUAGE", "zh-CN")
    translation.forget()
    text.forget()
    yield
    monkeypatch.undo()
    translation.forget()
    text.forget()


def messages(node):
    """Yield what is sent to the browser for a block of a page and all inside it."""
    if getattr(node, "proto", None) is not None:
        yield node.proto
    for child in getattr(node, "children", {}).values():
        yield from messages(child)


def strings(value, key=""):
    """Yield every string that a person reads, however deep it lies, also in JSON for a component."""
    if isinstance(value, str) and value[:1] in "[{" and (inner := parsed(value)) is not None:
        yield from strings(inner, key)
    elif isinstance(value, str) and key not in UNREAD:
        yield re.sub(r"<[^>]*>|`[^`]*`", "·", value)
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from strings(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part, key)


def parsed(value):
    try:
        return json.loads(value)
    except ValueError:
        return None


def english(app):
    """Return what of a page is English."""
    sent = (found for message in messages(app._tree) for found in strings(MessageToDict(message)))
    return sorted({match[0] for found in sent for match in ENGLISH.finditer(found) if not match[0].startswith(TITLES)})


@pytest.mark.parametrize("name", PAGES)
def test_no_english_sentence_is_left_on_the_chinese_page(lab, name, chinese):  # noqa: F811
    finished(lab.store, TUNED)
    finished(lab.store, COMPARED, spec=HeadSpec())
    app = sound(opened(name))
    assert re.search("[\u4e00-\u9fff]", app.title[0].value)
    assert english(app) == []


def test_an_english_sentence_is_found(lab):  # noqa: F811
    assert len(english(opened("train"))) > 10


def test_what_streamlit_says_itself_is_a_short_list_that_the_manual_has():
    assert len(STREAMLITS) <= 10
    manual = (ROOT / "docs" / "hosting.md").read_text(encoding="utf-8")
    assert all(f"`{words}`" in manual for words in STREAMLITS)
