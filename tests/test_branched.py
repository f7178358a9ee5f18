"""Networks with branches inside their blocks: frozen by block, cached, trained, filmed, whole again afterwards."""

from dataclasses import replace

import numpy as np
import pytest
from branched_networks import BLOCK_1, STEM, residual

from tlcore import datasets, features, sources, training
from tlcore.features import freezing, prefix
from tlcore.features.freezing import Freezing
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.training import film

pytestmark = pytest.mark.keras

UP_TO_BLOCK_1 = ("stem_conv", "stem_bn", "block_1_conv_1", "block_1_bn_1", "block_1_conv_2", "block_1_bn_2")
BLOCK_2 = tuple(name.replace("block_1", "block_2") for name in UP_TO_BLOCK_1[2:])
FEW = FineTuneSpec(data=DataSpec(per_class=8), phases=(Phase(epochs=2, frozen=UP_TO_BLOCK_1),), batch_size=8)


@pytest.fixture(scope="module")
def layers():
    return sources.describe(residual())


@pytest.fixture(scope="module")
def data():
    """The images as a network without preprocessing wants them: float32, in [0, 1]."""
    stored = datasets.load(FEW.data)
    scaled = {part: getattr(stored, part) / np.float32(255) for part in ("x_train", "x_validation", "x_test")}
    return replace(stored, **scaled)


@pytest.fixture(autouse=True)
def cached_however_small(monkeypatch):
    monkeypatch.setattr(prefix, "WORTH", 0)


def trained(spec, data, dropout=0.25, **options):
    model = residual(dropout=dropout)
    return model, training.fit(model, data, spec, **options)


@pytest.mark.parametrize(
    ("frozen", "cut"),
    [
        (UP_TO_BLOCK_1, "block_1_add"),
        ((*STEM, *BLOCK_1), "block_1_add"),
        (("stem_conv", "stem_bn", "block_1_conv_1", "block_1_bn_1"), "stem_relu"),  # half a block is none
        (
            tuple(name for name in UP_TO_BLOCK_1 if name != "stem_bn"),
            "stem_conv",
        ),  # averages that still move
        ((*UP_TO_BLOCK_1, *BLOCK_2, "dense"), "block_1_add"),  # dropout in the second block ends it
        (BLOCK_2, None),
    ],
)
def test_the_boundary_stands_between_blocks(layers, frozen, cut):
    boundary = Freezing(layers, frozen).boundary
    assert (boundary and boundary.layer) == cut


def test_presets_freeze_blocks_whole(layers):
    presets = freezing.presets(layers)
    assert presets["convolutions"] == (*UP_TO_BLOCK_1, *BLOCK_2)
    assert presets["all_but_last_block"] == UP_TO_BLOCK_1
    assert presets["all_but_head"] == (*UP_TO_BLOCK_1, *BLOCK_2, "dense")
    assert Freezing(layers, presets["all_but_last_block"]).words == "stem_conv, stem_bn, block_1"
    assert freezing.presets(sources.info("digits").layers)["all_but_last_block"] == ()


def test_the_cached_prefix_trains_the_same_model_as_the_whole_network(data):
    cached, with_cache = trained(FEW, data, dropout=0)
    plain, without = trained(FEW, data, dropout=0, use_cache=False)
    assert with_cache.cached and not without.cached
    x = data.x_test[:64]
    np.testing.assert_allclose(cached.predict(x, verbose=0), plain.predict(x, verbose=0), atol=2e-5)
    assert str(with_cache.reason) == (
        "The frozen layers stem_conv to block_1_add ran once (less than 1 MB); only the rest was trained."
    )


def test_frozen_averages_stay_and_trained_ones_move(data):
    model, fitted = trained(FEW, data)
    assert {row.layer for row in fitted.proof if row.frozen} == set(UP_TO_BLOCK_1)
    assert all(row.ok for row in fitted.proof)
    before = residual().get_layer("block_2_bn_1")
    assert not np.array_equal(model.get_layer("block_2_bn_1").moving_mean, before.moving_mean)


def test_the_trained_model_is_whole_and_survives_saving(data, tmp_path):
    import keras

    model, _ = trained(FEW, data)
    start = residual()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.name for layer in again.layers] == [layer.name for layer in start.layers]
    np.testing.assert_array_equal(model.predict(data.x_test[:8], verbose=0), again.predict(data.x_test[:8], verbose=0))
    kept = freezing.hashes(again)
    assert {name for name, digest in freezing.hashes(start).items() if kept[name] == digest} == set(UP_TO_BLOCK_1)


def test_another_run_finds_the_blocks_features_kept(data, tmp_path):
    fresh, first = trained(FEW, data, cache=tmp_path)
    kept, second = trained(FEW, data, cache=tmp_path)
    assert (first.from_cache, second.from_cache) == (False, True)
    assert freezing.hashes(fresh) == freezing.hashes(kept)
    x = features.cached_extract(residual(), data.x_train, "block_1_add", tmp_path)
    assert x.from_cache and x.x.shape == (40, 7 * 7 * 4)  # the heads' extraction finds them too


def test_phases_cut_where_each_of_them_freezes(data, tmp_path):
    everything = Freezing(sources.describe(residual()), (*UP_TO_BLOCK_1, *BLOCK_2, "dense")).names
    spec = replace(FEW, phases=(Phase(1, tuple(everything)), Phase(1, ("stem_conv", "stem_bn"), 1e-4)))
    _, fitted = trained(spec, data, dropout=0, cache=tmp_path)
    frozen = {number: {row.layer for row in fitted.proof if row.phase == number and row.frozen} for number in (1, 2)}
    assert frozen == {1: set(everything), 2: {"stem_conv", "stem_bn"}} and all(row.ok for row in fitted.proof)


def test_a_network_that_prepares_its_images_is_cached_from_the_stored_pixels(data, tmp_path):
    x_train, x_validation = ((255 * x).round().astype(np.uint8) for x in (data.x_train, data.x_validation))
    stored = replace(data, x_train=x_train, x_validation=x_validation)
    mine = residual(dropout=0, rescaled=True)
    fitted = training.fit(mine, stored, FEW, cache=tmp_path)
    plain, _ = trained(FEW, data, dropout=0)
    assert fitted.cached
    for a, b in zip(mine.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_film_follows_the_blocks_and_the_answers_are_the_networks_own(tmp_path):
    data = datasets.load(FEW.data)  # as stored: the network scales them itself
    spec = replace(FEW, source="random", film=True)  # a source without a task of its own
    model = residual(rescaled=True)
    training.fit(model, data, spec, film.Monitor(model, spec, data.class_names, tmp_path))
    frames = film.frames(tmp_path)
    assert [frame.epoch for frame in frames] == [0, 1, 2] and {frame.source for frame in frames} == {None}
    assert {frames[-1].drift[name] for name in UP_TO_BLOCK_1} == {0.0} and frames[-1].drift["block_2_conv_2"] > 0
    images, labels = datasets.samples("mnist_5_9", film.N_MAP)
    shares = model.predict(images[: film.N_WATCHED], verbose=0)
    np.testing.assert_allclose([answer.sure for answer in frames[-1].answers], shares.max(axis=1), atol=1e-5)
    assert film.feature_maps(tmp_path)[2].shape == (film.N_MAP, 2)
