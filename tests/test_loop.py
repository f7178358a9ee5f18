"""The training loop: a wide first layer in halves trains as it does whole, and leaves the same checkpoint."""

import numpy as np
import pytest

from tlcore import features, sources, training
from tlcore.spec import OPTIMIZERS
from tlcore.training import loop

pytestmark = pytest.mark.keras

N, SIZE = 70, 16  # the last batch is not full


def tail():
    return features.split(sources.load("digits_0_4", n_classes=5), "flatten")[1]


@pytest.fixture(scope="module")
def material():
    draws = np.random.default_rng(0)
    return draws.random((N, 1600), np.float32), draws.integers(0, 5, N)


def trained(monkeypatch, material, wide, optimizer="adam", slots=None, steps=(0, 5)):
    import tensorflow as tf

    monkeypatch.setattr(loop, "WIDE", wide)
    model, (x, y) = tail(), map(tf.constant, material)
    loops = training.Loop(model, x, y, SIZE, optimizer, 1e-3)
    if slots is not None:
        loops.put_slots(slots)
    sums = [float(value) for value in loops.run(tf.range(N, dtype=tf.int64), *steps)]
    loops.settle()
    return model.get_weights(), loops.slots(), sums


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_wide_layer_in_halves_trains_as_it_does_whole(monkeypatch, material, optimizer):
    whole, halves = (trained(monkeypatch, material, wide, optimizer) for wide in (10**9, 1))
    assert halves[2] == pytest.approx(whole[2], rel=1e-5)
    for kind in (0, 1):  # weights, and what the optimizer remembers, in the same layout
        assert [array.shape for array in halves[kind]] == [array.shape for array in whole[kind]]
        for a, b in zip(halves[kind], whole[kind], strict=True):
            np.testing.assert_allclose(a, b, atol=2e-5)
    assert not np.array_equal(whole[0][0], tail().get_weights()[0])


def test_a_checkpoint_of_either_way_goes_on_in_the_other(monkeypatch, material):
    slots = trained(monkeypatch, material, 10**9)[1]
    again = trained(monkeypatch, material, 1, slots=slots, steps=(0, 0))[1]
    for a, b in zip(again, slots, strict=True):
        np.testing.assert_array_equal(a, b)


def test_only_a_wide_dense_layer_that_trains_and_comes_first_is_halved():
    import keras
    from keras import layers

    def model(d, *stack):
        return keras.Sequential([keras.Input((d,) if isinstance(d, int) else d), *stack, layers.Dense(5)])

    assert loop.is_wide(tail(), 64)
    assert not loop.is_wide(tail(), 1)  # too little work
    assert not loop.is_wide(model(1601, layers.Dense(64)), 64)  # no halves
    assert not loop.is_wide(model(1600, layers.Dropout(0.1), layers.Dense(64)), 64)
    assert not loop.is_wide(model((40, 40), layers.Dense(64), layers.Flatten()), 64)
    assert not loop.is_wide(model(1600, layers.Dense(64, trainable=False)), 64)
    assert not loop.is_wide(sources.load("digits"), 64)


def test_a_head_alone_is_halved_too(monkeypatch, material):
    import keras
    import tensorflow as tf

    monkeypatch.setattr(loop, "WIDE", 1)
    head = keras.Sequential([keras.Input((1600,)), keras.layers.Dense(5, activation="softmax", use_bias=False)])
    x, y = map(tf.constant, material)
    loops = training.Loop(head, x, y, SIZE, "sgd", 1e-3)
    losses = [float(loops.run(tf.range(N, dtype=tf.int64), 0, 5)[0]) for _ in range(5)]
    loops.settle()
    assert losses == sorted(losses, reverse=True)
    shares = head(x).numpy()[np.arange(N), material[1]]
    assert -np.log(shares).sum() < losses[0]
