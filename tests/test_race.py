"""What the lanes of a race run, and that they differ in what they say and in nothing else."""

from dataclasses import replace

import pytest

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.recipes import race
from tlcore.spec import DataSpec, FineTuneSpec, Phase

LAYERS = sources.info("digits_0_4").layers
DRAFT = FineTuneSpec(
    data=DataSpec(per_class=20, seed=7), phases=(Phase(4, ("conv_1",), 0.01), Phase(2, (), 0.001)), seed=7
)


def test_lanes_share_images_epochs_rate_and_seed_and_are_watched():
    found = race.lanes(DRAFT, LAYERS, ("nothing", "convolutions", "all_but_head", "scratch"))
    assert list(found) == ["nothing", "convolutions", "all_but_head", "scratch"]
    assert [spec.phases[0].frozen for spec in found.values()] == [
        (),
        ("conv_1", "conv_2"),
        ("conv_1", "conv_2", "dense_1"),
        (),
    ]
    assert [spec.source for spec in found.values()] == ["digits_0_4"] * 3 + ["random"]
    for spec in found.values():
        assert replace(spec, source=DRAFT.source, phases=DRAFT.phases) == replace(DRAFT, film=True)
        assert [(phase.epochs, phase.learning_rate) for phase in spec.phases] == [(6, 0.01)]


def test_the_drafts_own_lane_keeps_its_phases():
    assert race.lanes(DRAFT, LAYERS, ("draft", "nothing"))["draft"] == replace(DRAFT, film=True)


@pytest.mark.parametrize(
    ("draft", "names", "sentence"),
    [
        (DRAFT, ("nothing",), "from 2 to 4 lanes. Received: 1"),
        (DRAFT, ("nothing", "nothing"), "from 2 to 4 lanes. Received: 1"),
        (DRAFT, race.LANES, "from 2 to 4 lanes. Received: 5"),
        (DRAFT, ("nothing", "everything"), "no lane 'everything'"),
        (FineTuneSpec(), ("convolutions", "draft"), "lanes convolutions and draft would be the same run"),
        (FineTuneSpec(phases=(Phase(frozen=("pool_1",)),)), ("draft", "nothing"), "would be the same run"),
        (FineTuneSpec(source="random"), ("nothing", "scratch"), "would be the same run"),
    ],
)
def test_what_is_no_race_is_said_in_one_sentence(draft, names, sentence):
    with pytest.raises(SpecError, match=sentence):
        race.lanes(draft, LAYERS, names)


def test_every_setting_comes_first_under_some_seed():
    names = ("a", "b", "c", "d")
    assert {race.start_order(names, seed)[0] for seed in range(40)} == set(names)
    assert race.start_order(names, 3) == race.start_order(names, 3)
