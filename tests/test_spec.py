"""The nouns: settings to JSON and back, ranges, the control and the article's recipe."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tlcore.errors import SpecError
from tlcore.recipes import article_recipe, scratch_control
from tlcore.spec import (
    OPTIMIZERS,
    RANGES,
    SPLITS,
    DataSpec,
    FineTuneSpec,
    HeadSpec,
    InputForm,
    LayerInfo,
    Phase,
    SourceInfo,
    check_choice,
    check_number,
    from_json,
    to_json,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
seeds = st.integers(0, 2**31 - 1)
data_specs = st.builds(
    DataSpec,
    target=words,
    split=st.sampled_from(SPLITS),
    per_class=st.none() | st.integers(1, 7000),
    seed=seeds,
    scale=st.booleans(),
    label_noise=st.floats(0.0, 1.0),
)
phases = st.builds(
    Phase,
    epochs=st.integers(1, 100),
    frozen=st.lists(words, max_size=4).map(tuple),
    learning_rate=st.floats(1e-6, 10.0),
)
fine_tunes = st.builds(
    FineTuneSpec,
    source=words,
    data=data_specs,
    phases=st.lists(phases, min_size=1, max_size=3).map(tuple),
    batch_size=st.integers(1, 4096),
    optimizer=st.sampled_from(OPTIMIZERS),
    seed=seeds,
    film=st.booleans(),
)
heads = st.builds(
    HeadSpec,
    source=words,
    layer=words,
    heads=st.lists(words, max_size=4).map(tuple),
    inputs=st.sampled_from([("features",), ("pixels",), ("features", "pixels")]),
    data=data_specs,
    seeds=st.lists(seeds, min_size=1, max_size=4).map(tuple),
    curves=st.booleans(),
)


@given(fine_tunes | heads)
def test_a_spec_comes_back_from_json_equal(spec):
    assert from_json(to_json(spec)) == spec


def test_settings_stored_before_films_and_spoiled_data_are_read_as_plain_ones():
    fields = json.loads(to_json(FineTuneSpec()))
    assert not fields.pop("film") and fields["data"].pop("scale") and fields["data"].pop("label_noise") == 0
    assert from_json(json.dumps(fields)) == FineTuneSpec()


def test_json_names_the_kind():
    assert json.loads(to_json(FineTuneSpec()))["kind"] == "fine_tune"
    assert json.loads(to_json(HeadSpec()))["kind"] == "heads"


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "null",
        "{}",
        '{"kind": "fine_tune"}',
        '{"kind": "future", "data": {}}',
        to_json(FineTuneSpec()).replace('"seed"', '"later_field"'),
        to_json(FineTuneSpec()).replace('"frozen": [', '"frozen": 3, "more": ['),
        '{"kind": "heads", "data": 7}',
    ],
)
def test_settings_that_cannot_be_read_are_said(text):
    with pytest.raises(SpecError, match="These settings cannot be read .*Start the run again"):
        from_json(text)


@pytest.mark.parametrize("name", RANGES)
def test_every_range_takes_its_ends_and_its_default(name):
    low, high, default = RANGES[name]
    assert [check_number(name, value) for value in RANGES[name]] == [low, high, default]
    assert low <= default <= high


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", "ten"),
        ("epochs", 2.5),
        ("epochs", True),
        ("epochs", None),
        ("epochs", 101),
        ("per_class", 7001),
        ("batch_size", 0),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("seed", -1),
        ("seed", 2**31),
    ],
)
def test_a_number_out_of_range_is_said_with_the_range_and_a_way_out(name, value):
    with pytest.raises(SpecError) as caught:
        check_number(name, value)
    low, high, default = RANGES[name]
    assert f"from {low:,} to {high:,}. Received: {value!r}. Try {default}." in str(caught.value)


def test_a_whole_learning_rate_is_a_number_too():
    assert check_number("learning_rate", 1) == 1


def test_an_unknown_choice_is_said_with_the_list():
    with pytest.raises(SpecError, match=r"There is no optimizer 'adma'. Pick one of: adam, rmsprop, sgd\."):
        check_choice("optimizer", "adma", OPTIMIZERS)
    check_choice("optimizer", "adam", OPTIMIZERS)


def test_the_control_differs_in_nothing_but_the_start():
    spec = FineTuneSpec(source="digits", phases=(Phase(3, ("conv_1",), 0.01), Phase(2)), seed=5)
    control = scratch_control(spec)
    assert control == replace(spec, source="random", phases=(Phase(3, (), 0.01), Phase(2)))
    assert (control.seed, control.data, control.epochs) == (5, spec.data, 5)


def test_the_articles_recipe_is_as_printed():
    recipe = article_recipe(seed=3)
    assert (recipe.source, recipe.optimizer, recipe.batch_size, recipe.epochs) == ("random", "rmsprop", 64, 10)
    assert (recipe.data.target, recipe.data.split, recipe.data.per_class) == ("mnist", "article", None)
    assert [phase.frozen for phase in recipe.phases] == [(), ("conv_1",)]
    assert recipe.seed == recipe.data.seed == 3


def test_the_seed_of_heads_is_the_first():
    assert HeadSpec(seeds=(4, 5)).seed == 4


def test_a_sources_weights_are_its_layers_and_only_weights_can_freeze():
    layers = (
        LayerInfo(0, "conv_1", "Conv2D", (26, 26, 32), 320),
        LayerInfo(1, "pool_1", "MaxPooling2D", (13, 13, 32), 0),
    )
    source = SourceInfo(
        "digits", "Digits", "MNIST", ("0",), layers, InputForm("image", (28, 28, 1)), 0, 0.99, 1, 1, "command"
    )
    assert (source.n_weights, source.layer_names) == (320, ("conv_1", "pool_1"))
    assert [layer.can_freeze for layer in layers] == [True, False]
