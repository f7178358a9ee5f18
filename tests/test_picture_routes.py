"""The routes of the Data page, asked as a browser asks: cookies, pieces, refusals in a sentence, and flat memory."""

import asyncio
import io
import json
import tracemalloc
import zipfile
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from coroutines import finished
from few_pictures import set_of_own
from starlette.applications import Starlette
from starlette.middleware import Middleware

from server import pictures
from server.door import Door
from tlcore.datasets import arriving
from tlcore.people import Keys, Person

KEYS = Keys("s" * 32)
ANN, BOB, HOST = Person("a" * 32), Person("b" * 32), Person("c" * 32, host=True)
BLOCK = 2**16  # as a server hands a body on


class Browser:
    """Somebody's browser in front of the door and the routes; ``ask`` returns status and body."""

    def __init__(self, app, person: Person | None, origin: str = "http://lab.example"):
        self.app, self.origin = app, origin
        cookies = [(KEYS.person_name, KEYS.person_cookie(person.id))] if person else []
        cookies += [(KEYS.host_name, KEYS.host_cookie())] if person and person.host else []
        self.cookie = "; ".join(f"{name}={value}" for name, value in cookies)

    def ask(self, method, path, body=b"", length=None, **query):
        stated = str(len(body) if length is None else length)
        headers = {"host": "lab.example", "origin": self.origin, "cookie": self.cookie, "content-length": stated}
        scope = {
            **{"type": "http", "http_version": "1.1", "scheme": "http", "method": method, "path": path},
            **{"raw_path": path.encode(), "root_path": "", "query_string": urlencode(query).encode()},
            **{"headers": [(name.encode(), value.encode()) for name, value in headers.items()]},
            **{"server": ("lab.example", 80), "client": ("10.0.0.7", 5), "extensions": {}, "state": {}},
        }
        return finished(self._ask(scope, body))

    async def _ask(self, scope, body):
        at, ended, answer, parts = 0, False, {}, []

        async def receive():
            nonlocal at, ended
            if ended:
                await asyncio.Event().wait()  # it stays connected
            ended = at + BLOCK >= len(body)
            block = body[at : at + BLOCK]
            at += len(block)
            return {"type": "http.request", "body": block, "more_body": not ended}

        async def send(message):
            answer.update(message)
            parts.append(message.get("body", b""))

        await self.app(scope, receive, send)
        self.headers = {name.decode(): value.decode() for name, value in answer["headers"]}
        body = b"".join(parts)
        return answer["status"], json.loads(body) if body[:1] in (b"{", b"[") else body

    def begin(self, *files, **query):
        return self.ask("POST", "/api/uploads", json.dumps(files).encode(), **query)

    def piece(self, sending, at, body, **query):
        return self.ask("POST", f"/api/uploads/{sending}", body, at=at, **query)


@pytest.fixture
def browser(tmp_path, monkeypatch):
    """``browser(person)``: that person's browser, of one server."""
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    monkeypatch.setattr(pictures.state, "lab", lambda: SimpleNamespace(keys=KEYS))
    door = Middleware(Door, keys=lambda: KEYS, origins=lambda: ())
    app = Starlette(routes=pictures.routes(), middleware=[door])
    return lambda person=ANN, **options: Browser(app, person, **options)


def everything(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_in_pieces_arrives_whole(browser):
    ann = browser()
    status, begun = ann.begin(["cats.zip", 10, 7])
    assert status == 200 and (begun["arrived"], begun["size"], begun["piece"]) == (0, 10, 8 * 2**20)
    assert ann.piece(begun["id"], 0, b"01234")[1]["arrived"] == 5
    assert ann.ask("GET", f"/api/uploads/{begun['id']}") == (200, begun | {"arrived": 5})
    assert ann.piece(begun["id"], 5, b"56789")[1]["arrived"] == 10
    ((name, path),) = arriving.get(ANN.id, begun["id"]).named()
    assert (name, path.read_bytes()) == ("cats.zip", b"0123456789")


def test_without_a_cookie_and_from_another_site_nothing_is_taken(browser, tmp_path):
    status, answer = browser(None).begin(["cats.zip", 10])
    assert status == 403 and "sent no cookie of this lab" in answer["error"]
    status, answer = browser(origin="http://evil.example").begin(["cats.zip", 10])
    assert status == 403 and b"another site" in answer
    assert everything(tmp_path) == []


def test_another_person_neither_sees_adds_to_nor_removes_what_arrives(browser):
    begun, bob = browser().begin(["cats.zip", 10])[1], browser(BOB)
    for status, answer in (
        bob.ask("GET", f"/api/uploads/{begun['id']}"),
        bob.piece(begun["id"], 0, b"01234"),
        bob.ask("DELETE", f"/api/uploads/{begun['id']}"),
    ):
        assert status == 404 and "not there any more" in answer["error"]
    assert browser().ask("GET", f"/api/uploads/{begun['id']}")[0] == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[1]", b'[["a"]]', b'[["a", -1]]', b'[["a", "1"]]', b'[["a", 1e9]]', b'[["a", true]]', b"[" * 99_999,
     b'[["a", 9007199254740993]]', b'[["a", 1, 2, 3]]', b"\xff\xfe", b'[[1, 1]]'],
    ids=lambda body: repr(body)[:24],
)  # fmt: skip
def test_what_is_no_list_of_files_is_one_sentence(browser, tmp_path, body):
    status, answer = browser().ask("POST", "/api/uploads", body)
    assert status == 400 and "cannot be read" in answer["error"] and everything(tmp_path) == []


