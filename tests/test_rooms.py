"""Rooms: who may open, join, see and change one, what is kept, and what its wall tells."""

import json
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from sqlalchemy import event

from tlcore import rooms
from tlcore.errors import DataError, RightsError, SpecError
from tlcore.people import Person
from tlcore.rooms import NoRoom, Rooms, TooFast, counting, drawn, places, saving, strokes, wall
from tlcore.rooms.activity import Activity
from tlcore.rooms.rooms import LENGTH, LETTERS, LIVES_S, MOST_OPEN, Gate
from tlcore.store import Store

HOST, ANN, BOB = Person("h" * 32, host=True), Person("a" * 32), Person("b" * 32)
SEVEN = [{"width": 0.085, "points": [[0.25, 0.25], [0.72, 0.25], [0.45, 0.8]]}]


@pytest.fixture
def lab(store):
    """The rooms of an empty store, with a clock that tests set."""
    now = SimpleNamespace(s=0.0)
    import time

    made = Rooms(store, clock=lambda: time.time() + now.s)
    return SimpleNamespace(rooms=made, store=store, now=now)


def sent(lab, room, person, label="7", answers=None):
    lab.rooms.join(person.id, room.code, person.id[:3])
    again, member = lab.rooms.of_member(person.id, room.code)
    answers = answers or {"before": ["3", 0.9], "after": [label, 0.8]}
    return lab.rooms.send(again, member, "draw", label, strokes.packed(SEVEN), answers)


def shown(lab, room, since=0, of_round=0):
    return wall.on_wall(lab.store, lab.store.rooms.get(room.id), since, of_round)


# -- who may open one


def test_only_the_host_opens_a_room_unless_the_host_lets_everybody(lab):
    with pytest.raises(RightsError, match="Only the host of this server can open a room"):
        lab.rooms.open(ANN)
    with pytest.raises(RightsError, match="Only the host"):
        lab.rooms.let_everybody_open(ANN, True)
    assert lab.rooms.open(HOST).owner == HOST.id
    lab.rooms.let_everybody_open(HOST, True)
    assert lab.rooms.open(ANN).owner == ANN.id
    lab.rooms.let_everybody_open(HOST, False)
    with pytest.raises(RightsError):
        lab.rooms.open(ANN)


def test_so_many_rooms_are_open_and_no_more_until_one_is_closed(lab):
    opened = [lab.rooms.open(HOST) for _ in range(MOST_OPEN)]
    assert len({room.code for room in opened}) == MOST_OPEN
    with pytest.raises(RightsError, match="20 rooms are open"):
        lab.rooms.open(HOST)
    lab.rooms.close(opened[0])
    assert lab.rooms.open(HOST)


def test_a_code_has_no_letter_that_is_taken_for_another(lab):
    room = lab.rooms.open(HOST)
    assert len(room.code) == LENGTH and set(room.code) <= set(LETTERS)
    assert not set("AEIOU01LSZ258B6G") & set(LETTERS) - {"G"}
    assert len(LETTERS) ** LENGTH > 3_000_000


# -- joining


def test_a_phone_that_comes_back_is_the_same_member_with_its_name(lab):
    room = lab.rooms.open(HOST)
    first = lab.rooms.join(ANN.id, room.code.lower(), " Ann ")
    assert lab.rooms.join(BOB.id, f" {room.code[:2]}-{room.code[2:]}").number == 2
    again = lab.rooms.join(ANN.id, room.code)
    assert (first.number, first.name, again.number, again.name) == (1, "Ann", 1, "Ann")
    assert lab.rooms.join(ANN.id, room.code, "Anna").name == "Anna"


@pytest.mark.parametrize("code", ["", "XXXXX", "no such room", "'; DROP TABLE rooms; --", "\0", "7" * 10_000])
def test_a_code_that_is_no_rooms_is_one_sentence(lab, code):
    lab.rooms.open(HOST)
    with pytest.raises(NoRoom, match=r"There is no open room .*\. Check the code on the wall\."):
        lab.rooms.join(ANN.id, code)


def test_nobody_joins_a_closed_room_and_nothing_is_sent_there(lab):
    room = lab.rooms.open(HOST)
    number = sent(lab, room, ANN)
    lab.rooms.close(room)
    with pytest.raises(NoRoom):
        lab.rooms.join(BOB.id, room.code)
    with pytest.raises(RightsError, match="The host has closed this room"):
        sent_again, member = lab.rooms.of_member(ANN.id, room.code)
        lab.rooms.send(sent_again, member, "draw", "7", b"[]", {})
    assert [tile["number"] for tile in shown(lab, room)["tiles"]] == [number]


