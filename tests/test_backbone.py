"""MobileNetV2 as a source: it prepares its photographs, is cut and frozen by block, and is trained as any network."""

import shutil
from dataclasses import replace

import few_hands
import h5py
import numpy as np
import pytest

from tlcore import datasets, features, sources, training
from tlcore.errors import DataError, SpecError
from tlcore.features import freezing, prefix
from tlcore.features.freezing import Freezing
from tlcore.inspection import geometry
from tlcore.prediction import moves
from tlcore.recipes import scratch_control, two_phases
from tlcore.sources import applications, making
from tlcore.spec import DataSpec, FineTuneSpec, Phase

CARD = sources.info("mobilenet_v2")
FEW = DataSpec("hands", per_class=2)


@pytest.fixture(scope="module")
def model():
    return sources.load("mobilenet_v2", n_classes=10, seed=1)


@pytest.fixture(scope="module")
def data():
    with pytest.MonkeyPatch.context() as patch:
        few_hands.use(patch)
        return datasets.load(FEW)


def test_its_card_names_where_it_comes_from_and_no_classes():
    assert "Apache-2.0" in CARD.note and "ImageNet" in CARD.dataset and CARD.trained and not CARD.answers
    assert str(CARD.form) == "96 × 96 × 3" and CARD.untrained == "mobilenet_v2_random"
    control = sources.info(CARD.untrained)
    assert (control.layers, control.form, control.untrained) == (CARD.layers, CARD.form, control.name)
    assert not control.trained and sources.catalogue()[0].answers


def test_it_is_cut_between_blocks_alone_and_its_stages_begin_where_the_image_shrinks():
    blocks = ["expanded_conv", *(f"block_{n}" for n in range(1, 17))]
    ends = [layer.name for layer in CARD.layers if layer.cut and layer.block]
    assert [name.rsplit("_", 1)[0].removesuffix("_project") for name in ends] == blocks
    assert freezing.stages(CARD.layers) == ("block_1", "block_3", "block_6", "block_13")
    assert features.first_vector(CARD.layers) == "average"


@pytest.mark.parametrize(
    ("preset", "cut", "words"),
    [
        ("last_stage", "block_12_add", "Conv1 – block_12, BatchNormalization"),
        ("last_two_stages", "block_5_add", "Conv1 – block_5, BatchNormalization"),
    ],
)
def test_a_preset_thaws_the_last_stages_and_no_batch_normalisation(preset, cut, words):
    frozen = Freezing(CARD.layers, freezing.presets(CARD.layers)[preset])
    assert frozen.boundary and frozen.boundary.layer == cut and frozen.words == words
    assert not [layer for layer in frozen.layers if "Normal" in layer.type and layer.name not in frozen.names]
    assert freezing.fitting(CARD.layers, ("conv_1", "conv_2")) == freezing.presets(CARD.layers)["last_stage"]
    assert freezing.presets(sources.info("digits").layers)[preset] == ()


def test_source_and_target_lead_to_each_other():
    digits = sources.info("digits_0_4")
    assert sources.target_for(CARD, "mnist_5_9") == "hands" and sources.target_for(digits, "hands") == "mnist"
    assert sources.target_for(digits, "mnist_5_9") == "mnist_5_9"
    assert sources.source_for("hands", digits, sources.catalogue()) == "mobilenet_v2"
    assert sources.source_for("mnist", digits, sources.catalogue()) == "digits_0_4"
    with pytest.raises(SpecError, match=r"reads 96 × 96 × 3 \(photo\), but MNIST digits 5-9 has 28 × 28 \(image\)"):
        sources.check_reads(CARD, "mnist_5_9")


@pytest.mark.keras
def test_it_reads_pixels_and_scales_them_to_minus_1_to_1_without_a_number(model):
    assert sources.front(model) == ("rescaling",) and model.inputs[0].dtype == "uint8"
    assert sources.describe(model) == CARD.layers_for(10) and CARD.layers[0].name == "Conv1"
    scaled = features.submodel(model, "rescaling")
    black, white = (scaled(np.full((1, *CARD.form.shape), value, np.uint8)).numpy() for value in (0, 255))
    assert (black.min(), black.max(), white.min(), white.max()) == (-1, -1, 1, 1)


