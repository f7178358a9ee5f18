"""Looks at what arrived: they run beside the pages, can be cancelled, and take their files away."""

import threading
from types import SimpleNamespace

import pytest
from waiting import wait_for

from tlcore.datasets import arriving, looks
from tlcore.datasets.arriving import File, Piece
from tlcore.datasets.looks import Looks
from tlcore.errors import DataError, SpecError

ANN, BOB = "a" * 32, "b" * 32
FOUND = SimpleNamespace(id="draft")


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))


@pytest.fixture
def looking():
    """``looking(look)``: the looks of a server that looks so; they end with the test."""
    made = []

    def begin(look) -> Looks:
        made.append(Looks(look))
        return made[-1]

    yield begin
    for each in made:
        each.close()


def arrived(content: bytes = b"0123", whole: bool = True):
    arrival = arriving.begin(ANN, [File("cats/1.jpg", 4)], 10, lambda owner, n_bytes: None)
    if whole:
        with Piece(arrival, 0, 4) as piece:
            piece.write(content)
    return arrival


def until_stopped(begun: threading.Event):
    def look(files, owner, progress, stopped):
        begun.set()
        wait_for(stopped, 10)
        raise DataError("Reading was stopped.")

    return look


def test_a_look_gets_the_files_by_name_tells_its_pace_and_leaves_nothing(looking):
    seen = []

    def look(files, owner, progress, stopped):
        seen.append((files[0].name, files[0].path.read_bytes(), owner, stopped()))
        progress(0, 100)
        progress(50, 100)
        return FOUND

    arrival = arrived()
    begun = looking(look).start(arrival, ANN)
    wait_for(lambda: begun.ended, 10)
    assert seen == [("cats/1.jpg", b"0123", ANN, False)] and not arrival.folder.exists()
    assert (begun.report, begun.done, begun.total, begun.error) == ("draft", 50, 100, None)
    assert begun.left_s is not None and begun.left_s >= 0


def test_what_has_not_arrived_whole_is_not_looked_at(looking):
    with pytest.raises(DataError, match="not arrived whole"):
        looking(lambda *_: FOUND).start(arrived(whole=False), ANN)


def test_a_look_goes_on_when_it_is_asked_for_again_and_is_its_owners_alone(looking):
    begun = threading.Event()
    found = looking(until_stopped(begun))
    arrival = arrived()
    look = found.start(arrival, ANN)
    assert found.start(arrival, ANN) is look and found.find(arrival.id, ANN) is look
    assert found.find(arrival.id, BOB) is None and found.find("0" * 16, ANN) is None


def test_a_cancelled_look_ends_and_the_same_files_can_come_again(looking):
    begun = threading.Event()
    found = looking(until_stopped(begun))
    arrival = arrived()
    look = found.start(arrival, ANN)
    assert begun.wait(10)
    found.cancel(look)
    with pytest.raises(SpecError):
        arriving.get(ANN, arrival.id)
    again = arrived()
    wait_for(lambda: look.ended, 10)
    assert again.complete and found.find(arrival.id, ANN) is None  # the one that ended has not taken them away


@pytest.mark.parametrize("error", [DataError("No pictures."), ValueError("a bug")])
def test_what_goes_wrong_is_a_sentence_and_takes_the_files_away(looking, error):
    def look(*_):
        raise error

    arrival = arrived()
    begun = looking(look).start(arrival, ANN)
    wait_for(lambda: begun.ended, 10)
    assert str(begun.error) in ("No pictures.", str(begun.error)) and not arrival.folder.exists()
    assert isinstance(begun.error, DataError)


def test_when_the_server_ends_the_files_stay_for_the_next(looking):
    begun = threading.Event()
    found = looking(until_stopped(begun))
    arrival = arrived()
    found.start(arrival, ANN)
    assert begun.wait(10)
    found.close()
    assert arriving.get(ANN, arrival.id).complete


def test_what_came_of_a_look_is_forgotten_after_a_while(looking, monkeypatch):
    found = looking(lambda *_: FOUND)
    look = found.start(arrived(), ANN)
    wait_for(lambda: look.ended, 10)
    monkeypatch.setattr(looks, "KEPT_S", -1.0)
    found.start(arrived(), BOB)
    assert found.find(look.arrival.id, ANN) is None
