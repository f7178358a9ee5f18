"""What pages show of an answer, a head, a network or a run, from the command line."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tlcore import cli, datasets
from tlcore.evidence import recorded_race
from tlcore.inspection import lesson
from tlcore.jobs import execution as worker
from tlcore.prediction import what_if
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store

pytestmark = pytest.mark.keras

FEW = DataSpec(per_class=5)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A data folder with a fine-tuning and a comparison of heads."""
    folder = tmp_path_factory.mktemp("home") / "lab"
    store = Store(folder)
    for spec in (
        FineTuneSpec(data=FEW, phases=(Phase(2, ("conv_1", "conv_2")),)),
        HeadSpec(data=FEW, heads=("knn", "rbf_svm", "random_forest"), curves=False),
    ):
        worker.execute(store.create(spec).id, str(folder))
    return folder


@pytest.fixture
def do(home, capsys, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(home))

    def run(*line):
        code = cli.main([str(word) for word in line])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def ids(home):
    heads, tuned = Store(home).list()
    return {"tuned": tuned.id, "heads": heads.id}


@pytest.fixture
def seven(tmp_path):
    items, labels = datasets.samples("mnist", 20, seed=0)
    path = tmp_path / "seven.png"
    Image.fromarray(items[labels == 7][0][..., 0]).resize((112, 112)).save(path)
    return path


def told(answer):
    code, printed, said = answer
    assert code == 0, said
    return json.loads(printed)


@pytest.mark.parametrize("cut", ["flatten", "nothing"])
def test_a_moved_boundary_answers_as_the_page_does(do, home, cut):
    values = told(do("what-if", "--cut", cut, "--json"))
    expected = what_if.retrain(what_if.Move(cut=None if cut == "nothing" else cut))
    assert values["test"]["accuracy"] == expected.test.accuracy and values["n_trainable"] == expected.n_trainable
    code, printed, _ = do("what-if", "--cut", cut)
    assert code == 0 and "95 % interval" in printed and "bit for bit unchanged" in printed


def test_every_cut_is_answered_in_one_command(do):
    values = told(do("what-if", "--every-cut", "--per-class", 5, "--json"))
    assert list(values["tests"])[:2] == ["pixels", "conv_1"] and values["n_images"] == 25
    code, printed, _ = do("what-if", "--every-cut", "--per-class", 5)
    assert code == 0 and f"{100 * values['tests']['flatten']['accuracy']:.1f} %" in printed


def test_an_answer_is_explained_with_where_it_looks_and_what_is_near(do, seven, tmp_path):
    values = told(do("explain", seven, "--json", "--arrays", tmp_path / "why.npz"))
    assert values["label"] == "7" and values["heat"]["layer"] == "conv_2" and len(values["nearest"]["images"]) == 8
    with np.load(tmp_path / "why.npz") as arrays:
        assert arrays["heat"].shape == (28, 28) and arrays["layer/conv_1"].shape == (26, 26, 32)
    code, printed, _ = do("explain", seven)
    assert code == 0 and "It looks most at row" in printed and "Nearest of" in printed


def test_a_closer_look_has_every_number_of_the_page(do, ids):
    values = told(do("look", ids["tuned"], "--json"))
    assert sum(map(sum, values["test"]["confusion"])) == 4861 and len(values["classes"]) == 5
    assert values["calibration"]["right"] == pytest.approx(values["test"]["accuracy"])
    code, printed, _ = do("look", f"{ids['heads']}/knn-features")
    assert code == 0 and "expected calibration error" in printed and "mixed up" not in printed


def test_two_models_are_held_against_each_other_and_few_labels_are_said(do, ids):
    line = ("look", f"{ids['heads']}/knn-features", "--against", f"{ids['heads']}/random_forest-features")
    values = told(do(*line, "--json"))
    assert values["tested"] == "images" and values["verdict"].startswith("With these 25 images")
    code, printed, _ = do(*line)
    assert code == 0 and "Other training images" in printed and "--repeat" in printed


def test_repetitions_are_run_and_then_the_seeds_decide(do, ids, home):
    line = (
        "look",
        f"{ids['heads']}/knn-features",
        "--against",
        f"{ids['heads']}/rbf_svm-features",
        "--repeat",
        "--json",
    )
    values = told(do(*line))
    assert values["tested"] == "seeds" and "over 5 seeds" in values["verdict"]
    repeated = [run for run in Store(home).list(kind="heads") if run.spec.seeds == (1, 2, 3, 4)]
    assert sorted(run.spec.heads for run in repeated) == [("knn",), ("rbf_svm",)]


