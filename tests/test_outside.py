"""What is like nothing that a model was made for is told from what is: on features, calibrated on validation items."""

import numpy as np
import pytest

from tlcore import datasets
from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError, SpecError
from tlcore.evidence import outsiders
from tlcore.prediction import ModelName, outside, serving
from tlcore.prediction.outside import FALSE_ALARMS, Neighbours, Outside
from tlcore.spec import DataSpec


def test_an_item_is_as_far_as_its_direction_or_its_raw_numbers_say_whichever_is_more():
    known = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    rng = np.random.default_rng(0)
    others = np.abs(known[rng.integers(0, 2, 1000)] + rng.normal(0, 0.05, (1000, 2))).astype(np.float32)
    distance = Neighbours(known, known, (others, others))
    near, turned, much = np.array([[1.0, 0.02], [0.7, 0.7], [3.0, 0.0]], np.float32)
    assert distance(near[None], near[None])[0] < 1
    assert distance(turned[None], near[None])[0] > 1  # another direction
    assert distance(near[None], much[None])[0] > 1  # the right direction, and too much of it
    assert (distance(others, others) > 1).mean() == pytest.approx(FALSE_ALARMS, abs=0.005)


def test_what_a_detector_answers_is_read_back_and_a_sentence_is_no_answer():
    assert outside.read([1.2, 0.03]) == Outside(1.2, 0.03) and outside.read([1.2, 0.03]).is_outside
    assert not outside.read([0.9, 0.03]).is_outside
    assert outside.read("The model did not answer in time.") is None and outside.read(None) is None


def test_its_name_is_the_models_with_a_word_before_it():
    name = ModelName.outside("head:0123456789abcdef/knn-pixels.skops")
    assert ModelName.parse(str(name)) == name
    with pytest.raises(SpecError):
        ModelName.parse("outside:")


def test_scribbles_are_the_same_every_time_and_all_differ():
    images = outsiders.scribbles(20)
    assert images.shape == (20, 28, 28, 1) and len(np.unique(images.reshape(20, -1), axis=0)) == 20
    np.testing.assert_array_equal(images, outsiders.scribbles(20))


def test_what_a_set_that_does_not_ship_is_compared_with_does(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    held_out, test = datasets.unseen(DataSpec("fashion_mnist"))
    assert held_out.shape == (1000, 28, 28, 1) and test.shape == (500, 28, 28, 1) and held_out.dtype == np.uint8
    with pytest.raises(DataError, match="CIFAR-10 in grey is not on this computer"):
        datasets.unseen(DataSpec("cifar10"))


def test_what_is_compared_was_in_no_training_set():
    held_out, _test = datasets.unseen(DataSpec("mnist_5_9", seed=3))
    learned = datasets.load(DataSpec("mnist_5_9", per_class=None, seed=3)).x_train
    as_bytes = {image.tobytes() for image in learned[:5000]}
    assert len(held_out) == 2940 and not any(image.tobytes() in as_bytes for image in held_out[:500])


@pytest.mark.keras
@pytest.mark.parametrize("name", ["source:digits_0_4", "source:digits", "taught:transfer", "taught:scratch"])
def test_every_shipped_model_calls_scribbles_outside_and_test_digits_not(name, tmp_path):
    row = outsiders.measure(name, "", tmp_path, None)
    assert row.test <= 0.05
    assert row.scribbles >= 0.8


@pytest.mark.keras
def test_the_process_that_answers_tells_it_of_garments_without_a_download(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    detector = serving._load("outside:source:fashion", tmp_path)
    digits, _labels = datasets.samples("mnist", 100)
    told = [outside.read(answer) for answer in detector.predict_proba(digits).tolist()]
    assert sum(one.is_outside for one in told) >= 80
    assert told[0].false_alarms <= 0.08


@pytest.mark.keras
def test_a_model_that_learned_little_is_judged_by_the_network_that_ships_for_its_images(tmp_path):
    drawn = outsiders.scribbles(10)
    told = [outside.detector(name, tmp_path).predict_proba(drawn) for name in ("taught:scratch", "source:digits")]
    np.testing.assert_array_equal(*told)
    assert outside.judge(FORM, "digits_8x8") is None  # then by its own


def test_runs_of_all_seeds_are_judged_alike_and_calibrated_once(tmp_path, monkeypatch):
    calibrated = []
    monkeypatch.setattr(outside, "_of_source", lambda *of: calibrated.append(of) or np.asarray)
    for seed in (0, 3, 7):
        made_for = FORM, DataSpec("mnist_5_9", seed=seed), pytest.fail
        monkeypatch.setattr(outside, "_made_for", lambda _asked, _folder, made_for=made_for: made_for)
        outside.detector(f"run:{seed:016x}", tmp_path)
    assert len(calibrated) == 3 and len(set(calibrated)) == 1


@pytest.mark.keras
def test_of_a_network_that_learned_from_unknown_images_nothing_is_told(tmp_path):
    with pytest.raises(DataError, match="It is not known which images"):
        outside.detector("source:random", tmp_path)


def test_what_ships_as_recorded_keeps_what_it_promises():
    record = outsiders.recorded()
    assert record.n_characters == 1000 and len(record.rows) >= 10
    for row in record.rows:
        assert row.test <= 0.05, row
        assert row.scribbles >= 0.8 and row.characters >= 0.8 and row.centred >= 0.8, row
