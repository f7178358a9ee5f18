"""The accuracies at the cuts that ship: of the default draft, whole, and refused where they answer something else."""

from dataclasses import replace

import pytest

from tlcore import sources
from tlcore.errors import DataError, SpecError
from tlcore.evidence import recorded_cuts
from tlcore.prediction.what_if import Cuts


def test_what_ships_answers_the_default_draft_at_every_cut():
    card = recorded_cuts.load()
    source = sources.info("digits_0_4")
    assert card.scores.cuts == recorded_cuts.default() == Cuts(per_class=5)
    assert [cut for cut, _test in card.scores.tests] == ["", *source.cut_names]
    assert all(test.low < test.accuracy < test.high and test.n == 2000 for _cut, test in card.scores.tests)
    assert recorded_cuts.of(card.scores.cuts) == card and card.command == recorded_cuts.COMMAND


def test_of_another_question_or_another_file_of_the_source_nothing_is_recorded(monkeypatch):
    assert recorded_cuts.of(Cuts(per_class=5, seed=1)) is None
    stale = replace(recorded_cuts.load(), sha256="0" * 64)
    monkeypatch.setattr(recorded_cuts, "load", lambda: stale)
    assert recorded_cuts.of(Cuts(per_class=5)) is None


def test_what_is_written_is_read_back_and_another_question_is_refused(tmp_path):
    scores = recorded_cuts.load().scores
    path = recorded_cuts.write(scores, tmp_path / "cuts.json")
    assert recorded_cuts.load(path).scores == scores
    with pytest.raises(SpecError, match="Leave out their flags"):
        recorded_cuts.write(replace(scores, cuts=Cuts(seed=1)), tmp_path / "other.json")
    path.write_text("{}")
    recorded_cuts.load.cache_clear()
    with pytest.raises(DataError, match="damaged"):
        recorded_cuts.load(path)
