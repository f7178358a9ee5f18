"""What a room teaches together: one few-shot set, counted honestly as it grows, and kept as a data set."""

from types import SimpleNamespace

import numpy as np
import pytest

from tlcore import teaching
from tlcore.datasets import own_sets
from tlcore.errors import DataError, LabError, SpecError
from tlcore.people import Person
from tlcore.prediction import ModelName, collected
from tlcore.rooms import Activity, Rooms, of_class, saving, shown, strokes, taught, to_teach, wall
from tlcore.rooms.scoring import Scorer, point
from tlcore.teaching import Score

HOST, ANN, BOB = Person("h" * 32, host=True), Person("a" * 32), Person("b" * 32)
BAR, SLASH = [[0.5, 0.2], [0.5, 0.8]], [[0.2, 0.8], [0.8, 0.2]]


def flat(items):
    return items.reshape(len(items), -1).astype(np.float32) / 255


def predict(item, names, timeout_s):
    """Answer in this process, on raw pixels in place of a network's features."""
    answers = {}
    for name in names:
        try:
            answers[name] = collected.proba_of(ModelName.parse(name))(item[None])[0].tolist()
        except LabError as error:
            answers[name] = str(error)
    return answers


@pytest.fixture
def lab(store, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(store.folder))
    monkeypatch.setattr(collected, "extractor", lambda kind: flat)
    rooms = Rooms(store)
    room = rooms.open(HOST)
    rooms.begin(room, to_teach("bar, slash"))
    scorer = Scorer(store, lambda room_id: taught.score(room_id, predict, 10.0))
    return SimpleNamespace(store=store, rooms=rooms, room=store.rooms.get(room.id), scorer=scorer)


def draw(lab, person, label, points, shift=0.0):
    lab.rooms.join(person.id, lab.room.code)
    room, member = lab.rooms.of_member(person.id, lab.room.code)
    moved = [[x + shift, y] for x, y in points]
    content = strokes.packed([{"width": 0.085, "points": moved}])
    answers = taught.learn(room, label, content, predict, 10.0)
    number = lab.rooms.send(room, member, "teach", label, content, answers)
    lab.scorer.ask(room.id)
    lab.scorer.wait()
    return number, answers


def points(lab):
    return wall.on_wall(lab.store, lab.store.rooms.get(lab.room.id), 0, 0)["points"]


def test_each_drawing_is_read_before_it_is_learned_and_the_count_grows_with_them(lab):
    _, first = draw(lab, ANN, "bar", BAR)
    _, second = draw(lab, BOB, "slash", SLASH)
    assert (
        first["guess"] is None
        and second["guess"] is None
        and points(lab) == [{"n": 2, "right": 0, "of": 2, "low": 0.0, "high": pytest.approx(0.658), "guess": 0.5}]
    )  # without it no other example of its class is left: nobody could know
    for shift in (0.02, -0.02, 0.04):
        _, bar = draw(lab, ANN, "bar", BAR, shift)
        _, slash = draw(lab, BOB, "slash", SLASH, shift / 2)
        assert bar["guess"][0] == "bar" and slash["guess"][0] == "slash"
    last = points(lab)[-1]
    assert (last["n"], last["right"], last["of"], last["guess"]) == (8, 8, 8, 0.5) and 0.6 < last["low"] < 0.7


def test_what_the_host_removes_is_learned_from_no_more(lab):
    number, answers = draw(lab, ANN, "bar", SLASH)  # a bad example
    draw(lab, BOB, "slash", SLASH), draw(lab, BOB, "bar", BAR)
    lab.rooms.remove_item(lab.room, number)
    names = [example.name for one in taught.examples(lab.room.id).classes() for example in one.examples]
    assert answers["example"] not in names and len(names) == 2
    lab.rooms.remove_member(lab.room, 2)
    assert not any(one.examples for one in taught.examples(lab.room.id).classes())
    assert taught.score(lab.room.id, predict, 1.0) is None


def test_the_wall_says_nothing_of_the_files_of_examples(lab):
    draw(lab, ANN, "bar", BAR)
    (tile,) = wall.on_wall(lab.store, lab.room, 0, 0)["tiles"]
    assert tile["answers"] == {"guess": None} and tile["label"] == "bar"


