"""Names of models: written and read in one place."""

import ast
from pathlib import Path
from typing import get_args

import pytest
from trees import tree

from tlcore.errors import SpecError
from tlcore.prediction import ModelName
from tlcore.prediction.names import Kind

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("name", "text", "short"),
    [
        (ModelName.source("digits"), "source:digits", "digits"),
        (ModelName.source("upload-29cb5590da01"), "source:upload-29cb5590da01", "upload-29cb5590da01"),
        (ModelName.run("0123456789abcdef"), "run:0123456789abcdef", "0123456789abcdef"),
        (ModelName.head("0123", "knn-pixels.skops"), "head:0123/knn-pixels.skops", "0123/knn-pixels"),
        (ModelName.taught("transfer"), "taught:transfer", "taught:transfer"),
    ],
)
def test_a_name_is_written_and_read_again(name, text, short):
    assert str(name) == text and ModelName.parse(text) == name and name.short == short


@pytest.mark.parametrize(
    "text",
    ["", ":", "digits", "source:", "model:digits", "run:", "run:01/file", "head:0123", "head:/x", "head:0123/"],
)
def test_what_is_no_name_is_refused_and_quoted(text):
    with pytest.raises(SpecError, match="There is no model") as caught:
        ModelName.parse(text)
    assert repr(text) in str(caught.value)


def texts(path: Path) -> list[str]:
    """Return the texts of a file's code, the docstrings left out."""
    nodes = list(ast.walk(tree(path)))
    prose = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    strings = [node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [node.value for node in strings if id(node) not in prose]


def test_no_other_file_makes_such_a_name_of_parts():
    files = [path for folder in ("tlcore", "pages", "server") for path in (ROOT / folder).rglob("*.py")]
    beginnings = tuple(f"{kind}:" for kind in get_args(Kind))
    files = [path for path in files if path.name != "tested.py"]  # a spec, lower than these names, has a default
    makers = [path.name for path in files if any(text.startswith(beginnings) for text in texts(path))]
    assert len(files) > 200 and not makers
