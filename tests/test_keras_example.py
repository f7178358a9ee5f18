"""Keras' own example: its network, what it freezes, and how a run of it ends."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, jobs
from tlcore.errors import SpecError
from tlcore.evidence import keras_example, recorded
from tlcore.jobs import execution as worker
from tlcore.spec import ExampleSpec, Hooks, from_json, to_json


@pytest.fixture
def few_images(monkeypatch):
    """Take the first 300 images of each part: the example's own length is minutes."""
    load = datasets.load

    def shortened(spec):
        data = load(spec)
        parts = {name: getattr(data, name)[:300] for name in vars(data) if name[:2] in ("x_", "y_")}
        return replace(data, **parts)

    monkeypatch.setattr(datasets, "load", shortened)


@pytest.mark.keras
def test_the_network_is_the_published_one():
    model, features = keras_example.network(seed=0)
    assert model.count_params() == 600_165
    assert [type(layer).__name__ for layer in features] == ["Conv2D", "Conv2D", "MaxPooling2D", "Dropout", "Flatten"]
    again, _ = keras_example.network(seed=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.keras
def test_a_run_tests_both_tasks_and_freezes_the_convolutions(store, few_images):
    run = store.create(ExampleSpec(epochs=1))
    worker.execute(run.id, str(store.folder))
    run = store.get(run.id)
    assert run.state == "done", run.error
    assert run.result.test.n == run.result.source_test.n == 300
    assert run.result.n_weights - run.result.n_trainable == 320 + 9_248  # both convolutions
    assert [point.x for _, point in store.points(run.id)] == [1, 2] and run.accuracy == run.result.test.accuracy


@pytest.mark.keras
def test_a_stop_ends_it_within_a_batch_and_leaves_no_second_test(few_images):
    points = []
    found = keras_example.run(
        ExampleSpec(epochs=100), Hooks(on_metric=points.append, should_stop=lambda: len(points) > 0)
    )
    assert len(points) <= 2 and found.test is None


def test_settings_survive_being_stored_and_are_checked():
    assert from_json(to_json(ExampleSpec(seed=3))) == ExampleSpec(seed=3)
    with pytest.raises(SpecError, match="Epochs must be"):
        jobs.check(ExampleSpec(epochs=0))


def test_what_was_recorded_is_whole():
    found = recorded.example().result
    for test, seconds in ((found.source_test, found.source_test_s), (found.test, found.test_s)):
        assert test.low <= test.accuracy <= test.high and seconds > 0
    assert found.n_weights == 600_165
