"""Runs that come as files: read back as they were, trained again, and told whether the result is the same."""

import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from tlcore import archives, cli, datasets, exports, prediction
from tlcore.archives import Reached, kinds, repeating, taking
from tlcore.archives.repeating import Answers
from tlcore.errors import DataError, SpecError
from tlcore.jobs import execution
from tlcore.sentences import Sentence
from tlcore.spec import (
    Cell,
    ComparisonResult,
    ComparisonSpec,
    DataSpec,
    EvaluateSpec,
    FineTuneSpec,
    HeadSpec,
    MetricPoint,
    Phase,
    SweepSpec,
    Way,
    to_json,
)
from tlcore.store import Store

FEW = DataSpec(per_class=3)
TUNING = FineTuneSpec(data=FEW, phases=(Phase(2, ("conv_1", "conv_2")),))


def zipped(store, run) -> bytes:
    (part,) = exports.offers(run, store)["zip"]
    return part.read()


def ways_of(run) -> tuple[Way, ...]:
    assert isinstance(run.result, ComparisonResult)
    return run.result.ways


def answers(*classes: int) -> Answers:
    predicted = np.array(classes, np.int16)
    return Answers(predicted, np.eye(3, dtype=np.float16)[predicted])


def reached(accuracy: float, *classes: int, **made_with: str) -> Reached:
    return Reached({"model": accuracy}, {"model": answers(*classes)}, made_with)


# -- whether it is the same ------------------------------------------------------------------------------------------


def test_equal_accuracies_and_answers_are_the_same_to_the_bit():
    found = archives.compare(reached(0.9, 0, 1, 2), reached(0.9, 0, 1, 2, keras="other"))
    assert (found.state, found.same, found.n_answers, found.n_differ) == ("same", True, 3, 0)
    assert str(found.sentence) == "The same to the bit: accuracy 90.00 %, and all 3 answers with their probabilities."


def test_answers_that_differ_at_one_accuracy_are_not_the_same_to_the_bit():
    found = archives.compare(reached(0.9, 0, 1, 2), reached(0.9, 0, 2, 1))
    assert (found.state, found.n_differ) == ("close", 2)
    assert str(found.sentence).startswith("The same within 0.2 points: accuracy 90.00 % then, 90.00 % now. 2 of 3 ")
    assert "the order in which threads add numbers up." in str(found.sentence)


def test_probabilities_alone_can_differ():
    before, now = reached(0.9, 0, 1), reached(0.9, 0, 1)
    now.answers["model"].probabilities[0, 0] = 0.5
    assert archives.compare(before, now).state == "close"


@pytest.mark.parametrize(("accuracy", "state"), [(0.902, "close"), (0.898, "close"), (0.9021, "other"), (0.5, "other")])
def test_what_is_farther_than_the_tolerance_is_not_the_same(accuracy, state):
    assert archives.compare(reached(0.9, 0), reached(accuracy, 0)).state == state


def test_what_differs_is_named_and_what_is_unknown_is_not():
    before = reached(0.9, 0, keras="3.14", processor="", data="aaa", tensorflow="2.20")
    now = reached(0.8, 0, keras="3.15", processor="Xeon", data="aaa", tensorflow="2.20")
    found = archives.compare(before, now)
    assert list(map(str, found.differences)) == ["keras: 3.14 then, 3.15 now"]
    assert str(found.sentence).endswith("0 of 1 answers differ. What differs: keras: 3.14 then, 3.15 now.")
    now = reached(0.8, 0, processor="Xeon", data="bbb")
    texts = list(
        map(str, archives.compare(replace(before, made_with={"processor": "Epyc", "data": "aaa"}), now).differences)
    )
    assert texts == ["processor: Epyc then, Xeon now", "data: aaa then, bbb now"]


def test_of_several_accuracies_the_farthest_is_named():
    before, now = (Reached({"a": 0.5, "b {x}": value}, {}) for value in (0.5, 0.7))
    assert "the largest difference is that of b {x}, 50.00 % then, 70.00 % now." in str(
        archives.compare(before, now).sentence
    )
    assert str(archives.compare(before, before).sentence) == "The same to the bit: all 2 accuracies."


def test_runs_that_tested_nothing_in_common_cannot_be_compared():
    with pytest.raises(SpecError, match="nothing to compare"):
        archives.compare(Reached({"a": 1.0}, {}), Reached({"b": 1.0}, {}))


