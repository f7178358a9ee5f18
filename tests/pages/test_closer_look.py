"""A closer look at finished runs: answers kept by hand, shown on the Runs page without a browser."""

import hashlib
import re
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tiny_results import fine_tuned

from pages.ui.closer import curves, evaluate
from pages.ui.session import state
from tlcore.datasets import Data
from tlcore.datasets.mnist import FORM
from tlcore.evaluation import evaluate as scored
from tlcore.evaluation import outputs
from tlcore.lab import Lab
from tlcore.people import Person
from tlcore.prediction.serving import Serving
from tlcore.prediction.what_if import WhatIf
from tlcore.recipes import scratch_control
from tlcore.spec import DataSpec, File, FineTuneSpec, HeadMean, HeadRow, HeadSpec, HeadsResult
from tlcore.store import Store

ROOT = Path(__file__).resolve().parents[2]
ME = Person("0" * 32)


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = Store(tmp_path / "lab")
    engine: Any = SimpleNamespace(stop=None)
    found = Lab(store.folder, store, engine, Serving(store.folder), WhatIf(store.folder))
    monkeypatch.setattr(state, "lab", lambda: found)
    monkeypatch.setattr(state, "person", lambda: ME)
    return found


SPEC = FineTuneSpec(data=DataSpec(per_class=200))


def finished(
    store: Store,
    predicted: np.ndarray,
    kept: bool = True,
    sure: float = 0.9,
    owner: str = ME.id,
    labels=None,
    spec=SPEC,
):
    """A fine-tuning whose network answered twelve images of two classes as told."""
    labels = np.arange(12) % 2 if labels is None else labels
    images = np.random.default_rng(0).integers(0, 256, (12, *FORM.shape)).astype(np.uint8)
    data = Data(images, labels, images, labels, images, labels, ("5", "6"), FORM, "")
    p = np.full((12, 2), 1 - sure, np.float32)
    p[np.arange(12), predicted] = sure
    run = store.create(spec, owner=owner)
    assert store.claim(run.id)
    files = {}
    if kept:
        noise = np.tile(np.array([[0.05, 0.95]], np.float32), (2 * outputs.N_NOISE, 1))
        path = outputs.save(store.run_folder(run.id, create=True), store.folder, data, {"model": (p, noise)})
        files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": 1}}
    result = fine_tuned(asdict(scored(labels, predicted, 2, p)), files=files)
    store.finish(run.id, "done", result)
    return store.get(run.id)


def compared(store: Store, head: str):
    """A comparison of one head on features, which answered twelve images of two classes rightly."""
    run = finished(store, mixed())
    test: Any = run.result.test
    row = HeadRow(**asdict(test), head=head, input="features", file=f"heads/{head}-features.skops")
    line = HeadMean(head, "features", 1, 1.0, None, 0.1, 0.0, 0.0, None, 4, best=True)
    network = outputs.load(store.run_folder(run.id) / outputs.FILE, "model")
    other = store.create(HeadSpec(heads=(head,), data=DataSpec(per_class=5)), owner=ME.id)
    assert store.claim(other.id)
    x = np.random.default_rng(0).integers(0, 256, (12, *FORM.shape)).astype(np.uint8)
    data = Data(x, network.labels, x, network.labels, x, network.labels, ("5", "6"), FORM, "")
    noise = np.tile(np.array([[0.05, 0.95]], np.float32), (2 * outputs.N_NOISE, 1))
    said = {f"{head}-features": (network.probabilities, noise)}
    path = outputs.save(store.run_folder(other.id, create=True), store.folder, data, said)
    files = {path.name: File(hashlib.sha256(path.read_bytes()).hexdigest())}
    result = HeadsResult(rows=(row,), table=(line,), class_names=("5", "6"), files=files, layer="flatten")
    store.finish(other.id, "done", asdict(result))
    return store.get(other.id)


