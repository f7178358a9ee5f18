"""Source models: their cards, loading with and without a new last layer, and making them again."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from tlcore import datasets, sources
from tlcore.errors import DataError, SpecError
from tlcore.inputs import digits
from tlcore.machine import LeanContext, nursery
from tlcore.sources import making
from tlcore.sources.__main__ import main
from tlcore.spec import DataSpec, InputForm, LayerInfo

ROOT = sources.FOLDER.parents[2]
TRAINED = ("digits_0_4", "digits", "fashion")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of the shipped models that a test may spoil."""
    folder = tmp_path / "sources"
    shutil.copytree(sources.FOLDER, folder)
    monkeypatch.setattr("tlcore.sources.shipped.FOLDER", folder)
    return folder


# ------------------------------------------------------------------ cards


def test_the_cards_load_no_keras():
    code = (
        "import sys; from tlcore import sources; sources.catalogue();"
        "sys.exit(any(m in sys.modules for m in ('keras', 'tensorflow', 'sklearn')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_the_catalogue_names_every_source_in_order():
    networks = ("", "_128", "_224", "_wide")
    photographs = [f"mobilenet_v2{size}" for size in networks] + ["efficientnet_v2_b0", "resnet50_v2", "convnext_tiny"]
    assert [card.name for card in sources.catalogue()] == [
        *("digits_0_4", "digits", "fashion", "random"),
        *(name for network in photographs for name in (network, f"{network}_random")),
    ]


@pytest.mark.parametrize("name", TRAINED)
def test_a_trained_card_tells_what_was_done(name):
    card = sources.info(name)
    assert card.dataset and card.title and card.note
    assert card.n_train >= 30_000
    assert card.rebuild.startswith(f"python -m tlcore.sources {name}")
    assert card.sha256 == hashlib.sha256((sources.FOLDER / f"{name}.keras").read_bytes()).hexdigest()
    assert {"shift 5 px", "scale 0.5", "scale 1.3", "thin", "fat", "slant"} <= set(card.measures)
    assert all(0 < accuracy <= 1 for accuracy in card.measures.values())


@pytest.mark.parametrize(("name", "least"), [("digits_0_4", 0.995), ("digits", 0.99), ("fashion", 0.9)])
def test_each_source_is_good_at_its_own_task(name, least):
    assert sources.info(name).accuracy >= least


def test_random_init_has_no_accuracy_and_no_file():
    card = sources.info("random")
    assert card.accuracy is None
    assert (card.n_train, card.dataset, card.sha256) == (0, "", "")
    assert card.n_weights == 121_930


class Tiny(sources.Source):
    """Two channels of 8 × 6; made without a thought to how its items are stored."""

    name = "tiny"

    def card(self):
        layer = LayerInfo(0, "flatten", "Flatten", (96,), 0), LayerInfo(1, "out", "Dense", (2,), 194)
        form = InputForm("image", (8, 6, 2))
        return replace(sources.info("random"), name="tiny", class_names=("a", "b"), layers=layer, form=form, task="")

    def load(self, n_classes, seed):
        import keras

        model = keras.Sequential(
            [keras.Input((8, 6, 2)), keras.layers.Flatten(name="flatten"), keras.layers.Dense(2, "softmax", name="out")]
        )
        return sources.with_new_head(model, n_classes, seed) if n_classes else model


@pytest.fixture
def tiny():
    sources.register(Tiny())
    yield sources.SOURCES["tiny"]
    del sources.SOURCES["tiny"]


def test_a_network_registers_once_and_is_then_on_every_list(tiny):
    assert sources.names()[-1] == sources.catalogue()[-1].name == "tiny" and sources.get("tiny") is tiny
    with pytest.raises(SpecError, match="Two networks are called 'tiny'"):
        sources.register(Tiny())
    with pytest.raises(SpecError, match="no source model 'small'. Pick one of: digits_0_4, .*, tiny"):
        sources.info("small")


@pytest.mark.keras
def test_a_registered_network_reads_items_as_stored_whatever_it_was_made_for(tiny):
    items = np.random.default_rng(0).integers(0, 256, (4, 8, 6, 2)).astype(np.uint8)
    model = sources.load("tiny", n_classes=3, seed=1)
    assert model.inputs[0].dtype == "uint8" and model.output_shape == (None, 3)
    head = model.get_layer("out").get_weights()
    scores = items.reshape(4, -1).astype(np.float32) @ head[0] + head[1]
    np.testing.assert_array_equal(model.predict(items, verbose=0).argmax(axis=1), scores.argmax(axis=1))
    assert [row.name for row in sources.describe(model)] == ["flatten", "out"]


def test_what_trains_from_scratch_is_on_the_card_and_random_where_no_card_is_at_hand():
    assert sources.untrained("digits") == sources.untrained("random") == sources.untrained("gone") == "random"


@pytest.mark.keras
@pytest.mark.parametrize("name", [card.name for card in sources.offered()])
def test_a_card_lists_the_layers_of_its_model(name):
    model, card = sources.load(name), sources.info(name)
    assert sources.describe(model) == card.layers
    assert card.n_weights == model.count_params()
    assert model.output_shape == (None, *card.layers[-1].output_shape)
    assert not card.answers or model.output_shape == (None, len(card.class_names))


@pytest.mark.keras
@pytest.mark.parametrize(("name", "target"), [("digits_0_4", "mnist_0_4"), ("digits", "mnist")])
def test_the_noted_accuracy_is_what_the_file_measures(name, target):
    data = datasets.load(DataSpec(target, per_class=1))
    guessed = sources.load(name).predict(data.x_test, batch_size=1000, verbose=0).argmax(axis=1)
    assert (guessed == data.y_test).mean() == pytest.approx(sources.info(name).accuracy, abs=0.0005)


@pytest.mark.keras
def test_the_drawing_model_holds_under_shift_and_scale():
    images, labels = datasets.samples("mnist", 2000)
    images, model = images / np.float32(255), sources.proper(sources.load("digits"))

    def accuracy(change):
        changed = making.CHANGES[change](images[..., 0], np.random.default_rng(1))
        normalised = np.stack([digits.normalise(image, 28) for image in changed])[..., None]
        return (model.predict(normalised, verbose=0).argmax(axis=1) == labels).mean()

    clean = accuracy("unchanged")
    assert clean > 0.985
    for change in ("shift 5 px", "scale 0.5", "scale 1.3"):
        assert accuracy(change) > clean - 0.03, change


# ------------------------------------------------------------------ the network


@pytest.mark.keras
def test_the_network_is_the_article_s():
    layers = sources.describe(sources.network(10, seed=0))
    assert [layer.name for layer in layers] == ["conv_1", "pool_1", "conv_2", "pool_2", "flatten", "dense_1", "dense_2"]
    assert [layer.type for layer in layers][:2] == ["Conv2D", "MaxPooling2D"]
    assert [layer.n_weights for layer in layers] == [320, 0, 18_496, 0, 0, 102_464, 650]
    assert [layer.output_shape for layer in layers] == [
        (26, 26, 32), (13, 13, 32), (11, 11, 64), (5, 5, 64), (1600,), (64,), (10,),
    ]  # fmt: skip
    assert [layer.flops for layer in layers] == [26 * 26 * 9 * 32, 0, 11 * 11 * 9 * 32 * 64, 0, 0, 1600 * 64, 640]


@pytest.mark.keras
def test_the_seed_alone_decides_the_initial_weights():
    one, again, other = (sources.network(5, seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert np.array_equal(sources.load("random", 5, seed=3).get_weights()[0], one[0])
    assert not np.array_equal(sources.network(5, 2**31 - 1).get_weights()[0], one[0])  # the largest seed there is
    # Neighbouring layers and seeds share no random numbers.
    firsts = [array.ravel()[0] / np.abs(array).max() for array in (*one[::2], *other[::2])]
    assert len(set(firsts)) == len(firsts)


@pytest.mark.keras
def test_describe_counts_layers_of_other_networks_too():
    import keras
    from keras import layers

    stack = [
        layers.DepthwiseConv2D(3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.SeparableConv2D(4, 3, use_bias=False),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.5),
        layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input((8, 8, 3)), *stack])
    rows = sources.describe(model)
    assert sum(row.n_weights for row in rows) == model.count_params()
    assert [row.flops for row in rows] == [64 * 27, 0, 36 * (27 + 12), 0, 0, 8]


# ------------------------------------------------------------------ loading


@pytest.mark.keras
def test_a_new_last_layer_leaves_the_others_as_shipped():
    shipped, model = sources.load("digits_0_4"), sources.load("digits_0_4", n_classes=5, seed=1)
    assert model.layers[-1].name == "dense_2"
    before, after = shipped.get_weights(), model.get_weights()
    assert all(np.array_equal(a, b) for a, b in zip(before[:-2], after[:-2], strict=True))
    assert not np.array_equal(before[-2], after[-2])
    assert not after[-1].any()
    assert np.array_equal(after[-2], sources.load("digits_0_4", n_classes=5, seed=1).get_weights()[-2])
    assert not np.array_equal(after[-2], sources.load("digits_0_4", n_classes=5, seed=2).get_weights()[-2])
    assert sources.load("digits", n_classes=3).output_shape == (None, 3)
    assert sources.load("digits", new_head=True).output_shape == (None, 10)


@pytest.mark.keras
def test_the_shipped_last_layer_is_kept_on_request():
    kept = sources.load("digits", n_classes=10, new_head=False)
    assert np.array_equal(kept.get_weights()[-2], sources.load("digits").get_weights()[-2])
    with pytest.raises(SpecError, match="All ten digits tells 10 classes apart, the target has 5"):
        sources.load("digits", n_classes=5, new_head=False)


@pytest.mark.keras
def test_a_model_with_a_new_last_layer_survives_saving(tmp_path):
    import keras

    model = sources.load("digits_0_4", n_classes=7)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    images = datasets.samples("mnist", 5)[0]
    assert np.array_equal(model.predict(images, verbose=0), again.predict(images, verbose=0))


@pytest.mark.parametrize("name", ["digit", "", "../digits", None])
def test_an_unknown_source_is_refused_with_the_names(name):
    with pytest.raises(SpecError, match="There is no source model .*digits_0_4, digits, fashion, random"):
        sources.load(name)


@pytest.mark.parametrize("n_classes", [0, 1, -5, 1001, "ten", 2.5, True])
def test_an_impossible_class_count_is_refused(n_classes):
    with pytest.raises(SpecError, match="needs from 2 to 1,000 classes"):
        sources.load("digits", n_classes=n_classes)


@pytest.mark.parametrize("seed", [-1, 2**31, "0", 1.0])
def test_an_impossible_seed_is_refused(seed):
    with pytest.raises(SpecError, match="Seed must be a whole number"):
        sources.load("random", seed=seed)


# ------------------------------------------------------------------ files


@pytest.mark.keras
@pytest.mark.parametrize("file", ["digits.keras", "digits.json"])
def test_a_missing_file_is_named(shipped, file):
    (shipped / file).unlink()
    with pytest.raises(DataError, match=rf"{file} that ships with the app .*Install the app again"):
        sources.load("digits")


@pytest.mark.keras
@pytest.mark.parametrize("spoil", ["one bit", "half", "empty", "another model"])
def test_a_damaged_model_is_never_loaded(shipped, spoil):
    path = shipped / "digits.keras"
    content = bytearray(path.read_bytes())
    if spoil == "one bit":
        content[len(content) // 2] ^= 1
    elif spoil == "another model":
        content = (shipped / "fashion.keras").read_bytes()
    else:
        content = content[: len(content) // 2 if spoil == "half" else 0]
    path.write_bytes(content)
    with pytest.raises(DataError, match="digits.keras that ships with the app is damaged"):
        sources.load("digits")


@pytest.mark.keras
def test_a_file_that_is_no_model_is_refused_even_with_the_right_sum(shipped):
    content = b"not a model"
    (shipped / "digits.keras").write_bytes(content)
    card = json.loads((shipped / "digits.json").read_text())
    (shipped / "digits.json").write_text(json.dumps(card | {"sha256": hashlib.sha256(content).hexdigest()}))
    with pytest.raises(DataError, match="digits.keras cannot be loaded"):
        sources.load("digits")


@pytest.mark.parametrize("change", [{"layers": None}, {"layers": [{}]}, {"class_names": 5}, {"surprise": 1}])
def test_a_damaged_card_is_noticed(shipped, change):
    card = json.loads((shipped / "fashion.json").read_text())
    (shipped / "fashion.json").write_text(json.dumps(card | change))
    with pytest.raises(DataError, match="card fashion.json that ships with the app is damaged"):
        sources.catalogue()


# ------------------------------------------------------------------ making them again


def rebuilt_twice(folder):
    """Train on 640 images, and measure on 100 of the ten thousand."""
    images = making._images
    making._images = lambda *given: tuple(
        array[:n] for array, n in zip(images(*given), (640, 640, 100, 100), strict=True)
    )
    for name in ("one", "two"):
        assert main(["digits_0_4", "--epochs", "1", "--folder", str(folder / name)]) == 0


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.usefixtures("with_nursery")
def test_a_rebuild_depends_on_nothing_but_its_seed(tmp_path):
    # In a process of its own: deterministic kernels, once on, stay on.
    process = LeanContext(nursery.place()).Process(target=rebuilt_twice, args=(tmp_path,))
    process.start()
    process.join(300)
    assert process.exitcode == 0
    one, two = (json.loads((tmp_path / folder / "digits_0_4.json").read_text()) for folder in ("one", "two"))
    assert one["weights_sha256"] == two["weights_sha256"]
    assert one["n_train"] == 640
    assert one["epochs"] == 1
    content = (tmp_path / "one" / "digits_0_4.keras").read_bytes()
    assert one["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(content) < 600_000  # no optimizer in it


@pytest.mark.keras
def test_rebuilding_garments_without_their_files_says_what_to_do(tmp_path, monkeypatch, capsys):
    import keras

    def unreachable():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", unreachable)
    assert main(["fashion", "--folder", str(tmp_path)]) == 1
    assert "Fashion-MNIST is not on this computer" in capsys.readouterr().err
    assert main(["fashion", "--data", str(tmp_path), "--folder", str(tmp_path)]) == 1
    assert "has no file train-images-idx3-ubyte" in capsys.readouterr().err


def test_a_rebuild_of_nothing_known_is_refused(tmp_path):
    with pytest.raises(SpecError, match="There is no source model"):
        making.rebuild("letters", tmp_path)
    with pytest.raises(SpecError, match="Epochs must be a whole number"):
        making.rebuild("digits", tmp_path, epochs=0)


def test_the_readme_notes_the_sum_of_every_shipped_file():
    readme = (datasets.ASSETS / "README.md").read_text(encoding="utf-8")
    files = [path for path in datasets.ASSETS.rglob("*") if path.suffix in {".npz", ".keras", ".h5"}]
    assert len(files) == 9
    for path in files:
        assert f"| {path.relative_to(datasets.ASSETS).as_posix()} |" in readme
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme, path.name


@pytest.mark.keras
@pytest.mark.parametrize("name", [*TRAINED, "random"])
@pytest.mark.parametrize("n_classes", [5, 10, 26])
def test_a_card_foretells_the_layers_of_the_network_that_will_train(name, n_classes):
    told = sources.info(name).layers_for(n_classes)
    real = sources.describe(sources.load(name, n_classes=n_classes))
    assert [(one.name, one.n_weights, one.flops, one.output_shape) for one in told] == [
        (one.name, one.n_weights, one.flops, one.output_shape) for one in real
    ]