@pytest.mark.keras
def test_its_weights_are_the_published_ones_and_the_control_has_none_of_them(model):
    random, hashes = sources.load("mobilenet_v2_random", 10, seed=1), freezing.hashes(model)
    assert hashes["Conv_1"].startswith("241da54ff02c")
    kernels = [name for name in hashes if "BN" not in name and "bn" not in name]
    momenta = [
        {layer.momentum for layer in each.layers if "Normal" in type(layer).__name__} for each in (model, random)
    ]
    assert momenta == [{0.999}, {applications.MOMENTUM}]  # so that an untrained one answers as it has learned
    assert len(kernels) == 53 and not [name for name in kernels[:-1] if freezing.hashes(random)[name] == hashes[name]]


@pytest.mark.keras
@pytest.mark.parametrize("cut", ["block_3_project_BN"])
def test_both_parts_together_are_the_network(model, data, cut):
    before, after = features.split(model, cut)
    whole = features.activations(model, data.x_test[:6])
    np.testing.assert_allclose(after(features.activations(before, data.x_test[:6])), whole, atol=1e-5)


@pytest.mark.keras
def test_features_averaged_over_places_have_one_number_a_channel(model, data):
    ((rows, last),) = features.extract_several(model, data.x_test[:6], ["block_12_add", "average"], averaged=True)
    whole = features.extract(model, data.x_test[:6], "block_12_add").reshape(6, 36, 32)
    np.testing.assert_allclose(rows, whole.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(last, features.extract(model, data.x_test[:6], "average"), atol=1e-5)


@pytest.mark.keras
def test_a_question_for_every_cut_sees_features_averaged_over_places(model, monkeypatch):
    few_hands.use(monkeypatch)
    monkeypatch.setattr(moves, "_source", lambda name, seed: model)
    moves._data.cache_clear()
    scores = moves.every_cut(moves.Cuts("mobilenet_v2", "hands", 0, 4))
    moves._data.cache_clear()
    assert tuple(scores.by_cut) == ("", *CARD.cut_names[:-1])  # the last layer is new: it says nothing
    assert scores.n_images == 40
    assert scores.by_cut["average"].accuracy >= 0.35 > scores.by_cut["Conv1"].accuracy
    rows = list(moves._products_of_several(model, moves._data("hands", 0, 4), ["average"], True))
    assert abs(rows[0][1][0].sum()) < 1e-2  # what all photographs have in common is taken off
    moves._data.cache_clear()


@pytest.mark.keras
def test_it_is_taken_through_fewer_photographs_at_a_time_than_digits(model):
    digits = sources.load("digits")
    assert features.extraction.batch_size(digits) == 512 > features.extraction.batch_size(model) >= 64


@pytest.mark.keras
@pytest.mark.slow
def test_the_head_first_then_the_last_stage_leaves_every_batch_normalisation_as_it_was(data, monkeypatch):
    monkeypatch.setattr(prefix, "WORTH", 0)
    presets = freezing.presets(CARD.layers)
    plain = FineTuneSpec("mobilenet_v2", FEW, (Phase(2, presets["last_stage"], 0.01),), batch_size=16)
    spec, mine = two_phases(plain, presets["all_but_head"]), sources.load("mobilenet_v2", n_classes=10, seed=0)
    x = features.activations(mine, data.x_test)
    fitted = training.fit(mine, data, spec)
    assert fitted.cached and all(row.ok for row in fitted.proof)
    moved = [row for row in fitted.proof if not row.frozen]
    trained = {number: {row.layer for row in moved if row.phase == number} for number in (1, 2)}
    assert trained[1] == {"head"} and {"head", "block_13_expand", "Conv_1"} < trained[2]
    assert not [name for name in trained[2] if "BN" in name or "bn" in name]
    assert np.abs(features.activations(mine, data.x_test) - x).max() > 0.01
    control = scratch_control(spec)
    assert control.source == "mobilenet_v2_random" and not any(phase.frozen for phase in control.phases)


@pytest.mark.keras
def test_the_published_weights_are_copied_with_their_card_and_nothing_else_is(tmp_path):
    weights = sources.FOLDER / f"mobilenet_v2{applications.ENDING}"
    making.rebuild("mobilenet_v2", tmp_path, weights)
    assert {path.name for path in tmp_path.iterdir()} == {"mobilenet_v2.json", weights.name}
    assert (tmp_path / "mobilenet_v2.json").read_text() == (sources.FOLDER / "mobilenet_v2.json").read_text()
    (tmp_path / "other.h5").write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(DataError, match="other.h5 is not the published file"):
        making.rebuild("mobilenet_v2", tmp_path, tmp_path / "other.h5")
    with pytest.raises(DataError, match="Name the file with --data"):
        making.rebuild("mobilenet_v2", tmp_path)


def test_a_damaged_file_of_weights_is_noticed(tmp_path, monkeypatch):
    shutil.copytree(sources.FOLDER, tmp_path / "sources")
    monkeypatch.setattr(applications, "FOLDER", tmp_path / "sources")
    (tmp_path / "sources" / f"mobilenet_v2{applications.ENDING}").write_bytes(b"")
    with pytest.raises(DataError, match="damaged"):
        sources.check_shipped()
    assert replace(CARD, sha256="") == replace(sources.info("mobilenet_v2"), sha256="")


# ------------------------------------------------------------------ the table of keras.applications


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder that the setting names, and an empty cache of Keras."""
    monkeypatch.setenv(applications.WEIGHTS, str(tmp_path / "weights"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


def test_a_network_whose_weights_are_not_here_says_what_brings_them(folder):
    names = {name for name, backbone in applications.BACKBONES.items() if not backbone.shipped}
    assert names == set(sources.absent()) == {"mobilenet_v2_wide", "efficientnet_v2_b0", "resnet50_v2", "convnext_tiny"}
    offered = {card.name for card in sources.offered()}
    assert not offered & {*names, *(f"{name}_random" for name in names)} and "mobilenet_v2_random" in offered
    card = sources.info("resnet50_v2")
    assert card.n_weights > 23_000_000 and not card.trained
    with pytest.raises(SpecError, match="sources fetch resnet50_v2` fetches them once .95 MB.; or put the file resnet"):
        sources.check_reads(card, "hands")
    with pytest.raises(DataError, match=str(folder)):
        sources.load("resnet50_v2")


@pytest.mark.parametrize("place", ["weights", "keras/models"])
def test_a_file_of_weights_in_a_named_folder_or_keras_own_puts_its_network_on_offer(folder, place):
    path = folder.parent / place / applications.BACKBONES["resnet50_v2"].files[0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"some weights")
    assert {"resnet50_v2", "resnet50_v2_random"} <= {card.name for card in sources.offered()}
    card = sources.info("resnet50_v2")
    assert card.trained and card.sha256.startswith("a0c76a31")
    sources.check_reads(card, "hands")


@pytest.mark.keras
@pytest.mark.parametrize("name", ["mobilenet_v2_wide"])
def test_the_weights_in_the_folder_are_those_that_it_answers_with(folder, name):
    from keras.src.legacy.saving import legacy_h5_format

    random = sources.load(f"{name}_random", 10, seed=5)
    body = [layer for layer in random.layers if layer.name not in ("photo", "rescaling", "average", "head")]
    with h5py.File(folder / applications.BACKBONES[name].files[0], "w") as file:  # as Keras publishes them
        legacy_h5_format.save_weights_to_hdf5_group(file, random.__class__(body[0].input, body[-1].output))
    loaded = sources.load(name, 10, seed=1)
    assert sources.describe(loaded) == sources.info(name).layers_for(10)
    ours, theirs = freezing.hashes(loaded), freezing.hashes(random)
    assert [layer for layer in ours if ours[layer] != theirs[layer]] == ["head"]


@pytest.mark.keras
def test_what_cannot_be_fetched_is_said_in_one_sentence(folder, monkeypatch):
    monkeypatch.setattr(applications, "BACKBONES", dict(applications.BACKBONES))
    broken = replace(applications.BACKBONES["resnet50_v2"], address="http://127.0.0.1:9")
    monkeypatch.setitem(applications.BACKBONES, "resnet50_v2", broken)
    with pytest.raises(DataError, match="cannot be fetched .* put it into"):
        sources.fetch("resnet50_v2")
    with pytest.raises(SpecError, match="Pick one of"):
        sources.fetch("mobilenet_v2")


@pytest.mark.keras
def test_photographs_can_be_read_larger_with_the_same_weights(model):
    assert sources.sizes("mobilenet_v2_random") == {
        96: "mobilenet_v2_random", 128: "mobilenet_v2_128_random", 224: "mobilenet_v2_224_random",
    }  # fmt: skip
    larger = sources.load("mobilenet_v2_128", 10, seed=1)
    assert sources.front(larger) == ("resizing", "rescaling") and larger.input_shape == model.input_shape
    assert sources.describe(larger) == sources.info("mobilenet_v2_128").layers_for(10)
    assert freezing.hashes(larger) == freezing.hashes(model)
    assert larger.get_layer("Conv_1").output.shape[1:3] == (4, 4)
    (start, step), _across = geometry.grids(larger)["Conv_1"]
    assert step == pytest.approx(24) and 0 < start < 24  # pixels of the photograph, not of what it was enlarged to
