"""Two heads that read a hand's sign, taught by the same photographs: what transfer adds on people they never saw."""

import numpy as np
import pytest

from tlcore import datasets
from tlcore.errors import SpecError
from tlcore.prediction import ModelName, signs
from tlcore.prediction.predictors import predictor


def test_both_learn_from_the_same_twenty_photographs_of_each_sign():
    items, labels = signs.examples()
    assert items.shape == (200, 96, 96, 3) and items.dtype == np.uint8
    assert np.bincount(labels).tolist() == [signs.N_EACH] * 10
    assert (signs.example("5") == items[labels == 5][0]).all()
    with pytest.raises(SpecError, match="no sign '12'"):
        signs.example("12")


def test_there_is_no_third_way(tmp_path):
    with pytest.raises(SpecError, match="There is no model"):
        predictor("signs:magic", tmp_path)
    assert str(ModelName.parse("signs:pixels")) == signs.NAMES[0]


@pytest.mark.keras
@pytest.mark.slow
def test_with_transfer_more_hands_of_other_people_are_read_than_without(tmp_path):
    source = datasets.get("hands")
    labels = source.labels("test")
    rows = np.concatenate([np.flatnonzero(labels == k)[:12] for k in range(10)])
    right = {}
    for name in signs.NAMES:
        reader = predictor(name, tmp_path)
        shares = np.concatenate(
            [reader.predict_proba(source.items("test", rows[i : i + 40])) for i in range(0, 120, 40)]
        )
        right[name] = (shares.argmax(axis=1) == labels[rows]).mean()
    assert right["signs:transfer"] > right["signs:pixels"] + 0.15 and right["signs:transfer"] > 0.6