def test_a_room_is_forgotten_after_a_day_with_all_that_was_sent(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN)
    lab.now.s = LIVES_S - 60
    assert lab.rooms.of_member(ANN.id, room.code)
    lab.now.s = LIVES_S + 60
    for ask in (lambda: lab.rooms.of_member(ANN.id, room.code), lambda: lab.rooms.join(BOB.id, room.code)):
        with pytest.raises(NoRoom):
            ask()
    assert lab.rooms.forget() == (room.id,)
    assert lab.store.rooms.members(room.id) == () == lab.store.rooms.items(room.id)


def test_the_count_of_people_here_falls_when_a_phone_asks_no_more(lab):
    room = lab.rooms.open(HOST)
    lab.rooms.join(ANN.id, room.code)
    assert lab.rooms.n_here(room) == 1
    lab.now.s = 60.0
    assert lab.rooms.n_here(room) == 0


# -- guessing codes


def test_codes_are_guessed_no_faster_than_a_person_types():
    now = SimpleNamespace(s=0.0)
    gate = Gate(clock=lambda: now.s)
    tried = 0
    for _ in range(36_000):  # ten guesses a second for an hour
        now.s += 0.1
        try:
            gate.check("10.0.0.7")
        except TooFast as error:
            assert "Too many wrong codes" in str(error)
            continue
        gate.wrong("10.0.0.7")
        tried += 1
    assert 1190 <= tried <= 1220  # one each three seconds: of 3.2 million codes 0.04 % an hour


def test_who_guesses_is_let_in_by_no_right_code_either_and_the_qr_code_lets_everybody_in(lab):
    room = lab.rooms.open(HOST)
    with pytest.raises(TooFast):
        for _ in range(100):
            with pytest.raises(NoRoom):
                lab.rooms.join(BOB.id, "XXXXX", address="10.0.0.7")
    with pytest.raises(TooFast):
        lab.rooms.join(BOB.id, room.code, address="10.0.0.7")
    assert lab.rooms.join(ANN.id, room.code, key=room.key, address="10.0.0.7")
    assert lab.rooms.join(BOB.id, room.code, address="10.0.0.8")


def test_who_is_in_the_room_changes_their_name_while_a_neighbour_guesses_codes(lab):
    room = lab.rooms.open(HOST)
    lab.rooms.join(ANN.id, room.code, "Ann", address="10.0.0.7")
    for _ in range(30):
        with pytest.raises((NoRoom, TooFast)):
            lab.rooms.join(BOB.id, "XXXXX", address="10.0.0.7")
    assert lab.rooms.join(ANN.id, room.code, "Anna", address="10.0.0.7").name == "Anna"
    with pytest.raises(TooFast):
        lab.rooms.join(BOB.id, room.code, address="10.0.0.7")


def test_a_wrong_key_tells_nothing_about_the_code(lab):
    room = lab.rooms.open(HOST)
    right, wrong = (pytest.raises(NoRoom) for _ in range(2))
    with right as one:
        lab.rooms.join(ANN.id, room.code, key="guess", address="a")
    with wrong as other:
        lab.rooms.join(ANN.id, "XXXXX", key="guess", address="b")
    assert str(one.value).replace(room.code, "XXXXX") == str(other.value)


# -- what a guest cannot do


def test_a_guest_sees_no_wall_and_changes_none_and_a_host_of_one_room_not_that_of_another(lab):
    lab.rooms.let_everybody_open(HOST, True)
    anns, bobs = lab.rooms.open(ANN), lab.rooms.open(BOB)
    lab.rooms.join(BOB.id, anns.code)
    for person, room in ((BOB, anns), (ANN, bobs), (Person(""), anns)):
        with pytest.raises(RightsError, match="Only the host of a room"):
            lab.rooms.of_host(person, room.code)
    assert lab.rooms.of_host(HOST, anns.code) and lab.rooms.of_host(ANN, anns.code)
    assert [room.id for room in lab.rooms.run_by(ANN)] == [anns.id]
    assert {room.id for room in lab.rooms.run_by(HOST)} == {anns.id, bobs.id}


def test_who_is_not_in_a_room_reads_nothing_of_it(lab):
    room = lab.rooms.open(HOST)
    with pytest.raises(NoRoom, match="You are not in this room"):
        lab.rooms.of_member(BOB.id, room.code)


