"""What the lanes of a race run, and that they differ in what they say and in nothing else."""

from dataclasses import replace

import pytest

from tlcore import sources
from tlcore.errors import SpecError
from tlcore.features.freezing import presets
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


def test_no_lane_that_transfers_photographs_trains_a_batch_normalization():
    layers = sources.info("mobilenet_v2").layers
    averages = {layer.name for layer in layers if layer.type == "BatchNormalization"}
    draft = FineTuneSpec("mobilenet_v2", DataSpec("hands", per_class=20), (Phase(4, (), 1e-3),), batch_size=16)
    found = race.lanes(draft, layers, ("nothing", "all_but_head", "scratch"))
    assert set(found["nothing"].phases[0].frozen) == averages and len(averages) > 50
    assert averages < set(found["all_but_head"].phases[0].frozen) and found["scratch"].phases[0].frozen == ()
    assert [race.lane_of(found[name], layers) for name in ("nothing", "scratch")] == ["nothing", "scratch"]
    assert str(race.title("nothing", "mobilenet_v2")) == "Nothing frozen but BatchNormalization"
    for source in ("digits_0_4", "mobilenet_v2_random"):
        assert str(race.title("nothing", source)) == "Nothing frozen"


def test_freezing_all_but_the_head_is_offered_once():
    for source in ("mobilenet_v2", "mobilenet_v2_random"):
        assert race.offered(source) == ("nothing", "convolutions", "scratch", "draft")
    assert race.offered("digits_0_4") == race.LANES


def test_a_lane_of_photographs_trains_its_head_first_as_its_draft_does():
    layers = sources.info("mobilenet_v2").layers
    head = presets(layers)["all_but_head"]
    phases = (Phase(15, head, 2e-3), Phase(15, presets(layers)["last_stage"], 2e-4))
    draft = FineTuneSpec("mobilenet_v2", DataSpec("hands", per_class=5), phases, batch_size=16)
    found = race.lanes(draft, layers, ("nothing", "all_but_head", "draft", "scratch"))
    # In one phase at 2e-3 it ended where guessing does: 10 % of 576 photographs.
    first, rest = found["nothing"].phases
    assert (first, rest.learning_rate, rest.epochs) == (phases[0], 2e-4, 15)
    assert set(rest.frozen) == {layer.name for layer in layers if layer.type == "BatchNormalization"}
    assert [(p.epochs, p.learning_rate) for p in found["all_but_head"].phases] == [(30, 2e-3)]
    assert [(p.epochs, p.frozen) for p in found["scratch"].phases] == [(30, ())]
    named = {name: race.lane_of(spec, layers) for name, spec in found.items()}
    assert named == {**{name: name for name in found}, "all_but_head": "convolutions"}  # a head is all that is no block
    digits = FineTuneSpec(phases=(Phase(2, ("conv_1", "conv_2", "dense_1")), Phase(2, ())))
    assert [len(spec.phases) for spec in race.lanes(digits, LAYERS, ("convolutions", "scratch")).values()] == [1, 1]
