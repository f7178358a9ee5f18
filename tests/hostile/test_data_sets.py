"""Hostile data sets: each is a set or one sentence; nothing of it is run or leaves its folder, memory is bounded."""

import json
import subprocess
import sys
from pathlib import Path

import picture_files as files
import pytest
from hostile import data_sets
from hostile.asked import refusal
from hostile.tried import count

from tlcore.datasets import own_sets
from tlcore.datasets.own_sets import Choices, Given, Limits, draft, planning, reading
from tlcore.errors import DataError, LabError

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's about broken EXIF, zipfile's about names that come twice

LIMITS = Limits(pictures=200, mb=20)
HONEST = data_sets.honest()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRANSFER_LAB_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def taken(folder: Path, named: data_sets.Named) -> own_sets.Report | None:
    """Look at files as the child does, and add them where they can be; None when they were refused in one sentence."""
    givens = []
    for i, (name, content) in enumerate(named.items()):
        (folder / str(i)).write_bytes(content)
        givens.append(Given(folder / str(i), name))
    place = draft.new_place("")
    try:
        report = reading.read(place, givens, "", LIMITS)
    except LabError as error:
        assert refusal(error)
        return None
    assert all(str(finding.sentence).isprintable() for finding in report.findings)
    planned = own_sets.plan(report.id)
    if not planned.problems:
        card = own_sets.add(report.id, "hostile")
        own_sets.remove(card.name)
    return report


def nothing_else_was_written(folder: Path) -> bool:
    return {path.name for path in folder.iterdir()} <= {"home", *map(str, range(5))}


def test_an_honest_set_of_each_kind_is_taken(tmp_path):
    assert None not in [taken(tmp_path, named) for named in HONEST.values()]


@pytest.mark.grid(2)
@pytest.mark.parametrize("kind", HONEST)
def test_a_set_cut_off_or_spoilt_anywhere_is_a_set_or_one_sentence(kind, tmp_path):
    sets = [*data_sets.cut(HONEST[kind], 25), *data_sets.spoilt(HONEST[kind], 25)]
    assert None in [taken(tmp_path, named) for named in sets] and nothing_else_was_written(tmp_path)
    count("data set", len(sets))


@pytest.mark.grid(2)
@pytest.mark.parametrize("make", [data_sets.lying_heads, data_sets.lying_idx, data_sets.tables, data_sets.archives])
def test_what_lies_about_itself_is_a_set_or_one_sentence(make, tmp_path):
    sets = list(make())
    assert None in [taken(tmp_path, named) for named in sets] and nothing_else_was_written(tmp_path)
    count("data set", len(sets))


def test_names_lead_nowhere(tmp_path):
    sets = list(data_sets.names())
    for named in sets:
        taken(tmp_path, named)
    assert nothing_else_was_written(tmp_path) and not Path("/tmp/evil").exists()
    count("data set", len(sets))


def test_objects_are_never_loaded(tmp_path):
    made = tmp_path / "made"
    sets = list(data_sets.objects(made))
    assert {taken(tmp_path, named) for named in sets} == {None}
    assert not made.exists()
    count("data set", len(sets))


def test_a_hostile_picture_among_good_ones_is_left_out_by_name(tmp_path):
    bad = dict(data_sets.bad_pictures())
    named = {f"cat/bad {i}.png": content for i, content in enumerate(bad.values())}
    report = taken(tmp_path, {"a.zip": data_sets.archive(files.pets(20) | named)})
    assert report is not None and report.n >= 40
    (damaged,) = (finding for finding in report.findings if finding.kind == "damaged")
    assert damaged.n > 10 and all("bad" in name for name in damaged.names)
    count("data set", len(bad))


CHILD = """
import json, resource, sys
from pathlib import Path
from tlcore.datasets.own_sets import Given, Limits, reading
from tlcore.errors import LabError
reading.know_heif()
reading._limit(Limits())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told = []
for i, path in enumerate(sorted(Path(sys.argv[1]).iterdir())):
    place = Path(sys.argv[2]) / str(i)
    place.mkdir()
    try:
        told.append(reading.read(place, [Given(path, path.name)], "", Limits(pictures=2000)).n)
    except LabError as error:
        told.append(str(error))
print(json.dumps([told, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


@pytest.mark.slow
def test_bombs_take_no_memory(tmp_path):
    for folder in ("bombs", "drafts"):
        (tmp_path / folder).mkdir()
    giants = {f"{i % 2}/{i}.png": content for i, (_name, content) in enumerate(data_sets.pictures.bombs())}
    bombs = {
        "giants.zip": data_sets.archive(giants),
        "many.zip": data_sets.tiny_files(100_000),
        "overlapping.zip": data_sets._overlapping(),
        "wide.csv": next(named for named in list(data_sets.tables())[4:])["a.csv"],
        "zeros.csv.gz": files.packed(bytes(2**25)),
        "zeros.npz": data_sets.archive({"x.npy": bytes(2**25), "y.npy": bytes(2**25)}, 8),
    }
    for name, content in bombs.items():
        (tmp_path / "bombs" / name).write_bytes(content)
    line = [sys.executable, "-c", CHILD, str(tmp_path / "bombs"), str(tmp_path / "drafts")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=True)
    told, mb = json.loads(done.stdout)
    assert len(told) == len(bombs) and mb < 400, (told, mb)
    count("data set", len(bombs))


def test_too_much_memory_is_one_sentence(tmp_path, monkeypatch):
    given = files.zipped(tmp_path / "pets.zip", files.pets(3))
    monkeypatch.setattr(reading, "in_child", _greedy)
    with pytest.raises(DataError, match="ended in the middle") as refused:
        own_sets.look([given])
    assert refusal(refused.value)


def _greedy(place, givens, owner, limits):
    reading._limit(limits)
    bytearray(2**31)


@pytest.mark.parametrize(
    "values",
    [
        {"form": "../x"}, {"mends": ("rm -rf",)}, {"names": (("nobody", "x"),)}, {"test_share": "half"},
        {"test_share": float("nan")}, {"per_class": -1}, {"per_class": 10**30}, {"seed": -1}, {"seed": "x"},
        {"left_out": ("x",)},
    ],
)  # fmt: skip
def test_choices_that_are_none_are_one_sentence(values, tmp_path):
    report = taken(tmp_path, {"a.zip": data_sets.archive(files.pets(2))})
    assert report is not None
    with pytest.raises(LabError) as refused:
        planning.select(draft.opened(report.id, ""), Choices(**values))
    assert refusal(refused.value)
    count("data set")
