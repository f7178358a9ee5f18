"""Target tasks: splits, limits, and what is said when the bytes are missing or wrong."""

import gzip
import hashlib
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcore import cli, datasets
from tlcore.datasets import mnist
from tlcore.datasets.__main__ import main
from tlcore.errors import DataError, SpecError
from tlcore.spec import SPLITS, DataSpec

OFFLINE = tuple(entry.name for entry in datasets.catalogue() if entry.offline)


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """A copy of the shipped MNIST files that a test may spoil."""
    for file in ("mnist.npz", "mnist.json"):
        shutil.copy(datasets.ASSETS / file, tmp_path / file)
    monkeypatch.setattr("tlcore.datasets.mnist.ASSETS", tmp_path)
    return tmp_path


# ------------------------------------------------------------------ the lists


def test_the_noted_class_sizes_are_those_of_the_files():
    for name in ("mnist", "digits_8x8"):
        raw = datasets.get(name).read()
        assert tuple(np.bincount(raw.y_train)) == datasets.info(name).sizes


@pytest.mark.parametrize("name", OFFLINE)
def test_every_shipped_task_loads_as_its_entry_says(name):
    entry, data = datasets.info(name), datasets.load(DataSpec(name, per_class=None))
    assert len(data.y_train) + len(data.y_validation) == entry.n_train
    assert len(data.y_test) == entry.n_test
    assert data.class_names == entry.class_names
    for images, labels in (
        (data.x_train, data.y_train),
        (data.x_validation, data.y_validation),
        (data.x_test, data.y_test),
    ):
        assert images.shape == (len(labels), *entry.form.shape)
        assert images.dtype == np.uint8
        assert (images.min(), images.max()) == (0, 255)
        assert labels.dtype == np.int64
        assert set(labels) == set(range(len(entry.class_names)))


def test_a_task_registers_once_and_is_then_on_every_list(monkeypatch):
    monkeypatch.setattr(datasets.source, "SOURCES", dict(datasets.SOURCES))

    class Dots(datasets.DataSource):
        info = replace(datasets.info("mnist_0_4"), name="dots", title="Dots", sizes=(2,) * 5, n_test=5)

        def read(self):
            x = np.arange(15, dtype=np.uint8)[:, None] * np.ones((1, 6), np.uint8)
            return datasets.Raw(x[:10], np.arange(10) % 5, x[10:], np.arange(5))

    datasets.register(Dots())
    assert datasets.catalogue()[-1].title == "Dots" and datasets.info("dots").n_train == 10
    assert cli.parser().parse_args(["train", "--target", "dots"]).target == "dots"
    assert datasets.samples("dots", 5)[1].tolist() != [] and datasets.max_per_class("dots", "standard") == 1
    with pytest.raises(SpecError, match="Two data sets are called 'dots'"):
        datasets.register(Dots())


