"""The project's own code as trees: parsed once for all rules that hold in every file."""

import ast
import gc
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def tree(path: Path) -> ast.Module:
    """Return what a file says, parsed; of this project's code each file once."""
    return _known().get(path) or ast.parse(path.read_text(encoding="utf-8"))


@cache
def _known() -> dict[Path, ast.Module]:
    """Return all files' trees.

    They are half a million objects: looking for garbage among them, once and again while they are made and whenever
    a test makes many others, takes twice as long as parsing them.
    """
    files = [path for folder in ("pages", "server", "tlcore") for path in (ROOT / folder).rglob("*.py")]
    gc.disable()
    try:
        return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
    finally:
        gc.freeze()
        gc.enable()
