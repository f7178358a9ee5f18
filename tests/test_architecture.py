"""Who may import whom, executed: read from the source, and seen in a fresh process."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from trees import tree

ROOT = Path(__file__).resolve().parent.parent

# A package imports from the lines above its own, never from its own line; inside a package there is no circle.
FLOORS = """
sentences
errors translation
extensions
spec machine
inputs store
datasets
sources evaluation engine people
features heads
training recipes teaching
prediction
evidence
jobs inspection exports rooms lessons
archives
commands lab
cli
__main__
"""
FLOOR = {name: floor for floor, line in enumerate(FLOORS.split("\n")) for name in line.split()}

HEAVY = {"keras", "tensorflow", "sklearn", "skops", "joblib", "streamlit"}

# Revisions are read by Alembic and never imported; tests/test_schema.py looks at them.
TLCORE = sorted(path for path in (ROOT / "tlcore").rglob("*.py") if "migrations" not in path.parts)
PAGES = sorted((ROOT / "pages").glob("*.py"))
UI = sorted((ROOT / "pages" / "ui").rglob("*.py"))
SERVER = sorted((ROOT / "server").rglob("*.py"))


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def imports(path: Path, lazy: bool = True) -> tuple[str, ...]:
    """Return the full names of what a file imports: ``tlcore.store``, ``keras.models``; lazy ones only on request."""
    return tuple(_imported(path, lazy))


def _imported(path: Path, lazy: bool) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    todo: list[ast.AST] = list(tree(path).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or lazy:
            todo.extend(child for child in ast.iter_child_nodes(node) if not _is_for_types_only(node, child))


def _is_for_types_only(node: ast.AST, child: ast.AST) -> bool:
    if not isinstance(node, ast.If) or child not in node.body:
        return False
    return any("TYPE_CHECKING" in (getattr(part, "id", ""), getattr(part, "attr", "")) for part in ast.walk(node.test))


# What extensions add to after tlcore was imported. A list of it that is made at import would lack what comes later.
REGISTRIES = {"HEADS", "JOBS", "SPECS", "RESULTS", "SOURCES", "MODALITIES", "EXPORTERS", "VIEWS"}
LISTS = {"catalogue", "names", "methods", "available", "view_of", "get", "info", "modality", "presets"}


def at_import(path: Path) -> Iterator[ast.AST]:
    """Yield what of a module runs while it is imported; of a function that is its defaults and decorators."""
    todo: list[ast.AST] = list(tree(path).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            todo += [*node.args.defaults, *filter(None, node.args.kw_defaults), *getattr(node, "decorator_list", ())]
        else:
            yield node
            todo.extend(ast.iter_child_nodes(node))


def read_at_import(path: Path) -> Iterator[str]:
    """Yield the registries that a module reads, and its packages' lists that it calls, while it is imported."""
    for node in at_import(path):
        named = getattr(node, "id", getattr(node, "attr", ""))
        if named in REGISTRIES and isinstance(getattr(node, "ctx", None), ast.Load):
            yield named
        called = node.func if isinstance(node, ast.Call) else None
        of = getattr(getattr(called, "value", None), "id", "")
        if isinstance(called, ast.Attribute) and called.attr in LISTS and of in FLOOR:
            yield f"{of}.{called.attr}"


def package(path: Path) -> str:
    """Return the package that a file of tlcore belongs to; a module that stands alone is its own."""
    return path.relative_to(ROOT / "tlcore").with_suffix("").parts[0]


def test_every_package_has_its_floor():
    assert {package(path) for path in TLCORE} - {"__init__"} == set(FLOOR), "a new package takes its place in FLOORS"


PACKAGES = sorted({path.parent for path in TLCORE if path.name == "__init__.py"})


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_every_package_says_in_twenty_lines_why_it_exists(folder):
    title, *rest = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert title.startswith(f"# {folder.name}: ") and 5 < len(rest) < 20
    assert max(map(len, rest)) <= 130


def test_a_package_imports_only_from_lower_floors():
    for path in TLCORE:
        mine = package(path)
        used = {full.split(".")[1] for full in imports(path) if full.startswith("tlcore.")} & set(FLOOR) - {mine}
        assert {other for other in used if FLOOR[other] >= FLOOR.get(mine, -1)} == set(), dotted(path)


def test_no_modules_of_tlcore_import_each_other_in_a_circle():
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in TLCORE}
    below = {name: {full for full in imports(path) if full in modules} - {name} for name, path in modules.items()}
    while free := [name for name, used in below.items() if not used]:
        for name in free:
            del below[name]
        below = {name: used - set(free) for name, used in below.items()}
    assert below == {}, "these are in a circle, or import from one"


def test_tlcore_knows_neither_streamlit_nor_the_pages():
    for path in TLCORE:
        assert not {full.split(".")[0] for full in imports(path)} & {"streamlit", "pages", "app"}, dotted(path)


def test_nothing_heavy_is_imported_when_a_module_is():
    for path in TLCORE:
        assert not {full.split(".")[0] for full in imports(path, lazy=False)} & HEAVY, dotted(path)


