"""Every visible string passes through gettext: read from the source, and tried with another catalogue."""

import ast
import importlib.util
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.proto.ClientState_pb2 import ContextInfo
from trees import tree

from pages.ui import frame, languages
from pages.ui.runs.fine_tune import own_task
from pages.ui.runs.recorded import numbers
from pages.ui.words import text
from pages.ui.words.numbers import between, percent
from server import live
from tlcore import translation
from tlcore.errors import SpecError
from tlcore.evidence import recorded_comparison
from tlcore.sentences import Sentence
from tlcore.spec import FineTuneSpec, Forgetting, Progress
from tlcore.store import Store

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*(ROOT / "pages").glob("*.py"), *(ROOT / "pages" / "ui").rglob("*.py")])


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def in_files(look: Callable[[ast.Module], list], paths: Iterable[Path]) -> dict[str, list]:
    """Return what ``look`` finds in the code of each file, by the file's dotted name, where it finds anything.

    One test a rule: a test for each of 500 files and rules takes more of the processor than looking does.
    """
    found = {dotted(path): look(tree(path)) for path in paths}
    assert len(found) > 100, "these are not all files"
    return {name: things for name, things in found.items() if things}


def breaking(code: ast.Module) -> list[str]:
    """Return the ways to write shares that a page takes from where a line may end before the per cent sign."""
    taken = [alias.name for node in ast.walk(code) for alias in getattr(node, "names", ())
             if isinstance(node, ast.ImportFrom) and node.module == "tlcore.sentences"]  # fmt: skip
    return sorted({"percent", "spread", "between"} & set(taken))


def test_pages_write_shares_so_that_no_line_ends_before_the_per_cent_sign():
    others = [path for path in PAGES if path.name != "numbers.py"]
    assert in_files(breaking, others) == {}, "take them from pages.ui.words.numbers"
    assert breaking(ast.parse("from tlcore.sentences import NOTHING, percent, between")) == ["between", "percent"]


def test_no_line_ends_before_a_per_cent_sign_whoever_puts_the_number_together():
    assert percent(0.982) == "98.2\u00a0%" and between(0.974, 0.988) == "97.4 – 98.8\u00a0%"
    assert text._("{share:.0f} % sure").format(share=93) == "93\u00a0% sure"
    assert text.shown(Sentence("{a} against {b}", a="96.0 %", b="90.0 %")) == "96.0\u00a0% against 90.0\u00a0%"
    assert own_task(Forgetting("MNIST digits 0-4", 9, 0.999, 0.95)).endswith(" 99.9\u00a0% → 95.0\u00a0%.")
    assert text.unbroken("true %{y}, answered %{x}") == "true %{y}, answered %{x}", "a chart's own fields stay"


# Calls of Streamlit whose texts a person reads, and the keywords that hold one.
SHOWS = {
    *("title", "header", "subheader", "markdown", "write", "caption", "info", "warning", "error", "success", "toast"),
    *("button", "download_button", "metric", "selectbox", "number_input", "text_input", "text_area", "toggle", "pills"),
    *("segmented_control", "select_slider", "slider", "expander", "popover", "badge", "page_link", "file_uploader"),
    *("progress", "spinner", "Page", "heading", "next_page", "number"),
}
SPOKEN = {"help", "alt", "label", "placeholder", "title", "page_title", "delta"}


def test_no_line_of_a_headline_ends_within_a_word(monkeypatch):
    lines = []
    monkeypatch.setattr(frame.st, "html", lines.append)
    frame.finding("Fine-tuning leads on digits 0-4, -2.6 points")
    assert "<h2>Fine\u2011tuning leads on digits 0\u20114, -2.6 points</h2>" in lines[0]
    assert 'data-say="Fine-tuning' in lines[0], "what is said aloud is as it is written"


def test_no_line_of_the_recorded_numbers_ends_within_those_of_one_way():
    parts = numbers(recorded_comparison.load()).split(" · ")
    assert len(parts) == 3 and not any(set(" -") & set(part) for part in parts)
    assert any(part.startswith("Fine\u2011tuning\u00a0") for part in parts)


def untranslated(code: ast.Module) -> list[tuple[int, str]]:
    """Return line and text of every visible literal with letters in it that does not pass through ``_``."""
    found = []
    for call in (node for node in ast.walk(code) if isinstance(node, ast.Call)):
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


def test_every_visible_literal_passes_through_gettext():
    units = {"sha256 ", " s", "s", " k"}  # codes and units, the same in every language
    assert in_files(lambda code: [found for found in untranslated(code) if found[1] not in units], PAGES) == {}


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
    assert untranslated(ast.parse(planted))


