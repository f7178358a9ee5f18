"""Labelled drawings of one's own: kept, deleted, brought back, and learned from, the same way every time."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets
from tlcore.datasets import drawings
from tlcore.errors import DataError, SpecError
from tlcore.spec import DataSpec, FineTuneSpec, from_json, to_json

ME, OTHER = "a" * 32, "b" * 32


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    return tmp_path


def item(grey: int) -> np.ndarray:
    return np.full((28, 28, 1), grey, np.uint8)


def test_a_drawing_is_kept_for_its_person_alone_and_once_with_its_newest_label():
    drawings.keep(ME, item(1), "7")
    drawings.keep(ME, item(1), "9")
    drawings.keep(ME, item(2), "3")
    assert sorted(drawing.label for drawing in drawings.drawings(ME)) == ["3", "9"]
    assert drawings.drawings(OTHER) == ()


def test_a_deleted_drawing_can_be_brought_back():
    name = drawings.keep(ME, item(1), "7").name
    drawings.remove(ME, name)
    assert drawings.drawings(ME) == () and drawings.set_of(ME, "0123456789") == ""
    drawings.bring_back(ME, name)
    assert [drawing.name for drawing in drawings.drawings(ME)] == [name]
    with pytest.raises(DataError, match="not there any more"):
        drawings.remove(ME, "../" + name)


def test_what_is_no_drawing_and_one_too_many_are_refused(monkeypatch):
    with pytest.raises(DataError, match="28 × 28"):
        drawings.keep(ME, np.zeros((8, 8, 1), np.uint8), "7")
    monkeypatch.setattr(drawings, "MOST", 1)
    drawings.keep(ME, item(1), "7")
    with pytest.raises(DataError, match="that is the limit"):
        drawings.keep(ME, item(2), "7")


def test_a_run_learns_from_those_of_its_classes_after_its_own_images():
    for grey, label in ((1, "7"), (2, "3"), (3, "9")):
        drawings.keep(ME, item(grey), label)
    plain = DataSpec("mnist_5_9", per_class=5)
    mine = replace(plain, own=drawings.set_of(ME, "0123456789"))
    without, data = datasets.load(plain), datasets.load(mine)
    np.testing.assert_array_equal(data.x_train[:25], without.x_train)
    assert sorted(zip(data.x_train[25:, 0, 0, 0], data.y_train[25:], strict=True)) == [(1, 2), (3, 4)]
    np.testing.assert_array_equal(data.x_validation, without.x_validation)
    assert data.hash != without.hash


def test_a_set_stays_what_it_was_when_drawings_go_and_its_hash_stands_in_the_spec():
    name = drawings.keep(ME, item(1), "7").name
    own = drawings.set_of(ME, "7")
    before = datasets.load(DataSpec("mnist_5_9", per_class=1, own=own)).hash
    drawings.remove(ME, name)
    drawings.keep(ME, item(5), "8")
    assert datasets.load(DataSpec("mnist_5_9", per_class=1, own=own)).hash == before
    assert drawings.set_of(ME, "8") not in ("", own)
    spec = FineTuneSpec(data=DataSpec(own=own))
    assert own in to_json(spec) and from_json(to_json(spec)) == spec


def test_a_set_that_is_gone_and_a_name_that_is_none_are_one_sentence():
    with pytest.raises(DataError, match="are gone"):
        datasets.load(DataSpec(own="0" * 16))
    with pytest.raises(SpecError, match="There are no drawings"):
        datasets.load(DataSpec(own="../../etc/passwd"))
