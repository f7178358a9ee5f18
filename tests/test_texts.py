"""Every visible string passes through gettext: read from the source, and tried with another catalogue."""

import ast
import re
from pathlib import Path

import pytest

from pages.ui.words import text

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*(ROOT / "pages").glob("*.py"), *(ROOT / "pages" / "ui").rglob("*.py")])

# Calls of Streamlit whose texts a person reads, and the keywords that hold one.
SHOWS = {
    *("title", "header", "subheader", "markdown", "write", "caption", "info", "warning", "error", "success", "toast"),
    *("button", "download_button", "metric", "selectbox", "number_input", "text_input", "text_area", "toggle", "pills"),
    *("segmented_control", "select_slider", "slider", "expander", "popover", "badge", "page_link", "file_uploader"),
    *("progress", "spinner", "Page", "heading", "next_page", "number"),
}
SPOKEN = {"help", "alt", "label", "placeholder", "title", "page_title", "delta"}


def untranslated(code: str) -> list[tuple[int, str]]:
    """Return line and text of every visible literal with letters in it that does not pass through ``_``."""
    found = []
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in SHOWS or ast.unparse(call.func).startswith("log."):
            continue
        positions = {
            "next_page": call.args[1:2],
            "number": call.args[1:3],
            "page_link": [],
            "Page": [],
            "heading": call.args,
        }
        shown = positions.get(name, call.args[:1])
        shown = [*shown, *(keyword.value for keyword in call.keywords if keyword.arg in SPOKEN)]
        for value in shown:
            found += [(part.lineno, part.value) for part in literals(value) if any(c.isalpha() for c in part.value)]
    return found


def literals(node: ast.AST):
    """Yield the string constants of an expression that reach the screen as they are."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if not node.value.startswith(":material/"):
            yield node
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield part
    elif isinstance(node, ast.BinOp | ast.BoolOp | ast.IfExp):
        for child in ast.iter_child_nodes(node):
            yield from literals(child)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_visible_literal_passes_through_gettext(path):
    units = {"sha256 ", " s", "s", " k"}  # codes and units, the same in every language
    assert [found for found in untranslated(path.read_text()) if found[1] not in units] == []


@pytest.mark.parametrize(
    "planted",
    [
        'st.title("Train")',
        'st.info(f"{n} runs")',
        'st.button(_("Go"), help="Goes")',
        'st.metric("A" if x else _("B"), 1)',
    ],
)
def test_a_planted_literal_is_found(planted):
    assert untranslated(planted)


@pytest.mark.parametrize(
    "fine", ['st.title(_("Train"))', 'st.button(_("Go"), key="go", icon=":material/x:")', 'st.markdown("–")']
)
def test_a_translated_one_is_not(fine):
    assert not untranslated(fine)


def test_another_catalogue_changes_what_a_page_says(tmp_path, monkeypatch):
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    catalogue = Catalog(locale="zh")
    catalogue.add("Start training", "开始训练")
    catalogue.add("There is no run {run_id!r}. Pick one from the list of runs.", "没有运行 {run_id!r}。")
    folder = tmp_path / "zh" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / f"{text.DOMAIN}.mo", "wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(text, "FOLDER", tmp_path)
    monkeypatch.setenv("LANGUAGE", "zh")
    text.catalogue.cache_clear()
    try:
        from tlcore.errors import SpecError

        assert text._("Start training") == "开始训练"
        error = SpecError("There is no run {run_id!r}. Pick one from the list of runs.", run_id="x")
        assert text.tell(error) == "没有运行 'x'。"
    finally:
        monkeypatch.undo()
        text.catalogue.cache_clear()
    assert text._("Start training") == "Start training"


@pytest.mark.parametrize("folder", ["pages", "tlcore", "server"])
def test_a_percentage_is_written_in_one_form_the_one_of_tlcore_sentences(folder):
    """98.2 %: neither Python's own 98.2%, nor Plotly's, nor the browser's."""
    own_form = re.compile(r":,?\.?\d*%\}|%\{[^}]*%\}|tickformat\W+\.\d~?%|format\W+percent\b|style: .percent")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for suffix in ("py", "js")
        for path in sorted((ROOT / folder).rglob(f"*.{suffix}"))
        if path != ROOT / "tlcore" / "sentences.py"
        for line in path.read_text(encoding="utf-8").splitlines()
        if own_form.search(line)
    ]
    assert found == []


def test_babel_finds_the_messages_of_pages_and_errors():
    from babel.messages.extract import extract_from_dir

    keywords = {"_": None, "ngettext": (1, 2)} | {
        name: None for name in ("LabError", "SpecError", "DataError", "StoreError", "TrainingError", "RightsError")
    }
    found = set()
    for folder in ("pages", "tlcore"):
        for row in extract_from_dir(ROOT / folder, [("**.py", "python")], keywords=keywords):
            found.update([row[2]] if isinstance(row[2], str) else row[2])
    assert {"Start training", "There is no run {run_id!r}. Pick one from the list of runs."} <= found
    assert len(found) > 150


def test_markdown_in_a_value_is_shown_letter_for_letter():
    assert text.plain("a*b [x](y) $1") == r"a\*b \[x\](y) \$1"
