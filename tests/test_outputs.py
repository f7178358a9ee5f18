import hashlib
from dataclasses import replace

import numpy as np
import pytest

from tlcore.datasets import Data
from tlcore.datasets.mnist import FORM
from tlcore.errors import DataError
from tlcore.evaluation import outputs
from tlcore.spec import InputForm


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 28, 28, 1)).astype(np.uint8)
    labels = np.arange(30) % 3
    return Data(images[:3], labels[:3], images[3:6], labels[3:6], images, labels, ("a", "b", "c"), FORM, "")


@pytest.fixture
def said():
    rng = np.random.default_rng(1)
    return rng.dirichlet(np.ones(3), 30).astype(np.float32), rng.dirichlet(np.ones(3), 400).astype(np.float32)


def test_what_was_said_comes_back_with_eleven_bits_and_the_very_answers(tmp_path, data, said):
    path = outputs.save(tmp_path / "run", tmp_path, data, {"model": said})
    found = outputs.load(path, "model")
    np.testing.assert_allclose(found.probabilities, said[0], rtol=2**-11, atol=1e-7)
    np.testing.assert_allclose(found.noise, said[1], rtol=2**-11, atol=1e-7)
    np.testing.assert_array_equal(found.predicted, said[0].argmax(axis=1))
    np.testing.assert_array_equal(found.labels, data.y_test)
    assert outputs.models(path) == ("model",)


def test_two_probabilities_that_shortening_makes_equal_keep_their_order(tmp_path, data, said):
    close = np.tile(np.array([0.4999, 0.50001, 0.00009], np.float32), (30, 1))
    path = outputs.save(tmp_path / "run", tmp_path, data, {"model": (close, said[1])})
    assert set(outputs.load(path, "model").predicted) == {1}


def test_the_images_come_back_to_the_bit_and_lie_there_once(tmp_path, data, said):
    paths = [outputs.save(tmp_path / name, tmp_path, data, {"model": said}) for name in ("one", "two")]
    names = {outputs.load(path, "model").images for path in paths}
    assert len(names) == 1 and len(list((tmp_path / outputs.SHARED).iterdir())) == 1
    items = outputs.test_images(names.pop(), tmp_path, FORM)
    np.testing.assert_array_equal(items, data.x_test)
    assert items.dtype == np.uint8 and items.shape == (30, *FORM.shape)
    with pytest.raises(ValueError):
        items[0] = 0


def test_other_images_or_labels_have_another_name(tmp_path, data, said):
    others = (data, replace(data, x_test=255 - data.x_test), replace(data, y_test=2 - data.y_test))
    paths = [outputs.save(tmp_path / str(i), tmp_path, other, {"model": said}) for i, other in enumerate(others)]
    assert len({outputs.load(path, "model").images for path in paths}) == 3


def test_damage_is_one_sentence(tmp_path, data, said):
    path = outputs.save(tmp_path / "run", tmp_path, data, {"model": said})
    name = outputs.load(path, "model").images
    with pytest.raises(DataError, match="answers of dense-pixels were not kept"):
        outputs.load(path, "dense-pixels")
    kept = tmp_path / outputs.SHARED / f"{name}.npz"
    np.savez(kept, pixels=np.zeros((30, 28, 28), np.uint8), labels=data.y_test)
    with pytest.raises(DataError, match="are damaged"):
        outputs.test_images(name, tmp_path, FORM)
    for damaged in (path, kept):
        damaged.write_bytes(b"PK\x03\x04 no longer")
        with pytest.raises(DataError, match="missing or damaged"):
            outputs.models(damaged)


def test_noise_is_the_same_every_time_and_half_of_it_has_the_ink_of_the_test_images(data):
    first, again = outputs.noise(data.x_test, FORM), outputs.noise(data.x_test, FORM)
    np.testing.assert_array_equal(first, again)
    assert first.shape == (400, 28, 28, 1) and first.dtype == np.uint8
    for i in range(outputs.N_NOISE):
        shuffled, image = first[outputs.N_NOISE + i], data.x_test[i % 30]
        np.testing.assert_array_equal(np.sort(shuffled, axis=None), np.sort(image, axis=None))
        assert not np.array_equal(shuffled, image)


def test_equal_images_keep_the_name_that_they_had_before_there_were_other_forms(tmp_path, data, said):
    path = outputs.save(tmp_path / "run", tmp_path, data, {"model": said})
    digest = hashlib.sha256(b"(30, 28, 28)" + data.x_test.tobytes() + data.y_test.astype(np.int64).tobytes())
    assert outputs.load(path, "model").images == digest.hexdigest()[:32]


def test_items_of_any_form_come_back_as_they_were(tmp_path, data, said):
    form = InputForm("image", (8, 6, 2))
    items = np.random.default_rng(0).integers(0, 256, (30, 8, 6, 2)).astype(np.uint8)
    path = outputs.save(tmp_path / "run", tmp_path, replace(data, x_test=items, form=form), {"model": said})
    name = outputs.load(path, "model").images
    np.testing.assert_array_equal(outputs.test_images(name, tmp_path, form), items)
    assert outputs.noise(items, form).shape == (400, 8, 6, 2)
