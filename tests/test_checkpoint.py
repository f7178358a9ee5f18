"""A training that goes on from a checkpoint is the training that was never interrupted."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, sources, training
from tlcore.features import freezing
from tlcore.recipes import two_phases
from tlcore.spec import DataSpec, FineTuneSpec, Hooks, Phase
from tlcore.store import checkpoint
from tlcore.store.checkpoint import Checkpoint

SMALL = Checkpoint({"epoch": 3}, [np.arange(6.0).reshape(2, 3), np.array(7, np.uint32)], [])
FROZEN = ("conv_1", "conv_2")
SPECS = {
    "frozen convolutions": FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(3, FROZEN),), optimizer="rmsprop"),
    "augmented images": FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(3, FROZEN),), augment=True),
    "everything trains": FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(3),)),
    "two phases": two_phases(
        FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(4, FROZEN),)), (*FROZEN, "dense_1")
    ),
}


def same(a: Checkpoint, b: Checkpoint) -> bool:
    arrays = zip([*a.weights, *a.slots], [*b.weights, *b.slots], strict=True)
    return a.state == b.state and all(x.dtype == y.dtype and np.array_equal(x, y) for x, y in arrays)


def test_a_checkpoint_comes_back_as_it_went_and_replaces_the_one_before(tmp_path):
    assert checkpoint.load(tmp_path) is None
    checkpoint.save(tmp_path, replace(SMALL, state={}))
    checkpoint.save(tmp_path, SMALL)
    assert same(checkpoint.load(tmp_path), SMALL)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]
    checkpoint.remove(tmp_path)
    checkpoint.remove(tmp_path / "never made")
    assert checkpoint.load(tmp_path) is None


@pytest.mark.parametrize("place", range(0, 1100, 50))
def test_a_damaged_checkpoint_is_none_and_logged(tmp_path, place, caplog):
    """Zeros anywhere are noticed, or change nothing: some of a zip's bytes are not read."""
    checkpoint.save(tmp_path, SMALL)
    content = bytearray((tmp_path / checkpoint.FILE).read_bytes())
    content[place : place + 20] = bytes(20)
    (tmp_path / checkpoint.FILE).write_bytes(content)
    found = checkpoint.load(tmp_path)
    assert same(found, SMALL) if found else "is damaged" in caplog.text


@pytest.mark.parametrize("size", [0, 1, 100, -1])
def test_a_truncated_checkpoint_is_none(tmp_path, size):
    checkpoint.save(tmp_path, SMALL)
    content = (tmp_path / checkpoint.FILE).read_bytes()
    (tmp_path / checkpoint.FILE).write_bytes(content[:size])
    assert checkpoint.load(tmp_path) is None


def interrupted(spec, data, folder, after):
    """Train until ``after`` epochs, in one model, and from there in another; return that model, points, result."""
    points = []

    def model():
        return sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)

    def on_checkpoint(snapshot):
        found = snapshot()
        if found.state["clock"]["epoch"] == after:
            checkpoint.save(folder, found)

    training.fit(
        model(),
        data,
        spec,
        Hooks(
            on_checkpoint=on_checkpoint,
            on_metric=lambda point: points.append(point) if len(points) < 2 * after else None,
        ),
    )
    last = model()
    saved = checkpoint.load(folder)
    json.dumps(saved.state)
    fitted = training.fit(last, data, spec, Hooks(on_metric=points.append), resume=saved)
    return last, points, fitted


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.grid(3)
@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("frozen convolutions", 1),
        ("everything trains", 2),
        ("two phases", 2),
        ("two phases", 3),
        ("augmented images", 1),
    ],
)
def test_a_resumed_training_ends_with_the_same_weights_to_the_last_bit(tmp_path, name, after):
    spec = SPECS[name]
    data = datasets.load(spec.data)
    whole, points = sources.load(spec.source, n_classes=5, seed=0), []
    fitted = training.fit(whole, data, spec, Hooks(on_metric=points.append))
    resumed, later_points, later = interrupted(spec, data, tmp_path, after)
    assert freezing.hashes(resumed) == freezing.hashes(whole)
    curve = [(point.part, point.x, point.accuracy) for point in points]
    assert [(point.part, point.x, point.accuracy) for point in later_points] == curve
    assert [point.loss for point in later_points] == pytest.approx([point.loss for point in points], rel=1e-6)
    elapsed = [point.elapsed_s for point in later_points]
    assert elapsed == sorted(elapsed)
    assert (later.proof, later.epochs, later.stopped) == (fitted.proof, fitted.epochs, False)
    assert (later.cached, later.reason) == (fitted.cached, fitted.reason)


@pytest.mark.keras
def test_a_network_that_drops_at_random_goes_on_with_the_same_numbers(tmp_path):
    import keras

    spec = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(3),))
    data, saved = datasets.load(spec.data), []

    def dropping():
        keras.utils.set_random_seed(5)
        layers = keras.layers
        return keras.Sequential(
            [keras.Input((28, 28, 1)), layers.Flatten(), layers.Dropout(0.5), layers.Dense(5, "softmax", name="out")]
        )

    whole, resumed = dropping(), dropping()
    training.fit(whole, data, spec, Hooks(on_checkpoint=lambda snapshot: saved.append(snapshot())))
    training.fit(resumed, data, spec, resume=saved[0])
    for a, b in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
