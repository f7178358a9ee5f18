import numpy as np
import pytest

from tlcore.errors import SpecError
from tlcore.inspection import maps
from tlcore.jobs import execution as worker
from tlcore.spec import DataSpec, FineTuneSpec, HeadSpec, Phase
from tlcore.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("lab"))
    spec = FineTuneSpec(data=DataSpec(per_class=40), phases=(Phase(epochs=3, frozen=("conv_1", "conv_2")),))
    run = store.create(spec)
    worker.execute(run.id, str(store.folder))
    return store, run.id


def two_clouds(n=60, d=8, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    return rng.normal(size=(n, d)) + 6 * labels[:, None], labels


def test_the_axes_are_the_two_directions_of_most_variance():
    x, labels = two_clouds()
    found = maps.plane(x, labels, "pca")
    centred = x - x.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    for axis in (0, 1):
        own = centred @ directions[axis]
        assert np.allclose(found.points[:, axis], own, atol=1e-4) or np.allclose(found.points[:, axis], -own, atol=1e-4)
    assert found.kept == pytest.approx((singular[:2] ** 2).sum() / (singular**2).sum())


def test_the_nearest_other_image_is_scikit_learns():
    from sklearn.neighbors import NearestNeighbors

    x, labels = two_clouds()
    rows = NearestNeighbors(n_neighbors=2).fit(x).kneighbors(x)[1][:, 1]
    np.testing.assert_array_equal(maps.plane(x, labels, "pca").neighbours, labels[rows])


@pytest.mark.slow
def test_t_sne_is_the_same_every_time_and_keeps_clouds_apart():
    x, labels = two_clouds()
    first, again = (maps.plane(x, labels, "tsne") for _ in range(2))
    np.testing.assert_array_equal(first.points, again.points)
    assert first.kept is None
    centres = [first.points[labels == k].mean(axis=0) for k in (0, 1)]
    spread = max(first.points[labels == k].std() for k in (0, 1))
    assert np.linalg.norm(centres[0] - centres[1]) > spread


@pytest.mark.keras
def test_what_was_frozen_has_the_same_map_before_and_after_and_what_trained_tells_classes_better_apart(lab):
    store, run_id = lab
    frozen = maps.before_and_after(run_id, "flatten", "pca", str(store.folder))
    assert frozen.same and np.array_equal(frozen.before.points, frozen.after.points)
    trained = maps.before_and_after(run_id, "dense_1", "pca", str(store.folder))
    assert not trained.same and trained.before.points.shape == (maps.N_IMAGES, 2)
    shares = [(plane.neighbours == trained.labels).mean() for plane in (trained.before, trained.after)]
    assert shares[1] > shares[0]
    assert np.bincount(trained.labels).tolist() == [100] * 5


@pytest.mark.keras
@pytest.mark.parametrize(
    ("layer", "method", "sentence"),
    [("dense_1", "umap", "no method 'umap'"), ("conv_9", "pca", "no layer 'conv_9'")],
)
def test_an_unknown_layer_or_method_is_one_sentence(lab, layer, method, sentence):
    store, run_id = lab
    with pytest.raises(SpecError, match=sentence):
        maps.before_and_after(run_id, layer, method, str(store.folder))


def test_heads_have_no_before_and_after(store):
    run = store.create(HeadSpec())
    with pytest.raises(SpecError, match="did not fine-tune a network"):
        maps.before_and_after(run.id, "dense_1", "pca", str(store.folder))


def test_more_features_than_images_are_laid_out_as_they_would_be_one_by_one(monkeypatch):
    rng = np.random.default_rng(0)
    x, labels = rng.normal(0, 1, (30, 200)) * np.linspace(3, 0.1, 200), np.arange(30) % 3
    quick = maps.plane(x, labels, "pca")
    monkeypatch.setattr(maps, "compact", lambda features: features)
    plain = maps.plane(x, labels, "pca")
    np.testing.assert_allclose(
        np.abs(quick.points), np.abs(plain.points), atol=1e-4
    )  # a direction may point either way
    assert quick.kept == pytest.approx(plain.kept) and (quick.neighbours == plain.neighbours).all()