def test_a_new_task_and_a_forgotten_room_leave_no_examples(lab):
    draw(lab, ANN, "bar", BAR)
    lab.rooms.begin(lab.room, to_teach("one, two, three"))
    classes = taught.examples(lab.room.id).classes()
    assert [(one.name, len(one.examples)) for one in classes] == [("one", 0), ("two", 0), ("three", 0)]
    folder = taught.examples(lab.room.id).folder
    assert folder.exists()
    later = Rooms(lab.store, clock=lambda: lab.room.created + 25 * 3600)
    assert later.forget() == (lab.room.id,) and not folder.exists()


@pytest.mark.parametrize("text", ["", "one", "a, a", ",".join("abcdefghi"), "a, " + "x" * 31, "a\n, b\x00"])
def test_classes_that_cannot_be_taught_are_one_sentence(text):
    with pytest.raises(SpecError):
        to_teach(text)


def test_a_phone_names_only_a_class_that_is_asked_for():
    activity = to_teach("bar， slash")
    assert activity.classes == ("bar", "slash") and of_class(activity, "bar").label == "bar"
    assert Activity.of(activity.stored()) == activity
    for name in ("dot", None, 7, ["bar"], {}):
        with pytest.raises(SpecError, match="not asked for any more"):
            of_class(activity, name)


def test_a_count_has_its_interval_and_what_guessing_reaches():
    assert point(Score(8, 10, 30, ((8, 10),), 0.4)) == {
        "n": 30, "right": 8, "of": 10, "low": 0.49, "high": 0.943, "guess": 0.4,
    }  # fmt: skip


def test_a_room_that_changes_often_is_counted_as_often_as_there_is_time(store):
    counted, lab = [], SimpleNamespace(rooms=Rooms(store))
    room = lab.rooms.open(HOST)
    import threading

    go = threading.Event()

    def score(room_id):
        counted.append(room_id)
        assert go.wait(10)

    scorer = Scorer(store, score)
    for _ in range(50):
        scorer.ask(room.id)
    go.set()
    scorer.wait()
    assert 1 <= len(counted) <= 2


# -- kept as a data set


def test_the_rooms_drawings_become_a_set_of_the_hosts_without_names_and_with_what_people_had_read(lab):
    for n in range(4):
        draw(lab, ANN, "bar", BAR, n / 50), draw(lab, BOB, "slash", SLASH, n / 50)
    removed, _ = draw(lab, ANN, "bar", SLASH)
    lab.rooms.remove_item(lab.room, removed)
    card = saving.save(lab.store, lab.room, HOST.id, "Room AAAAA")
    assert card.class_names == ("bar", "slash") and card.n == 8 and card.owner == HOST.id
    assert any("without names" in str(note) for note in card.notes)
    assert ANN.id not in str(card) and own_sets.card(card.name).form.shape == (28, 28, 1)


def test_pictures_of_hands_become_a_set_of_photographs(lab):
    lab.rooms.begin(lab.room, Activity("hands", "3"))
    lab.rooms.join(ANN.id, lab.room.code)
    rng = np.random.default_rng(0)
    for label in ("3", "5"):
        room, member = lab.rooms.of_member(ANN.id, lab.room.code)
        for _ in range(4):
            photograph = rng.integers(0, 255, (96, 96, 3), np.uint8)
            lab.rooms.send(room, member, "hands", label, shown.packed(photograph), {"before": None, "after": None})
    card = saving.save(lab.store, lab.room, HOST.id, "Hands", "photo")
    assert card.form.shape == (96, 96, 3) and card.class_names == ("3", "5") and card.n == 8
    with pytest.raises(DataError, match="two classes with 3"):
        saving.save(lab.store, lab.room, HOST.id, "Room")  # nothing was drawn


def test_too_few_drawings_are_no_set(lab):
    draw(lab, ANN, "bar", BAR)
    with pytest.raises(DataError, match="two classes with 3 drawings or pictures each"):
        saving.save(lab.store, lab.room, HOST.id, "Room")


def test_a_full_room_learns_from_the_newest_drawings_and_refuses_none(lab, monkeypatch):
    monkeypatch.setattr(teaching, "MOST_EXAMPLES", 4), monkeypatch.setattr(taught, "AT_ONCE", 1)
    draw(lab, BOB, "slash", SLASH)
    made = [draw(lab, ANN, "bar", BAR, shift)[1]["example"] for shift in (0.0, 0.02, 0.04, 0.06)]
    bars, slashes = taught.examples(lab.room.id).classes()
    assert [example.name for example in bars.examples] == made[1:] and len(slashes.examples) == 1
