"""Many pictures without labels: read under limits, answered one row each, told as CSV."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
from few_pictures import picture
from PIL import Image

from tlcore import cli, prediction
from tlcore.datasets import own_sets
from tlcore.datasets.mnist import FORM
from tlcore.datasets.own_sets import Given, Limits, Stopped
from tlcore.datasets.own_sets import many as reading
from tlcore.errors import DataError
from tlcore.prediction import Predictor, many
from tlcore.spec import InputForm

PHOTO = InputForm("photo", (96, 96, 3))
NAMES = ("disc", "square")


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "lab"))


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return Given(path, path.name)


def blank() -> bytes:
    content = io.BytesIO()
    Image.new("L", (40, 40), 0).save(content, "PNG")
    return content.getvalue()


@pytest.fixture
def given(tmp_path):
    members = {f"holiday/{at}.png": picture("disc", at) for at in range(3)}
    members |= {"holiday/sub/broken.jpg": b"no picture", "notes.txt": b"x", "__MACOSX/holiday/0.png": b"x"}
    return zipped(tmp_path / "p.zip", members)


def dark(items):
    """Say "square" of every second item."""
    shares = np.tile(np.array([[0.75, 0.25]], np.float32), (len(items), 1))
    shares[1::2] = shares[1::2, ::-1]
    return shares


def test_a_zip_without_class_folders_is_read_as_the_model_takes_pictures(given):
    told = []
    batch = own_sets.look_at_many([given], PHOTO, "me", progress=lambda done, total: told.append(total))
    assert batch.names == ("holiday/0.png", "holiday/1.png", "holiday/2.png")
    assert [(name, "damaged" in str(reason)) for name, reason in batch.refused] == [("holiday/sub/broken.jpg", True)]
    alone = prediction.predictors.inputs.modality("photo").accept(picture("disc", 1), PHOTO)
    assert np.array_equal(batch.items([1])[0], alone)
    with pytest.raises(DataError, match="These pictures are gone"):
        own_sets.batch(batch.id, "somebody else")
    assert own_sets.batch(batch.id, "me") == batch


def test_digits_are_brought_into_mnists_form_and_what_is_blank_says_so(tmp_path):
    image = Image.new("L", (60, 90), 255)
    image.paste(0, (28, 10, 34, 80))
    content = io.BytesIO()
    image.save(content, "PNG")
    given = zipped(tmp_path / "d.zip", {"one.png": content.getvalue(), "empty.png": blank()})
    place = tmp_path / "place"
    place.mkdir()
    reading.read_many(place, [given], FORM, True, Limits())
    kept = json.loads((place / reading.MANY).read_text())
    item = np.frombuffer((place / "items.u8").read_bytes(), np.uint8).reshape(28, 28)
    assert kept["names"] == ["one.png"] and kept["refused"][0][0] == "empty.png"
    rows = np.flatnonzero(item.max(axis=1))
    assert rows[-1] - rows[0] + 1 == 20 and item.max() == 255  # MNIST's box


@pytest.mark.parametrize(
    ("members", "limits", "sentence"),
    [
        ({"a.txt": b"x"}, Limits(), "holds no pictures"),
        ({f"{at}.png": blank() for at in range(3)}, Limits(pictures=2), "These are 3 pictures; the limit is 2"),
        ({"a.png": b"x", "b.png": b"y"}, Limits(), "None of the 2 pictures can be read. The first, a.png: "),
    ],
)
def test_what_holds_nothing_or_too_much_is_one_sentence(tmp_path, members, limits, sentence):
    with pytest.raises(DataError, match=sentence):
        reading.read_many(tmp_path, [zipped(tmp_path / "p.zip", members)], FORM, True, limits)


def test_two_archives_and_other_files_are_refused(tmp_path, given):
    with pytest.raises(DataError, match="do not belong together"):
        reading.unlabelled([given, zipped(tmp_path / "q.zip", {"a.png": b""})], Limits(), 96)
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(DataError, match="There are no pictures among these files: x.csv"):
        reading.unlabelled([Given(tmp_path / "x.csv", "x.csv")], Limits(), 96)


def test_each_picture_has_its_answer_its_second_guess_and_a_line_of_csv(given):
    batch = own_sets.look_at_many([given], PHOTO, "me")
    many.ask(batch, dark, "My net", NAMES)
    found = many.answered(batch.id, "me")
    assert [(row.label, row.second, row.probability, row.at) for row in found.rows] == [
        ("disc", "square", 0.75, 0),
        ("square", "disc", 0.75, 1),
        ("disc", "square", 0.75, 2),
        ("", "", 0.0, -1),
    ]
    lines = list(csv.DictReader(io.StringIO(many.as_csv(found))))
    assert lines[1] == {
        "file": "holiday/1.png",
        "answer": "square",
        "confidence": "0.750000",
        "second": "disc",
        "second_confidence": "0.250000",
        "disc": "0.250000",
        "square": "0.750000",
        "error": "",
    }
    assert lines[3]["answer"] == "" and "damaged" in lines[3]["error"]
    with pytest.raises(Stopped):
        many.ask(batch, dark, "My net", NAMES, stopped=lambda: True)
    with pytest.raises(DataError, match="not shares of its classes"):
        many.ask(batch, dark, "My net", ("a", "b", "c"))


class Process:
    """Stands for the process that answers: each item by its own."""

    def __init__(self, refusal=""):
        self.refusal = refusal

    def predict(self, item, names, timeout_s):
        return {names[0]: self.refusal or [0.9, 0.1]}


def test_the_server_reads_first_and_then_asks_its_process(given):
    told = []
    how = {"name": "run:x", "model": "Net", "class_names": NAMES, "form": PHOTO, "centred": True}
    progress = lambda done, total: told.append((done, total))  # noqa: E731
    found = many.look_and_ask(Process(), [given], "me", progress, lambda: False, **how)
    assert [row.label for row in found.rows] == ["disc"] * 3 + [""] and told[-1] == (6, 6)
    with pytest.raises(DataError, match="The models are {still} loading."):
        many.look_and_ask(Process("The models are {still} loading."), [given], "me", progress, lambda: False, **how)


def test_the_command_reads_a_zip_and_writes_a_csv(given, tmp_path, monkeypatch, capsys):
    answers = Predictor("source:digits", NAMES, PHOTO, dark)
    monkeypatch.setattr(prediction, "predictor", lambda name, folder: answers)
    monkeypatch.setattr(prediction, "how_it_reads", lambda name, folder: (PHOTO, False))
    code = cli.main(["predict", str(given.path), "--csv", str(tmp_path / "a.csv"), "--home", str(tmp_path / "lab")])
    printed, said = capsys.readouterr()
    lines = [json.loads(line) for line in printed.splitlines()]
    assert code == 2 and "broken.jpg: This picture is damaged" in said  # it says so, and goes on
    assert [(line["label"], line["model"]) for line in lines] == [
        (name, "digits") for name in ("disc", "square", "disc")
    ]
    rows = list(csv.DictReader((tmp_path / "a.csv").open()))
    assert len(rows) == 4 and rows[1]["answer"] == "square"
    assert not list((own_sets.folder() / "drafts").glob("*/items.u8"))
