"""The comparison of heads that ships: all heads on features and pixels, and nothing else is written in its place."""

import pytest

from tlcore.errors import DataError, SpecError
from tlcore.evidence import recorded_heads
from tlcore.heads import HEADS
from tlcore.spec import HeadSpec
from tlcore.store import Store


def test_what_ships_compares_all_heads_on_features_and_pixels_of_the_default_task():
    card = recorded_heads.load()
    assert card.spec.data == HeadSpec().data and card.spec.layer == HeadSpec().layer and len(card.spec.seeds) == 3
    assert {(line.head, line.input) for line in card.lines} == {(h, i) for h in HEADS for i in ("features", "pixels")}
    means = [line.mean for line in card.lines]
    assert means == sorted(means, reverse=True)
    best = {line.input: line for line in reversed(card.lines)}
    assert card.clear == (best["features"].interval[0] > best["pixels"].interval[1]), "far apart, whatever the test"
    assert str(card.verdict) and card.command == recorded_heads.COMMAND


def test_what_is_not_whole_is_not_recorded_and_a_damaged_file_is_one_sentence(tmp_path):
    store = Store(tmp_path)
    with pytest.raises(SpecError, match="Only a whole comparison"):
        recorded_heads.write(store.create(HeadSpec()), store, tmp_path / "heads.json")
    (tmp_path / "heads.json").write_text("{}")
    with pytest.raises(DataError, match="damaged"):
        recorded_heads.load(tmp_path / "heads.json")
