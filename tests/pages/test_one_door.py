"""One door for everything: each button of the pages has a call of tlcore and a command, each command has its page."""

import argparse
import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import tlcore
from pages.ui.actions import ACTIONS, COMMANDS_ALONE, ON_THE_PAGE_ALONE
from tlcore import cli

PAGES = Path(__file__).resolve().parents[2] / "pages"
FILES = sorted(PAGES.rglob("*.py"))
BUTTONS = {"button", "download_button", "form_submit_button"}


def key_of(node: ast.AST | None, function: str) -> str:
    """Return a widget's key as its code writes it: * for what changes, the function's name where it is passed on."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "*" for part in node.values]
        return re.sub(r"\*+", "*", "".join(map(str, parts)))
    return f"{function}()"


def buttons(path: Path) -> Iterator[str]:
    """Yield "file key" of each button in a file."""
    todo = [(node, "") for node in ast.parse(path.read_text(encoding="utf-8")).body]
    while todo:
        node, function = todo.pop()
        if isinstance(node, ast.FunctionDef):
            function = node.name
        called = getattr(getattr(node, "func", None), "attr", "")
        if isinstance(node, ast.Call) and called in BUTTONS and node.keywords:
            keys = [keyword.value for keyword in node.keywords if keyword.arg == "key"]
            yield f"{path.relative_to(PAGES).as_posix()} {key_of(keys[0] if keys else None, function)}"
        todo += [(child, function) for child in ast.iter_child_nodes(node)]


ALONE = {button for names in ON_THE_PAGE_ALONE.values() for button in names}


def commands(parser: argparse.ArgumentParser, so_far: str = "") -> Iterator[str]:
    """Yield every command that does something, "runs delete"."""
    if so_far and parser.get_default("do"):
        yield so_far
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, f"{so_far} {name}".strip())


@pytest.fixture(scope="module")
def lines():
    return set(commands(cli.parser()))


def test_every_button_is_an_action_or_of_the_page_alone():
    known = {f"{action.file} {action.key}" for action in ACTIONS}
    there = {button for path in FILES for button in buttons(path)}
    assert there - known - ALONE == set(), "a new button takes a row in pages/ui/actions.py"
    assert {each for each in known | ALONE if not each.endswith("]")} - there == set(), "these are gone"
    assert not known & ALONE and len(there) > 80


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: f"{action.file} {action.key}")
def test_every_action_has_its_call(action):
    assert (PAGES / action.file).is_file()
    found = tlcore
    for name in action.call.split("."):
        if not hasattr(found, name):
            importlib.import_module(f"{found.__name__}.{name}")
        found = getattr(found, name)
    assert callable(found)


def test_every_action_has_its_command_and_every_command_its_page(lines):
    asked = {action.command for action in ACTIONS}
    assert asked - lines == set()
    assert lines - asked - set(COMMANDS_ALONE) == set(), "a new command takes an action, or says why it has none"
    assert set(COMMANDS_ALONE) <= lines and not asked & set(COMMANDS_ALONE)


def test_a_button_is_found_wherever_it_stands(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "PAGES", tmp_path)
    path = tmp_path / "x.py"
    code = 'def f(key):\n    st.button("A", key=f"a_{b}_{c}{d}")\n    y.download_button(key=key)\n    other.button(run)'
    path.write_text(code)
    assert set(buttons(path)) == {"x.py a_*_*", "x.py f()"}