def test_a_sweep_is_compared_experiment_by_experiment(store):
    runs = []
    for score in (0.5, 0.75):
        run = store.create(SweepSpec())
        attempt = store.claim(run.id)
        attempt.add_cells([Cell("mnist_5_9", "digits_0_4", "flatten", "linear_svm", n, 0, score=score) for n in (1, 5)])
        store.finish(run.id, "done", {"n_cells": 2, "ended": "complete"})
        runs.append(store.get(run.id))
    first, other = (archives.of_store(run, store) for run in runs)
    assert len(first.accuracies) == 2 and archives.compare(first, first).state == "same"
    assert archives.compare(first, other).largest == 0.25


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_a_run_without_a_whole_result_is_not_repeated(store, state):
    run = store.create(FineTuneSpec())
    store.finish(run.id, state, {})
    with pytest.raises(SpecError, match="whole result"):
        repeating.check(store.get(run.id))
    tested = store.create(EvaluateSpec())
    store.finish(tested.id, "done", {})
    with pytest.raises(SpecError, match="only tested a finished model"):
        repeating.check(store.get(tested.id))


# -- what an archive holds -------------------------------------------------------------------------------------------

POINTS = [MetricPoint("train", 0.5, 1.25, 0.5, 0.1), MetricPoint("validation", 1.0, None, 0.75, 0.2, "knn", "pixels")]


def test_an_archive_gives_the_run_back_with_its_points_and_its_error(store):
    run = store.create(TUNING, name="é", owner="ada")
    attempt = store.claim(run.id)
    attempt.add_points(POINTS)
    attempt.set_data_hash("a" * 64)
    reason = Sentence("{n:,} labels", n=5)
    store.finish(run.id, "stopped", {"reason": {"template": "{n} images", "values": {"n": 3}}}, reason)
    store.annotate(run.id, note="a note")
    run = store.get(run.id)
    found = archives.look_at(zipped(store, run))
    same = (
        "kind",
        "spec",
        "state",
        "created",
        "started",
        "finished",
        "seed",
        "versions",
        "data_hash",
        "attempt",
        "name",
    )
    same = (*same, "id", "name", "note", "error", "result")
    assert {name: getattr(found.run, name) for name in same} == {name: getattr(run, name) for name in same}
    assert found.record.points == tuple(POINTS) and found.record.processor and found.ways == ()
    assert found.files.keys() >= {"settings.json", "metrics.csv", "with_tlcore.py", "plain.ipynb"}
    assert json.loads(found.read("settings.json"))["note"] == "a note"
    with pytest.raises(DataError, match="it has no model.keras"):
        found.read("model.keras")


def test_an_archive_of_a_sweep_has_its_experiments(store):
    run = store.create(SweepSpec())
    cell = Cell("mnist_5_9", "random", "pixels", "scratch", 5, 0, error=Sentence("{n} failed", n=1))
    store.claim(run.id).add_cells([cell])
    store.finish(run.id, "done", {"ended": "complete"})
    assert archives.look_at(zipped(store, store.get(run.id))).record.cells == (cell,)


# -- trained again ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A store with a comparison of two ways that ran whole, on few test images."""
    from tlcore.store import Store

    load = datasets.load

    def few(spec):
        data = load(spec)
        return replace(data, x_test=data.x_test[:400], y_test=data.y_test[:400])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", few)
        store = Store(tmp_path_factory.mktemp("lab"))
        run = store.create(ComparisonSpec(TUNING, ways=("fine_tune", "knn")))
        execution.execute(run.id, str(store.folder))
        assert store.get(run.id).state == "done"
        yield store, store.get(run.id)


