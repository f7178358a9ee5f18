"""Test on new data, on the page of a run: choose a set, start, and see accuracy, confusion and worst answers."""

import numpy as np
import pytest
from pages.test_pages import ME, TUNED, finished, opened, sound, words

from pages import test_pages
from tlcore import prediction
from tlcore.datasets.mnist import FORM
from tlcore.jobs import execution
from tlcore.prediction import Predictor
from tlcore.spec import DataSpec, EvaluateSpec, FineTuneSpec

lab = test_pages.lab
DIGITS = tuple("0123456789")


@pytest.fixture
def run(lab, monkeypatch):
    """A finished fine-tuning on all ten digits, whose network says 3 to everything."""

    def answers(items):
        return np.tile(np.eye(10, dtype=np.float32)[3] * 0.9 + 0.01, (len(items), 1))

    monkeypatch.setattr(prediction, "predictor", lambda name, folder: Predictor(name, DIGITS, FORM, answers))
    spec = FineTuneSpec(data=DataSpec("mnist", per_class=5))
    return finished(lab.store, {**TUNED, "class_names": DIGITS}, spec=spec)


def panel(run, **session):
    return sound(opened("runs", run_run=run.id, **{f"new_data_{run.id}": True}, **session))


def test_a_model_is_tested_on_a_set_with_its_classes(lab, run):
    app = panel(run)
    box = app.selectbox(key=f"test_set_{run.id}")
    assert box.value == "digits_8x8"  # the first of those that fit
    app = sound(app.button(key=f"test_{run.id}").click().run())
    (test,) = lab.store.list(kind="evaluate")
    assert test.owner == ME.id and test.spec == EvaluateSpec(f"run:{run.id}", "digits_8x8", "test", "digits_0_4", 5, 0)
    assert app.button(key=f"test_{run.id}").disabled and app.button(key=f"stop_{test.id}")
    execution.execute(test.id, str(lab.folder))
    app = panel(run)
    said = words(app)
    assert "Measured on 359 test images never trained on; 95 % interval" in said
    assert "points less** than on its own test images" in said and "most wrong about" in said
    assert "You have used the test images of Small digits (scikit-learn) 1 time so far." in said
    shown = words(sound(opened("runs", run_run=test.id)))
    assert "Measured on 359 test images" in shown and "Test on new data" not in shown


def test_a_set_with_other_classes_says_so_and_cannot_be_tested(lab, run):
    app = panel(run)
    app = sound(app.selectbox(key=f"test_set_{run.id}").set_value("mnist_5_9").run())
    assert "The model tells 10 classes apart" in words(app) and app.button(key=f"test_{run.id}").disabled
