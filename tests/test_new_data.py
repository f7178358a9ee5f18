"""A finished model on another set: same classes or a sentence, nothing it learned from, a run that counts."""

import numpy as np
import pytest
from few_pictures import set_of_own

from tlcore import cli, datasets, jobs, prediction
from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError, SpecError
from tlcore.evaluation import new_data
from tlcore.jobs.evaluate import Evaluate, asked
from tlcore.jobs.execution import execute
from tlcore.people import Access, Limits, Person
from tlcore.prediction import Predictor
from tlcore.spec import DataSpec, EvaluateSpec
from tlcore.store import Store

TARGET = "digits_8x8"
DIGITS = tuple("0123456789")


@pytest.fixture
def always_three(monkeypatch):
    """The network of all digits, which says 3 to everything; no Keras is loaded."""

    def answers(items):
        return np.tile(np.eye(10, dtype=np.float32)[3] * 0.9 + 0.01, (len(items), 1))

    monkeypatch.setattr(prediction, "predictor", lambda name, folder: Predictor(name, DIGITS, FORM, answers))


def test_a_set_of_other_classes_or_another_form_is_one_sentence():
    digits, hands = datasets.info("mnist_5_9"), datasets.info("hands")
    assert not new_data.misfit(tuple("98765"), FORM, digits)
    assert "tells 2 classes apart (5, 6), but MNIST digits 5-9 has 5" in str(new_data.misfit(("5", "6"), FORM, digits))
    assert "classes are 0, 1, 2, 3, 4, but those of MNIST digits 5-9 are 5" in str(
        new_data.misfit(tuple("01234"), FORM, digits)
    )
    assert "reads 28 × 28, but Hands 0-9 (photographs) has 96 × 96 × 3" in str(new_data.misfit(DIGITS, FORM, hands))


def test_labels_stand_in_the_order_of_the_models_classes():
    found = new_data.new_items(TARGET, "test", DIGITS[::-1], None)
    assert found.labels.tolist() == (9 - datasets.get(TARGET).labels("test")).tolist()
    assert (found.n_learned, found.checked) == (0, False)


def test_what_the_model_learned_from_is_left_out():
    learned = DataSpec(TARGET, per_class=5)
    data = datasets.load(learned)
    n = len(datasets.get(TARGET).labels("train")) + len(data.y_test)
    found = new_data.new_items(TARGET, "all", DIGITS, learned)
    assert found.checked and found.n_learned == len(data.y_train) + len(data.y_validation) == n - len(found.items)
    seen = {item.tobytes() for item in data.x_train}
    assert not seen & {item.tobytes() for item in found.items}
    assert new_data.new_items(TARGET, "test", DIGITS, learned).n_learned == 0


def test_a_set_of_which_everything_was_learned_is_refused(monkeypatch):
    monkeypatch.setattr(new_data, "_seen", lambda learned: set(new_data._digests(datasets.get(TARGET).read().x_test)))
    with pytest.raises(DataError, match="has learned from every picture of Small digits"):
        new_data.new_items(TARGET, "test", DIGITS, DataSpec(TARGET))


def test_a_removed_set_that_it_learned_from_cannot_be_checked():
    name = set_of_own("", "Gone soon").name
    datasets.own_sets.remove(name)
    for path in (datasets.own_sets.folder() / name).glob("*.npy"):
        path.unlink()
    assert not new_data.new_items(TARGET, "test", DIGITS, DataSpec(name, per_class=None)).checked


def test_a_test_is_a_run_that_counts_as_a_use_of_the_test_images(store, always_three):
    run = store.create(asked("source:digits", TARGET, store.folder), owner="me")
    execute(run.id, str(store.folder))
    run = store.get(run.id)
    labels = datasets.get(TARGET).labels("test")
    assert run.state == "done" and run.result.test.n == len(labels)
    assert run.accuracy == pytest.approx((labels == 3).mean())
    assert run.result.class_names == DIGITS and sum(map(sum, run.result.test.confusion)) == len(labels)
    assert jobs.describe(run.spec) == "digits tested on digits_8x8"
    me = Access(store, Person("me"), Limits(), lambda run_id: None)
    assert (me.test_uses(TARGET), me.test_uses("mnist")) == (1, 0)


def test_a_model_that_is_not_there_or_names_no_classes_is_refused(store):
    for name in ("source:random", "taught:transfer"):
        with pytest.raises(SpecError, match="cannot be tested. Name a finished run"):
            asked(name, TARGET, store.folder)
    with pytest.raises(SpecError, match="Choose a set with its classes"):
        asked("source:digits_0_4", TARGET, store.folder)
    with pytest.raises(SpecError, match="part"):
        Evaluate().check(EvaluateSpec("source:digits_0_4", part="train"))


def test_the_command_says_accuracy_confusion_and_how_to_look_closer(always_three, tmp_path, capsys):
    home = tmp_path / "lab"
    assert cli.main(["evaluate", "digits", "--target", TARGET, "--all", "--home", str(home)]) == 0
    printed = capsys.readouterr().out
    assert "images never trained on; 95 % interval" in printed and "true class  answered" in printed
    (run,) = Store(home).list()
    assert run.spec.part == "all" and f"Run {run.id}: done" in printed
    assert cli.main(["look", run.id[:8], "--home", str(home)]) == 0
    assert "expected calibration error" in capsys.readouterr().out
    assert cli.main(["evaluate", "digits_0_4", "--target", TARGET, "--home", str(home)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