def test_pages_never_import_each_other_nor_what_trains():
    for path in PAGES + UI:
        used = set(imports(path))
        others = {full for full in used if full.startswith("pages.") and not full.startswith("pages.ui")}
        assert others == set(), dotted(path)
        assert not {full.split(".")[0] for full in used} & (HEAVY - {"streamlit"}), dotted(path)


def test_what_registers_is_listed_when_it_is_asked_for_and_never_at_import():
    for path in (*TLCORE, *UI, *SERVER):
        assert set(read_at_import(path)) == set(), dotted(path)


def test_nothing_is_translated_at_import_for_the_reader_is_not_known_there():
    for path in (*TLCORE, *UI, *SERVER):
        calls = [node for node in at_import(path) if isinstance(node, ast.Call)]
        said = [call.lineno for call in calls if getattr(call.func, "id", "") in {"_", "ngettext", "shown", "tell"}]
        assert said == [], dotted(path)


def in_a_fresh_process(code: str) -> set[str]:
    """Run code in a new interpreter; return the top-level names of what it loaded."""
    code += "\nimport sys; print(' '.join({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_what_the_server_imports_loads_no_keras_and_no_scikit_learn():
    files = [path.relative_to(ROOT).with_suffix("") for path in TLCORE if path.stem != "__main__"]
    modules = [".".join(file.parts).removesuffix(".__init__") for file in files]
    assert len(modules) > 60
    assert not in_a_fresh_process(f"import {', '.join(modules)}") & HEAVY


def test_what_a_page_asks_for_first_loads_no_keras_and_no_scikit_learn(tmp_path):
    code = f"""
from pathlib import Path
from tlcore import datasets, jobs, prediction, sources
from tlcore.jobs import execution as worker
from tlcore.engine import LocalEngine
from tlcore.prediction.serving import Serving
from tlcore.spec import FineTuneSpec, HeadSpec
from tlcore.store import Store
store = Store(Path({str(tmp_path)!r}))
cards, sets = sources.catalogue(), datasets.catalogue()
assert cards and sets and prediction.available(store.list())
for spec in (FineTuneSpec(), HeadSpec()):
    jobs.check(spec)
store.create(FineTuneSpec()), store.list()
datasets.samples("mnist", 4, seed=0)
LocalEngine(store.folder, n_workers=0, execute=worker.execute, warm=worker.warm).close()
Serving(store.folder).close()
"""
    assert not in_a_fresh_process(code) & HEAVY


# -- the checks above can fail


@pytest.mark.parametrize(
    ("source", "lazy", "found"),
    [
        ("import keras.models", False, {"keras.models"}),
        ("def f():\n    import keras", False, set()),
        ("def f():\n    import keras", True, {"keras"}),
        ("class A:\n    from . import store", False, {"tlcore", "tlcore.store"}),
        ("try:\n    from .store import Store\nexcept ImportError: ...", False, {"tlcore.store", "tlcore.store.Store"}),
        ("import typing\nif typing.TYPE_CHECKING:\n    import keras", True, {"typing"}),
        ("from tlcore import store", False, {"tlcore", "tlcore.store"}),
    ],
)  # fmt: skip
def test_imports_are_found_where_they_hide(monkeypatch, tmp_path, source, lazy, found):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "tlcore").mkdir()
    path = tmp_path / "tlcore" / "module.py"
    path.write_text(source)
    assert set(imports(path, lazy)) == found


OUTSIDE_SESSION = [*PAGES, *(path for path in UI if path.parent.name != "session")]


def test_only_state_touches_what_a_session_keeps():
    for path in OUTSIDE_SESSION:
        nodes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)]
        touched = [node for node in nodes if node.attr == "session_state"]
        assert not touched, f"{dotted(path)}, line {touched[0].lineno}: go through pages.ui.session"


# What changes runs or lists them; a page does it through what the person may do.
RIGHTS = {"create", "list", "count", "delete", "restore", "annotate", "request_stop", "purge", "stop", "submit"}


def test_pages_reach_runs_only_through_what_their_person_may_do():
    held = {"store", "engine"}
    for path in OUTSIDE_SESSION:
        calls = [node.func for node in ast.walk(tree(path)) if isinstance(node, ast.Call)]
        around = [
            call for call in calls if isinstance(call, ast.Attribute) and call.attr in RIGHTS
            and (getattr(call.value, "attr", "") in held or getattr(call.value, "id", "") in held)
        ]  # fmt: skip
        assert not around, f"{dotted(path)}, line {around[0].lineno}: go through state.access()"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("METHODS = (*HEADS, 'scratch')", {"HEADS"}),
        ("TARGETS = tuple(entry.name for entry in datasets.catalogue())", {"datasets.catalogue"}),
        ("class A:\n    kinds = list(jobs.JOBS)", {"JOBS"}),
        ("def f(names=tuple(heads.HEADS)): ...", {"HEADS"}),
        ("def f():\n    return tuple(HEADS)", set()),
        ("HEADS: dict = {}\nfor head in (A(), B()):\n    register(head)", set()),
    ],
)
def test_a_list_that_is_made_at_import_is_found(tmp_path, source, found):
    path = tmp_path / "module.py"
    path.write_text(source)
    assert set(read_at_import(path)) == found
