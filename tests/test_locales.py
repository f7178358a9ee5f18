"""Every visible string is in every catalogue, translated, and keeps its fields, its bold and its lines."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest
from trees import tree

ROOT = Path(__file__).resolve().parent.parent
spec = importlib.util.spec_from_file_location("catalogues", ROOT / "locales" / "catalogues.py")
assert spec and spec.loader
catalogues = importlib.util.module_from_spec(spec)
spec.loader.exec_module(catalogues)

FILES = catalogues.files()
FIELD = re.compile(r"\{[^{}]*\}|%\{[^}]*\}|%\(\w+\)[sd]|%[sdr]")
FLANKED = re.compile(
    r"\*\*(?P<words>.+?)\*\*(?P<next>\w?)"
)  # bold that Markdown does not see, ended by a sign before a letter


def name(message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def texts(message) -> list[tuple[str, str]]:
    """Return pairs of English and translation; each form of a plural beside the plural."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    return [(message.id[1], form) for form in message.string]


def slips(english: str, translated: str) -> list[str]:
    """Return what a translation does not keep of its English."""
    kept = {
        "fields": [set(FIELD.findall(text)) for text in (english, translated)],
        "bold": [text.count("**") for text in (english, translated)],
        "code": [text.count("`") for text in (english, translated)],
        "links": [re.findall(r"\]\(([^)]*)\)", text) for text in (english, translated)],
        "line ends": [text.count("\n") for text in (english, translated)],
        "ends": [(text[:1].isspace(), text[-1:].isspace()) for text in (english, translated)],
    }
    found = [name for name, (one, other) in kept.items() if one != other]
    found += ["digits of full width"] if re.search("[０-９％]", translated) else []
    for bold in FLANKED.finditer(translated):
        last = bold["words"][-1]
        if bold["next"] and (last == "}" or not (last.isalnum() or last == "_")):
            found.append("bold that ends in a sign before a letter")
    return found


def test_there_is_a_chinese_catalogue():
    assert [path.parent.parent.name for path in FILES] == ["zh_CN"]


@pytest.fixture(scope="module")
def template():
    return {
        message.id if isinstance(message.id, str) else message.id[0] for message in catalogues.found() if message.id
    }


def test_babel_finds_the_messages_of_pages_reasons_and_errors(template):
    assert {
        "Start training",
        "There is no run {run_id!r}. Pick one from the list of runs.",
        "{head} on {input}, seed {seed}",
        "The frozen layers {layers} ran once ({size}); only the rest was trained.",
        "Transfer takes less training time.",
    } <= template
    assert len(template) > 700


def looked_up(code: ast.Module) -> set[str]:
    """Return the strings that a module looks up in the catalogue while it runs."""
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call) and node.args]
    firsts = [call.args[0] for call in calls if getattr(call.func, "id", "") in ("_", "ngettext", "translate")]
    values = [first.value for first in firsts if isinstance(first, ast.Constant)]
    return {value for value in values if isinstance(value, str) and value}


def test_no_string_that_is_looked_up_is_missed_as_within_an_f_string_on_older_pythons(template):
    missed = {
        text: path.name
        for folder in catalogues.SOURCES
        for path in (ROOT / folder).rglob("*.py")
        for text in looked_up(tree(path)) - template
    }
    assert missed == {}, "take the call out of the f-string: there it is not found, and stays English"
    assert looked_up(ast.parse("x = f\"{_('knows {names}')}\"")) == {"knows {names}"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.parent.name)
def test_every_visible_string_is_translated(path, template):
    messages = {name(message): message for message in catalogues.read(path) if message.id}
    assert sorted(template - messages.keys()) == [], "make locales adds them"
    assert sorted(messages.keys() - template) == [], "make locales takes them away"
    missing = [message.id for message in catalogues.missing(catalogues.read(path))]
    assert missing == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.parent.name)
def test_a_translation_keeps_fields_bold_code_links_and_lines(path):
    wrong = {
        english: (translated, slip)
        for message in catalogues.read(path)
        if message.id
        for english, translated in texts(message)
        if translated and (slip := slips(english, translated))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("english", "translated", "slip"),
    [
        ("{n} runs", "{m} 个运行", "fields"),
        ("{n:,} runs", "{n} 个运行", "fields"),
        ("**Why.** It", "为什么？它", "bold"),
        ("**Why.** It", "**为什么？**它", "bold that ends in a sign before a letter"),
        ("`fit`", "fit", "code"),
        ("5", "５", "digits of full width"),
        ("first. ", "先。", "ends"),
    ],
)
def test_a_planted_slip_is_found(english, translated, slip):
    assert slip in slips(english, translated)