@pytest.mark.parametrize(("head", "has_one"), [("logistic_regression", True), ("random_forest", False)])
def test_certainty_says_on_how_many_images_a_temperature_was_set(lab, head, has_one):
    shown = words(looked(compared(lab.store, head), "calibration"))
    assert "Expected calibration error" in shown
    assert ("the temperature, on 1,000 labelled validation images" in shown) is has_one


def looked(run, way: str | None = None, **session) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    app.session_state[f"closer_{run.id}"] = True
    app.session_state["run_run"] = run.id
    if way:
        app.session_state[f"way_{run.id}"] = way
    for key, value in session.items():
        app.session_state[key] = value
    app = app.switch_page("runs.py").run()
    assert not app.exception
    return app


def words(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.error, app.warning, app.success)
    return "\n".join(element.value for kind in kinds for element in kind)


def mixed(*wrong: int) -> np.ndarray:
    """Answers to the twelve images, all right but those."""
    predicted = np.arange(12) % 2
    predicted[list(wrong)] ^= 1
    return predicted


def test_the_cell_with_most_mistakes_is_open_and_another_is_a_choice_away(lab):
    run = finished(lab.store, mixed(0, 2, 1))
    app = looked(run)
    assert "2 images of 5 were called 6." in words(app)
    app.selectbox(key=f"true_{run.id}_model").set_value(1).run()
    assert "4 images of 6 were called 6" not in words(app) and "5 images of 6 were called 6." in words(app)


def test_a_click_on_a_cell_opens_it(lab, monkeypatch):
    kept = {"cells_k": {"selection": {"points": [{"customdata": [1, 0]}]}}}
    monkeypatch.setattr(state, "get", lambda key, default=None: kept.get(key, default))
    monkeypatch.setattr(state, "put", lambda **values: kept.update(values))
    evaluate._clicked("k")
    assert (kept["true_k"], kept["answer_k"]) == (1, 0)
    kept["cells_k"] = {"selection": {"points": []}}
    evaluate._clicked("k")
    assert (kept["true_k"], kept["answer_k"]) == (1, 0)


@pytest.mark.parametrize(
    ("way", "sentence"),
    [
        ("worst", "most wrong about"),
        ("classes", "harmonic mean"),
        ("calibration", "On average it is **90.0 % sure** and **75.0 % right**: too sure of itself."),
        ("noise", "For **100 %** of"),
        ("rivals", "Nothing to compare with yet: train another model on MNIST digits 5-9."),
    ],
)
def test_every_way_of_looking_says_what_was_measured(lab, way, sentence):
    assert sentence in words(looked(finished(lab.store, mixed(0, 2, 1)), way))


@pytest.mark.parametrize("wrong", [(), (0,), (0, 2, 1)])
def test_only_wrong_answers_are_shown_as_what_it_was_most_wrong_about(lab, wrong):
    app = looked(finished(lab.store, mixed(*wrong)), "worst")
    assert ("No test image was mixed up." in [each.value for each in app.success]) is (not wrong)
    assert "".join(each.proto.body for each in app.get("html")).count("<figure>") == len(wrong)


def test_the_places_of_the_other_ways_are_emptied_for_streamlit_may_keep_what_stood_there(lab):
    app = looked(finished(lab.store, mixed(0, 2, 1)), "calibration")
    assert len(app.get("empty")) >= 7  # while the chip of what runs ticks, the table of the curves stayed below


def test_curves_have_their_areas_a_table_and_a_file(lab, monkeypatch):
    monkeypatch.setattr(curves, "asked", lambda function, *arguments: function(*arguments))
    run = finished(lab.store, mixed(0, 2, 1))
    app = looked(run, "curves")
    said = words(app)
    assert "Area under the ROC curve: **0.750**" in said and "1,000 bootstrap draws" in said and "seed 0" in said
    table = next(table.value for table in app.dataframe if "average precision" in table.value)
    assert table["class"].tolist() == ["5", "6"] and table["share of the test images"].tolist() == [50, 50]
    chosen = app.selectbox(key=f"curve_{run.id}_model")
    assert chosen.options == ["5", "6"] and not chosen.set_value(0).run().exception


