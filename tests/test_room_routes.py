"""A room's routes and the phones' page: who may ask what, how fast, how much, and that nobody else notices."""

import asyncio
import base64
import io
import json
import threading
import time
from types import SimpleNamespace

import pytest
from coroutines import finished
from PIL import Image
from starlette.applications import Starlette

from pages.ui.session import state
from server import phone, rooms
from server.door import Door
from server.headers import HEADERS
from tlcore.errors import StoreError
from tlcore.people import Keys, Person
from tlcore.rooms import Activity, Rooms
from tlcore.rooms.pace import Pace

KEYS = Keys("s" * 32)
HOST, ANN, BOB = Person("h" * 32, host=True), Person("a" * 32), Person("b" * 32)
SEVEN = [{"width": 0.085, "points": [[0.25, 0.25], [0.72, 0.25], [0.45, 0.8]]}]


class Answering:
    """In place of the process that answers."""

    def __init__(self):
        self.asked = 0

    def predict(self, item, names, timeout_s):
        self.asked += 1
        before = [0.0, 0.0, 0.1, 0.9, 0.0] + [0.0] * (5 if names[0].startswith("signs") else 0)
        return {names[0]: before, names[1]: [0.0] * 7 + [0.9, 0.05, 0.05]}


@pytest.fixture
def lab(store, monkeypatch):
    made = SimpleNamespace(keys=KEYS, store=store, serving=Answering())
    monkeypatch.setattr(state, "lab", lambda: made)
    monkeypatch.setattr(rooms, "messages", Pace(30, 0.2))
    monkeypatch.setattr(rooms, "drawings", Pace(6, 1.5))
    made.room = Rooms(store).open(HOST)
    app = Starlette(routes=[*rooms.routes(), *phone.routes()])
    made.app = Door(app, keys=lambda: KEYS, origins=lambda: ())
    return made


def cookies(person):
    named = [f"{KEYS.person_name}={KEYS.person_cookie(person.id)}"] if person and person.id else []
    return "; ".join([*named, *([f"{KEYS.host_name}={KEYS.host_cookie()}"] if person and person.host else [])])


async def asked(app, method, path, person=None, content=b"", headers=()):
    """Ask the app as a browser does; return the status, the headers and the body."""
    path, _, query = path.partition("?")
    named = {"host": "lab.test", "cookie": cookies(person), **dict(headers)}
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in named.items()], "scheme": "http",
        "server": ("lab.test", 80), "client": ("10.0.0.7", 1234), "root_path": "", "http_version": "1.1",
    }  # fmt: skip
    pieces = [content[i : i + 65536] for i in range(0, len(content), 65536)] or [b""]
    took, answer = [], {"body": b""}

    async def receive():
        took.append(pieces.pop(0))
        return {"type": "http.request", "body": took[-1], "more_body": bool(pieces)}

    async def send(message):
        answer["body"] += message.get("body", b"")
        answer.update({k: message[k] for k in ("status", "headers") if k in message})

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in answer["headers"]}
    return answer["status"], headers, answer["body"], len(took)


def ask(lab, method, path, person=None, body=None, **options):
    content = b"" if body is None else json.dumps(body).encode()
    status, _, answer, _ = finished(asked(lab.app, method, path, person, content, **options))
    return status, json.loads(answer or b"null")


def api(lab, what):
    return f"/api/rooms/{lab.room.code}/{what}"


def join(lab, person, name="Ann"):
    answer = ask(lab, "POST", api(lab, "join"), person, {"name": name})
    assert answer[0] == 200 or person is None, (answer, lab.room.code)
    return answer


def test_a_phone_joins_draws_and_stands_on_the_wall_with_both_answers(lab):
    status, me = join(lab, ANN)
    assert status == 200 and me["name"] == "Ann" and me["activity"]["label"] == "5"
    status, drawn = ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})
    assert status == 200 and drawn["answers"] == {"before": ["3", 0.9], "after": ["7", 0.9]}
    status, wall = ask(lab, "GET", api(lab, "wall"), HOST)
    assert status == 200 and wall["here"] == 1 and [tile["name"] for tile in wall["tiles"]] == ["Ann"]
    assert ask(lab, "GET", api(lab, "me"), ANN)[1]["sent"] == 1


def test_who_has_no_cookie_or_never_joined_gets_a_sentence_and_nothing_else(lab):
    assert join(lab, None)[0] == 403
    for person, status in ((None, 403), (BOB, 404)):
        assert ask(lab, "GET", api(lab, "me"), person)[0] == status
        got, answer = ask(lab, "POST", api(lab, "drawings"), person, {"strokes": SEVEN})
        assert got == status and set(answer) == {"error"}
    assert lab.serving.asked == 0