def test_too_much_is_refused_before_its_first_byte(browser, tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_SET_MB", "1")
    status, answer = browser().begin(["cats.zip", 2 * 2**20])
    assert status in (400, 403) and "1" in answer["error"] and answer["error"].endswith(".")
    assert everything(tmp_path) == []


def test_a_piece_out_of_turn_says_where_the_next_one_begins_and_leaves_nothing(browser):
    ann = browser()
    sending = ann.begin(["cats.zip", 10])[1]["id"]
    ann.piece(sending, 0, b"0123")
    for at in (0, 3, 5, "", "-1", "x", "1e1", "9" * 30):
        status, answer = ann.piece(sending, at, b"abc")
        assert (status, answer["arrived"]) == (409, 4) and answer["error"].endswith(".")
    assert ann.piece(sending, 4, b"456789")[1]["arrived"] == 10


@pytest.mark.parametrize(("at", "body", "length"), [(4, b"4567890", None), (4, b"", None), (4, b"x", 9 * 2**20)])
def test_a_size_that_lies_is_one_sentence_and_leaves_nothing(browser, tmp_path, at, body, length):
    ann = browser()
    sending = ann.begin(["cats.zip", 10])[1]["id"]
    ann.piece(sending, 0, b"0123")
    status, answer = ann.piece(sending, at, body, length=length)
    assert status == 400 and answer["error"].endswith(".")
    left = sum(path.stat().st_size for path in everything(tmp_path) if path.suffix == ".zip")
    assert left in (0, 4)  # of the piece there is nothing; what grew beyond its size is gone altogether
    assert left == (0 if len(body) > 6 else 4)


def test_cancelling_leaves_nothing(browser, tmp_path):
    ann = browser()
    sending = ann.begin(["cats.zip", 10])[1]["id"]
    ann.piece(sending, 0, b"0123")
    assert ann.ask("DELETE", f"/api/uploads/{sending}")[0] == 204
    assert everything(tmp_path) == []
    assert ann.piece(sending, 4, b"456789")[0] == 404


def test_a_piece_of_eight_megabytes_passes_through_a_block_of_memory(browser):
    ann, piece = browser(), bytes(arriving.PIECE)
    sending = ann.begin(["cats.zip", 2 * len(piece)])[1]["id"]
    ann.piece(sending, 0, piece)  # what is made once is made
    tracemalloc.start()
    try:
        assert ann.piece(sending, len(piece), piece)[0] == 200
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 6 * pictures.BLOCK < len(piece)  # a slow disk lets some more arrive, never the whole piece


def test_a_browser_asks_in_the_name_of_the_account_that_is_logged_in_there_alone(browser):
    account = "f" * 32
    shown = KEYS.stand_in(ANN.id, account)
    sending = browser().begin(["cats.zip", 10], **{"as": shown})[1]["id"]
    assert arriving.get(account, sending).size == 10
    assert browser(BOB).ask("GET", f"/api/uploads/{sending}", **{"as": shown})[0] == 404
    assert browser(None).ask("GET", f"/api/uploads/{sending}", **{"as": shown})[0] == 403
    for forged in (shown[:-1], f"{ANN.id}:{account}", KEYS.person_cookie(account)):
        assert KEYS.account(ANN.id, forged) is None


def test_a_set_is_taken_along_by_its_owner_and_the_host_alone(browser):
    card = set_of_own(ANN.id, title='My "cats" & 狗')
    for person in (ANN, HOST):
        asked = browser(person)
        status, body = asked.ask("GET", f"/api/sets/{card.name}.zip")
        assert status == 200 and asked.headers["content-length"] == str(len(body))
        assert "filename*=UTF-8''My%20%22cats%22" in asked.headers["content-disposition"]
        assert len([name for name in zipfile.ZipFile(io.BytesIO(body)).namelist() if name[-1] != "/"]) == card.n
    for person in (BOB, None):
        status, body = browser(person).ask("GET", f"/api/sets/{card.name}.zip")
        assert status == 403 and "belong" in body["error"]
    assert browser().ask("GET", "/api/sets/set-0.zip")[0] == 404
