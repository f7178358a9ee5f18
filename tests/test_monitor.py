"""Films of real networks on a few real digits, held against what the finished model itself says."""

from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, features, sources, training
from tlcore.spec import DataSpec, FineTuneSpec, Phase
from tlcore.training import film as monitor

pytestmark = pytest.mark.keras

FEW = FineTuneSpec(data=DataSpec(per_class=4), phases=(Phase(epochs=2, frozen=("conv_1", "conv_2")),), film=True)


def filmed(spec, folder):
    data = datasets.load(spec.data)
    model = sources.load(spec.source, n_classes=len(data.class_names), seed=spec.seed)
    start = {layer.name: layer.get_weights() for layer in model.layers}
    training.fit(model, data, spec, monitor.Monitor(model, spec, data.class_names, folder))
    return model, start, monitor.frames(folder)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return *filmed(FEW, folder), folder


def test_every_epoch_leaves_a_frame_and_epoch_0_stands_before_the_first_batch(film):
    frames = film[2]
    assert [frame.epoch for frame in frames] == [0, 1, 2]
    assert set(frames[0].drift.values()) == {0.0} and frames[0].target is None
    assert frames[1].target is not None


def test_frozen_layers_drift_by_exactly_0_and_the_others_by_what_the_weights_say(film):
    model, start, frames, _ = film
    assert frames[-1].drift["conv_1"] == frames[-1].drift["conv_2"] == 0.0
    for name in ("dense_1", "dense_2"):
        before, after = start[name], model.get_layer(name).get_weights()
        moved = sum(((a - b).astype(float) ** 2).sum() for a, b in zip(after, before, strict=True)) ** 0.5
        length = sum((b.astype(float) ** 2).sum() for b in before) ** 0.5
        assert 0 < frames[-1].drift[name] == pytest.approx(moved / length, rel=1e-6)


def test_at_first_the_source_is_known_as_well_as_its_own_model_knows_it(film):
    images, labels = datasets.samples("mnist_0_4", monitor.N_SOURCE)
    said = sources.load("digits_0_4").predict(images, verbose=0).argmax(axis=1)
    assert film[2][0].source == pytest.approx((said == labels).mean())


def test_the_watched_answers_are_the_models_own(film):
    model, _, frames, folder = film
    cast = monitor.cast(folder)
    images, labels = datasets.samples("mnist_5_9", monitor.N_MAP)
    assert cast.labels == tuple(labels) and cast.class_names == tuple("56789")
    np.testing.assert_array_equal(cast.images, images[: monitor.N_WATCHED, ..., 0])
    shares = model.predict(images[: monitor.N_WATCHED], verbose=0)
    assert [answer.label for answer in frames[-1].answers] == shares.argmax(axis=1).tolist()
    assert [answer.right for answer in frames[-1].answers] == pytest.approx(
        shares[np.arange(monitor.N_WATCHED), labels[: monitor.N_WATCHED]].tolist(), abs=1e-5
    )


def test_the_map_shows_the_last_hidden_layer_along_the_last_epochs_own_axes(film):
    model, _, _, folder = film
    maps = monitor.feature_maps(folder)
    assert list(maps) == [0, 1, 2] and maps[0].shape == (monitor.N_MAP, 2)
    images, _ = datasets.samples("mnist_5_9", monitor.N_MAP)
    hidden = features.extract(model, images, "dense_1").astype(float)
    hidden -= hidden.mean(axis=0)
    strongest = np.linalg.svd(hidden, compute_uv=False)[:2]
    np.testing.assert_allclose(np.linalg.norm(maps[2], axis=0), strongest, rtol=1e-3)
    assert np.abs(maps[2].mean(axis=0)).max() < 1e-3 < np.abs(maps[0] - maps[2]).max()


def test_with_all_but_the_head_frozen_nothing_is_forgotten(tmp_path):
    frozen = ("conv_1", "conv_2", "dense_1")
    _, _, frames = filmed(replace(FEW, phases=(Phase(epochs=2, frozen=frozen),)), tmp_path)
    assert {frame.source for frame in frames} == {frames[0].source}
    assert {frame.drift[name] for frame in frames for name in frozen} == {0.0}


def test_a_source_without_a_task_forgets_nothing_that_could_be_measured(tmp_path):
    spec = replace(FEW, source="random", phases=(Phase(epochs=1),))
    _, _, frames = filmed(spec, tmp_path)
    assert [frame.source for frame in frames] == [None, None]
    assert monitor.cast(tmp_path).source_task == ""


def test_watching_changes_nothing_of_the_training(film):
    data = datasets.load(FEW.data)
    model = sources.load(FEW.source, n_classes=len(data.class_names), seed=FEW.seed)
    training.fit(model, data, FEW)
    for a, b in zip(model.get_weights(), film[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_frame_is_left_out_and_a_missing_film_is_none(film, tmp_path):
    import shutil

    shutil.copytree(film[3], tmp_path / "run")
    (tmp_path / "run" / monitor.FOLDER / "0001.json").write_text('{"epoch": 1')
    assert [frame.epoch for frame in monitor.frames(tmp_path / "run")] == [0, 2]
    assert monitor.cast(tmp_path) is None and monitor.frames(tmp_path) == () and monitor.feature_maps(tmp_path) == {}


def test_a_film_keeps_what_every_class_got_for_every_image_on_its_map(film):
    from tlcore.training import watched

    model, _, frames, folder = film
    tables = watched.shares(folder)
    images, labels = datasets.samples("mnist_5_9", monitor.N_MAP)
    assert list(tables) == [0, 1, 2]
    np.testing.assert_allclose(tables[2].astype(float), model.predict(images, verbose=0), atol=1e-3)
    seen = watched.watched(folder, (7, 200))
    assert seen is not None and seen.labels == tuple(labels[[7, 200]])
    np.testing.assert_array_equal(seen.images, images[[7, 200], ..., 0])
    assert seen.answers[2][0].label == tables[2][7].argmax()