def test_a_guest_reads_no_wall_and_changes_none_whatever_it_sends(lab):
    join(lab, ANN)
    ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})
    for person in (None, ANN, BOB):
        assert ask(lab, "GET", api(lab, "wall"), person)[0] == 403
        for do in ("remove", "remove_person", "hide_name"):
            assert ask(lab, "POST", api(lab, "wall"), person, {"do": do, "number": 1})[0] == 403
    forged = Person(HOST.id)  # even who guessed the host's id has no cookie that says so
    headers = [("cookie", f"{KEYS.person_name}={forged.id}.forged; {KEYS.host_name}={KEYS.token}")]
    assert ask(lab, "GET", api(lab, "wall"), None, headers=headers)[0] == 403
    assert len(ask(lab, "GET", api(lab, "wall"), HOST)[1]["tiles"]) == 1


NUMBERS = [{"do": "remove", "number": number} for number in ("1", True, 0, -1, 1.0, None, [1])]


@pytest.mark.parametrize(
    "body", [{}, {"do": "close", "number": 1}, *NUMBERS, {"do": ["remove"], "number": 1}, [], None, 7]
)
def test_what_is_no_change_of_a_wall_is_refused(lab, body):
    status, answer = ask(lab, "POST", api(lab, "wall"), HOST, body)
    assert status == 400 and set(answer) == {"error"}


def test_the_host_removes_a_drawing_and_a_person_and_hides_a_name(lab):
    join(lab, ANN, "Rude"), join(lab, BOB, "Bob")
    for person in (ANN, ANN, BOB):
        ask(lab, "POST", api(lab, "drawings"), person, {"strokes": SEVEN})
    change = lambda do, number: ask(lab, "POST", api(lab, "wall"), HOST, {"do": do, "number": number})[0]  # noqa: E731
    tiles = lambda: {t["number"]: t["name"] for t in ask(lab, "GET", api(lab, "wall"), HOST)[1]["tiles"]}  # noqa: E731
    assert change("hide_name", 1) == 204 and tiles() == {1: "", 2: "", 3: "Bob"}
    assert change("show_name", 1) == 204 and tiles()[1] == "Rude" and change("hide_name", 1) == 204
    assert change("remove", 1) == 204 and tiles() == {2: "", 3: "Bob"}
    assert change("remove_person", 1) == 204 and tiles() == {3: "Bob"}
    status, answer = ask(lab, "GET", api(lab, "me"), ANN)
    assert status == 403 and "removed you" in answer["error"]
    assert ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})[0] == 403


def test_a_member_bets_by_phone_and_nobody_else_does(lab):
    Rooms(lab.store).begin(lab.room, Activity("bet", "", lanes=("nothing", "scratch")))
    join(lab, ANN)
    assert ask(lab, "POST", api(lab, "votes"), ANN, {"lane": "scratch"})[1]["vote"] == "scratch"
    assert ask(lab, "POST", api(lab, "votes"), BOB, {"lane": "scratch"})[0] == 404
    assert ask(lab, "POST", api(lab, "votes"), ANN, {"lane": "draft"})[0] == 400
    assert ask(lab, "GET", api(lab, "wall"), HOST)[1]["bet"]["voted"] == 1
    assert ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})[0] == 403


def test_rooms_are_forgotten_again_and_again_and_also_after_the_store_was_away():
    forgotten = []

    def forget():
        forgotten.append(len(forgotten))
        if len(forgotten) == 2:
            raise StoreError("The run store is busy. Try again in a moment.")

    async def until_four():
        task = asyncio.create_task(rooms.forget_old(forget, every_s=0.001))
        while len(forgotten) < 4:
            assert not task.done()
            await asyncio.sleep(0.001)
        task.cancel()

    finished(asyncio.wait_for(until_four(), 20))


# -- flooding


def test_of_a_thousand_messages_a_second_a_few_are_looked_at(lab):
    join(lab, ANN)
    statuses = [ask(lab, "GET", api(lab, "me"), ANN)[0] for _ in range(60)]
    assert statuses.count(200) <= 40 and statuses.count(429) >= 20
    assert ask(lab, "GET", api(lab, "me"), BOB)[0] == 404  # somebody else is not kept waiting


