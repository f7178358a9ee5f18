"""Where a camera's pictures arrive: who may send what, and that nothing but an answer comes of it."""

import io
import json
import threading
from types import SimpleNamespace
from urllib.parse import urlencode

import numpy as np
import pytest
from coroutines import finished
from PIL import Image
from starlette.requests import Request

from pages.ui.components.camera import answers_url
from pages.ui.session import state
from server import frames as route
from server import teach
from server.headers import HEADERS
from tlcore import datasets, prediction, teaching
from tlcore.errors import DataError
from tlcore.inputs import frames
from tlcore.people import Keys, new_person
from tlcore.prediction.serving import LATE
from tlcore.spec import InputForm

FORM = InputForm("photo", (96, 96, 3))
MODEL = "run:0123456789abcdef"


def jpeg(width=224, height=224, kind="JPEG", colour=(200, 120, 40)):
    content = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(content, kind)
    return content.getvalue()


class Answering:
    """In place of the process that answers: remembers what it was asked, and waits while told to."""

    def __init__(self):
        self.items, self.go, self.began = [], threading.Event(), threading.Event()
        self.go.set()
        self.distance = 0.5  # of what is shown, from what the model knows

    def follow(self, item, names, timeout_s, every_s, first=()):
        self.items.append(item)
        self.began.set()
        assert self.go.wait(20)
        known = {MODEL: [0.25, 0.75], f"outside:{MODEL}": [self.distance, 0.05]}
        yield {name: known.get(name, "There is no model of this name.") for name in names}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    store = SimpleNamespace(get=None)
    opened = SimpleNamespace(keys=Keys("s" * 32), folder=tmp_path, store=store, serving=Answering())
    monkeypatch.setattr(state, "lab", lambda: opened)
    monkeypatch.setattr(prediction, "form_of_model", lambda name, run_of: FORM)
    route._form.cache_clear()
    yield opened
    route._form.cache_clear()
    assert list(tmp_path.iterdir()) == [] and not route._flying  # no picture is kept, nobody waits


def asking(lab, content, models=(MODEL,), person="0" * 32, cookie=None, **query):
    """Return a request as a browser makes it, in two pieces."""
    cookie = cookie or (lab.keys.person_cookie(person) if person else "")
    headers = [(b"cookie", f"{lab.keys.person_name}={cookie}".encode())] if cookie else []
    text = urlencode([*(("model", name) for name in models), *query.items()])
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/answers",
        "headers": headers,
        "query_string": text.encode(),
    }
    pieces = [content[:100], content[100:]]

    async def receive():
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    return Request(scope, receive)


def answer(*arguments, **options):
    found = finished(route.answers(asking(*arguments, **options)))
    return found.status_code, json.loads(found.body)


def test_a_picture_is_answered_as_the_model_reads_it(lab):
    assert answer(lab, jpeg()) == (200, {"answers": {MODEL: [0.25, 0.75]}, "note": ""})
    (item,) = lab.serving.items
    assert item.shape == FORM.shape and item.dtype == np.uint8
    assert np.abs(item.reshape(-1, 3).mean(axis=0) - (200, 120, 40)).max() < 3


def test_what_is_like_nothing_that_the_model_learned_is_noted_beside_its_answer(lab):
    lab.serving.distance = 1.5
    noted = {"answers": {MODEL: [0.25, 0.75]}, "note": "This looks like nothing it was trained on."}
    assert answer(lab, jpeg()) == (200, noted)


def test_an_answer_does_not_wait_for_what_is_still_being_calibrated(lab, monkeypatch):
    monkeypatch.setattr(route, "GRACE_S", 0.02)
    looks = []

    def follow(item, names, timeout_s, every_s, first=()):
        while True:
            looks.append(1)
            yield {MODEL: LATE if len(looks) < 3 else [0.25, 0.75], f"outside:{MODEL}": LATE}

    monkeypatch.setattr(lab.serving, "follow", follow)
    assert answer(lab, jpeg()) == (200, {"answers": {MODEL: [0.25, 0.75]}, "note": ""}) and len(looks) > 3


def test_several_models_are_asked_at_once_and_one_that_is_gone_keeps_no_other(lab):
    status, body = answer(lab, jpeg(), models=(MODEL, "run:gone"))
    assert status == 200 and body["answers"] == {MODEL: [0.25, 0.75], "run:gone": "There is no model of this name."}
    assert len(lab.serving.items) == 1


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"", 400, "must be a JPEG"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 200, 400, "must be a JPEG"),
        (jpeg(kind="PNG"), 400, "must be a JPEG"),
        (b"\xff\xd8\xff" + b"0" * 5000, 400, "damaged"),
        (jpeg()[:400], 400, "damaged"),
        (jpeg(1000, 20), 400, "1000 × 20 pixels"),
        (jpeg(20, 20) + b"0" * frames.MOST_BYTES, 413, "more than 512 KB"),
    ],
)
def test_what_is_no_cameras_picture_is_one_sentence_and_nobody_is_asked(lab, content, status, words):
    found, body = answer(lab, content)
    assert found == status and words in body["error"] and lab.serving.items == []


def test_only_a_browser_that_opened_a_page_of_the_lab_is_answered(lab):
    forged = Keys("t" * 32).person_cookie(new_person())
    for person, cookie in (("", None), ("0" * 32, forged)):
        status, body = answer(lab, jpeg(), person=person, cookie=cookie)
        assert status == 403 and "Allow cookies" in body["error"]
    assert lab.serving.items == []


