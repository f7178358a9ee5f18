"""The command line runs rooms as the page does."""

import json

import pytest

from tlcore import cli
from tlcore.people import Person
from tlcore.rooms import Rooms, bets
from tlcore.store import Store

ANN = Person("a" * 32)


@pytest.fixture
def do(tmp_path, capsys):
    """``do("rooms open")``: the exit code, and what was printed on the two streams."""

    def run(line):
        code = cli.main(["--home", str(tmp_path / "lab"), *line.split()])
        out, err = capsys.readouterr()
        return code, out, err

    run.store = lambda: Store(tmp_path / "lab")
    return run


def test_a_room_is_opened_set_paused_and_closed_by_command(do):
    assert do("rooms")[1] == "No rooms.\n"
    code, out, _ = do("rooms open --draw 7 --json")
    opened = json.loads(out)
    assert code == 0 and opened["activity"]["label"] == "7" and opened["path"].startswith(f"/join/{opened['code']}?k=")
    rooms, name = Rooms(do.store()), opened["code"]
    assert rooms.join(ANN.id, name).number == 1
    assert do(f"rooms pause {name.lower()}")[0] == 0 and rooms.of_member(ANN.id, name)[0].paused
    assert do(f"rooms resume {name}")[0] == 0 and not rooms.of_member(ANN.id, name)[0].paused
    assert do(f"rooms set {name} --teach heart,star")[0] == 0
    assert rooms.of_member(ANN.id, name)[0].activity["classes"] == ["heart", "star"]
    assert do(f"rooms clear {name}")[0] == 0
    (row,) = [line for line in do("rooms")[1].splitlines() if name in line]
    assert "open" in row and "heart, star" in row
    assert do(f"rooms close {name}")[1] == f"Room {name} is closed.\n"
    assert "closed" in do("rooms")[1]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("rooms close ZZZZZ", "There is no room ZZZZZ"),
        ("rooms open --draw 5 --teach a,b", "one thing at a time"),
        ("rooms open --teach a", "from 2 to 8 classes"),
        ("rooms open --draw 12", "digit"),
        ("rooms open --show 12", "digit"),
        ("rooms open --show 5 --bet nothing,scratch", "Give --show or --bet, not both"),
        ("rooms open --bet nothing", "2 to 4 lanes"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(do, line, sentence):
    code, _, err = do(line)
    assert code == 2 and sentence in err


def test_too_few_drawings_are_no_set(do):
    name = json.loads(do("rooms open --json")[1])["code"]
    code, _, err = do(f"rooms save {name}")
    assert code == 1 and "two classes with 3 drawings or pictures each" in err


def test_hands_and_bets_are_asked_for_by_command_and_the_race_is_started(do):
    code, out, _ = do("rooms open --show 4 --json")
    opened = json.loads(out)
    assert code == 0 and (opened["activity"]["kind"], opened["activity"]["label"]) == ("hands", "4")
    name = opened["code"]
    assert "takes no bets" in do(f"rooms race {name}")[2]
    assert do(f"rooms set {name} --bet nothing,scratch")[0] == 0
    store = do.store()
    rooms = Rooms(store)
    rooms.join(ANN.id, name)
    bets.vote(store, *rooms.of_member(ANN.id, name), "nothing")
    code, out, err = do(f"rooms race {name} --per-class 5 --epochs 2 --json")
    assert (code, err) == (0, "")
    begun = json.loads(out)["lanes"]
    assert list(begun) == ["nothing", "scratch"]
    runs = {lane: store.get(run_id) for lane, run_id in begun.items()}
    assert {run.state for run in runs.values()} == {"queued"}  # the server of the folder trains them
    assert all((run.spec.epochs, run.spec.data.per_class, run.spec.film) == (2, 5, True) for run in runs.values())
    assert (runs["nothing"].spec.source, runs["scratch"].spec.source) == ("digits_0_4", "random")
    room = rooms.of_member(ANN.id, name)[0]
    assert list(room.activity["runs"]) == list(begun.values())
    assert "takes no bets" in do(f"rooms race {name}")[2]