def test_a_phone_draws_no_faster_than_a_hand(lab):
    join(lab, ANN)
    statuses = [ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})[0] for _ in range(20)]
    assert set(statuses) == {200, 429} and 6 <= statuses.count(200) <= 8 and lab.serving.asked <= 8


def test_ten_megabytes_are_refused_after_the_first_pieces(lab):
    join(lab, ANN)
    huge = asked(lab.app, "POST", api(lab, "drawings"), ANN, b"x" * 10_000_000)
    status, _, body, n_pieces = finished(huge)
    assert status == 413 and "the limit is 128 KB" in json.loads(body)["error"] and n_pieces <= 3


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"strokes": 7}', b"[" * 100_000, b'{"strokes": [[1e999]]}'])
def test_what_is_no_drawing_is_refused(lab, content):
    join(lab, ANN)
    status, _, body, _ = finished(asked(lab.app, "POST", api(lab, "drawings"), ANN, content))
    assert status == 400 and set(json.loads(body)) == {"error"}


def test_while_one_phone_floods_others_are_answered(lab):
    """One sends as fast as it can; forty others, a message each, wait less than half a second."""
    people = [Person(f"{i:032x}") for i in range(40)]
    for person in (ANN, *people):
        Rooms(lab.store).join(person.id, lab.room.code)
    stop = threading.Event()

    async def flood():
        n = 0
        while not stop.is_set() or n < 50:
            await asked(lab.app, "POST", api(lab, "drawings"), ANN, json.dumps({"strokes": SEVEN}).encode())
            n += 1
            await asyncio.sleep(0)
        return n

    async def both():
        flooding = asyncio.create_task(flood())
        waits = []
        for person in people:
            began = time.perf_counter()
            status, *_ = await asked(lab.app, "GET", api(lab, "me"), person)
            waits.append(time.perf_counter() - began)
            assert status == 200
        stop.set()
        return await flooding, sorted(waits)

    n, waits = finished(both())
    assert n >= 50 and waits[len(waits) * 9 // 10] < 0.5


def test_codes_are_rate_limited_by_the_network_whoever_asks(lab):
    guess = [ask(lab, "POST", "/api/rooms/CCCCC/join", Person(f"{i:032x}"), {})[0] for i in range(30)]
    assert guess[:8] == [404] * 8 and 429 in guess
    assert ask(lab, "POST", api(lab, "join"), ANN, {})[0] == 429  # a right code does not tell either
    assert ask(lab, "POST", api(lab, "join") + f"?key={lab.room.key}", ANN, {})[0] == 200


def test_another_site_sends_nothing_in_a_members_name(lab):
    join(lab, ANN)
    body = {"strokes": SEVEN}
    status, _, answer, _ = finished(
        asked(lab.app, "POST", api(lab, "drawings"), ANN, json.dumps(body).encode(), [("origin", "https://evil.test")])
    )
    assert status == 403 and b"another site" in answer and lab.serving.asked == 0


# -- the page


def page(lab, path, person=None, **headers):
    status, got, body, _ = finished(
        asked(lab.app, "GET", path, person, headers=[("accept", "text/html"), *headers.items()])
    )
    text = body.decode()
    start = json.loads(text.split('id="start">')[1].split("</script>")[0])
    return status, got, text, start


def test_the_phones_page_is_small_carries_the_cookie_and_every_header(lab):
    status, headers, text, start = page(lab, f"/join/{lab.room.code}?k={lab.room.key}")
    assert status == 200 and len(text) < 20_000
    assert headers["set-cookie"].startswith(KEYS.person_name) and headers["content-security-policy"]
    assert all(headers[name] == value for name, value in HEADERS.items())
    assert (start["code"], start["key"], start["me"]) == (lab.room.code, lab.room.key, None)


def test_a_phone_that_is_in_the_room_already_sees_its_task_at_once(lab):
    join(lab, ANN)
    _, _, text, start = page(lab, f"/join/{lab.room.code}", ANN)
    assert start["me"]["name"] == "Ann" and ANN.id not in text
    assert page(lab, f"/join/{lab.room.code}", BOB)[3]["me"] is None


@pytest.mark.parametrize("slept_s", [30, 3600])
def test_a_phone_that_slept_comes_back_as_the_same_person_to_what_is_asked_by_then(lab, monkeypatch, slept_s):
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    timed = Rooms(lab.store, clock=lambda: now[0])
    monkeypatch.setattr(rooms, "rooms", lambda: timed)
    join(lab, ANN), join(lab, BOB, "Bob")
    ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})
    now[0] += slept_s  # nobody asks anything; the wall goes on
    wall = ask(lab, "GET", api(lab, "wall"), HOST)[1]
    assert (wall["here"], wall["joined"]) == (2 if slept_s < 45 else 0, 2)
    assert [tile["name"] for tile in wall["tiles"]] == ["Ann"]
    status, me = ask(lab, "GET", api(lab, "me"), ANN)  # unlocked: the script asks again
    assert status == 200 and (me["name"], me["sent"]) == ("Ann", 1)
    timed.begin(lab.room, Activity("draw", "8"))
    start = page(lab, f"/join/{lab.room.code}", ANN)[3]["me"]  # or the browser loads the page again
    assert (start["name"], start["activity"]["label"], start["sent"]) == ("Ann", "8", 0)
    join(lab, ANN)  # or they type the code once more
    ask(lab, "POST", api(lab, "drawings"), ANN, {"strokes": SEVEN})
    wall = ask(lab, "GET", api(lab, "wall"), HOST)[1]
    assert wall["joined"] == 2 and [(tile["member"], tile["name"]) for tile in wall["tiles"]] == [(1, "Ann")]


