"""The room's page without a browser: who may open one, what the host sets, and how it ends."""

import pytest
from pages.test_pages import ME, lab, opened, sound, words  # noqa: F401

from pages.ui.components import wall
from pages.ui.session import state
from tlcore.people import Person
from tlcore.rooms import Rooms

HOST = Person("f" * 32, host=True)


@pytest.fixture
def rooms(lab, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TRANSFER_LAB_PUBLIC_URL", "https://lab.example")
    return Rooms(lab.store)


@pytest.fixture
def as_host(monkeypatch):
    monkeypatch.setattr(state, "person", lambda: HOST)


def test_a_guest_cannot_open_a_room_and_is_shown_the_way_into_one(rooms):
    app = sound(opened("room"))
    assert "Only the host of this server can open a room" in words(app)
    assert not [button for button in app.button if button.key == "open_room"]
    assert app.get("link_button")[0].proto.url == "/join"


def test_the_host_lets_everybody_open_rooms_and_takes_it_back(rooms, as_host, monkeypatch):
    app = sound(opened("room"))
    app.toggle(key="everybody_opens").set_value(True).run()
    assert rooms.everybody_opens()
    monkeypatch.setattr(state, "person", lambda: ME)
    guests = sound(opened("room"))
    guests.button(key="open_room").click().run()
    assert rooms.run_by(ME)[0].owner == ME.id


def test_a_room_opens_with_its_code_and_the_qr_code_of_the_address_that_phones_reach(rooms, as_host, monkeypatch):
    shown = []
    monkeypatch.setattr(wall, "_wall", lambda **options: shown.append(options["data"]))
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    (room,) = rooms.run_by(HOST)
    assert shown[-1]["code"] == room.code and shown[-1]["place"] == "https://lab.example/join"
    assert shown[-1]["url"].startswith(f"/api/rooms/{room.code}/wall") and shown[-1]["qr"].startswith("<svg")


def test_the_host_chooses_the_digit_pauses_goes_on_and_hides_names(rooms, as_host):
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    now = lambda: rooms.run_by(HOST)[0]  # noqa: E731
    app.button_group(key="room_digit").set_value("7").run()
    assert now().activity["label"] == "7" and now().round == 2
    app.button(key="room_pause").click().run()
    assert now().paused and app.button(key="room_pause").label == "Go on"
    app.button(key="room_pause").click().run()
    app.toggle(key="room_names").set_value(False).run()
    assert not now().paused and not now().names
    sound(app)


def test_a_closed_room_stays_on_the_page_and_another_can_be_opened(rooms, as_host):
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    app.button(key="room_close").click().run()
    assert rooms.run_by(HOST)[0].closed and not [b for b in app.button if b.key == "room_pause"]
    app.button(key="open_room").click().run()
    assert [room.closed is None for room in rooms.run_by(HOST)] == [True, False]


def test_a_server_that_phones_cannot_reach_says_so(rooms, as_host, monkeypatch):
    monkeypatch.delenv("TRANSFER_LAB_PUBLIC_URL")
    monkeypatch.setattr("tlcore.machine.addresses.own_addresses", lambda host: ())
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    assert "Phones cannot reach this server" in words(app)


def test_a_setting_that_is_no_address_is_one_sentence(rooms, as_host, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_PUBLIC_URL", "lab.example")
    app = opened("room")
    app.button(key="open_room").click().run()
    assert "TRANSFER" in words(app) and not app.exception


def test_the_host_takes_bets_and_starts_the_race_once(rooms, as_host, lab):  # noqa: F811
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    app.button_group(key="room_kind").set_value("bet").run()
    app.button_group(key="room_lanes").set_value(["nothing"]).run()
    app.button(key="room_bet").click().run()
    assert "A room bets on 2 to 4 lanes" in words(app) and rooms.run_by(HOST)[0].activity["kind"] == "draw"
    app.button_group(key="room_lanes").set_value(["nothing", "scratch"]).run()
    app.button(key="room_bet").click().run()
    assert rooms.run_by(HOST)[0].activity["lanes"] == ["nothing", "scratch"]
    taking, racing = app.button(key="room_bet"), app.button(key="room_race")
    assert (taking.proto.type, racing.proto.type) == ("secondary", "primary")  # one main button: what comes next
    app.button(key="room_race").click().run()
    assert len(lab.engine.submitted) == 2 and {run.owner for run in lab.store.list()} == {HOST.id}
    assert set(rooms.run_by(HOST)[0].activity["runs"]) == set(lab.engine.submitted)
    assert not [button for button in sound(app).button if button.key == "room_race"]


def test_what_a_room_teaches_is_named_by_the_host(rooms, as_host):
    app = sound(opened("room"))
    app.button(key="open_room").click().run()
    app.button_group(key="room_kind").set_value("teach").run()
    app.text_input(key="room_classes").set_value("one").run()
    app.button(key="room_teach").click().run()
    assert "A room learns from 2 to 8 classes" in words(app)
    app.text_input(key="room_classes").set_value("heart, 一").run()
    app.button(key="room_teach").click().run()
    assert rooms.run_by(HOST)[0].activity["classes"] == ["heart", "一"]
    sound(app)
