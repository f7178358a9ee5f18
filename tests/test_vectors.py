"""What a network sees is worked out once for all who ask about the same items, and loading leaves no file open."""

import gc
import os

import numpy as np
import pytest

from tlcore import features, prediction
from tlcore.errors import DataError
from tlcore.prediction import serving, signs, vectors
from tlcore.spec import FineTuneSpec
from tlcore.store import Store


def test_models_that_are_asked_about_the_same_items_get_the_same_array():
    items = np.arange(6).reshape(3, 2)
    chosen = serving._chosen(items, {"a": [0, 2], "b": [0, 2], "c": [1]})
    assert chosen["a"] is chosen["b"] and chosen["a"].tolist() == [[0, 1], [4, 5]] and chosen["c"].tolist() == [[2, 3]]


def test_what_was_worked_out_of_items_that_are_gone_is_no_answer_to_others():
    double = vectors.once_each(lambda items: 2 * items)
    for n in range(100):  # arrays of the same size at the same place
        assert double(np.full(3, n)).tolist() == [2 * n] * 3


@pytest.mark.keras
def test_a_picture_goes_through_its_network_once_for_its_answer_and_for_whether_it_is_outside(tmp_path, monkeypatch):
    passes, compiled = [], features.compiled

    def counted(model):
        answer = compiled(model)
        return lambda items: passes.append(len(items)) or answer(items)

    monkeypatch.setattr(features, "compiled", counted)
    vectors.vectors.cache_clear()
    models, names = serving._Models(tmp_path, serving._load), (signs.NAMES[1], f"outside:{signs.NAMES[1]}")
    pictures = np.stack([signs.example("5"), signs.example("0")])
    for name in names:
        assert len(models.answer(name, pictures)) == 2  # loaded and calibrated
    before = len(passes)
    again = pictures.copy()
    shares, told = (np.array(models.answer(name, again)) for name in names)
    assert passes[before:] == [2]
    assert shares.argmax(axis=1).tolist() == [5, 0] and (told[:, 0] < 1).all()
    vectors.vectors.cache_clear()


def test_who_looks_up_a_run_leaves_no_file_of_its_store_open(tmp_path):
    store = Store(tmp_path)
    run_id = store.create(FineTuneSpec()).id
    store.close()
    run = prediction.run_in(tmp_path, run_id)
    gc.collect()
    gc.disable()  # else it closes them now and then
    try:
        before = len(os.listdir("/dev/fd"))
        for _ in range(3):
            prediction.run_in(tmp_path, run_id)
            with pytest.raises(DataError):
                prediction.predictor(f"run:{run_id}", tmp_path)
            with pytest.raises(DataError):
                prediction.checked_file(run, "model.keras", tmp_path)
        assert len(os.listdir("/dev/fd")) == before
    finally:
        gc.enable()
