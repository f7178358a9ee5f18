"""Recipes: how a network of photographs trains."""

from dataclasses import replace

import pytest

from tlcore import sources, training
from tlcore.features import freezing
from tlcore.recipes import of_photographs, scratch_control
from tlcore.spec import RANGES, DataSpec, FineTuneSpec, Phase

LAYERS = sources.info("mobilenet_v2").layers
AVERAGES = {layer.name for layer in LAYERS if "Normalization" in layer.type}


def tuned(cut):
    return FineTuneSpec("mobilenet_v2", DataSpec("hands"), (Phase(1, freezing.up_to(LAYERS, cut).names),))


@pytest.mark.parametrize("n", [10, 50, 200, 1000, 1200])
def test_it_takes_the_same_steps_whatever_the_number_of_photographs(n):
    for spec in (tuned("block_5_add"), tuned("average"), scratch_control(tuned("block_5_add"))):
        recipe = of_photographs(spec, LAYERS, n, 200)
        assert 185 <= training.n_steps(recipe, n) <= 225
        assert all(phase.epochs <= RANGES["epochs"][1] for phase in recipe.phases)
    assert training.n_steps(of_photographs(tuned("average"), LAYERS, 50, 200), 50) == 200


def test_the_head_comes_first_and_no_batch_normalisation_trains():
    spec = of_photographs(tuned("block_5_add"), LAYERS, 200, 200)
    head, rest = spec.phases
    assert spec.batch_size == 16 and (head.learning_rate, rest.learning_rate) == (2e-3, 2e-4)
    assert head.frozen == freezing.presets(LAYERS)["all_but_head"] and set(rest.frozen) > AVERAGES
    assert rest.frozen == freezing.presets(LAYERS)["last_two_stages"]
    assert len(of_photographs(tuned("average"), LAYERS, 200, 200).phases) == 1


def test_from_scratch_everything_trains_at_one_rate():
    spec = of_photographs(scratch_control(tuned("block_5_add")), LAYERS, 200, 200)
    assert spec.source == "mobilenet_v2_random"
    assert spec.phases == (replace(spec.phases[0], frozen=(), learning_rate=1e-3, epochs=15),)