def test_the_catalogue_loads_neither_keras_nor_scikit_learn():
    code = (
        "import sys; from tlcore import datasets as d; d.catalogue(); d.max_per_class('cifar10', 'article');"
        "d.samples('mnist', 3); sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=datasets.ASSETS.parents[1]).returncode == 0


# ------------------------------------------------------------------ splits


@pytest.mark.parametrize(
    ("split", "numbers"), [("standard", (54_000, 6_000, 10_000)), ("article", (55_000, 5_000, 10_000))]
)
def test_mnist_is_divided_as_published(split, numbers):
    data = datasets.load(DataSpec("mnist", split, None))
    assert (len(data.y_train), len(data.y_validation), len(data.y_test)) == numbers


@pytest.mark.slow
def test_no_image_is_in_two_parts():
    data = datasets.load(DataSpec("mnist", "article", None, seed=3))
    together = np.concatenate([data.x_train, data.x_validation, data.x_test])
    every = datasets.get("mnist").read()
    raw = np.concatenate([every.x_train, every.x_test])
    # The same multiset of pictures: nothing twice, nothing lost (MNIST itself repeats none).
    prints = [{hashlib.sha256(image).digest() for image in images} for images in (together, raw)]
    assert len(prints[0]) == len(together) == 70_000
    assert prints[0] == prints[1]


labels_of = st.lists(st.integers(12, 60), min_size=2, max_size=6).map(
    lambda sizes: np.repeat(np.arange(len(sizes)), sizes)
)


@given(
    labels=labels_of, split=st.sampled_from(SPLITS), seed=st.integers(0, 99), per_class=st.none() | st.integers(1, 9)
)
@settings(deadline=None)
def test_splits_are_disjoint_and_stratified(labels, split, seed, per_class):
    train, validation = datasets.divide(labels, split, per_class, seed)
    assert not set(train) & set(validation)
    assert len(set(train)) == len(train)
    assert len(validation) == round(len(labels) / (10 if split == "standard" else 12))
    share = len(validation) / len(labels)
    for label, size in enumerate(np.bincount(labels)):
        assert abs((labels[validation] == label).sum() - share * size) < 1
        if per_class is not None:
            assert (labels[train] == label).sum() == per_class
    if per_class is None:
        assert len(train) + len(validation) == len(labels)


@given(n=st.integers(0, 500), sizes=st.lists(st.integers(1, 900), min_size=1, max_size=12))
def test_shares_add_up_and_never_exceed_what_is_there(n, sizes):
    n = min(n, sum(sizes))
    shares = datasets.apportion(n, sizes)
    assert sum(shares) == n
    assert all(0 <= share <= size for share, size in zip(shares, sizes, strict=True))


def test_a_smaller_training_set_is_part_of_a_larger_one():
    labels = datasets.get("mnist").read().y_train
    five, ten = (set(datasets.divide(labels, "standard", n, seed=7)[0]) for n in (5, 10))
    assert five < ten


def test_few_labels_keep_at_most_a_thousand_validation_images():
    data = datasets.load(DataSpec("mnist_5_9", per_class=5))
    assert np.bincount(data.y_train).tolist() == [5] * 5
    assert len(data.y_validation) == 1000
    assert datasets.load(DataSpec("digits_8x8", per_class=5)).y_validation.shape == (144,)


def test_the_seed_decides_what_is_drawn_and_the_test_images_stay():
    one, again, other = (datasets.load(DataSpec("mnist_0_4", per_class=20, seed=seed)) for seed in (1, 1, 2))
    assert one.hash == again.hash != other.hash
    assert not np.array_equal(one.x_train, other.x_train)
    assert np.array_equal(one.x_test, other.x_test)


def test_the_hash_is_over_the_six_arrays_in_order():
    data = datasets.load(DataSpec("digits_8x8", per_class=2))
    parts = (data.x_train, data.y_train, data.x_validation, data.y_validation, data.x_test, data.y_test)
    assert data.hash == hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", OFFLINE)
def test_the_most_per_class_can_be_had(name, split):
    most = datasets.max_per_class(name, split)
    data = datasets.load(DataSpec(name, split, most))
    assert set(np.bincount(data.y_train)) == {most}


def test_more_per_class_than_there_are_is_refused_with_the_most():
    with pytest.raises(SpecError, match=r"MNIST digits 5-9 has at most 4,879 training images.*Received: 4,880"):
        datasets.load(DataSpec("mnist_5_9", per_class=4880))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"target": "minst"}, "There is no target 'minst'.*mnist, mnist_0_4.*cifar10"),
        ({"target": "../mnist"}, "There is no target"),
        ({"split": "half"}, "There is no split 'half'.*standard, article"),
        ({"per_class": 0}, "Per class must be a whole number"),
        ({"per_class": "many"}, "Per class must be a whole number"),
        ({"per_class": True}, "Per class must be a whole number"),
        ({"seed": -1}, "Seed must be a whole number"),
    ],
)
def test_a_wrong_setting_is_refused_in_one_sentence(change, message):
    with pytest.raises(SpecError, match=message):
        datasets.load(replace(DataSpec(), **change))


def test_samples_are_test_images_spread_over_the_classes():
    images, labels = datasets.samples("mnist_5_9", 12, seed=4)
    assert images.shape == (12, 28, 28, 1)
    assert sorted(np.bincount(labels)) == [2, 2, 2, 3, 3]
    test = {image.tobytes() for image in datasets.load(DataSpec("mnist_5_9", per_class=1)).x_test}
    assert all(image.tobytes() in test for image in images)
    assert np.array_equal(labels, datasets.samples("mnist_5_9", 12, seed=4)[1])


# ------------------------------------------------------------------ bytes


@pytest.mark.parametrize("file", ["mnist.npz", "mnist.json"])
def test_a_missing_shipped_file_is_named(assets, file):
    (assets / file).unlink()
    with pytest.raises(DataError, match=rf"{file} that ships with the app .*Install the app again"):
        datasets.load(DataSpec())


