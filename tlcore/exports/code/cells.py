"""Text and code in turn, written as a Python script or as a Jupyter notebook."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

WIDTH = 88  # characters of a line of text in a script
CODE_WIDTH = 100


@dataclass(frozen=True)
class Cell:
    """A paragraph of text, or some lines of code."""

    text: str
    is_code: bool = False


def script(cells: Sequence[Cell]) -> str:
    """Return a Python script: text as comments.

    Examples
    --------
    >>> print(script([Cell("Two numbers."), Cell("a = 1\\nb = 2", is_code=True)]), end="")
    # Two numbers.
    <BLANKLINE>
    a = 1
    b = 2
    """
    return "\n\n".join(cell.text if cell.is_code else _comment(cell.text) for cell in cells) + "\n"


def code(text: str) -> Cell:
    """Return a cell of code."""
    return Cell(text, is_code=True)


def _comment(text: str) -> str:
    rows: list[str] = []
    for line in text.splitlines():
        line = line.lstrip("# ")  # a heading of a notebook
        rows += [f"# {row}" for row in textwrap.wrap(line, WIDTH - 2, break_long_words=False)] or ["#"]
    return "\n".join(rows)


def notebook(cells: Sequence[Cell]) -> str:
    """Return a Jupyter notebook, nbformat 4.5, as JSON; nothing in it has run.

    Examples
    --------
    >>> [cell["cell_type"] for cell in json.loads(notebook([Cell("Two."), Cell("a = 2", is_code=True)]))["cells"]]
    ['markdown', 'code']
    """
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {
        "cells": [_cell(number, cell) for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cell(number: int, cell: Cell) -> dict[str, Any]:
    common = {"id": f"cell-{number}", "metadata": {}, "source": cell.text.splitlines(keepends=True)}
    if cell.is_code:
        return {"cell_type": "code", "execution_count": None, "outputs": [], **common}
    return {"cell_type": "markdown", **common}


def written(value: Any, indent: int = 0) -> str:
    """Return a value as Python code that makes it again; what a dataclass has by default is left out.

    Examples
    --------
    >>> from tlcore.spec import FineTuneSpec, Phase
    >>> written(Phase(3, frozen=("conv_1",)))
    "Phase(epochs=3, frozen=('conv_1',))"
    """
    if is_dataclass(value) and not isinstance(value, type):
        kept = [each for each in fields(value) if each.default is MISSING or getattr(value, each.name) != each.default]
        parts = [(f"{each.name}=", getattr(value, each.name)) for each in kept]
        return _joined(f"{type(value).__name__}(", parts, ")", indent)
    if isinstance(value, tuple):
        return _joined("(", [("", each) for each in value], ",)" if len(value) == 1 else ")", indent)
    if isinstance(value, dict):
        return _joined("{", [(f"{key!r}: ", each) for key, each in value.items()], "}", indent)
    return repr(value)


def _joined(opening: str, parts: Sequence[tuple[str, Any]], closing: str, indent: int) -> str:
    """Return parts on one line where they fit, else each on a line of its own; short texts share lines."""
    line = opening + ", ".join(name + written(value, indent) for name, value in parts) + closing
    if indent + len(line) <= CODE_WIDTH and "\n" not in line:
        return line
    space = " " * (indent + 4)
    if all(isinstance(value, str) and not name for name, value in parts):
        inner = textwrap.fill(
            ", ".join(repr(value) for _name, value in parts) + ",",
            CODE_WIDTH,
            initial_indent=space,
            subsequent_indent=space,
            break_on_hyphens=False,
        )
    else:
        inner = "\n".join(f"{space}{name}{written(value, indent + 4)}," for name, value in parts)
    return f"{opening}\n{inner}\n{' ' * indent}{closing.lstrip(',')}"
