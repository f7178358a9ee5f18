"""Files that arrive in pieces: any cut gives the same bytes, and what is refused leaves nothing behind."""

import numpy as np
import pytest

from tlcore.datasets import arriving
from tlcore.datasets.arriving import File, OutOfTurn, Piece
from tlcore.errors import DataError, RightsError, SpecError, StoreError

ANN, BOB = "a" * 32, "b" * 32
FILES = (File("pictures/cat/1.JPG", 5), File("empty", 0), File("pictures/../../dog.png", 3), File("last", 7))
CONTENT = bytes(range(15))


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path))
    return tmp_path


def begun(owner=ANN, files=FILES, most_files=10, check_room=lambda owner, n_bytes: None):
    return arriving.begin(owner, files, most_files, check_room)


def send(arrival, at, content):
    with Piece(arrival, at, len(content)) as piece:
        piece.write(content)


def everything(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("seed", range(8))
def test_files_cut_anywhere_arrive_as_they_were(seed):
    arrival = begun()
    cuts = np.random.default_rng(seed).choice(np.arange(1, 15), size=seed, replace=False)
    edges = [0, *sorted(map(int, cuts)), 15]
    for at, end in zip(edges, edges[1:], strict=False):
        assert arrival.arrived == at and not arrival.complete
        send(arrival, at, CONTENT[at:end])
    assert arrival.complete
    assert [(name, path.read_bytes()) for name, path in arriving.get(ANN, arrival.id).named()] == [
        ("pictures/cat/1.JPG", CONTENT[:5]), ("pictures/../../dog.png", CONTENT[5:8]), ("last", CONTENT[8:])
    ]  # fmt: skip


def test_a_name_opens_nothing_and_only_its_ending_is_kept():
    names = [path.name for _name, path in begun().named()]
    assert names == ["000000.jpg", "000001.png", "000002"]
    strange = begun(files=[File("a" * 900 + "/\ud800\n\x00.jpg", 1)])
    assert strange.files[0].name.endswith("a/___.jpg") and len(strange.files[0].name) == arriving.LONGEST_NAME


def test_a_piece_that_is_not_the_next_one_says_where_that_begins():
    arrival = begun()
    send(arrival, 0, CONTENT[:6])
    for at in (0, 5, 7):
        with pytest.raises(OutOfTurn, match="begins at byte 6") as refusal:
            Piece(arrival, at, 2)
        assert refusal.value.arrived == 6
    assert arrival.arrived == 6


def test_more_than_was_said_is_refused_and_nothing_is_left(lab):
    arrival = begun()
    send(arrival, 0, CONTENT[:6])
    with pytest.raises(DataError, match="More data arrived"):
        Piece(arrival, 6, 10)
    assert everything(lab) == []
    with pytest.raises(SpecError, match="not there any more"):
        arriving.get(ANN, arrival.id)


@pytest.mark.parametrize("n", [0, -1, arriving.PIECE + 1])
def test_a_piece_has_at_least_one_byte_and_at_most_so_many(n):
    with pytest.raises(DataError, match="A piece has 1 to 8,388,608 bytes"):
        Piece(begun(), 0, n)


def test_what_cannot_be_taken_is_refused_before_its_first_byte(lab):
    with pytest.raises(RightsError, match="sent no cookie"):
        begun(owner=None)
    with pytest.raises(DataError, match="nothing in these files"):
        begun(files=[File("empty", 0)])
    with pytest.raises(DataError, match="You chose 3 files; the limit is 2"):
        begun(most_files=2)
    asked = []
    begun(check_room=lambda owner, n_bytes: asked.append((owner, n_bytes)))
    assert asked == [(ANN, 15)]

    def full(owner, n_bytes):
        raise RightsError("Full.")

    with pytest.raises(RightsError, match="Full"):
        begun(owner=BOB, check_room=full)
    assert len(everything(lab)) == 1  # Ann's list


def test_the_same_files_chosen_again_go_on_where_they_broke_off():
    arrival = begun()
    send(arrival, 0, CONTENT[:6])
    asked = []
    again = begun(check_room=lambda owner, n_bytes: asked.append(n_bytes))
    assert (again.id, again.arrived, asked) == (arrival.id, 6, [9])
    assert begun(files=[*FILES[:3], File("last", 7, changed=1)]).id != arrival.id


def test_nobody_reaches_another_persons_files():
    arrival = begun()
    for owner, name in ((BOB, arrival.id), (ANN, "../" + arrival.id), (ANN, arrival.id[:-1] + "g"), (ANN, "")):
        with pytest.raises(SpecError, match="not there any more"):
            arriving.get(owner, name)
    assert begun(owner=BOB).id != arrival.id


def test_a_full_disk_is_one_sentence_and_leaves_nothing(lab, monkeypatch):
    arrival = begun()
    piece = Piece(arrival, 0, 6)
    monkeypatch.setattr(type(arrival), "path", lambda self, at: lab / "no folder" / "file")
    with pytest.raises(StoreError, match="Free some space"):
        piece.write(CONTENT[:6])
    assert everything(lab) == []