# -- what the host does


def test_who_was_removed_is_out_with_all_they_sent_and_cannot_come_back(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN), sent(lab, room, BOB)
    lab.rooms.remove_member(room, 1)
    assert [tile["member"] for tile in shown(lab, room)["tiles"]] == [2]
    for ask in (lambda: lab.rooms.of_member(ANN.id, room.code), lambda: lab.rooms.join(ANN.id, room.code)):
        with pytest.raises(RightsError, match="removed you"):
            ask()
    lab.rooms.let_back(room, 1)
    assert lab.rooms.of_member(ANN.id, room.code)


def test_a_drawing_that_was_removed_leaves_the_wall_and_the_count(lab):
    room = lab.rooms.open(HOST)
    first, second = sent(lab, room, ANN), sent(lab, room, BOB)
    before = shown(lab, room)
    lab.rooms.remove_item(room, first)
    later = shown(lab, room, before["rev"], before["round"])
    assert later["tiles"] == [{"number": first, "removed": True}]
    assert later["scores"] == {"7": {"n": 1, "before": 0, "after": 1}}
    assert [tile["number"] for tile in shown(lab, room)["tiles"]] == [second]


def test_a_hidden_nickname_is_off_the_wall_until_it_is_another_and_the_drawing_stays(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN)
    assert shown(lab, room)["tiles"][0]["name"] == "aaa"
    lab.rooms.hide_name(room, 1)
    assert shown(lab, room)["tiles"][0]["name"] == ""
    assert lab.rooms.join(ANN.id, room.code, "aaa").hidden
    lab.rooms.join(ANN.id, room.code, "Ann")
    assert shown(lab, room)["tiles"][0]["name"] == "Ann"
    lab.rooms.show_names(room, False)
    assert shown(lab, room)["tiles"][0]["name"] == ""


def test_while_a_room_is_paused_nothing_arrives(lab):
    room = lab.rooms.open(HOST)
    lab.rooms.pause(room, True)
    with pytest.raises(RightsError, match="paused"):
        sent(lab, room, ANN)
    lab.rooms.pause(room, False)
    assert sent(lab, room, ANN) == 1


def test_a_new_task_begins_a_new_wall_and_the_count_of_all_digits_goes_on(lab):
    room = lab.rooms.open(HOST, Activity("draw", "7"))
    sent(lab, room, ANN)
    lab.rooms.begin(room, Activity("draw", "5"))
    on_wall = shown(lab, room, since=99, of_round=1)
    assert on_wall["fresh"] and on_wall["tiles"] == [] and on_wall["activity"]["label"] == "5"
    sent(lab, room, ANN, label="5", answers={"before": None, "after": ["6", 0.5]})
    assert shown(lab, room)["scores"] == {
        "5": {"n": 1, "before": 0, "after": 0},
        "7": {"n": 1, "before": 0, "after": 1},
    }
    lab.rooms.clear(room)
    assert shown(lab, room)["tiles"] == [] and set(shown(lab, room)["scores"]) == {"7"}


def test_the_wall_tells_of_a_person_the_nickname_and_nothing_else(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN)
    text = json.dumps(shown(lab, room)) + json.dumps(wall.for_member(lab.rooms.standing(ANN.id, room.code)))
    assert ANN.id not in text and HOST.id not in text and room.key not in text and room.id not in text
    (tile,) = shown(lab, room)["tiles"]
    assert set(tile) == {"number", "member", "name", "hidden", "label", "strokes", "answers"}


def test_since_a_revision_only_what_changed_comes(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN)
    first = shown(lab, room)
    assert shown(lab, room, first["rev"], first["round"])["tiles"] == []
    sent(lab, room, BOB)
    assert [tile["number"] for tile in shown(lab, room, first["rev"], first["round"])["tiles"]] == [2]


def test_the_counts_that_a_wall_goes_on_from_are_those_of_a_server_that_counts_anew(lab, monkeypatch):
    monkeypatch.setattr(counting, "MOST_KEPT", 8), monkeypatch.setattr(counting, "AT_ONCE", 4)
    room, rng = lab.rooms.open(HOST, Activity("draw", "7")), np.random.default_rng(0)
    for n in range(30):
        number = sent(
            lab, room, (ANN, BOB)[n % 2], label="74"[n % 2], answers={"before": ["3", 0.9], "after": ["7", 1]}
        )
        if rng.random() < 0.3:
            lab.rooms.remove_item(room, number - int(rng.integers(3)))
        if n == 20:
            lab.rooms.begin(room, Activity("draw", "4"))
        went_on, anew = shown(lab, room), counting.Tally("draw")
        anew.follow(lab.store.rooms, room.id)
        now = lab.store.rooms.get(room.id)
        assert (went_on["count"], went_on["scores"]) == (anew.of_round(now.round), anew.by_label())
    assert anew.by_label()["7"]["after"] == anew.by_label()["7"]["n"] > 0 == anew.by_label()["4"]["after"]