@pytest.mark.parametrize(
    "fine", ['st.title(_("Train"))', 'st.button(_("Go"), key="go", icon=":material/x:")', 'st.markdown("–")']
)
def test_a_translated_one_is_not(fine):
    assert not untranslated(ast.parse(fine))


CHINESE = {
    "Start training": "开始训练",
    "There is no run {run_id!r}. Pick one from the list of runs.": "没有运行 {run_id!r}。",
    "{head} on {input}, seed {seed}": "{input}上的{head}，种子 {seed}",
    "features": "特征",
    "training": "训练中",
    "a slip": "{missing}",
}


@pytest.fixture
def chinese(tmp_path, monkeypatch):
    """A lab that has a Chinese catalogue, on an English server."""
    from babel.messages.catalog import Catalog
    from babel.messages.mofile import write_mo

    catalogue = Catalog(locale="zh")
    for english, translated in CHINESE.items():
        catalogue.add(english, translated)
    folder = tmp_path / "locales" / "zh_CN" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with open(folder / f"{translation.DOMAIN}.mo", "wb") as file:
        write_mo(file, catalogue)
    monkeypatch.setattr(translation, "FOLDER", tmp_path / "locales")
    monkeypatch.delenv("TRANSFER_LAB_LANGUAGE", raising=False)
    monkeypatch.setenv("LANGUAGE", "en_GB:en")
    translation.forget()
    yield
    monkeypatch.undo()
    translation.forget()


def reads(monkeypatch, locale):
    """Let the person of this thread have a browser of that language."""
    context = SimpleNamespace(context_info=ContextInfo(locale=locale), session_id="theirs")
    text.forget()
    monkeypatch.setattr(text, "get_script_run_ctx", lambda suppress_warning: context)


def test_each_person_reads_the_language_of_their_browser(chinese, monkeypatch):
    error = SpecError("There is no run {run_id!r}. Pick one from the list of runs.", run_id="x")
    for locale in ("zh-CN", "zh", "zh-TW"):
        reads(monkeypatch, locale)
        assert (text._("Start training"), text.tell(error), text.language()) == ("开始训练", "没有运行 'x'。", "zh-CN")
    for locale in ("en-US", "fr", "", "../zh_CN"):
        reads(monkeypatch, locale)
        assert (text._("Start training"), text.language()) == ("Start training", "en")


def test_what_was_chosen_in_the_bar_wins_over_the_browser_and_a_kept_one_too(chinese, monkeypatch):
    reads(monkeypatch, "en-US")
    text.choose("zh-CN")
    assert (text.language(), text._("Start training")) == ("zh-CN", "开始训练")
    text.choose("tlh")  # an address that names none of ours is the browser's own
    assert text.language() == "en"
    reads(monkeypatch, "zh-CN")
    for kept, read in (("en", "en"), ("", "zh-CN"), ("../en", "zh-CN")):
        text.forget()
        monkeypatch.setattr(text.st, "context", SimpleNamespace(cookies={text.COOKIE: kept}))
        assert text.language() == read


def test_a_choice_leads_back_to_the_page_that_was_shown(chinese, monkeypatch):
    reads(monkeypatch, "en-US")
    kept, went = {}, []
    monkeypatch.setattr(languages.state, "get", kept.get)
    monkeypatch.setattr(languages.state, "put", kept.update)
    monkeypatch.setattr(languages.st, "query_params", SimpleNamespace(to_dict=lambda: {"run": "1a2b3c"}))
    monkeypatch.setattr(languages.st, "switch_page", lambda page, query_params: went.append((page, query_params)))
    home, train = (SimpleNamespace(url_path=path) for path in ("", "train"))
    languages.turn(train, [home, train])
    languages.turn(SimpleNamespace(url_path="language-zh-CN"), [home, train])
    assert went == [(train, {"run": "1a2b3c"})] and text.language() == "zh-CN"


def test_who_names_no_language_reads_the_servers(chinese, monkeypatch):
    assert text._("Start training") == "Start training"
    monkeypatch.setenv("LANGUAGE", "zh_CN:en")
    translation.forget()
    assert text._("Start training") == "开始训练"


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