@pytest.mark.keras
def test_a_comparison_that_is_trained_again_from_its_archive_is_the_same(trained, tmp_path, capsys):
    store, run = trained
    path = tmp_path / "run.zip"
    path.write_bytes(zipped(store, run))
    found = archives.look_at(path.read_bytes())
    assert [each.run.id for each in found.ways] == [way.run for way in ways_of(run)]
    assert archives.compare(archives.of_archive(found), archives.of_store(run, store)).n_answers == 800
    assert cli.main(["--home", str(tmp_path / "other"), "reproduce", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["same"] and told["state"] == "same" and told["n_answers"] == 800, told["sentence"]
    assert told["before"] == told["now"] and set(told["before"]) == {"fine_tune", "knn on features, seed 0"}


@pytest.mark.keras
def test_another_result_is_told_in_one_line_and_by_the_exit_code(trained, tmp_path, capsys):
    store, run = trained
    way = store.get(ways_of(run)[1].run)
    (row,) = way.stored["rows"]
    again = store.create(way.spec)
    stored = {**way.stored, "rows": [{**row, "accuracy": 0.125}], "files": {}}
    store.claim(again.id)
    store.finish(again.id, "done", stored)
    assert cli.main(["--home", str(store.folder), "reproduce", again.id]) == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("Not the same: accuracy 12.50 % then, ") and last.endswith(".")
    newest = store.list(kind="heads")[0]
    assert newest.provenance.repeats == again.id and newest.state == "done"


def test_what_is_neither_a_file_nor_a_run_is_one_sentence(tmp_path, capsys):
    assert cli.main(["--home", str(tmp_path), "reproduce", "nothing.zip"]) == 2
    assert "There is neither a file nor a run 'nothing.zip'." in capsys.readouterr().err


def test_heads_are_named_by_input_and_seed(store):
    run = store.create(HeadSpec())
    row = {"head": "knn", "input": "pixels", "seed": 2, "accuracy": 0.5, "n": 2, "confusion": [[1, 0], [1, 0]]}
    store.finish(run.id, "done", {"rows": [row], "class_names": ["a", "b"]})
    assert archives.of_store(store.get(run.id), store).accuracies == {"knn on pixels, seed 2": 0.5}


# -- taken into another lab ------------------------------------------------------------------------------------------


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another lab; what tries the files runs in this process, where the images are few too."""
    monkeypatch.setattr(taking, "guarded", lambda function, arguments, *_: function(*arguments))
    return Store(tmp_path / "other")


@pytest.mark.keras
def test_an_imported_comparison_answers_shows_and_repeats_as_at_home(trained, other):
    store, run = trained
    taken = archives.take(archives.look_at(zipped(store, run)), other, "ada")
    assert (taken.owner, taken.provenance.imported, taken.provenance.left_out) == ("ada", run.id, ())
    assert taken.id != run.id and taken.accuracy == run.accuracy and taken.spec == run.spec
    pairs = list(zip(ways_of(run), ways_of(taken), strict=True))
    for before, way in pairs:
        first, part = store.get(before.run), other.get(way.run)
        assert (part.parent, part.owner, part.id != first.id) == (taken.id, "ada", True)
        assert other.points(part.id) == store.points(first.id)
        assert part.result.files.keys() == first.result.files.keys()
        for name in part.result.files:
            prediction.checked_file(part, name, other.folder)
    assert archives.compare(archives.of_store(run, store), archives.of_store(taken, other)).state == "same"
    images = datasets.samples("mnist_5_9", 20)[0]
    for name, parts in (("run:{}", 0), ("head:{}/knn-features.skops", 1)):
        one, two = (
            prediction.predictor(name.format(way.run), lab.folder).predict_proba(images)
            for way, lab in zip(pairs[parts], (store, other), strict=True)
        )
        assert np.array_equal(one, two)
    assert other.get(ways_of(taken)[0].run).result.files["model.keras"].bytes > 0


@pytest.mark.keras
@pytest.mark.slow
def test_the_files_are_tried_in_a_process_of_its_own(trained, tmp_path, with_nursery, capsys):
    store, run = trained
    path = tmp_path / "way.zip"
    path.write_bytes(zipped(store, store.get(ways_of(run)[0].run)))
    assert cli.main(["--home", str(tmp_path / "third"), "import", str(path), "--name", "From home"]) == 0
    told = capsys.readouterr().out
    (taken,) = Store(tmp_path / "third").list()
    assert f"Run {taken.id} was imported: From home" in told and "model.keras" in taken.result.files
    # That process has all test images, and these answers are to few: they are not taken, and that is said.
    assert "The answers are to other test images" in told and "outputs.npz" not in taken.result.files


def test_a_way_that_is_not_in_the_archive_leads_to_no_run_here(store, other):
    whole, mine = store.create(ComparisonSpec(TUNING)), other.create(TUNING)
    ways = [{"name": "fine_tune", "run": mine.id, "ended": True}, {"name": "scratch", "run": mine.id, "ended": True}]
    store.claim(whole.id)
    store.finish(whole.id, "done", {"ways": ways, "n_planned": 2})
    taken = archives.take(archives.look_at(zipped(store, store.get(whole.id))), other)
    assert mine.id not in [way.run for way in ways_of(taken)]


def test_settings_alone_are_read(store):
    run = store.create(TUNING)
    assert kinds.settings(exports.run_json(run).encode()) == TUNING == kinds.settings(to_json(TUNING).encode())


@pytest.mark.parametrize(
    ("members", "kind"),
    [(["contents.json"], "run"), (["config.json", "metadata.json"], "network"), (["schema.json"], "head")],
)
def test_a_file_is_told_by_what_is_in_it(members, kind):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in members:
            archive.writestr(name, "")
    assert kinds.kind_of(stream.getvalue()) == kind
