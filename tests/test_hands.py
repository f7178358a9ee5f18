"""The photographs of hands: what ships, whose they are, and that those who test are in no other part."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from tlcore import datasets
from tlcore.datasets import hands
from tlcore.datasets.__main__ import main
from tlcore.spec import DataSpec


@pytest.fixture(scope="module")
def packed():
    return hands._packed(hands._sha256())


def test_the_file_is_small_and_its_card_says_where_it_comes_from():
    card = json.loads((datasets.ASSETS / "hands.json").read_text(encoding="utf-8"))
    assert (datasets.ASSETS / "hands.npz").stat().st_size == card["bytes"] <= 6_000_000
    assert "Apache-2.0" in card["attribution"] == datasets.info("hands").attribution
    assert (card["n_train"], card["n_test"]) == (datasets.info("hands").n_train, datasets.info("hands").n_test)


def test_nobody_is_in_the_test_photographs_and_in_another_part(packed):
    test, rest = packed["person"][packed["test"]], packed["person"][~packed["test"]]
    assert not set(test) & set(rest) and len(set(test)) == 57 and len({*test, *rest}) == 205
    by_sign = np.bincount(packed["y"][packed["test"]])
    assert by_sign.min() >= 57 and by_sign.sum() == datasets.info("hands").n_test


def test_the_noted_class_sizes_are_those_of_the_file():
    raw = datasets.get("hands").read()
    assert tuple(np.bincount(raw.y_train)) == datasets.info("hands").sizes
    assert raw.x_train.shape[1:] == (96, 96, 3) and raw.x_train.dtype == np.uint8


def test_a_person_signs_0_to_9_before_the_next_does():
    whole = list(range(10))
    assert hands.people([*whole, *whole]) == [0] * 10 + [1] * 10
    assert hands.people([0, 2, 1, 3, *whole]) == [0] * 4 + [1] * 10
    assert hands.people([*whole, 0, 1, *whole]) == [0] * 10 + [1] * 2 + [2] * 10


def test_samples_decode_no_more_than_they_show(monkeypatch):
    decoded = []
    real = hands._pixels
    monkeypatch.setattr(hands, "_pixels", lambda packed, rows: decoded.append(len(rows)) or real(packed, rows))
    hands._decoded.cache_clear()
    items, labels = datasets.samples("hands", 12, seed=3)
    assert decoded == [12] and items.shape == (12, 96, 96, 3)
    raw = datasets.get("hands").read()
    test = {item.tobytes(): label for item, label in zip(raw.x_test, raw.y_test, strict=True)}
    assert [test[item.tobytes()] for item in items] == labels.tolist()


def test_the_file_can_be_built_again_from_the_published_photographs(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hands, "ASSETS", tmp_path)
    with zipfile.ZipFile(tmp_path / "hands.zip", "w") as archive:
        for number in range(40):  # four people; the darker the later
            stream = io.BytesIO()
            Image.new("RGB", (100, 100), (6 * number, 6 * number, 6 * number)).save(stream, "JPEG", quality=95)
            archive.writestr(f"{number % 10}/IMG_{1000 + number}.JPG", stream.getvalue())
        archive.writestr("LICENSE", "Apache")
    assert main(["hands", str(tmp_path / "hands.zip")]) == 0
    card = json.loads((tmp_path / "hands.json").read_text(encoding="utf-8"))
    assert (card["n_people"], card["n_people_test"], card["n_train"], card["n_test"]) == (4, 1, 30, 10)
    raw = hands.Hands().read()
    assert raw.x_test.mean(axis=(1, 2, 3)).argsort().tolist() == list(range(10)) == raw.y_test.tolist()
    assert abs(int(raw.x_test[1].mean()) - int(raw.x_test[0].mean()) - 6) <= 2
    hands._decoded.cache_clear()


@pytest.mark.parametrize("content", [None, b"no zip", "empty"])
def test_a_file_without_the_photographs_is_refused_in_one_sentence(tmp_path, capsys, content):
    path = tmp_path / "other.zip"
    if content == "empty":
        zipfile.ZipFile(path, "w").close()
    elif content:
        path.write_bytes(content)
    assert main(["hands", str(path)]) == 1
    assert "other.zip" in capsys.readouterr().err


def test_the_seed_draws_other_training_photographs_and_the_same_tests():
    one, other = (datasets.load(DataSpec("hands", per_class=2, seed=seed)) for seed in (0, 1))
    assert np.array_equal(one.x_test, other.x_test) and not np.array_equal(one.x_train, other.x_train)
    assert one.x_train.shape == (20, 96, 96, 3) and len(one.y_validation) == 149