def test_what_a_worker_reported_in_english_is_shown_in_the_readers_language(chinese, monkeypatch, tmp_path):
    store = Store(tmp_path / "lab")
    run = store.create(FineTuneSpec())
    attempt = store.claim(run.id)
    message = Sentence("{head} on {input}, seed {seed}", head="SVM", input=Sentence("features"), seed=3)
    attempt.beat(Progress(1, 2, message))
    store.finish(
        run.id,
        "failed",
        error=SpecError("There is no run {run_id!r}. Pick one from the list of runs.", run_id="x").sentence,
    )
    kept = store.get(run.id)
    assert (str(kept.progress.message), str(kept.error)[:16]) == ("SVM on features, seed 3", "There is no run ")
    answers = {
        language: live.payload(kept.state, kept.progress, (), error=kept.error, language=language)
        for language in ("zh-CN", "en-GB", "fr")
    }
    assert answers["zh-CN"]["progress"]["message"] == "特征上的SVM，种子 3"
    assert answers["zh-CN"]["error"] == "没有运行 'x'。"
    assert answers["en-GB"]["progress"]["message"] == answers["fr"]["progress"]["message"] == "SVM on features, seed 3"


def test_a_slip_in_a_catalogue_costs_the_translation_and_not_the_page(chinese, monkeypatch):
    reads(monkeypatch, "zh-CN")
    assert text.shown(Sentence("a slip")) == "a slip"


# -- what a catalogue is made from

spec = importlib.util.spec_from_file_location("catalogues", ROOT / "locales" / "catalogues.py")
catalogues = importlib.util.module_from_spec(spec)
spec.loader.exec_module(catalogues)
KINDS = catalogues.TEMPLATES


def hidden(code: ast.Module) -> list[int]:
    """Return the lines of messages that are no literal, so that no catalogue can know them."""
    calls = [node for node in ast.walk(code) if isinstance(node, ast.Call) and node.args]
    return [
        call.lineno
        for call in calls
        if getattr(call.func, "id", "") in ("_", "ngettext", *KINDS)
        and not isinstance(call.args[0], ast.Constant)
        and ast.unparse(call.args[0]).rpartition(".")[2] != "template"  # passed on by one of those
    ]


SOURCES = sorted([*PAGES, *(ROOT / "tlcore").rglob("*.py")])
PLUMBING = {"sentences.py", "text.py"}  # they pass on what others say


def test_every_message_is_a_literal_that_a_catalogue_can_know():
    assert in_files(hidden, (path for path in SOURCES if path.name not in PLUMBING)) == {}


def test_a_hidden_message_is_found():
    assert hidden(ast.parse("x = _(card.note)\nSentence(f'{n}')\nSpecError(words, n=1)")) == [1, 2, 3]
    assert hidden(ast.parse("_('a')\nSentence('b {n}', n=n)\nraise SpecError('c' 'd')")) == []


def translated_at_import(code: ast.Module) -> list[int]:
    """Return the lines that translate when a module is imported, when nobody reads."""
    lines, todo = [], list(code.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            defaults = (*node.args.defaults, *node.args.kw_defaults, *getattr(node, "decorator_list", ()))
            todo += [default for default in defaults if default]
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("_", "ngettext", "shown", "tell"):
            lines.append(node.lineno)
        todo += ast.iter_child_nodes(node)
    return sorted(lines)


def test_nothing_is_translated_when_a_module_of_the_pages_is_imported():
    """The pages themselves are scripts that run for one person, from their first line."""
    assert in_files(translated_at_import, (path for path in PAGES if "ui" in path.parts)) == {}


def test_a_table_translated_at_import_is_found():
    code = "T = {'a': _('A')}\ndef f(x=_('X')):\n    return _('Y')\nclass C:\n    t = _('Z')"
    assert translated_at_import(ast.parse(code)) == [1, 2, 5]


def test_markdown_in_a_value_is_shown_letter_for_letter():
    assert text.plain("a*b [x](y) $1") == r"a\*b \[x\](y) \$1"


# What Unicode shows as a picture unless told otherwise (Emoji_Presentation), and the sign that asks for one.
EMOJI = re.compile(
    "[\U0001f000-\U0001faff\ufe0f\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693"
    "\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728"
    "\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55]"
)


def test_no_emoji_is_shown_for_a_plain_linux_draws_an_empty_box():
    assert (
        EMOJI.search("frozen \u2744\ufe0f") and EMOJI.search("\U0001f525") and not EMOJI.search("98.2 % \u2713 \u2605")
    )
    files = [path for folder in ("pages", "server", "tlcore") for path in (ROOT / folder).rglob("*")]
    shown = [path for path in files if path.suffix in (".py", ".js", ".css", ".html")]
    assert len(shown) > 200
    assert [path.name for path in shown if EMOJI.search(path.read_text(encoding="utf-8"))] == []