def test_a_phone_that_asks_costs_one_question_and_the_wall_reads_no_drawing_again(lab):
    room = lab.rooms.open(HOST)
    sent(lab, room, ANN), sent(lab, room, BOB)
    first = shown(lab, room)
    with asked_of(lab.store) as questions:
        assert wall.for_member(lab.rooms.standing(ANN.id, room.code))["sent"] == 1
    assert len(questions) == 1
    assert lab.store.rooms.changed(room.id, ("draw", counting.SUMS), first["rev"]) == []
    plan = "EXPLAIN QUERY PLAN SELECT * FROM room_items WHERE room_id = 'a' AND "
    for where, index in {"round = 1 AND member = 2": "whose", "rev > 7": "rev"}.items():
        with lab.store.rooms._database.reading() as connection:
            assert f"ix_room_items_{index}" in str(connection.exec_driver_sql(plan + where).all())


@contextmanager
def asked_of(store):
    """Note what a store's database is asked."""
    questions = []

    def note(connection, cursor, statement, *more):
        questions.extend([statement] if statement.startswith("SELECT") else [])

    engine = store.rooms._database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield questions
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.slow
def test_rooms_live_on_postgres_as_on_sqlite(tmp_path, postgres_database):
    store = Store(tmp_path, url=postgres_database)
    lab = SimpleNamespace(rooms=Rooms(store), store=store)
    room = lab.rooms.open(HOST)
    assert sent(lab, room, ANN) == 1 and sent(lab, room, BOB) == 2
    assert lab.rooms.standing(BOB.id, room.code).sent == shown(lab, room)["scores"]["7"]["n"] - 1 == 1
    lab.rooms.remove_member(room, 1)
    assert [tile["member"] for tile in shown(lab, room)["tiles"]] == [2]
    with pytest.raises(NoRoom):
        lab.rooms.join(ANN.id, "\0")
    store.rooms.forget(room.created + 1)
    assert store.rooms.get(room.id) is None
    store.close()


# -- drawings


def test_a_kept_drawing_is_small_and_read_as_the_one_that_was_drawn():
    rng = np.random.default_rng(0)
    at = np.cumsum(rng.normal(0, 0.004, (1500, 2)), axis=0) + 0.5
    many = [{"width": 0.085, "points": np.clip(at, 0, 1).tolist()}, *SEVEN]
    assert len(strokes.packed(many)) < 6000
    unpacked = strokes.unpacked(strokes.packed(SEVEN))
    assert unpacked[0]["points"] == SEVEN[0]["points"] and unpacked[0]["width"] == 0.085
    item = drawn.item(strokes.packed(SEVEN))
    assert item.shape == (28, 28, 1) and item.dtype == np.uint8 and item.max() > 200


@pytest.mark.parametrize(
    "value", [None, 7, [{}], [{"width": 1, "points": [[float("nan"), 0]]}], [{"points": []}] * 300]
)
def test_what_is_no_drawing_is_refused_in_one_sentence(value):
    with pytest.raises(DataError, match="This drawing cannot be read"):
        strokes.packed(value)


def test_a_blank_pad_is_refused():
    with pytest.raises(DataError, match="blank"):
        drawn.item(strokes.packed([]))


def test_both_networks_are_asked_and_one_that_cannot_answer_is_silent():
    def predict(item, names, timeout_s):
        assert names == ["source:digits_0_4", "taught:transfer"]
        return {names[0]: "The models are still loading.", names[1]: [0.0] * 7 + [0.9, 0.05, 0.05]}

    assert drawn.answered(drawn.item(strokes.packed(SEVEN)), predict, 1.0) == {"before": None, "after": ["7", 0.9]}


@pytest.mark.parametrize(("kind", "label"), [("dance", "5"), ("draw", "12"), ("draw", ""), ("draw", "<b>")])
def test_a_room_is_asked_nothing_that_it_cannot_do(kind, label):
    with pytest.raises(SpecError):
        Activity(kind, label)


# -- places


