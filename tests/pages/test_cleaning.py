"""Cleaning a set, from a run's worst answers and on Data: marks, a new version, and the way back."""

import hashlib
from dataclasses import asdict

import few_hands
import numpy as np
import pytest
from few_pictures import set_of_own
from pages.test_pages import ME, lab, opened, sound, words  # noqa: F401
from tiny_results import fine_tuned

from pages.ui.session import sets
from pages.ui.sets.cleaning import may_clean
from tlcore import datasets
from tlcore.datasets import own_sets
from tlcore.evaluation import evaluate, outputs
from tlcore.spec import DataSpec, FineTuneSpec

CLASSES = {"disc": 8, "square": 8}


@pytest.fixture
def shapes(lab, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(lab.folder))
    monkeypatch.setattr(sets, "stand_in", lambda: "")
    return set_of_own(ME.id, classes=CLASSES)


@pytest.fixture
def run(lab, shapes):  # noqa: F811
    """A run that calls every test picture a disc."""
    return finished(lab, shapes.name, [0.8, 0.2])


def finished(lab, target, shares):  # noqa: F811
    """A run on a target that gives every test picture the same shares."""
    data = datasets.load(DataSpec(target, per_class=2))
    k, shares = len(data.class_names), np.tile(np.array([shares], np.float32), (len(data.y_test), 1))
    made = lab.store.create(FineTuneSpec("mobilenet_v2", DataSpec(target, per_class=2)), owner=ME.id)
    assert lab.store.claim(made.id)
    noise = np.full((2 * outputs.N_NOISE, k), 1 / k, np.float32)
    path = outputs.save(lab.store.run_folder(made.id, create=True), lab.folder, data, {"model": (shares, noise)})
    files = {path.name: {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "bytes": 1}}
    score = asdict(evaluate(data.y_test, shares.argmax(axis=1), k, shares))
    form = asdict(data.form)
    result = fine_tuned(score, files=files, class_names=data.class_names, form=form)
    lab.store.finish(made.id, "done", result)
    return lab.store.get(made.id)


def mark_key(shapes, part, row):
    return f"mark_{shapes.name}_{part}_{row}"


def test_pictures_are_marked_in_the_closer_look_and_make_a_version_that_can_be_taken_back(lab, shapes, run):  # noqa: F811
    open_at = {"run_run": run.id, f"closer_{run.id}": True, f"way_{run.id}": "clean"}
    app = sound(opened("runs", **open_at))
    labels = datasets.get(shapes.name).labels("test")
    wrong = int(np.flatnonzero(labels == 1)[0])
    assert "square → disc, 80 %" in "".join(each.proto.body for each in app.get("html"))
    box = app.selectbox(key=mark_key(shapes, "test", wrong))
    assert box.value == "keep" and box.options == ["Keep as square", "Leave out", "It is disc"]
    app = sound(box.set_value("").run())
    assert "**Marked:** 0 for another class, 1 to leave out." in words(app)
    app = sound(app.button(key=f"clean_make_{shapes.name}").click().run())
    new = own_sets.card(app.session_state["target"])
    assert new.name != shapes.name and new.n == shapes.n - 1 and new.made_from == shapes.name
    assert "is ready: 15 pictures. The next run learns from it." in words(app) and "Marked" not in words(app)
    app = sound(app.button(key=f"clean_undo_{shapes.name}").click().run())
    assert own_sets.card(new.name).removed and app.session_state["target"] == shapes.name
    assert [card.name for card in own_sets.kept(ME.id)] == [shapes.name]


def test_a_class_is_looked_through_on_data_and_relabelled(shapes):
    app = sound(opened("data", **{f"clean_{shapes.name}": True}))
    row = int(np.flatnonzero(datasets.get(shapes.name).labels("train") == 0)[0])
    app = sound(app.selectbox(key=mark_key(shapes, "train", row)).set_value("=square").run())
    assert "**Marked:** 1 for another class, 0 to leave out." in words(app)
    app.text_input(key=f"clean_title_{shapes.name}").set_value("Better shapes")
    app = sound(app.button(key=f"clean_make_{shapes.name}").click().run())
    new = next(card for card in own_sets.kept(ME.id) if card.title == "Better shapes")
    assert new.sizes == (shapes.sizes[0] - 1, shapes.sizes[1] + 1) and app.session_state["target"] == new.name


def test_too_few_pictures_are_refused_and_the_marks_stay(shapes):
    rows = np.flatnonzero(datasets.get(shapes.name).labels("train") == 0)
    marks = {("train", int(row)): "" for row in rows[:-1]}
    app = sound(opened("data", **{f"clean_{shapes.name}": True, f"marks_{shapes.name}": marks}))
    app = sound(app.button(key=f"clean_make_{shapes.name}").click().run())
    assert "each class 2 training pictures" in words(app) and app.session_state[f"marks_{shapes.name}"] == marks
    app = sound(app.button(key=f"clean_forget_{shapes.name}").click().run())
    assert "Marked" not in words(app)


def test_ones_own_sets_and_everybodys_can_be_cleaned_and_nobody_elses(shapes):
    everybodys, bobs = set_of_own("", "Everybody's", CLASSES), set_of_own("b" * 32, "Bob's", CLASSES)
    assert may_clean(shapes.name) and may_clean(everybodys.name)
    assert not may_clean(bobs.name) and not may_clean("no such set")


def test_a_set_that_ships_is_cleaned_as_a_set_of_ones_own(lab, shapes, monkeypatch):  # noqa: F811
    few_hands.use(monkeypatch)
    run = finished(lab, "hands", [0.82] + 9 * [0.02])
    app = sound(opened("runs", **{"run_run": run.id, f"closer_{run.id}": True, f"way_{run.id}": "clean"}))
    assert "ships with the lab and stays as it is" in words(app)
    wrong = next(box for box in app.selectbox if str(box.key).startswith("mark_hands_test_"))
    app = sound(wrong.set_value("").run())
    app = sound(app.button(key="clean_make_hands").click().run())
    new = own_sets.card(app.session_state["target"])
    assert new.owner == ME.id and new.made_from == "hands" and new.n == datasets.info("hands").n_train + 19
    app = sound(app.button(key="clean_undo_hands").click().run())
    assert own_sets.card(new.name).removed and app.session_state["target"] == "hands"
