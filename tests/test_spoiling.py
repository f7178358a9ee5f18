"""Wrong labels and lopsided classes, on purpose: of the training images alone, and said wherever the run is shown."""

import numpy as np
import pytest

from tlcore import cli, datasets, jobs
from tlcore.commands import local_run
from tlcore.errors import SpecError
from tlcore.spec import DataSpec, FineTuneSpec

LOPSIDED = DataSpec("digits_8x8", per_class=40, imbalance=20.0)


def test_classes_become_fewer_by_the_same_factor_and_the_test_images_stay():
    plain, data = datasets.load(DataSpec("digits_8x8", per_class=40)), datasets.load(LOPSIDED)
    counts = np.bincount(data.y_train).tolist()
    assert counts == datasets.training_sizes(LOPSIDED) == [40, 29, 21, 15, 11, 8, 5, 4, 3, 2]
    assert np.array_equal(data.x_test, plain.x_test) and np.array_equal(data.y_test, plain.y_test)
    assert {item.tobytes() for item in data.x_validation} == {item.tobytes() for item in plain.x_validation}
    kept = {item.tobytes() for item in plain.x_train}
    assert all(item.tobytes() in kept for item in data.x_train)  # a part of the even set


def test_each_class_keeps_one_and_all_images_can_be_lopsided_too():
    assert datasets.training_sizes(DataSpec("mnist_5_9", per_class=1, imbalance=100.0)) == [1] * 5
    sizes = datasets.training_sizes(DataSpec("digits_8x8", per_class=None, imbalance=4.0))
    assert sizes == np.bincount(datasets.load(DataSpec("digits_8x8", per_class=None, imbalance=4.0)).y_train).tolist()
    assert sum(datasets.training_sizes(DataSpec("digits_8x8"))) == 50


@pytest.mark.parametrize("value", [0.5, 101, "x", True])
def test_a_ratio_out_of_range_is_refused(value):
    with pytest.raises(SpecError, match="Imbalance must be a number from 1.0 to 100.0"):
        jobs.check(FineTuneSpec(data=DataSpec(imbalance=value)))


def test_a_run_says_what_was_spoiled():
    spec = FineTuneSpec(data=DataSpec(label_noise=0.2, imbalance=10.0))
    assert "20 % of the training labels shuffled, classes 10 to 1" in jobs.describe(spec).replace("\u00a0", " ")
    assert "shuffled" not in jobs.describe(FineTuneSpec())


def test_the_command_line_spoils_too(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(local_run, "run_here", lambda options, spec: asked.append(spec.data) or 0)
    line = ["train", "--label-noise", "0.3", "--imbalance", "5", "--home", str(tmp_path)]
    assert cli.main(line) == 0
    assert (asked[0].label_noise, asked[0].imbalance) == (0.3, 5.0)
    assert cli.main([*line, "--recipe", "article"]) == 2