@pytest.mark.parametrize("models", [(), tuple(f"run:{n}" for n in range(9))])
def test_no_models_and_too_many_are_refused(lab, models):
    assert answer(lab, jpeg(), models=models)[0] == 400


def test_a_person_has_few_pictures_on_their_way_and_others_are_not_held_up(lab, monkeypatch):
    monkeypatch.setattr(route, "MOST_FLYING", 1)
    lab.serving.go.clear()
    first = threading.Thread(target=answer, args=(lab, jpeg()))
    first.start()
    try:
        assert lab.serving.began.wait(20)
        assert answer(lab, jpeg())[0] == 429
        other = threading.Thread(target=answer, args=(lab, jpeg()), kwargs={"person": "1" * 32})
        other.start()
    finally:
        lab.serving.go.set()
        first.join()
    other.join()
    assert len(lab.serving.items) == 2 and answer(lab, jpeg())[0] == 200


# ------------------------------------------------------------------ what is taught


@pytest.fixture
def class_room(lab, monkeypatch, tmp_path_factory):
    """A lab whose process gives features that are the item's mean colour."""
    folder = tmp_path_factory.mktemp("taught")
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(folder))

    def predict(item, names, timeout_s):
        return {name: [0.9, 0.1] if "collected" in name else item.mean(axis=(0, 1)).tolist() for name in names}

    monkeypatch.setattr(lab.serving, "predict", predict, raising=False)
    monkeypatch.setattr(
        lab.serving, "follow", lambda item, names, *seconds, first: iter([predict(item, names, seconds)])
    )
    return folder


def taught(lab, content, do, kind="photo", **options):
    request = asking(lab, content, models=(), **options)
    request.scope["path_params"] = {"kind": kind}
    found = finished(do(request))
    return found.status_code, json.loads(found.body)


def test_a_recorded_picture_is_kept_for_its_person_alone_and_an_asked_one_is_not(lab, class_room):
    assert taught(lab, jpeg(), teach.record, **{"class": "2"}) == (200, {"counts": {"1": 0, "2": 1}})
    assert taught(lab, jpeg(), teach.record, **{"class": "2"})[1] == {"counts": {"1": 0, "2": 2}}
    name = "collected:photo-" + "0" * 32
    expected = {"answers": {name: [0.9, 0.1]}, "note": "", "class_names": ["Class 1", "Class 2"]}
    assert taught(lab, jpeg(), teach.answer) == (200, expected)
    assert taught(lab, jpeg(), teach.answer, language="zh-CN")[1]["class_names"] == ["类别 1", "类别 2"]
    assert len(list(class_room.rglob("*.npz"))) == 2
    mine, others = (teaching.of(person * 32, "photo").classes() for person in "01")
    assert [len(one.examples) for one in mine] == [0, 2] and [len(one.examples) for one in others] == [0, 0]
    (_one, (example, _other)) = (one.examples for one in mine)
    assert teaching.of("0" * 32, "photo").item(example.name).shape == FORM.shape


@pytest.mark.parametrize("label", ["", "3", "-1", "1/../2", "²", "99999"])
def test_a_class_that_is_not_there_is_refused(lab, class_room, label):
    status, body = taught(lab, jpeg(), teach.record, **{"class": label})
    assert status == 400 and "This class is not there any more" in body["error"]
    assert not list(class_room.rglob("*.npz"))


def test_who_is_logged_in_teaches_as_their_account_and_nobody_elses(lab, class_room):
    browser, account = "0" * 32, "a" * 32
    shown = lab.keys.stand_in(browser, account)
    assert taught(lab, jpeg(), teach.record, **{"class": "1", "as": shown})[0] == 200
    assert taught(lab, jpeg(), teach.record, person="1" * 32, **{"class": "1", "as": shown})[0] == 200  # not for it
    counts = {
        person[0]: len(teaching.of(person, "photo").classes()[0].examples) for person in (browser, account, "1" * 32)
    }
    assert counts == {"0": 0, "a": 1, "1": 1}


def test_only_a_browser_with_its_cookie_teaches(lab, class_room):
    for do in (teach.record, teach.answer):
        assert taught(lab, jpeg(), do, person="", **{"class": "1"})[0] == 403
        assert taught(lab, jpeg(), do, kind="sound", **{"class": "1"})[0] == 400


def test_the_address_is_the_one_that_the_camera_sends_to():
    assert answers_url(MODEL) == "/api/answers?" + urlencode({"model": MODEL})


def test_the_policy_lets_our_own_pages_have_the_camera_and_nothing_else():
    policies = dict(part.split("=") for part in HEADERS["permissions-policy"].split(", "))
    assert {name for name, who in policies.items() if who != "()"} == {"camera"} and policies["camera"] == "(self)"


def test_the_square_of_a_hand_is_read_as_the_set_stores_it():
    item = datasets.get("hands").items("test", np.array([0]))[0]
    content = io.BytesIO()
    Image.fromarray(item).resize((224, 224)).save(content, "JPEG", quality=85)
    assert np.abs(frames.read(content.getvalue(), FORM).astype(int) - item).mean() < 4


def test_a_drawing_that_was_photographed_is_read_as_ink():
    with pytest.raises(DataError, match="blank"):
        frames.read(jpeg(colour=(250, 250, 250)), InputForm("image", (28, 28, 1)))
