"""A bet: votes are secret and can be changed until the race begins; who bet on the best has won."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from tiny_results import fine_tuned

from tlcore.errors import RightsError, SpecError
from tlcore.evaluation import evaluate
from tlcore.people import Person
from tlcore.recipes import race
from tlcore.rooms import Activity, Rooms, bets, wall
from tlcore.sources import info
from tlcore.spec import FineTuneSpec, Phase

HOST, ANN, BOB, CID = (Person(letter * 32, host=letter == "h") for letter in "habc")
LANES = ("nothing", "scratch")


@pytest.fixture
def room(store):
    rooms = Rooms(store)
    opened = rooms.open(HOST, Activity("bet", "", lanes=LANES))
    for person, name in ((ANN, "Ann"), (BOB, "Bob"), (CID, "")):
        rooms.join(person.id, opened.code, name)
    return opened


def now(store, room):
    return store.rooms.get(room.id)


def place(store, room, person, lane):
    bets.vote(store, now(store, room), store.rooms.member(room.id, person.id), lane)


def started(store, room):
    specs = race.lanes(FineTuneSpec(), info("digits_0_4").layers, LANES)
    runs = [store.create(specs[lane], owner=HOST.id) for lane in LANES]
    bets.begin(store, room, [run.id for run in runs])
    return runs


def ended(store, runs, accuracies):
    labels = np.arange(100) % 2
    for run, accuracy in zip(runs, accuracies, strict=True):
        predicted = np.where(np.arange(100) < 100 * accuracy, labels, 1 - labels)
        store.claim(run.id)
        store.finish(run.id, "done", fine_tuned(asdict(evaluate(labels, predicted, 2))))


def shown(store, room):
    return wall.on_wall(store, bets.settle(store, now(store, room)), 0, 0)


def mine(store, room, person):
    return wall.for_member(Rooms(store).standing(person.id, room.code))


def test_a_bet_is_secret_until_the_race_begins_and_can_be_changed_till_then(store, room):
    place(store, room, ANN, "scratch"), place(store, room, BOB, "scratch"), place(store, room, ANN, "nothing")
    before = shown(store, room)
    assert before["bet"] == {"voted": 2, "lanes": {"nothing": {}, "scratch": {}}} and before["tiles"] == []
    assert mine(store, room, ANN)["vote"] == "nothing" and mine(store, room, CID)["vote"] == ""
    started(store, room)
    after = shown(store, room)["bet"]["lanes"]
    assert {lane: row["votes"] for lane, row in after.items()} == {"nothing": 1, "scratch": 1}
    with pytest.raises(RightsError, match="no more bets"):
        place(store, room, CID, "nothing")


def test_a_bet_on_what_the_host_has_just_ended_is_refused_and_the_one_of_before_counts(store, room):
    place(store, room, ANN, "scratch")
    seen, ann = now(store, room), store.rooms.member(room.id, ANN.id)
    Rooms(store).begin(room, Activity("bet", "", lanes=LANES))  # between the look at the room and the bet
    with pytest.raises(SpecError, match="nothing to bet on"):
        bets.vote(store, seen, ann, "nothing")
    with pytest.raises(SpecError, match="nothing to bet on"):
        bets.vote(store, now(store, room), ann, "nothing", round=seen.round)  # her phone still showed the old one
    assert bets.votes(store, seen) == {1: "scratch"} and bets.votes(store, now(store, room)) == {}
    bets.vote(store, now(store, room), ann, "nothing", round=seen.round + 1)
    assert bets.votes(store, now(store, room)) == {1: "nothing"}


def test_what_arrives_while_the_bets_are_being_closed_does_not_count(store, room):
    seen, ann = now(store, room), store.rooms.member(room.id, ANN.id)
    started(store, room)
    with pytest.raises(SpecError, match="nothing to bet on"):
        bets.vote(store, seen, ann, "nothing")
    assert bets.votes(store, now(store, room)) == {}


def test_the_end_of_a_race_is_not_written_over_what_the_host_asked_next(store, room):
    ended(store, started(store, room), (0.95, 0.6))
    seen = now(store, room)
    Rooms(store).begin(room, Activity("draw", "5"))
    bets.settle(store, seen)
    assert Activity.of(now(store, room).activity) == Activity("draw", "5")


@pytest.mark.parametrize("lane", ["draft", "", None, 7, ["nothing"], {"a": 1}])
def test_nobody_bets_on_what_does_not_race(store, room, lane):
    with pytest.raises(SpecError, match="nothing to bet on"):
        place(store, room, ANN, lane)


def test_a_network_whose_averages_stay_frozen_is_not_called_one_with_nothing_frozen(store, room):
    assert not shown(store, room)["activity"]["at_rest"]
    draft = FineTuneSpec(source="mobilenet_v2", phases=(Phase(),))
    specs = race.lanes(draft, info("mobilenet_v2").layers, LANES)
    bets.begin(store, now(store, room), [store.create(specs[lane]).id for lane in LANES])
    assert shown(store, room)["activity"]["at_rest"] and mine(store, room, ANN)["activity"]["at_rest"]


def test_who_bet_on_the_best_has_won_and_stands_on_the_wall_by_nickname(store, room):
    place(store, room, ANN, "nothing"), place(store, room, BOB, "scratch"), place(store, room, CID, "nothing")
    runs = started(store, room)
    assert not shown(store, room)["activity"]["over"]
    ended(store, runs, (0.95, 0.6))
    on_wall = shown(store, room)
    assert on_wall["activity"]["over"] and on_wall["activity"]["winners"] == ("nothing",)
    assert (on_wall["bet"]["n_won"], on_wall["bet"]["won"]) == (2, ["Ann"])
    assert on_wall["bet"]["lanes"]["nothing"] == {"votes": 2, "state": "done", "done": 1.0, "accuracy": 0.95}
    Rooms(store).hide_name(room, 1)
    assert shown(store, room)["bet"]["won"] == []


def test_of_a_tie_all_have_won_who_bet_on_one_of_it(store, room):
    place(store, room, ANN, "nothing"), place(store, room, BOB, "scratch")
    ended(store, started(store, room), (0.81, 0.8))
    on_wall = shown(store, room)
    assert set(on_wall["activity"]["winners"]) == set(LANES) and on_wall["bet"]["n_won"] == 2


def test_a_race_that_failed_ends_without_a_winner(store, room):
    place(store, room, ANN, "nothing")
    for run in started(store, room):
        store.request_stop(run.id)
        assert store.get(run.id).final
    on_wall = shown(store, room)
    assert on_wall["activity"]["over"] and on_wall["activity"]["winners"] == () and on_wall["bet"]["n_won"] == 0


def test_the_phones_are_told_of_no_run_and_of_nobodys_bet_but_their_own(store, room):
    place(store, room, ANN, "nothing")
    runs = started(store, room)
    text = json.dumps(mine(store, room, BOB))
    assert "nothing" in text and not any(run.id in text for run in runs) and "votes" not in text
    assert mine(store, room, BOB)["vote"] == ""


@pytest.mark.parametrize("lanes", [(), ("nothing",), race.LANES, ("nothing", "unknown")])
def test_a_bet_needs_two_to_four_lanes_that_there_are(lanes):
    with pytest.raises(SpecError, match="2 to 4 lanes"):
        Activity("bet", "", lanes=lanes)


def test_a_race_begins_once(store, room):
    started(store, room)
    with pytest.raises(SpecError, match="takes no bets"):
        started(store, room)