def test_a_lopsided_test_leads_with_the_balanced_accuracy_and_says_what_guessing_reaches(lab):
    run = finished(lab.store, mixed(0), labels=np.repeat([0, 1], (3, 9)))
    app = looked(run, "classes")
    said = words(app)
    balanced = scored(np.repeat([0, 1], (3, 9)), mixed(0), 2).balanced
    assert balanced is not None and f"**{100 * balanced.accuracy:.1f} % balanced**" in said
    assert "Always guessing 6 would reach 50.0 %, and be right in 75.0 % of the images." in said
    first = app.metric[0]
    assert (first.label, first.value) == ("Balanced accuracy", f"{100 * balanced.accuracy:.1f} %")
    assert first.delta == "always guessing: 50.0 %"


def test_a_model_that_is_right_more_often_than_it_claims_is_less_sure_than_it_should_be(lab):
    said = words(looked(finished(lab.store, mixed(), sure=0.7), "calibration"))
    assert "**70.0 % sure** and **100.0 % right**: less sure than it should be." in said


def test_the_classes_table_is_the_confusions(lab):
    app = looked(finished(lab.store, mixed(0, 2, 1)), "classes")
    table = next(table.value for table in app.dataframe if "precision" in table.value)
    assert table["recall"].tolist() == pytest.approx([400 / 6, 500 / 6])
    assert table["precision"].tolist() == pytest.approx([80, 500 / 7])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ((0,), "12 test images are too few to tell\\: this one"),
        ((0, 1, 2, 3, 4, 5), "this one is better than the other"),
    ],
)
def test_two_models_on_the_same_images_are_compared_image_by_image(lab, wrong, sentence):
    finished(lab.store, mixed(*wrong))
    run = finished(lab.store, mixed())
    said = words(looked(run, "rivals"))
    assert sentence in said and f"Of 12 images, {len(wrong)} were right only here and 0 only with the other." in said


@pytest.mark.parametrize("wrong", [(0,), (0, 1, 2, 3, 4, 5)])
def test_train_and_the_closer_look_say_the_same_of_one_pair(lab, wrong):
    control = finished(lab.store, mixed(*wrong), spec=scratch_control(SPEC))
    tuned = finished(lab.store, mixed())
    (verdict,) = re.findall("^.*McNemar.*$", words(looked(tuned, "rivals")), re.MULTILINE)
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    app.session_state["run_ft"], app.session_state["run_scratch"] = tuned.id, control.id
    app = app.switch_page("train.py").run()
    assert not app.exception
    assert verdict.replace("this one", "Fine-tuning").replace("the other", "From scratch") in words(app)


def test_the_better_of_two_is_named_from_the_other_side_too(lab):
    run = finished(lab.store, mixed(0, 1, 2, 3, 4, 5))
    finished(lab.store, mixed())
    assert "the other is better than this one" in words(looked(run, "rivals"))


def test_somebody_elses_runs_are_not_offered_to_compare_with(lab):
    run = finished(lab.store, mixed())
    finished(lab.store, mixed(0), owner="1" * 32)
    assert "Nothing to compare with yet" in words(looked(run, "rivals"))


def test_a_run_without_kept_answers_is_one_sentence(lab):
    run = finished(lab.store, mixed(0), kept=False)
    assert "older than the record of each answer. Train it again" in words(looked(run))


def test_damaged_answers_are_one_sentence(lab):
    run = finished(lab.store, mixed(0))
    (lab.store.run_folder(run.id) / outputs.FILE).write_bytes(b"no")
    assert f"The file {outputs.FILE} of run {run.id} is damaged" in words(looked(run)).replace("\\", "")


def test_nothing_is_read_while_it_is_folded(lab, monkeypatch):
    run = finished(lab.store, mixed(0))
    monkeypatch.setattr(outputs, "load", lambda *a: pytest.fail("read though folded"))
    app = AppTest.from_file(str(ROOT / "pages" / "menu.py"), default_timeout=60)
    app.session_state["run_run"] = run.id
    app = app.switch_page("runs.py").run()
    assert not app.exception and sum("Look closer" in box.label for box in app.expander) == 1