@pytest.mark.parametrize(
    "path", ["/join/%3C<b>", "/join?code=%22%3E%3Cscript%3E", "/join/x?k=%3C/script%3E%3Cscript%3E"]
)
def test_what_stands_in_the_address_becomes_no_markup(lab, path):
    _, _, text, _ = page(lab, path)
    assert text.count("<script") == 2 and "<b>" not in text


def test_every_word_that_the_scripts_use_is_there(lab):
    _, _, _, start = page(lab, "/join")
    script = phone.SCRIPTS["phone.js"].read_text(encoding="utf-8")
    used = {word for word in start["words"] if f"words.{word}" in script}
    assert used == set(start["words"]) - {"noscript"}


# -- pictures of hands


def jpeg(side=224, exif=None):
    out = io.BytesIO()
    Image.new("RGB", (side, side), (200, 120, 40)).save(out, "JPEG", **({"exif": exif} if exif else {}))
    return out.getvalue()


@pytest.fixture
def hands(lab):
    Rooms(lab.store).begin(lab.room, Activity("hands", "3"))
    join(lab, ANN)
    return lab


def show(lab, content, person=ANN):
    status, _, answer, n_pieces = finished(asked(lab.app, "POST", api(lab, "pictures"), person, content))
    return status, json.loads(answer), n_pieces


def test_a_hand_stands_on_the_wall_without_what_the_phone_wrote_into_the_picture(hands):
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    status, answer, _ = show(hands, jpeg(exif=exif.tobytes()))
    assert status == 200 and answer["label"] == "3" and set(answer["answers"]) == {"before", "after"}
    (tile,) = ask(hands, "GET", api(hands, "wall"), HOST)[1]["tiles"]
    content = base64.b64decode(tile["photo"].removeprefix("data:image/jpeg;base64,"))
    picture = Image.open(io.BytesIO(content))
    assert picture.size == (96, 96) and not picture.getexif() and b"home" not in content and len(content) < 10_000


def test_ten_megabytes_of_picture_are_refused_after_the_first_pieces(hands):
    status, answer, n_pieces = show(hands, b"\xff\xd8\xff" + b"x" * 10_000_000)
    assert status == 413 and "KB" in answer["error"] and n_pieces <= 10
    assert hands.serving.asked == 0


@pytest.mark.parametrize("content", [b"", b"x", b"\xff\xd8\xff", b"GIF89a" + b"0" * 99, jpeg(700), jpeg()[:200]])
def test_what_is_no_picture_is_refused(hands, content):
    status, answer, _ = show(hands, content)
    assert status == 400 and set(answer) == {"error"}


def test_pictures_come_from_members_alone_and_only_when_they_are_asked_for(hands):
    assert show(hands, jpeg(), BOB)[0] == 404 and show(hands, jpeg(), None)[0] == 403
    Rooms(hands.store).begin(hands.room, Activity("draw", "3"))
    assert show(hands, jpeg())[0] == 403


def test_the_sign_that_is_asked_for_is_shown_and_no_other_file(hands):
    status, headers, body, _ = finished(asked(hands.app, "GET", "/api/signs/3.jpg"))
    assert status == 200 and headers["content-type"] == "image/jpeg" and Image.open(io.BytesIO(body)).size == (96, 96)
    assert finished(asked(hands.app, "GET", "/api/signs/12.jpg"))[0] == 400
