"""Hostile words behind the question mark of a page's address: the page opens, at most with one sentence."""

import re

import pytest
from hostile.tried import count
from hostile.words import WORDS
from pages.test_pages import ROOT, lab, sound  # noqa: F401
from streamlit.testing.v1 import AppTest

PAGES = ("runs", "train", "heads", "race", "evidence", "draw", "layers")
SLOTS = ("lane1", "lane2", "lane3", "lane4")  # made from a number; the others are found in the pages


def slots() -> set[str]:
    """Return every slot that a page reads, from the pages' text."""
    found = set(SLOTS)
    for path in (ROOT / "pages").rglob("*.py"):
        found |= set(re.findall(r'watch(?:ed)?\("(\w+)"', path.read_text()))
        for listed in re.findall(r"^SLOTS = (\(.+?\)|\[.+?\])$", path.read_text(), re.MULTILINE | re.DOTALL):
            found |= set(re.findall(r'"(\w+)"', listed))
    return found


@pytest.mark.grid(3)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_whatever_its_address_says(lab, name):  # noqa: F811
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60).run()
    for word in WORDS[PAGES.index(name) :: 16]:
        if any("\ud800" <= c <= "\udfff" for c in word):  # no address can carry half a character
            continue
        for slot in slots():
            app.query_params[slot] = word
            app.session_state[f"run_{slot}"] = None
        sound(app.switch_page(f"{name}.py").run())
        assert not [error for error in app.error if "\n" in error.value]
        count("page address", len(slots()))
