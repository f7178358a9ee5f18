"""The two networks that Home shows: what ships is what the card says, and how they are made."""

import io
import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tlcore import datasets, features, prediction, sources
from tlcore.errors import DataError, SpecError
from tlcore.evidence import teaching
from tlcore.evidence.teaching import Lesson
from tlcore.prediction import taught
from tlcore.prediction.taught import SCRATCH, TRANSFER
from tlcore.spec import DataSpec

CARD = taught.card()


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A copy of what ships that a test may spoil."""
    folder = tmp_path / "taught"
    shutil.copytree(taught.FOLDER, folder)
    monkeypatch.setattr(taught, "FOLDER", folder)
    return folder


# ------------------------------------------------------------------ what ships


def test_ten_seeds_were_measured_and_the_median_one_ships():
    assert len(CARD.seeds) == 10
    counts = [CARD.ways[way].n_right for way in taught.WAYS]
    assert CARD.seed == teaching.median_seed(CARD.seeds, counts)
    assert CARD.seed != CARD.seeds[int(np.argmax(np.subtract(*counts)))]  # nor is it the one that shows transfer best


def test_both_ways_were_taught_ten_digits_from_five_images_of_each():
    assert (CARD.per_class, len(CARD.class_names), CARD.n_test) == (5, 10, 10_000)
    assert CARD.n_steps == 300


def test_the_four_outcomes_are_all_of_the_test_digits():
    shares = {(a, b): CARD.share_of(a, b) for a in (True, False) for b in (True, False)}
    assert sum(shares.values()) == pytest.approx(1)
    assert shares[True, True] + shares[True, False] == pytest.approx(CARD.share(TRANSFER).mean)
    assert shares[True, True] + shares[False, True] == pytest.approx(CARD.share(SCRATCH).mean)


def test_a_share_lies_in_its_interval_and_the_interval_of_ten_seeds_is_that_of_their_mean():
    for share in (CARD.share_before, *(CARD.share(way) for way in taught.WAYS)):
        assert share.low < share.mean < share.high and share.high - share.low < 0.03
    over = CARD.over_seeds(TRANSFER)
    assert over.mean == pytest.approx(np.mean(CARD.ways[TRANSFER].n_right) / CARD.n_test)


def test_the_picture_shows_exactly_the_images_that_were_learned_from():
    data = datasets.load(DataSpec(CARD.target, per_class=CARD.per_class, seed=CARD.seed))
    sheet = np.asarray(Image.open(io.BytesIO(taught.images(CARD.images_sha256))))
    assert sheet.shape == (5 * 28, 10 * 28)
    for label in range(10):
        column = sheet[:, label * 28 : label * 28 + 28].reshape(5, 28, 28)
        assert np.array_equal(column, data.x_train[data.y_train == label][..., 0])


@pytest.mark.keras
def test_the_networks_that_ship_read_as_many_test_digits_as_their_card_says(tmp_path):
    data = datasets.load(DataSpec(CARD.target, per_class=CARD.per_class, seed=CARD.seed))
    read = {}
    for way in taught.WAYS:
        model = prediction.predictor(f"taught:{way}", tmp_path)
        assert model.class_names == data.class_names and model.form == data.form
        read[way] = teaching.right(model.predict_proba, data.x_test, data.y_test)
        # Another processor may round a handful of answers differently.
        assert read[way].mean() == pytest.approx(CARD.share(way).mean, abs=5e-4)
    assert (read[TRANSFER] & read[SCRATCH]).mean() == pytest.approx(CARD.share_of(True, True), abs=5e-4)
    before = prediction.predictor(f"source:{CARD.source}", tmp_path)
    known = data.y_test < 5
    assert teaching.right(before.predict_proba, data.x_test[known], data.y_test[known]).sum() == pytest.approx(
        CARD.n_right_before, abs=5
    )


@pytest.mark.keras
def test_what_was_frozen_is_the_source_models_own():
    network, source = taught.load(TRANSFER), sources.load(CARD.source)
    assert CARD.ways[TRANSFER].frozen
    for name in CARD.ways[TRANSFER].frozen:
        for ours, theirs in zip(
            network.get_layer(name).get_weights(), source.get_layer(name).get_weights(), strict=True
        ):
            assert np.array_equal(ours, theirs)


def test_a_damaged_file_or_card_is_one_sentence(shipped):
    (shipped / "images.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"images\.png .* damaged"):
        taught.images.__wrapped__(CARD.images_sha256)
    (shipped / taught.CARD).write_text('{"source": "digits_0_4"}')
    with pytest.raises(DataError, match=r"card\.json .* damaged"):
        taught.card()
    (shipped / taught.CARD).unlink()
    with pytest.raises(DataError, match=r"card\.json .* missing"):
        taught.card()


@pytest.mark.keras
def test_a_damaged_network_and_an_unknown_one_are_one_sentence(shipped, tmp_path):
    (shipped / "scratch.keras").write_bytes(b"no network")
    with pytest.raises(DataError, match="damaged"):
        prediction.predictor("taught:scratch", tmp_path)
    with pytest.raises(SpecError, match="There is no model 'taught:best'"):
        prediction.predictor("taught:best", tmp_path)


# ------------------------------------------------------------------ how it is made

TINY = Lesson(per_class=1, epochs=1, rates=(1e-3,), seeds=(0,))


def test_both_ways_choose_from_the_same_rates_and_take_the_same_steps():
    candidates = Lesson().candidates()
    rates = {way: {spec.phases[0].learning_rate for spec in specs} for way, specs in candidates.items()}
    assert rates[TRANSFER] == rates[SCRATCH] == set(teaching.RATES)
    specs = [spec for specs in candidates.values() for spec in specs]
    assert len({(spec.epochs, spec.batch_size, spec.optimizer, spec.data) for spec in specs}) == 1
    assert {spec.source for spec in candidates[SCRATCH]} == {"random"}
    assert all(spec.phases[0].frozen == () for spec in candidates[SCRATCH])


def test_the_choice_is_the_best_on_validation_and_needs_no_test_digit(monkeypatch):
    """The accuracy of each candidate is its rate here; there are no test images to look at."""
    data = {0: replace(datasets.load(TINY.candidates()[TRANSFER][0].data), x_test=None, y_test=None)}
    candidates = Lesson(rates=(0.1, 0.3, 0.2)).candidates()[SCRATCH]

    def answer(spec):
        n = len(data[0].y_validation)
        read = np.arange(n) < round(spec.phases[0].learning_rate * n)
        answers = np.where(read, data[0].y_validation, (data[0].y_validation + 1) % 10)
        return lambda images: np.eye(10)[answers]

    monkeypatch.setattr(teaching, "teach", lambda spec, one: spec)
    monkeypatch.setattr(features, "compiled", answer)
    spec, scores = teaching.choose(candidates, data, lambda words: None)
    assert spec.phases[0].learning_rate == 0.3
    assert scores == pytest.approx([0.1, 0.3, 0.2], abs=1e-3)


@pytest.mark.keras
@pytest.mark.slow
def test_a_lesson_is_written_whole_and_again_the_same(tmp_path, monkeypatch):
    def few(spec, load=datasets.load):  # of the ten thousand test digits
        data = load(spec)
        return replace(data, x_test=data.x_test[:500], y_test=data.y_test[:500])

    monkeypatch.setattr(datasets, "load", few)
    cards = [teaching.write(TINY, tmp_path / name, say=lambda words: None) for name in ("first", "second")]
    weights = [[way.weights_sha256 for way in card.ways.values()] for card in cards]
    assert weights[0] == weights[1]
    monkeypatch.setattr(taught, "FOLDER", tmp_path / "second")
    assert taught.card() == cards[1]
    assert taught.card().seeds == (0,) and taught.card().n_steps == 1 and taught.card().n_test == 500
    for way in taught.WAYS:
        assert taught.load(way).output_shape == (None, 10)
