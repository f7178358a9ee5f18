"""Where programs ask: who may, what they may send, how often, from where; and that the description says so."""

import io
import json
import threading
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from coroutines import finished
from PIL import Image
from starlette.applications import Starlette
from test_room_routes import asked
from tiny_results import fine_tuned

from pages.ui.session import state
from server import openapi, predict
from server.door import Door
from tlcore import teaching
from tlcore.people import Keys, Person
from tlcore.people.tokens import Tokens
from tlcore.prediction import programs
from tlcore.prediction.serving import LOADING
from tlcore.rooms.pace import Pace
from tlcore.spec import NETWORK, DataSpec, FineTuneSpec

KEYS = Keys("s" * 32)
ANN, BOB, HOST = Person("a" * 32), Person("b" * 32), Person("h" * 32, host=True)
DIGITS = "source:digits"
SEVEN = [0.0] * 7 + [0.9, 0.05, 0.05]


class Answering:
    """In place of the process that answers."""

    def __init__(self):
        self.items, self.answer, self.distance = [], SEVEN, 0.5

    def follow(self, item, names, timeout_s, every_s, first=()):
        self.items.append(item)
        yield {names[0]: self.answer, names[1]: [self.distance, 0.05]}


@pytest.fixture
def lab(store, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(store.folder))
    made = SimpleNamespace(keys=KEYS, store=store, folder=store.folder, serving=Answering())
    monkeypatch.setattr(state, "lab", lambda: made)
    monkeypatch.setattr(predict, "pace", Pace(10_000, 0.001))
    made.tokens = Tokens(store)
    made.token, made.row = made.tokens.make(ANN, "robot")
    made.app = Door(Starlette(routes=predict.routes()), lambda: KEYS, lambda: (), open_paths=predict.open_paths())
    yield made
    assert not predict.frames._flying  # nobody waits


def ask(lab, content=b"", query="?model=source:digits", token=None, method="POST", **headers):
    """Ask as a program does; return the status, the JSON and the headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    token = lab.token if token is None else token
    named |= {"authorization": f"Bearer {token}"} if token else {}
    status, found, body, _ = finished(asked(lab.app, method, predict.PATH + query, None, content, named))
    return status, json.loads(body or b"null"), found


def png(ink=True):
    image = np.full((60, 60), 255, np.uint8)
    if ink:
        image[10:16, 15:45], image[10:50, 39:45] = 0, 0
    content = io.BytesIO()
    Image.fromarray(image).save(content, "PNG")
    return content.getvalue()


def form(**fields):
    """Return a form's body and its content type."""
    parts = b""
    for name, value in fields.items():
        file = '; filename="seven.png"' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else value.encode()
        parts += f'--xyz\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'.encode() + content + b"\r\n"
    return parts + b"--xyz--\r\n", "multipart/form-data; boundary=xyz"


def as_json(**fields):
    return json.dumps(fields).encode(), "application/json"


PIXELS = np.zeros((28, 28), int).tolist()


def test_a_picture_is_answered_however_it_is_sent(lab):
    answer = {
        "model": DIGITS,
        "label": "7",
        "probability": 0.9,
        "probabilities": {str(n): p for n, p in enumerate(SEVEN)},
        "outside": False,
    }
    for content, kind, query in (
        (png(), "image/png", "?model=source:digits"),
        (png(), "application/octet-stream", "?model=source:digits"),
        (*form(picture=png()), "?model=source:digits"),
        (*form(model=DIGITS, picture=png()), ""),
        (*as_json(pixels=PIXELS, model=DIGITS), ""),
        (*as_json(pixels=[[[v] for v in row] for row in PIXELS]), "?model=source:digits"),
    ):
        assert ask(lab, content, query, content_type=kind)[:2] == (200, answer), kind
    items = lab.serving.items
    assert all(item.shape == (28, 28, 1) and item.dtype == np.uint8 for item in items) and len(items) == 6
    assert (items[0] == items[2]).all() and items[0].max() > 200 and items[-1].max() == 0


def test_a_picture_like_nothing_that_was_learned_is_told(lab):
    lab.serving.distance = 1.5
    assert ask(lab, png())[1]["outside"] is True


