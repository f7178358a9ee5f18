"""The pictures on which a model and their labels disagree, and the version of a set that comes of it."""

import few_hands
import numpy as np
import pytest
from few_pictures import set_of_own

from tlcore import datasets, prediction
from tlcore.datasets import own_sets
from tlcore.errors import SpecError
from tlcore.evaluation.outputs import Outputs
from tlcore.inspection import doubts
from tlcore.people import Access, Limits, Person
from tlcore.prediction import Predictor
from tlcore.spec import DataSpec, EvaluateSpec, FineTuneSpec

NAMES = ("disc", "square")


@pytest.fixture
def shapes(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))
    return set_of_own("me")


def said(shares) -> Outputs:
    shares = np.array(shares, np.float32)
    labels = np.array([0, 1])
    return Outputs(labels, shares, shares.argmax(axis=1), np.zeros((2, 2), np.float32), "")


def run_of(store, spec, **result):
    run = store.create(spec, owner="me")
    store.claim(run.id)
    store.finish(run.id, "done", {"class_names": NAMES, "test": {"accuracy": 0.5}, **result})
    return store.get(run.id)


def test_the_test_picture_with_the_highest_loss_comes_first(store, shapes):
    run = run_of(store, FineTuneSpec(data=DataSpec(shapes.name, per_class=2)))
    found = doubts.of_test(run, said([[0.9, 0.1], [0.75, 0.25]]))
    assert [(each.where, each.label, each.answer) for each in found] == [
        (("test", 1), "square", "disc"),
        (("test", 0), "disc", "disc"),
    ]
    assert found[0].probability == 0.75 and found[0].loss == pytest.approx(np.log(4))
    mixed = run_of(store, EvaluateSpec("run:x", shapes.name, "all"))
    with pytest.raises(SpecError, match="mixed training and test images"):
        doubts.of_test(mixed, said([[0.9, 0.1], [0.75, 0.25]]))


def test_training_pictures_are_asked_about_in_the_order_of_the_models_classes(shapes, monkeypatch):
    def square(items):
        return np.tile(np.array([[0.9, 0.1]], np.float32), (len(items), 1))

    model = Predictor("run:x", NAMES[::-1], shapes.form, square)
    monkeypatch.setattr(prediction, "predictor", lambda name, folder: model)
    found = doubts.of_training("run:x", shapes.name, "")
    labels = datasets.get(shapes.name).labels("train")
    assert len(found) == len(labels) and {each.answer for each in found} == {"square"}
    n = int((labels == 0).sum())
    assert [each.label for each in found] == ["disc"] * n + ["square"] * (len(labels) - n)
    assert doubts.of_class(shapes.name, "disc", "train") == [("train", row) for row in np.flatnonzero(labels == 0)]


def test_a_cleaned_version_counts_the_uses_of_the_test_images_that_it_took_over(store, shapes):
    new = own_sets.revise(shapes.name, {}, {("train", 0)}, owner="me")
    assert new.made_from == shapes.name and datasets.sharing(new.name) == (new.name, shapes.name)
    run_of(store, FineTuneSpec(data=DataSpec(shapes.name, per_class=2)))
    me = Access(store, Person("me"), Limits(), lambda run_id: None)
    assert (me.test_uses(shapes.name), me.test_uses(new.name)) == (1, 1)


def test_a_set_that_ships_stays_and_what_is_marked_makes_one_of_ones_own(shapes, monkeypatch):
    few_hands.use(monkeypatch)
    source = datasets.get("hands")
    before = source.labels("train")
    made = own_sets.revise("hands", {("train", 0): "1"}, [("test", 0)], owner="me")
    assert (made.owner, made.made_from, made.n) == ("me", "hands", len(before) + len(source.labels("test")) - 1)
    assert made.sizes[:2] == (few_hands.N_TRAIN - 1, few_hands.N_TRAIN + 1) and made.test_sizes[0] == 1
    assert np.array_equal(source.labels("train"), before)
    kept = datasets.get(made.name)
    assert np.array_equal(kept.items("train", np.arange(3)), source.items("train", np.arange(3)))
    assert "hands" in datasets.sharing(made.name)  # its test images count as used
    assert doubts.of_class("hands", "1", "test") == [
        ("test", row) for row in np.flatnonzero(source.labels("test") == 1)
    ]