def test_the_public_address_wins_and_a_server_on_this_machine_alone_has_none():
    named = {"TRANSFER_LAB_PUBLIC_URL": "https://lab.example/course/"}
    assert places.offered("0.0.0.0", 8501, "", False, environ=named) == ("https://lab.example/course",)
    assert places.offered("127.0.0.1", 8501, "", False, "http://localhost:8501", environ={}) == ()
    opened = places.offered("127.0.0.1", 8501, "/lab", False, "https://lab.example/lab", environ={})
    assert opened == ("https://lab.example/lab",)  # behind a proxy: as the host's browser came
    assert places.offered("10.0.0.5", 8501, "/lab", True, environ={}) == ("https://10.0.0.5:8501/lab",)


@pytest.mark.parametrize("named", ["lab.example", "javascript:alert(1)", "https://lab.example/?a", "https:// x"])
def test_a_public_address_that_is_none_is_one_sentence(named):
    with pytest.raises(SpecError, match="TRANSFER_LAB_PUBLIC_URL is the address that people use"):
        places.public({"TRANSFER_LAB_PUBLIC_URL": named})


def test_the_qr_code_is_a_picture_of_the_address_and_grows_with_it():
    short, long = places.qr("http://10.0.0.5:8501/join/KX7WP?k=0123456789abcdef"), places.qr("http://a/" + "x" * 200)
    assert short.startswith("<svg") and "http://10.0.0.5" not in short and "<script" not in short
    assert len(long) > len(short)


def test_nicknames_are_one_short_line():
    assert rooms.as_name("\u202eAnn\t\nLee\0") == "Ann Lee"
    assert len(rooms.as_name("x" * 500)) == 24 and rooms.as_name("   ") == ""


# -- a room that goes on for long


def test_of_a_full_room_the_oldest_pictures_go_and_still_count(lab, monkeypatch):
    monkeypatch.setattr(counting, "MOST_KEPT", 8), monkeypatch.setattr(counting, "AT_ONCE", 4)
    room = lab.rooms.open(HOST, Activity("draw", "7"))
    for n in range(20):
        sent(lab, room, ANN, answers={"before": ["7" if n % 5 == 0 else "3", 0.9], "after": ["7", 0.8]})
    lab.rooms.remove_item(room, 20)
    on_wall = shown(lab, room)
    assert on_wall["count"] == {"n": 19, "before": 4, "after": 19} == on_wall["scores"]["7"]
    numbers = [tile["number"] for tile in on_wall["tiles"]]
    assert numbers == list(range(numbers[0], 20)) and 4 <= len(numbers) <= 8
    assert len(lab.store.rooms.items(room.id)) <= 8
    assert len(saving.collected(lab.store, room)["7"]) == len(numbers)
    assert saving.n_gone(lab.store, room) == 19 - len(numbers)
    lab.rooms.begin(room, Activity("draw", "5"))
    for _ in range(10):
        sent(lab, room, BOB, label="5")
    later = shown(lab, room)
    assert later["count"] == {"n": 10, "before": 0, "after": 10} and later["scores"]["7"]["n"] == 19
    lab.rooms.clear(room)
    assert shown(lab, room)["count"]["n"] == 0 and set(shown(lab, room)["scores"]) == {"7"}


def test_the_newest_pictures_stand_on_the_wall_and_the_counts_have_all(lab, monkeypatch):
    monkeypatch.setattr(wall, "MOST_SHOWN", 3)
    room = lab.rooms.open(HOST)
    for _ in range(3):
        sent(lab, room, ANN)
    before = shown(lab, room)
    assert (before["first"], [tile["number"] for tile in before["tiles"]]) == (0, [1, 2, 3])
    sent(lab, room, BOB)
    assert shown(lab, room, before["rev"], before["round"])["first"] == 2
    opened_again = shown(lab, room)
    assert [tile["number"] for tile in opened_again["tiles"]] == [2, 3, 4] and opened_again["count"]["n"] == 4


def test_bets_of_this_round_stay_when_old_drawings_go(lab, monkeypatch):
    monkeypatch.setattr(counting, "MOST_KEPT", 2), monkeypatch.setattr(counting, "AT_ONCE", 2)
    room = lab.rooms.open(HOST)
    lab.rooms.join(ANN.id, room.code)
    lab.store.rooms.add(room, 1, "vote", "scratch", b"", {})
    for _ in range(6):
        sent(lab, room, ANN)
    assert [item.label for item in lab.store.rooms.items(room.id, kind="vote")] == ["scratch"]