@pytest.mark.parametrize(
    ("content", "kind", "query", "status", "words"),
    [
        (b"", "image/png", "?model=source:digits", 400, "Send a picture"),
        (b"GIF89a nothing", "image/gif", "?model=source:digits", 400, "picture"),
        (b"%PDF-1.7", "image/png", "?model=source:digits", 400, "not a picture"),
        (png(ink=False), "image/png", "?model=source:digits", 400, "blank"),
        (png(), "image/png", "", 400, "Name the model"),
        (png(), "image/png", "?model=source:nothing", 404, "There is no model 'source:nothing'"),
        (png(), "image/png", "?model=../../secret", 404, "There is no model"),
        (png(), "image/png", "?model=outside:source:digits", 404, "There is no model"),
        (png(), "image/png", "?model=features:photo", 404, "There is no model"),
        (png(), "image/png", "?model=run:0123456789abcdef", 404, "There is no model"),
        (png(), "image/png", f"?model=collected:photo-{ANN.id}", 404, "There is no model"),
        (b"0" * (predict.MOST_BYTES + 1), "image/png", "?model=source:digits", 413, "more than 10 MB"),
        (b"[" * (predict.MOST_JSON + 1), "application/json", "?model=source:digits", 413, "more than 4 MB"),
        (b"[" * 100_000, "application/json", "?model=source:digits", 400, "not a JSON object"),
        (b"{", "application/json", "?model=source:digits", 400, "not a JSON object"),
        (*as_json(pixels=[[1, 2], [3]]), "?model=source:digits", 400, "reads 28 × 28"),
        (*as_json(pixels=[["a"] * 28] * 28), "?model=source:digits", 400, "reads 28 × 28"),
        (*as_json(pixels=[[True] * 28] * 28), "?model=source:digits", 400, "reads 28 × 28"),
        (*as_json(pixels="7"), "?model=source:digits", 400, "reads 28 × 28"),
        (*as_json(pixels=[[256] * 28] * 28), "?model=source:digits", 400, "whole numbers from 0 to 255"),
        (*as_json(pixels=[[0.5] * 28] * 28), "?model=source:digits", 400, "whole numbers from 0 to 255"),
        (*as_json(pixels=[[float("nan")] * 28] * 28), "?model=source:digits", 400, "whole numbers from 0 to 255"),
        (*as_json(pixels=[[10**30] * 28] * 28), "?model=source:digits", 400, "28"),
        (*as_json(model=7, pixels=PIXELS), "", 400, "Name the model"),
        (*as_json(model=DIGITS), "", 400, "Send a picture"),
        (form(picture=png())[0][:80], "multipart/form-data; boundary=xyz", "?model=source:digits", 400, ""),
        (form(picture=png())[0], "multipart/form-data", "?model=source:digits", 400, "form cannot be read"),
        (*form(picture=png(), a=png()), "?model=source:digits", 400, "form cannot be read"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_one_sentence_and_nobody_is_asked(lab, content, kind, query, status, words):
    found, answer, headers = ask(lab, content, query, content_type=kind)
    assert found == status and set(answer) == {"error"} and words in answer["error"]
    assert headers["access-control-allow-origin"] == "*" and lab.serving.items == []
    assert str(status) in openapi.REFUSALS


def test_without_a_token_that_holds_nothing_is_answered_whatever_the_cookie_says(lab):
    cookie = f"{KEYS.person_name}={KEYS.person_cookie(ANN.id)}; {KEYS.host_name}={KEYS.host_cookie()}"
    for token, headers in (("", {}), ("", {"cookie": cookie}), ("tlab_" + "x" * 43, {}), (KEYS.token, {}), ("ü", {})):
        status, answer, found = ask(lab, png(), token=token, **headers)
        assert status == 401 and "Make one on the page Try" in answer["error"] and found["www-authenticate"] == "Bearer"
    assert ask(lab, png(), token="", authorization=f"Basic {lab.token}")[0] == 401
    assert ask(lab, png(), token="", authorization=f"bearer {lab.token}")[0] == 200
    assert len(lab.serving.items) == 1


def test_a_revoked_token_ends_with_the_next_request(lab):
    assert ask(lab, png())[0] == 200
    lab.tokens.revoke(ANN, lab.row.id)
    assert ask(lab, png())[0] == 401


def test_who_opens_the_address_is_told_how_to_ask(lab):
    status, answer, headers = ask(lab, method="GET")
    assert status == 405 and "by POST" in answer["error"] and openapi.PATH in answer["error"]
    assert headers["allow"] == "POST" and ask(lab, method="PUT")[0] == 405


def test_who_asks_too_often_is_told_how_long_to_wait_whatever_tokens_they_make(lab, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(predict, "pace", Pace(2, 5.0, clock=lambda: now[0]))
    another, _ = lab.tokens.make(ANN)
    assert [ask(lab, png(), token=each)[0] for each in (lab.token, another)] == [200, 200]
    status, answer, headers = ask(lab, png(), token=another)
    assert status == 429 and "Wait 5 s" in answer["error"] and headers["retry-after"] == "5"
    assert headers["access-control-expose-headers"] == "Retry-After"
    assert ask(lab, png(), token=lab.tokens.make(BOB)[0])[0] == 200
    now[0] = 5.0
    assert ask(lab, png())[0] == 200


def test_who_has_four_pictures_on_their_way_waits_and_their_bodies_are_not_read(lab, monkeypatch):
    go, waiting = threading.Event(), threading.Semaphore(0)

    def follow(item, names, *_, first=()):
        waiting.release()
        assert go.wait(20)
        yield {names[0]: SEVEN}

    monkeypatch.setattr(lab.serving, "follow", follow)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(lab, png())[0])) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(waiting.acquire(timeout=20) for _ in threads)
    named = {"authorization": f"Bearer {lab.token}"}
    large = b"0" * 1_000_000
    path = f"{predict.PATH}?model={DIGITS}"
    status, headers, _, n_read = finished(asked(lab.app, "POST", path, None, large, named))
    go.set()
    for thread in threads:
        thread.join()
    assert status == 429 and headers["retry-after"] == "1" and n_read == 0 and answers == [200] * 4


def test_a_model_that_does_not_answer_says_whether_it_will(lab):
    lab.serving.answer = LOADING
    status, answer, headers = ask(lab, png())
    assert (status, answer["error"], headers["retry-after"]) == (503, LOADING, "1")
    lab.serving.answer = "The file {x} is damaged."
    status, answer, headers = ask(lab, png())
    assert (status, answer) == (500, {"error": "The file {x} is damaged."}) and "retry-after" not in headers


def finished_run(store, owner):
    """Return a run that left a network of the digits 5 to 9."""
    run = store.create(FineTuneSpec(data=DataSpec("mnist_5_9", per_class=5)), owner=owner)
    store.claim(run.id)
    files = {NETWORK: {"sha256": "0", "bytes": 1}}
    store.finish(run.id, "done", fine_tuned({"accuracy": 0.9, "n": 10}, files=files, class_names=list("56789")))
    return store.get(run.id)


def test_a_person_asks_their_own_models_and_nobodys_and_the_host_all(lab):
    mine, hers, free = (finished_run(lab.store, owner) for owner in (ANN.id, BOB.id, ""))
    lab.serving.answer = [0.0, 0.0, 1.0, 0.0, 0.0]
    host, _ = lab.tokens.make(HOST)
    for run in (mine, free):
        status, answer, _ = ask(lab, png(), f"?model=run:{run.id}")
        assert status == 200 and answer["label"] == "7" and list(answer["probabilities"]) == list("56789")
    status, answer, _ = ask(lab, png(), f"?model=run:{hers.id}")
    assert status == 403 and "belongs to somebody else" in answer["error"]
    assert ask(lab, png(), f"?model=run:{hers.id}", token=host)[0] == 200
    lab.store.delete(mine.id)
    assert ask(lab, png(), f"?model=run:{mine.id}")[0] == 404
    assert ask(lab, png(), f"?model=head:{free.id}/knn-pixels.skops")[0] == 404


SQUARE, ROUND = 1, 2  # the classes that are there from the beginning


def taught(person, labels, kind="image"):
    examples = teaching.of(person.id, kind)
    for label in labels:
        examples.add(label, np.full(examples.kind.form.shape, label, np.uint8), np.eye(4, dtype=np.float32)[label])
    return examples


def test_what_a_person_taught_answers_their_tokens_by_the_classes_of_the_moment(lab):
    asked_of = []

    def follow(item, names, timeout_s, every_s, first=()):
        asked_of.append(names)
        yield {names[0]: lab.serving.answer, names[1]: [0.5, 0.05]}

    lab.serving.follow = follow
    query = f"?model={programs.taught_name('image')}"
    status, answer, _ = ask(lab, png(), query)
    assert status == 400 and "Two classes with an example each" in answer["error"] and not asked_of
    examples = taught(ANN, (SQUARE, ROUND))
    examples.rename(SQUARE, "square")
    lab.serving.answer = [0.75, 0.25]
    status, answer, _ = ask(lab, png(), query)
    assert status == 200 and answer["model"] == "collected:image" and answer["label"] == "square"
    assert answer["probabilities"] == {"square": 0.75, "Class 2": 0.25} and answer["outside"] is False
    assert asked_of == [[f"collected:image-{ANN.id}", f"outside:collected:image-{ANN.id}"]]
    examples.add_class("round")
    assert list(ask(lab, png(), query)[1]) == ["error"], "the process has not learned the third yet"
    assert ask(lab, png(), query)[0] == 503
    lab.serving.answer = [0.25, 0.25, 0.5]
    assert ask(lab, png(), query)[1]["label"] == "round"


def test_what_somebody_else_taught_answers_nobody_else_nor_the_host(lab):
    taught(BOB, (SQUARE, ROUND))
    host, _ = lab.tokens.make(HOST)
    for token in (lab.token, host):
        assert ask(lab, png(), "?model=collected:image", token=token)[0] == 400, "they have taught nothing themselves"
        assert ask(lab, png(), f"?model=collected:image-{BOB.id}", token=token)[0] == 404
    assert lab.serving.items == []


# -- other sites


FOREIGN = "https://elsewhere.example"


def test_a_page_of_another_site_may_ask_with_a_token_and_reads_the_answer(lab):
    status, _, headers = ask(lab, method="OPTIONS", token="", origin=FOREIGN, access_control_request_method="POST")
    assert status == 204 and headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "POST"
    assert headers["access-control-allow-headers"].lower() == "authorization, content-type"
    status, answer, headers = ask(lab, png(), origin=FOREIGN)
    assert status == 200 and answer["label"] == "7" and headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in headers
    status, answer, headers = ask(lab, png(), token="", origin=FOREIGN)
    assert status == 401 and answer["error"] and headers["access-control-allow-origin"] == "*"


def test_with_a_cookie_a_page_of_another_site_is_turned_away_token_or_not(lab):
    cookie = f"{KEYS.person_name}={KEYS.person_cookie(ANN.id)}"
    for token in ("", lab.token):
        headers = {"origin": FOREIGN, "cookie": cookie, "authorization": f"Bearer {token}"}
        found = finished(asked(lab.app, "POST", f"{predict.PATH}?model={DIGITS}", None, png(), headers))
        assert found[0] == 403 and "access-control-allow-origin" not in found[1] and lab.serving.items == []
    own = ask(lab, png(), origin="http://lab.test", cookie=cookie)
    assert own[0] == 200


def test_no_other_route_is_open_to_other_sites(lab):
    for path in ("/api/answers", predict.PATH + "/", "/api/rooms/KX7WP/join"):
        status, headers, *_ = finished(asked(lab.app, "POST", path, None, b"", {"origin": FOREIGN}))
        assert status == 403 and "access-control-allow-origin" not in headers
    status, headers, *_ = finished(asked(lab.app, "GET", openapi.PATH, None, b"", {"origin": FOREIGN}))
    assert status == 200 and "access-control-allow-origin" not in headers


# -- the description


def test_the_description_is_at_its_address_and_names_every_answer(lab):
    status, _, body, _ = finished(asked(lab.app, "GET", openapi.PATH))
    found = json.loads(body)
    assert status == 200 and found["openapi"] == "3.1.0" and found["servers"] == [{"url": "/api"}]
    (operation,) = found["paths"]["/predict"].values()
    assert set(operation["responses"]) == {"200", "400", *map(str, predict.STATUS.values())}


def test_what_is_answered_is_what_the_description_says(lab):
    schemas = openapi.document("/api")["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(ask(lab, png())[1], schemas["Answer"])
    jsonschema.validate(ask(lab, b"")[1], schemas["Refusal"])
    jsonschema.validate({"pixels": PIXELS}, schemas["Pixels"])


def test_every_reference_of_the_description_leads_somewhere():
    document = openapi.document("/lab/api")

    def references(value):
        if isinstance(value, dict):
            yield from [value["$ref"]] if "$ref" in value else []
        for part in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            yield from references(part)

    named = set(references(document))
    assert named
    for reference in named:
        found = document
        for name in reference.removeprefix("#/").split("/"):
            found = found[name]
    assert found
