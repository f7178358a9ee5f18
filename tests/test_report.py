"""The report of a run: what stands in it, that it asks nobody for anything, that no name breaks it. And its archive."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from few_pictures import set_of_own

from tlcore import cli, exports, heads
from tlcore.errors import SpecError
from tlcore.exports.report import drawing, own_pictures, session
from tlcore.exports.report.writer import Writer
from tlcore.jobs import execution
from tlcore.spec import ComparisonSpec, DataSpec, EvaluateSpec, FineTuneSpec, HeadSpec, Phase, from_json
from tlcore.store import Store

pytestmark = pytest.mark.keras

FEW = DataSpec(per_class=6, seed=2)
TUNING = FineTuneSpec(data=FEW, phases=(Phase(2, ("conv_1", "conv_2")),))
SPECS = {
    "heads": HeadSpec(data=FEW, heads=("linear_svm", "knn"), inputs=("pixels",), seeds=(2,)),
    "ways": ComparisonSpec(TUNING, ways=("fine_tune", "linear_svm")),  # its first way is "network"
}
NAMES = (*SPECS, "network")
HOSTILE = "</title><script>alert(1)</script>\"'&{x}"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def runs(store):
    ids = {name: store.create(spec).id for name, spec in SPECS.items()}
    for id in ids.values():
        execution.execute(id, str(store.folder))
    ids["network"] = store.get(ids["ways"]).result.ways[0].run
    store.annotate(ids["network"], name=HOSTILE, note=HOSTILE)
    return {name: store.get(id) for name, id in ids.items()}


def report(run, store, language="en") -> str:
    (part,) = exports.offers(run, store)["report"]
    assert part.read_in
    return part.read_in(language).decode()


class Read(HTMLParser):
    """Which elements there are with which attributes, and whether every one is closed."""

    EMPTY = {"meta", "img", "circle", "line", "rect", "polyline", "br"}

    def __init__(self, page: str):
        super().__init__()
        self.elements, self.open = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def said(page: str) -> str:
    return unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.S)).replace("\u00a0", " ")


@pytest.mark.parametrize("name", NAMES)
def test_a_report_asks_nobody_for_anything_and_runs_no_program(store, runs, name):
    page = report(runs[name], store)
    read = Read(page)
    assert read.open == []
    policy = next(attrs["content"] for tag, attrs in read.elements if attrs.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;") and "script-src" not in policy
    assert not {"script", "link", "iframe", "object", "a", "form"} & {tag for tag, _attrs in read.elements}
    addresses = [attrs[key] for _tag, attrs in read.elements for key in ("src", "href", "srcset") if key in attrs]
    assert all(address.startswith("data:image/") for address in addresses)
    assert "http://" not in page and "https://" not in page and "url(" not in page
    assert not [attrs for _tag, attrs in read.elements if any(key.startswith("on") for key in attrs)]


def test_a_hostile_name_is_shown_letter_for_letter(store, runs):
    page = report(runs["network"], store)
    assert "<script" not in page and said(page).count(HOSTILE) == 3  # title, headline, note


def test_the_report_of_a_network_says_what_the_run_found(store, runs):
    run = runs["network"]
    page, test = report(run, store), run.result.test
    words = said(page)
    assert f"Test accuracy {100 * test.accuracy:.1f} % on {test.n:,} images" in words
    assert f"{100 * test.low:.1f} – {100 * test.high:.1f}" in words or f"{100 * test.low:.1f} % to" in words
    assert "2 frozen layers bit for bit unchanged" in words
    assert all(row.before in words and row.after in words for row in run.result.proof)
    assert run.data_hash in words and f"keras {run.versions['keras']}" in words
    for i, name in enumerate(run.result.class_names):
        assert re.search(rf">{name}</th><td>[\d.]+\u00a0%</td>.*?<td>{sum(test.confusion[i]):,}</td></tr>", page)
    assert page.count('<td class="right"><img alt="" src="data:image/png') == 5
    assert page.count("<svg") == 3  # accuracy, loss, calibration
    assert "Expected calibration error" in words and "Model card" in words
    assert "It learned from 6 labels per class" in words


def test_the_counts_of_the_matrix_are_those_of_the_run(store, runs):
    run = runs["network"]
    (matrix,) = re.findall(r'<table class="matrix">.*?</table>', report(run, store), re.S)
    counts = [int(cell.replace(",", "")) for cell in re.findall(r"(?:>)([\d,]+)</td>", matrix)]
    assert counts == [count for row in run.result.test.confusion for count in row if count]


def test_the_report_of_heads_has_a_line_for_each_and_the_paired_test(store, runs):
    run = runs["heads"]
    words = said(report(run, store))
    for line in run.result.table:
        assert f"{heads.title(line.head)} on" in words and f"{100 * line.mean:.1f} %" in words
    assert "McNemar's exact test on" in words and "Only more seeds can tell" in words
    assert "was picked by the same test images" in words


def test_the_report_of_a_comparison_says_which_way_is_better_and_so_does_that_of_a_way(store, runs):
    run = runs["ways"]
    words = said(report(run, store))
    verdict = "McNemar's exact test on"
    assert verdict in words and "Fine-tuning" in words and "Linear SVM" in words
    assert "Against the others of its comparison" in said(report(runs["network"], store))


def test_what_the_report_says_to_run_gives_the_same_accuracy(store, runs, tmp_path, monkeypatch):
    run = runs["network"]
    (pre,) = re.findall(r"<pre>(.*?)</pre>", report(run, store), re.S)
    code = unescape(pre)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "again.py", "exec"), {"__name__": "__main__"})
    (again,) = Store(tmp_path / "again").list()
    assert again.spec == run.spec and again.accuracy == run.accuracy


def test_a_report_speaks_the_readers_language(store, runs, monkeypatch):
    from tlcore.exports.report import writer

    chinese = {"Model card": "模型卡", "Figure {n}. {caption}": "图 {n}：{caption}"}
    monkeypatch.setattr(writer, "translate", lambda text, tag: chinese.get(text, text) if tag == "zh-CN" else text)
    page = report(runs["network"], store, "zh-CN")
    assert '<html lang="zh-CN">' in page and "模型卡" in page and "图 1：" in page and ">Model card<" not in page


def test_a_report_without_the_answers_still_has_its_numbers(store, runs):
    run = runs["network"]
    bare = replace(run, result=replace(run.result, files={}))
    page = report(bare, store)
    assert '<table class="matrix">' in page and "<img" not in page and "Expected calibration" not in page


def test_the_command_line_writes_it(store, runs, tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(store.folder))
    run = runs["heads"]
    assert cli.main(["export", run.id, "--to", str(tmp_path), "--what", "report"]) == 0
    assert (tmp_path / f"{run.id}-report.html").read_text().startswith("<!doctype html>")


def test_a_run_that_was_never_tested_has_no_report_nor_has_one_that_trained_nothing(store):
    run = store.create(TUNING)
    assert "report" not in exports.offers(run, store)
    tested = store.create(EvaluateSpec(model=f"run:{run.id}"))
    store.finish(tested.id, "done", {"test": {"accuracy": 0.5}})
    assert store.get(tested.id).accuracy == 0.5 and "report" not in exports.offers(store.get(tested.id), store)


def test_a_curve_without_points_is_not_drawn_and_one_point_is_a_dot():
    lone = [(1.0, 0.9), (2.0, float("nan"))]
    assert drawing.curves({"test": ("test", [])}, "x", "y") == drawing.curves({"test": ("test", lone)}, "x", "y") == ""
    svg = drawing.curves({"test": ("<test>", lone), "train": ("", [(0, 0.9), (1, 0.95)])}, "x", "y", percent=True)
    assert svg.count("<circle") == 1 and "nan" not in svg and "&lt;test&gt;" in svg and "150 %" not in svg


def test_labels_of_curves_that_end_together_stand_apart():
    svg = drawing.curves({"train": ("a", [(0, 0), (1, 1)]), "validation": ("b", [(0, 0), (1, 1)])}, "x", "y")
    places = [float(y) for y in re.findall(r'y="([\d.]+)">[ab]</text>', svg)]
    assert abs(places[0] - places[1]) >= 14


def test_settings_with_quotes_do_not_end_the_program(store):
    from tlcore.exports.report.asked import AGAIN, _settings

    run = store.create(FineTuneSpec(data=DataSpec(target="''' + evil + '''")))
    code, space = AGAIN.format(settings=_settings(run)), {"__name__": "read"}
    exec(compile(code, "again.py", "exec"), space)
    assert json.loads(space["SETTINGS"])["data"]["target"] == "''' + evil + '''"


# -- a comparison's ways, a person's own pictures, several runs -----------------------------------------------------


def test_the_report_of_a_comparison_has_a_chapter_for_each_way(store, runs):
    run = runs["ways"]
    page = report(run, store)
    chapters = page.split('<section class="chapter">')[1:]
    assert len(chapters) == 2 and "<h2>Fine-tuning</h2>" in chapters[0] and "Linear SVM" in said(chapters[1])[:200]
    for chapter in chapters:
        assert (
            '<table class="matrix">' in chapter and "<h3>Model card</h3>" in chapter and "<h4>Class by class" in chapter
        )
        assert "Expected calibration error" in said(chapter)
    assert "2 frozen layers bit for bit unchanged" in said(chapters[0])
    assert page.count("again.py: trains this run again") == 1
    figures = [int(n) for n in re.findall(r"Figure (\d+)\.", said(page))]
    assert figures == list(range(1, len(figures) + 1))


def test_a_session_tells_of_every_run_once_and_which_is_better_on_each_task(store, runs):
    everything = session.of_session(store.list(), 0.0)
    assert [run.id for run in everything if session.page.has_report(run)] == [runs["heads"].id, runs["ways"].id]
    page = session.written(everything, store, "en", 0.0).decode()
    read, words = Read(page), said(page)
    assert read.open == [] and not {"script", "link", "a"} & {tag for tag, _attrs in read.elements}
    assert "Which is better on MNIST digits 5-9" in words and "McNemar's exact test on" in words
    assert "4 models were measured on the same test images" in words
    titles = re.findall(r'<section class="chapter"><h2>(.*?)</h2>', page)
    assert len(titles) == 2 and "compared" in titles[1] and page.count('<table class="matrix">') == 3
    assert page.count("again.py: trains this run again") == 2


def test_a_session_without_a_tested_run_is_refused_with_a_way_on(store):
    with pytest.raises(SpecError, match="Train one on Train, or name an earlier day"):
        session.written([store.create(TUNING)], store, "en", 0.0)


def test_only_what_began_that_day_belongs_to_a_session(store, runs):
    newest = max(run.created for run in store.list())
    assert [run.created for run in session.of_session(store.list(), newest)] == [newest]
    assert session.of_session(store.list(), newest + 1) == []


def test_the_command_line_writes_the_report_of_a_session(store, runs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(store.folder))
    line = ["runs", "report", runs["heads"].id, runs["ways"].id, "--to", str(tmp_path)]
    assert cli.main(line) == 0
    (file,) = tmp_path.iterdir()
    assert str(file) in capsys.readouterr().out and file.read_text().count('<section class="chapter"><h2>') == 2
    assert cli.main(["runs", "report", "--since", "yesterday", "--to", str(tmp_path)]) == 2
    assert "A day is written like 2026-11-29. Received: 'yesterday'." in capsys.readouterr().err
    assert cli.main(["runs", "report", "--since", "2099-01-01", "--to", str(tmp_path)]) == 2


def test_a_session_of_more_runs_than_a_report_can_tell_of_has_chapters_of_the_newest(store, runs, monkeypatch):
    monkeypatch.setattr(session, "MOST", 1)
    page = session.written(session.of_session(store.list(), 0.0), store, "en", 0.0).decode()
    assert re.findall(r'<section class="chapter"><h2>(.*?)</h2>', page)[0].endswith("compared")
    assert page.count("again.py: trains this run again") == 1 and runs["heads"].id not in page
    assert said(page).count("Linear SVM, ") == 1  # the other one's line in the table


def test_a_report_tells_what_a_persons_own_pictures_are(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    card = set_of_own("", "Shapes", {"disc": 12, "square": 6})
    run = Store(tmp_path).create(FineTuneSpec(data=DataSpec(target=card.name)))
    page = own_pictures.own_pictures(Writer("en"), run, Store(tmp_path))
    words = said(page)
    assert "Name of the set Shapes" in " ".join(words.split()) and card.hash in words
    assert page.count("<img") == 6 and "disc" in words and "square" in words
    for note in card.notes:
        assert str(note) in words
    assert own_pictures.own_pictures(Writer("en"), replace(run, spec=TUNING), Store(tmp_path)) == ""


# -- the archive -----------------------------------------------------------------------------------------------------


def archive(run, store) -> dict[str, bytes]:
    (part,) = exports.offers(run, store)["zip"]
    with zipfile.ZipFile(io.BytesIO(part.read())) as kept:
        assert kept.testzip() is None
        return {name: kept.read(name) for name in kept.namelist()}


def test_an_archive_holds_everything_of_a_run_and_the_sums_of_it(store, runs):
    run = runs["network"]
    files = archive(run, store)
    listed = json.loads(files.pop("contents.json"))
    told = files.pop("README.txt").decode()
    assert told.startswith(f"Run {run.id} of Transfer Lab") and "model.keras: the network, as Keras reads it" in told
    assert {"settings.json", "metrics.csv", "model.keras", "outputs.npz", "report.html"} <= set(files)
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == listed["files"]
    assert listed["files"]["model.keras"] == run.result.files["model.keras"].sha256
    assert (listed["run"], listed["data_sha256"], listed["left_out"]) == (run.id, run.data_hash, {})
    assert from_json(json.dumps(json.loads(files["settings.json"])["spec"])) == run.spec


def test_an_archive_of_a_comparison_has_a_folder_for_each_way(store, runs):
    files = archive(runs["ways"], store)
    assert {"report.html", "1-fine_tune/model.keras", "2-linear_svm/linear_svm-features.skops"} <= set(files)
    assert json.loads(files["1-fine_tune/settings.json"])["id"] == runs["network"].id


def test_an_archive_is_the_same_whenever_it_is_made(store, runs):
    (part,) = exports.offers(runs["heads"], store)["zip"]
    assert part.read() == part.read()


def test_a_damaged_file_is_left_out_of_the_archive_which_says_so(store, runs):
    run = runs["network"]
    model = store.run_folder(run.id) / "model.keras"
    whole = model.read_bytes()
    try:
        model.write_bytes(whole[:-1])
        files = archive(run, store)
    finally:
        model.write_bytes(whole)
    assert "model.keras" not in files and "report.html" in files
    assert "damaged" in json.loads(files["contents.json"])["left_out"]["model.keras"]
    assert "Left out: model.keras." in files["README.txt"].decode()


def test_a_run_that_goes_on_has_no_archive(store):
    assert "zip" not in exports.offers(store.create(TUNING), store)