def test_a_damaged_shipped_file_is_noticed(assets):
    content = bytearray((assets / "mnist.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (assets / "mnist.npz").write_bytes(content)
    with pytest.raises(DataError, match="mnist.npz that ships with the app is damaged"):
        datasets.load(DataSpec())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_card_is_noticed(assets, text):
    (assets / "mnist.json").write_text(text)
    with pytest.raises(DataError, match="damaged"):
        datasets.samples("mnist", 1)


@pytest.mark.keras
@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_a_task_that_cannot_be_downloaded_says_what_to_do(name, monkeypatch):
    import keras

    def unreachable():
        raise Exception("URL fetch failure on https://...: None -- [Errno -2] Name or service not known")

    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", unreachable)
    with pytest.raises(
        DataError, match="could not be downloaded. Connect to the internet once, or pick .*MNIST digits 0-9"
    ):
        datasets.load(DataSpec(name))


@pytest.mark.keras
@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_a_task_that_keras_has_becomes_28_by_28_in_grey(name, monkeypatch):
    import keras

    shape = (28, 28) if name == "fashion_mnist" else (32, 32, 3)
    pixels = np.full((400, *shape), 200, np.uint8)
    labels = np.arange(400) % 10 if name == "fashion_mnist" else (np.arange(400) % 10)[:, None]
    given = ((pixels, labels.astype(np.uint8)), (pixels[:50], labels[:50].astype(np.uint8)))
    monkeypatch.setattr(getattr(keras.datasets, name), "load_data", lambda: given)
    data = datasets.load(DataSpec(name, per_class=10))
    assert data.x_train.shape == (100, 28, 28, 1)
    assert (data.x_train == 200).all()
    assert data.y_test.shape == (50,)
    assert len(data.class_names) == 10


# ------------------------------------------------------------------ building


def test_building_refuses_a_folder_without_the_published_files(tmp_path, capsys):
    assert main(["build", str(tmp_path)]) == 1
    assert "has no file train-images-idx3-ubyte" in capsys.readouterr().err
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"not these"))
    assert main(["build", str(tmp_path)]) == 1
    assert "train-images-idx3-ubyte is not the published file" in capsys.readouterr().err
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"no gzip at all")
    assert main(["build", str(tmp_path)]) == 1
    assert "damaged" in capsys.readouterr().err
    assert main([]) == 2


@pytest.mark.slow
def test_the_shipped_file_can_be_built_again_from_the_raw_files(tmp_path, monkeypatch):
    raw, built = tmp_path / "raw", tmp_path / "built"
    raw.mkdir(), built.mkdir()
    with np.load(datasets.ASSETS / "mnist.npz") as arrays:
        for file, name in zip(mnist.MD5, ("x_train", "y_train", "x_test", "y_test"), strict=True):
            array = arrays[name]
            header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
            (raw / file).write_bytes(header + array.tobytes())  # the published bytes: their MD5 is checked
    before = datasets.samples("mnist", 20)[0]
    monkeypatch.setattr("tlcore.datasets.mnist.COMPRESSION", 1)  # the shipped file's level takes long
    monkeypatch.setattr("tlcore.datasets.mnist.ASSETS", built)
    assert main(["build", str(raw)]) == 0
    assert np.array_equal(datasets.samples("mnist", 20)[0], before)


def test_the_small_digits_are_scikit_learns_and_loading_them_does_not_import_it():
    import subprocess
    import sys

    code = (
        "from tlcore import datasets; import sys; datasets.samples('digits_8x8', 3, 0); print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

    from sklearn.datasets import load_digits

    data = datasets.load(DataSpec(target="digits_8x8", per_class=None))
    counts = np.bincount(np.concatenate([data.y_train, data.y_validation, data.y_test]))
    assert counts.tolist() == np.bincount(load_digits().target).tolist()


# ------------------------------------------------------------------ spoiled on purpose


def test_without_scaling_the_images_are_the_same(monkeypatch):
    plain, unscaled = (datasets.load(DataSpec(per_class=3, scale=scale)) for scale in (True, False))
    assert plain.hash == unscaled.hash  # the network does not scale them then: it is told so when it is loaded


@pytest.mark.parametrize(
    ("scale", "noted"),
    [
        (True, "e33efb9b5d55cb6faea780a85b4792c8605fc57e59343b1eca6520aee2ff7bf5"),
        (False, "98d3a9c6d22e1938c54edcf61feecb37ca99531ad1e09e0fa82499e2790344ae"),
    ],
)
def test_a_run_that_noted_its_images_as_floats_knows_them_again(scale, noted):
    assert datasets.older_hash(datasets.load(DataSpec(per_class=3, scale=scale)), scale) == noted


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_label_noise_deals_the_labels_of_its_share_out_anew_and_touches_nothing_else(share):
    plain, noisy = (datasets.load(DataSpec(per_class=100, seed=3, label_noise=noise)) for noise in (0.0, share))
    np.testing.assert_array_equal(np.bincount(noisy.y_train), np.bincount(plain.y_train))
    for name in ("x_train", "x_validation", "y_validation", "y_test"):
        np.testing.assert_array_equal(getattr(noisy, name), getattr(plain, name))
    wrong = (noisy.y_train != plain.y_train).mean()  # a fifth of what is dealt out comes back to its own class
    assert wrong == pytest.approx(0.8 * share, abs=0.08) and (share > 0) == (wrong > 0)


def test_a_share_of_noise_outside_0_to_1_is_refused():
    with pytest.raises(SpecError, match=r"Label noise must be a number from 0.0 to 1.0. Received: 1.5"):
        datasets.load(DataSpec(label_noise=1.5))


@pytest.mark.parametrize("target", [card.name for card in datasets.catalogue() if card.offline])
@pytest.mark.parametrize("split", ["standard", "article"])
def test_the_sizes_that_a_split_is_said_to_have_are_those_of_the_images(target, split):
    data = datasets.load(DataSpec(target, split, per_class=None))
    assert datasets.split_sizes(target, split) == (len(data.y_train), len(data.y_validation), len(data.y_test))