def test_an_svm_and_a_forest_are_opened(do, ids):
    values = told(do("inside", f"{ids['heads']}/rbf_svm-features", "--pair", "5,8", "--json"))
    assert values["pair"] == ["5", "8"] and values["sum"] == pytest.approx(values["decision"], abs=1e-6)
    values = told(do("inside", f"{ids['heads']}/random_forest-features", "--image", 2, "--json"))
    assert sum(values["average"].values()) == pytest.approx(1) and values["average"] == values["predict_proba"]
    for bad, words in (
        ("knn-features", "neither an SVM nor a forest"),
        ("rbf_svm-features --pair 5,5", "takes two classes of 5, 6"),
    ):
        code, _, said = do("inside", *f"{ids['heads']}/{bad}".split())
        assert code == 2 and words in said


def test_a_map_says_who_is_near_whom_and_writes_its_points(do, ids, tmp_path):
    values = told(do("map", ids["tuned"], "--csv", tmp_path / "points.csv", "--json"))
    assert 0.5 < values["same_class"]["after"] <= 1 and not values["same"]
    with open(tmp_path / "points.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 500


def test_the_lesson_is_the_recorded_one_or_a_runs(do, ids, home):
    known = lesson.recorded()
    code, printed, _ = do("lesson")
    assert code == 0 and f"J = {known.loss:.4f}" in printed and "support vectors" in printed
    values = told(do("lesson", ids["tuned"], "--json"))
    assert values["loss"] == pytest.approx(lesson.of_run(ids["tuned"], str(home)).loss)


def test_a_race_runs_its_lanes_and_says_which_did_better(do, home):
    values = told(do("race", "--per-class", 5, "--epochs", 1, "--lanes", "convolutions,scratch", "--json"))
    assert list(values["lanes"]) == ["convolutions", "scratch"] and set(values["accuracies"]) == set(values["lanes"])
    specs = [Store(home).get(run_id).spec for run_id in values["lanes"].values()]
    assert [(spec.film, spec.source) for spec in specs] == [(True, "digits_0_4"), (True, "random")]


def test_a_race_is_recorded_in_the_form_of_the_one_that_ships(do, home, monkeypatch, tmp_path):
    path = tmp_path / "race.json"
    monkeypatch.setattr(recorded_race.write, "__defaults__", (path,))
    line = ("race", "--per-class", 5, "--epochs", 1, "--lanes", "nothing,scratch", "--record")
    code, _printed, said = do(*line)
    assert code == 0 and str(path) in said
    made, ships = (json.loads(file.read_text()) for file in (path, recorded_race.FILE))
    assert form(made) == form(ships)
    card = recorded_race.load(path)
    assert [lane.name for lane in card.lanes] == ["nothing", "scratch"] and card.lanes[0].spec.epochs == 1
    assert [frame.epoch for frame in card.lanes[0].frames] == [0, 1]
    assert card.lanes[0].watched.labels == card.lanes[1].watched.labels and len(card.chosen.places) == 12


def form(value: object) -> object:
    """Return what a stored value is made of, of a list what its first part is."""
    if isinstance(value, dict) and "template" not in value:
        return {name: form(part) for name, part in value.items()}
    return [form(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_a_run_is_named_and_noted_and_both_are_taken_away_again(do, ids, home):
    for field in ("name", "note"):
        for text in ("first try", ""):
            assert do("runs", field, ids["tuned"], text)[0] == 0
            assert getattr(Store(home).get(ids["tuned"]), field) == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("what-if --cut conv_9", "conv_9"),
        ("what-if --tail rbf", "tail"),
        ("explain nothing.png", "no such file"),
        ("look digits", "not a run"),
        ("look {tuned} --repeat", "--against"),
        ("look {tuned} --against {tuned}", "two different models"),
        ("inside {heads}", "has: "),
        ("map {heads}", "did not fine-tune"),
        ("map {tuned} --layer conv_9", "conv_9"),
        ("lesson {heads}", "not a finished fine-tuning"),
        ("race --lanes scratch", "from 2 to 4 lanes"),
        ("race --recipe article", "cannot be raced"),
        ("runs name 000000 x", "There is no run"),
    ],
)
def test_what_cannot_be_looked_at_is_one_sentence(do, ids, line, words):
    code, printed, said = do(*line.format(**ids).split())
    assert code in (1, 2) and words in said and said.count("\n") == 1 and not printed
